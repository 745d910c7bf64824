"""`make torture`: every promise, in processes of pytest two at a time, then alone what a busy machine would disturb.

`python -m tests.torture [--jobs 2] [--only WORD]`. The output of each goes to build/torture/NAME/log; the table of all
is printed at the end. Exit code 1 when a promise was not kept or not put to the test, or when a test failed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.torture import page

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "torture"
FAULTS = "tests/torture/test_faults.py::test_the_nth_call_fails"
# longest first, so that two of them end together
SIDE_BY_SIDE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("kills", ("tests/torture/test_kills.py",)),
    ("attacks", ("tests/hostile/test_attacks.py", "tests/hostile/test_cut_short.py", "tests/torture/test_gates.py")),
    ("mutants", ("tests/hostile/test_mutants.py",)),
    ("writes", (f"{FAULTS}[write]",)),
    ("syncs", (f"{FAULTS}[sync]",)),
    ("damage", ("tests/torture/test_damage.py",)),
    ("encrypted", ("tests/torture/test_encrypted.py",)),
    ("disks", ("tests/torture/test_disks.py",)),
    ("faults", tuple(f"{FAULTS}[{kind}]" for kind in ("commit", "decode", "model"))),
    ("stale", ("tests/torture/test_stale.py", "tests/torture/test_versions.py")),
    (
        "privacy",
        (
            "tests/unit/store/test_audit.py",
            "tests/integration/test_promises_at_run_time.py",
            "tests/integration/test_encrypted_store.py",
            "tests/gui/test_names_stay_inside.py",
            "tests/torture/test_exports.py",
            "tests/integration/test_isolated_runs.py",
        ),
    ),
)
ALONE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("workers", ("tests/torture/test_workers.py",)),
    ("hard stops", ("tests/torture/test_hard_stops.py",)),
    ("time and memory", ("tests/torture/test_time_and_memory.py",)),
)


def main() -> int:
    """Run, print the table, say whether all is kept."""
    arguments = _arguments()
    os.environ.setdefault("CHORDAE_TORTURE_N", "100")
    shutil.rmtree(FOLDER, ignore_errors=True)
    started_s = time.monotonic()
    wanted = [row for row in (*SIDE_BY_SIDE, *ALONE) if arguments.only in row[0]]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        codes = list(pool.map(_run, [row for row in wanted if row in SIDE_BY_SIDE]))
    codes += [_run(row) for row in wanted if row in ALONE]
    minutes = (time.monotonic() - started_s) / 60
    found = page.read_lines(FOLDER)
    text = page.tables(found) + page.footing(int(os.environ["CHORDAE_TORTURE_N"]), minutes)
    (FOLDER / "promises.md").write_text(text, encoding="utf-8")
    sys.stdout.write("\n" + text)
    missing = [] if arguments.only else page.missing(found)
    return int(any(codes) or bool(missing) or not all(line.kept for line in found))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", metavar="WORD", help="only the parts with this in their name")
    return parser.parse_args()


def _run(row: tuple[str, Sequence[str]]) -> int:
    """One process of pytest; its exit code."""
    name, tests = row
    folder = FOLDER / name.replace(" ", "-")
    folder.mkdir(parents=True)
    environment = {**os.environ, "CHORDAE_TORTURE_TABLE": str(folder)}
    command = [sys.executable, "-m", "pytest", "-m", "torture or not torture", "--durations=10", *tests]
    started_s = time.monotonic()
    with (folder / "log").open("wb") as log:
        code = subprocess.run(command, cwd=ROOT, env=environment, stdout=log, stderr=log, check=False).returncode
    word = "done" if code == 0 else f"FAILED, see {(folder / 'log').relative_to(ROOT)}"
    sys.stdout.write(f"{name:16} {word}, {time.monotonic() - started_s:.0f} s\n")
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
