"""What an encrypted store costs: opening, writing, reading, converting, beside an unencrypted one.

python -m benchmarks.encryption    CPU time of this process, the median of five
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.records import CardiologyRequest
from pipeline.store import keys, vault
from pipeline.store.database import Store

N_ROUNDS = 5
PAYLOAD = os.urandom(50 << 20)
PASSPHRASE = "words of the benchmark"  # noqa: S105 - of a store that is thrown away


def cpu_s(act: Callable[[], object]) -> float:
    started = time.process_time()
    act()
    return time.process_time() - started


def one_round(folder: Path, *, is_encrypted: bool) -> dict[str, float]:
    path = folder / "chordae.sqlite"
    if is_encrypted:
        vault.make_encrypted(path, PASSPHRASE)
    found: dict[str, float] = {}
    with Store.open(path) as store:
        store.start_run("r", CardiologyRequest())
        found["50 MB written"] = cpu_s(lambda: store.save_part("r", "x", 0, "k", PAYLOAD))
        found["50 MB read"] = cpu_s(lambda: store.parts("r", "x", "k"))
    found["opened"] = statistics.median(cpu_s(lambda: Store.open(path).close()) for _ in range(20))
    if is_encrypted:
        keys.remember(path, None)
        found["opened with the passphrase"] = cpu_s(lambda: vault.unlock(path, PASSPHRASE))
        keys.remember(path, None)
    else:
        found["50 MB encrypted"] = cpu_s(lambda: vault.encrypt(path, PASSPHRASE))
        keys.remember(path, None)
    return found


def main() -> int:
    for is_encrypted in (False, True):
        rounds = []
        for _ in range(N_ROUNDS):
            with tempfile.TemporaryDirectory() as folder:
                rounds.append(one_round(Path(folder), is_encrypted=is_encrypted))
        sys.stdout.write("encrypted\n" if is_encrypted else "unencrypted\n")
        for name in rounds[0]:
            middle = statistics.median(each[name] for each in rounds)
            sys.stdout.write(f"  {name:<28} {1000 * middle:8.1f} ms\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
