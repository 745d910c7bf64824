"""The gates that every file passes, in their order: each is tried with a file that all before it let through."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline import branch_work
from pipeline.engine import run_study
from pipeline.gates import Limits
from pipeline.isolation import worker_process
from pipeline.isolation.executor import IsolatedExecutor
from pipeline.records import CardiologyRequest
from pipeline.states import State
from tests.hostile.attacks import ATTACKS
from tests.torture.promises import Record

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pipes and limits of POSIX")
ODD_WORKER = Path(__file__).parents[1] / "unit" / "isolation" / "odd_worker.py"
STRIP = b"time (ms),I,II\n" + b"".join(b"%d,%d,%d\n" % (4 * n, n % 7, n % 5) for n in range(500))


@contextmanager
def executing(folder: Path) -> Iterator[IsolatedExecutor]:
    made = IsolatedExecutor(folder)
    try:
        yield made
    finally:
        made.close()


def pipe(folder: Path) -> CardiologyRequest:
    os.mkfifo(folder / "pipe.csv")
    return CardiologyRequest(ecg_path=folder / "pipe.csv")


def noise(folder: Path) -> CardiologyRequest:
    (folder / "noise.dcm").write_bytes(bytes(range(1, 256)) * 40)
    return CardiologyRequest(echo_paths=(folder / "noise.dcm",))


def huge(folder: Path) -> CardiologyRequest:
    path = folder / "huge.csv"
    path.write_bytes(STRIP)
    os.truncate(path, Limits().max_file_bytes + 1)  # sparse
    return CardiologyRequest(ecg_path=path)


def claim(folder: Path) -> CardiologyRequest:
    attack = next(each for each in ATTACKS if each.role == "echo" and each.ends == ("E_HARD_004",))
    return CardiologyRequest(echo_paths=(attack.make(folder),))


def strip(folder: Path) -> CardiologyRequest:
    (folder / "strip.csv").write_bytes(STRIP)
    return CardiologyRequest(ecg_path=folder / "strip.csv")


# gate, what is given, how the worker behaves, code or words of the report, whether a worker may have been started
GATES: tuple[tuple[str, Callable[[Path], CardiologyRequest], str, str, bool], ...] = (
    ("regular file", pipe, "", "E_INPUT_KIND", False),
    ("first bytes", noise, "", "E_INPUT_KIND", False),
    ("size", huge, "", "E_HARD_004", False),
    ("declared size", claim, "", "E_HARD_004", True),
    ("memory of the worker", strip, "validate_ecg=hold_much", "E_HARD_002", True),
    ("time of the worker", strip, "validate_ecg=hang", "attempts: timeout", True),
)


@pytest.mark.torture
def test_each_gate_refuses_what_the_others_let_through(
    tmp_path: Path, promise: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    normal = worker_process.worker_command
    wrong = []
    for number, (gate, make, behaviour, code, may_start) in enumerate(GATES):
        folder = tmp_path / str(number)
        folder.mkdir()
        with monkeypatch.context() as patch, executing(folder / "data") as executor:
            if behaviour:
                odd = [sys.executable, "-s", str(ODD_WORKER), behaviour]
                patch.setattr(worker_process, "worker_command", lambda place, odd=odd: [*odd, *normal(place)[-2:]])
            if gate == "time of the worker":
                patch.setitem(branch_work.DEADLINES_S, State.VALIDATION, 1.0)
            response = run_study(folder / "data" / "s.sqlite", make(folder), executor=executor)
            said = str(response.report)
            is_started = bool(executor.supervisor.pids) and not may_start
        if response.status != "error" or code not in said or is_started:
            wrong.append((gate, response.error_code))
    promise(
        "The gates in their order: regular file, first bytes, size, declared size, memory and time of the worker, each "
        "with its code; before the first three are passed no worker is started",
        f"{len(GATES) - len(wrong)} of {len(GATES)}" + (f"; {wrong}" if wrong else ""),
        kept=not wrong,
    )
