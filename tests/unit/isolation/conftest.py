"""Supervisors over real worker processes whose stages misbehave on demand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.cancellation import CancelToken, no_progress
from pipeline.gates import Limits
from pipeline.isolation import worker_process
from pipeline.isolation.supervisor import Supervisor
from pipeline.retry import Attempt
from pipeline.stage_calls import EcgFile, StageCall

ODD_WORKER = Path(__file__).parent / "odd_worker.py"
STRIP = b"time (ms),I,II\n" + b"".join(b"%d,%d,%d\n" % (4 * n, n % 7, n % 5) for n in range(50))


@pytest.fixture
def supervisors(tmp_path: Path) -> Iterator[Callable[..., Supervisor]]:
    """Makes supervisors and closes them; nothing of theirs may be left."""
    made: list[Supervisor] = []

    def make(**more: object) -> Supervisor:
        made.append(Supervisor(tmp_path / "data", **more))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close()
    left = tmp_path / "data" / "work"
    assert not left.exists() or list(left.iterdir()) == []


@pytest.fixture
def behave(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Workers that are started from now on behave like this: "validate_ecg=hang"."""
    normal = worker_process.worker_command

    def choose(behaviour: str) -> None:
        def command(folder: Path) -> list[str]:
            folder_and_pid = normal(folder)[-2:]
            return [sys.executable, "-s", str(ODD_WORKER), behaviour, *folder_and_pid]

        monkeypatch.setattr(worker_process, "worker_command", command)

    return choose


@pytest.fixture
def strip(tmp_path: Path) -> Path:
    path = tmp_path / "strip.csv"
    path.write_bytes(STRIP)
    return path


def look_at(strip: Path) -> StageCall:
    return StageCall(name="validate_ecg", arguments=EcgFile(path=strip, limits=Limits()))


def do(supervisor: Supervisor, call: StageCall, cancel: CancelToken | None = None) -> object:
    return supervisor.call(call, Attempt(), no_progress, cancel or CancelToken())
