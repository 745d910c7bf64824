"""Workers that crash, hang, grow or lie; real processes, tiny files."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from pydicom.data import get_testdata_file

from pipeline.cancellation import CancelToken, DeadlineToken
from pipeline.errors import InputError, RunCancelledError, StageTimeoutError, WorkerCrashError, WorkerError
from pipeline.faults import StageFaultError
from pipeline.gates import Limits
from pipeline.isolation.supervisor import Supervisor
from pipeline.stage_calls import EchoFiles, StageCall
from pipeline.stages.validation import validate_ecg
from tests.unit.isolation.conftest import do, look_at

Make = Callable[..., Supervisor]
Behave = Callable[[str], None]


def here(strip: Path) -> object:
    call = look_at(strip)
    return validate_ecg(call.arguments.path, call.arguments.limits, progress=lambda *_: None, cancel=CancelToken())


def wait_until(condition: Callable[[], object], seconds: float) -> float:
    """Seconds until the condition held; fails after `seconds`."""
    started_s = time.monotonic()
    while not condition():
        assert time.monotonic() - started_s < seconds
        time.sleep(0.01)
    return time.monotonic() - started_s


def test_a_worker_answers_as_this_process_would(supervisors: Make, strip: Path) -> None:
    supervisor = supervisors()
    assert do(supervisor, look_at(strip)) == here(strip)
    first = supervisor.pids
    assert do(supervisor, look_at(strip)) == here(strip)
    assert supervisor.pids == first  # one worker serves call after call
    (pid,) = first
    assert not hasattr(os, "nice") or psutil.Process(pid).nice() > os.nice(0)  # it gives way to the window


def test_typed_errors_come_back_as_they_are(supervisors: Make, tmp_path: Path) -> None:
    supervisor = supervisors()
    (tmp_path / "no.csv").write_bytes(bytes(range(256)))
    for path in (tmp_path / "no.csv", tmp_path / "missing.csv"):
        with pytest.raises(Exception, match="E_INPUT") as theirs:
            do(supervisor, look_at(path))
        with pytest.raises(type(theirs.value)) as ours:
            here(path)
        assert str(theirs.value) == str(ours.value)
        assert vars(theirs.value) == vars(ours.value)


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGKILL"])
def test_a_crash_names_its_file_and_the_next_call_works(
    supervisors: Make, behave: Behave, monkeypatch: pytest.MonkeyPatch, strip: Path, name: str
) -> None:
    supervisor = supervisors()
    with monkeypatch.context():
        behave(f"validate_ecg={name}")
        with pytest.raises(WorkerCrashError, match=name) as caught:
            do(supervisor, look_at(strip))
    assert caught.value.file == strip
    assert strip.name not in str(caught.value)
    assert supervisor.pids == ()
    monkeypatch.undo()
    assert do(supervisor, look_at(strip)) == here(strip)


@pytest.mark.parametrize("how", ["hang", "spin"])
def test_cancel_ends_the_worker(supervisors: Make, behave: Behave, strip: Path, how: str) -> None:
    supervisor, cancel = supervisors(), CancelToken()
    behave(f"validate_ecg={how}")
    ended_s: list[float] = []

    def run() -> None:
        with pytest.raises(RunCancelledError):
            do(supervisor, look_at(strip), cancel)
        ended_s.append(time.monotonic())

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: supervisor.ready_pids, 20)
    worker = psutil.Process(supervisor.pids[0])
    time.sleep(0.1)
    cancelled_s = time.monotonic()
    cancel.cancel()
    thread.join(10)
    assert ended_s[0] - cancelled_s < 0.5
    assert not worker.is_running()


def test_a_deadline_ends_the_worker(supervisors: Make, behave: Behave, strip: Path) -> None:
    supervisor = supervisors()
    behave("validate_ecg=hang")
    with pytest.raises(StageTimeoutError):
        do(supervisor, look_at(strip), DeadlineToken(CancelToken(), 1.0))
    assert supervisor.pids == ()


def test_a_worker_that_outgrows_its_limit_is_ended(supervisors: Make, behave: Behave, strip: Path) -> None:
    supervisor = supervisors(resident_limit=300 << 20)
    behave("validate_ecg=grow")
    with pytest.raises(MemoryError):
        do(supervisor, look_at(strip))
    assert supervisor.pids == ()


def test_a_parser_that_asks_for_too_much_gets_no_memory(supervisors: Make, behave: Behave, strip: Path) -> None:
    supervisor = supervisors()
    behave("validate_ecg=hold_much")
    with pytest.raises(MemoryError):
        do(supervisor, look_at(strip))
    assert supervisor.pids == ()  # the next attempt has a fresh one


def test_noise_of_a_library_does_not_disturb_and_a_fault_keeps_no_text(
    supervisors: Make, behave: Behave, strip: Path
) -> None:
    supervisor = supervisors()
    behave("validate_ecg=print_much")
    with pytest.raises(StageFaultError) as caught:
        do(supervisor, look_at(strip))
    assert caught.value.kind == "ValueError"
    assert "odd_worker.py" in caught.value.places[-1]
    assert "CANARY" not in repr(vars(caught.value))


@pytest.mark.parametrize("behaviour", ["validate_ecg=lie", "garbage"])
def test_what_is_not_in_the_protocol_ends_the_conversation(
    supervisors: Make, behave: Behave, strip: Path, behaviour: str
) -> None:
    supervisor = supervisors()
    behave(behaviour)
    with pytest.raises((WorkerCrashError, WorkerError)):
        do(supervisor, look_at(strip))
    assert supervisor.pids == ()


def test_a_worker_that_cannot_start_is_said(supervisors: Make, behave: Behave, strip: Path) -> None:
    behave("start")
    with pytest.raises(WorkerCrashError) as caught:
        do(supervisors(), look_at(strip))
    assert caught.value.code == "E_WORKER_START"


def test_what_a_worker_may_do(supervisors: Make, behave: Behave, monkeypatch: pytest.MonkeyPatch, strip: Path) -> None:
    monkeypatch.setenv("CANARY_TOKEN", "secret")
    behave("validate_ecg=report_itself")
    with pytest.raises(InputError) as caught:
        do(supervisors(), look_at(strip))
    said = caught.value.details
    refused = {"socket", "child", "system", "write outside", "remove outside", "unpickle"}
    assert {name: said[name] for name in refused} == dict.fromkeys(refused, "PermissionError")
    assert said["write inside"] == "done"
    assert said["arguments"] == oct(0o40700)
    assert "CANARY_TOKEN" not in said["environment"]
    assert not Path("/tmp/chordae-outside").exists()


def test_the_readers_are_loaded_first_and_the_lane_of_the_clips_takes_them(supervisors: Make) -> None:
    supervisor = supervisors(keeps_spare=True)
    wait_until(lambda: len(supervisor.pids) == 2, 20)
    reader, model = supervisor.pids
    clip = Path(get_testdata_file("examples_ybr_color.dcm"))
    cine = do(supervisor, StageCall(name="preview_echo", arguments=EchoFiles(paths=(clip,), limits=Limits())))
    assert len(cine.frames) == 1
    assert supervisor.pid_of("echo") == reader
    assert model in supervisor.pids


def test_limits_of_a_worker(supervisors: Make, strip: Path) -> None:
    supervisor = supervisors()
    do(supervisor, look_at(strip))
    worker = psutil.Process(supervisor.pids[0])
    assert worker.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    assert worker.rlimit(psutil.RLIMIT_NOFILE)[0] <= 256
    assert worker.rlimit(psutil.RLIMIT_FSIZE)[0] <= 8 << 30
    if "network" not in supervisor.try_out():
        ours, theirs = (Path(f"/proc/{name}/ns/net").stat().st_ino for name in ("self", worker.pid))
        assert ours != theirs


def test_a_spare_is_replaced_within_four_seconds(supervisors: Make) -> None:
    supervisor = supervisors(keeps_spare=True)
    for name in (signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL):
        wait_until(lambda: supervisor.ready_pids, 20)
        before = supervisor.pids[0]
        os.kill(before, name)
        wait_until(lambda before=before: supervisor.ready_pids and before not in supervisor.pids, 4.0)


def test_between_runs_there_are_only_the_spares(supervisors: Make, strip: Path) -> None:
    supervisor = supervisors(keeps_spare=True)
    do(supervisor, look_at(strip))
    worker = supervisor.pid_of("ecg")
    supervisor.rest()
    assert worker not in supervisor.pids
    wait_until(lambda: len(supervisor.ready_pids) == 2, 20)  # the second one comes when the first is warm
    spares = supervisor.pids
    supervisor.rest()
    assert supervisor.pids == spares
    without_spare = supervisors()
    do(without_spare, look_at(strip))
    without_spare.rest()
    assert without_spare.pids == ()
