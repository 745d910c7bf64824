"""ECG benchmarks: `python -m benchmarks.ecg beats [FOLDER]`, `long …`, `rhythm`, `statements` and `strips FILE`.

Each subcommand is a module with `main(arguments) -> int`; it is imported only when it is asked for.
"""

from __future__ import annotations

import sys
from importlib import import_module

SUBCOMMANDS = {
    "beats": ("benchmarks.ecg_beats", "R peaks beside neurokit2, wfdb and sleepecg, on records with beat annotations"),
    "rhythm": ("benchmarks.ecg_rhythm", "higher AV block, ectopic atrial and junctional rhythm beside labels"),
    "statements": ("benchmarks.ecg_statements", "ECG statements beside LUDB's labels, electrodes exchanged"),
    "strips": ("benchmarks.ecg_strips", "a picture of strips with the marks found in them"),
    "long": ("benchmarks.ecg_long", "time and memory for a recording of 24 hours"),
}


def main(arguments: list[str]) -> int:
    """Run one subcommand; the exit status is 2 where there is none of that name."""
    if not arguments or arguments[0] not in SUBCOMMANDS:
        for name, (_, text) in SUBCOMMANDS.items():
            print(f"{name:8} {text}")
        return 2
    module = import_module(SUBCOMMANDS[arguments[0]][0])
    status: int = module.main(arguments[1:])
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
