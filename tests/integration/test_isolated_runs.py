"""Whole runs with worker processes: the same result as without, and a process of ours that lives through everything."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.holter import make_holter, write_wfdb
from pipeline.cancellation import CancelToken
from pipeline.engine import load_run, run_study
from pipeline.isolation import worker_process
from pipeline.isolation.executor import IsolatedExecutor
from pipeline.records import CardiologyRequest, CardiologyResponse, RunEvent, StudyResults
from pipeline.store.database import Store
from tests.integration.short_study import short_study
from tests.torture import promises

ODD_WORKER = Path(__file__).parents[1] / "unit" / "isolation" / "odd_worker.py"


def result(response: CardiologyResponse) -> str:
    return json.dumps(response.report["result"], sort_keys=True)


def codes(response: CardiologyResponse) -> dict[str, str | None]:
    return {each.branch: each.code for each in response.branches}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> CardiologyRequest:
    return short_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def here(study: CardiologyRequest) -> CardiologyResponse:
    """The study, read in this process."""
    return run_study(None, study)


@pytest.fixture
def executor(tmp_path: Path) -> Iterator[IsolatedExecutor]:
    made = IsolatedExecutor(tmp_path / "data")
    yield made
    made.close()
    assert list((tmp_path / "data").glob("work/*")) == []


def test_result_is_the_same_byte_for_byte(
    study: CardiologyRequest, here: CardiologyResponse, executor: IsolatedExecutor, tmp_path: Path
) -> None:
    events: list[RunEvent] = []
    there = run_study(tmp_path / "data" / "s.sqlite", study, executor=executor, on_event=events.append)
    assert there.status == here.status == "complete"
    assert result(there) == result(here)
    assert there.branches == here.branches
    assert any(event.kind == "progress" and event.state == "DETECTION" for event in events)


def test_the_engine_imports_no_slow_library(study: CardiologyRequest, tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from pipeline.engine import load_run, run_study
from pipeline.isolation.executor import IsolatedExecutor
from pipeline.records import CardiologyRequest
executor = IsolatedExecutor(Path(sys.argv[1]))
request = CardiologyRequest(echo_paths=(Path(sys.argv[2]),), ecg_path=Path(sys.argv[3]))
print(run_study(Path(sys.argv[1]) / "s.sqlite", request, executor=executor).status)
executor.close()
print(sorted({"torch", "neurokit2", "scipy", "pydicom", "cv2", "pandas"} & set(sys.modules)))
"""
    command = [sys.executable, "-c", code, str(tmp_path), str(study.echo_paths[0]), str(study.ecg_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.splitlines() == ["complete", "[]"]


@pytest.mark.parametrize(
    "name",
    ["SIGKILL", pytest.param("SIGSEGV", marks=pytest.mark.slow), pytest.param("SIGABRT", marks=pytest.mark.slow)],
)
def test_one_dead_worker_is_one_retry(
    study: CardiologyRequest, here: CardiologyResponse, executor: IsolatedExecutor, name: str
) -> None:
    killed: list[int] = []

    def kill(event: RunEvent) -> None:
        if event.state == "DETECTION" and event.kind == "progress" and not killed:
            killed.append(executor.supervisor.pid_of("model") or 0)
            os.kill(killed[0], signal.Signals[name])

    response = run_study(None, study, executor=executor, on_event=kill)
    assert killed
    assert response.report["pipeline_execution"]["retries_performed"] == 1
    assert result(response) == result(here)


def odd_workers(monkeypatch: pytest.MonkeyPatch, behaviour: str) -> None:
    normal = worker_process.worker_command
    monkeypatch.setattr(
        worker_process,
        "worker_command",
        lambda folder: [sys.executable, "-s", str(ODD_WORKER), behaviour, *normal(folder)[-2:]],
    )


def test_a_file_that_ends_its_reader_twice_is_remembered(
    study: CardiologyRequest, executor: IsolatedExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "data" / "s.sqlite"
    odd_workers(monkeypatch, "prepare_ecg=SIGSEGV")
    ecg_only = CardiologyRequest(ecg_path=study.ecg_path)
    response = run_study(store, ecg_only, executor=executor)
    assert (response.status, response.error_code) == ("error", "E_INPUT_CRASHED_READER")
    assert response.report["pipeline_execution"]["retries_performed"] == 1
    assert response.report["pipeline_execution"]["warnings"] == []
    monkeypatch.undo()

    events: list[RunEvent] = []
    again = run_study(store, ecg_only, executor=executor, on_event=events.append)
    assert again.status == "complete"
    assert [w["code"] for w in again.report["pipeline_execution"]["warnings"]] == ["W_INPUT_CRASHED_BEFORE"]
    told = next(event.seq for event in events if event.code == "W_INPUT_CRASHED_BEFORE")
    validated = next(event.seq for event in events if event.state == "VALIDATION")
    promises.record(
        "A file that ends its reader: one more attempt, then E_INPUT_CRASHED_READER; its hash is remembered, and the "
        "next run warns before it is read",
        f"{response.error_code} after {1 + response.report['pipeline_execution']['retries_performed']} attempts, then "
        "W_INPUT_CRASHED_BEFORE",
        kept=told < validated,
    )


def test_of_several_clips_only_the_one_that_crashes_is_left_out(
    study: CardiologyRequest, executor: IsolatedExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clip,) = study.echo_paths
    paths = tuple(shutil.copy(clip, tmp_path / f"{n}.dcm") for n in range(3))
    odd_workers(monkeypatch, "prepare_echo=crash_at_second_clip")
    store, cancel, cines = tmp_path / "data" / "s.sqlite", CancelToken(), []

    def stop_then(results: StudyResults) -> None:
        if len(results.cines) > 1:  # more than the preview; the network has nothing to add
            cines.append(results.cines)
            cancel.cancel()

    request = CardiologyRequest(echo_paths=paths)
    response = run_study(store, request, executor=executor, cancel=cancel, on_results=stop_then)
    assert response.report["pipeline_execution"]["retries_performed"] == 1
    assert len(cines[0]) == 2
    stored = load_run(store, response.run_id).results
    assert [(remark.code, remark.text[:11]) for remark in stored.remarks] == [("E_INPUT_CRASHED_READER", "Echo clip 2")]
    with Store.open(store) as opened:
        assert list(opened.crashes().values()) == [1]


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ("prepare_ecg=SIGABRT", "E_INPUT_CRASHED_READER"),
        ("detect_echo=SIGKILL", "E_WORKER_CRASHED"),
        ("analyse_ecg=SIGSEGV", "E_WORKER_CRASHED"),
    ],
)
@pytest.mark.slow
def test_a_crash_ends_its_branch_only(
    study: CardiologyRequest, executor: IsolatedExecutor, monkeypatch: pytest.MonkeyPatch, behaviour: str, code: str
) -> None:
    odd_workers(monkeypatch, behaviour)
    response = run_study(None, study, executor=executor)
    assert response.status == "complete"
    assert [each for each in codes(response).values() if each] == [code]
    assert response.report["pipeline_execution"]["retries_performed"] == 1


@pytest.mark.slow
def test_memory_is_two_attempts_the_second_with_half_the_batch(
    study: CardiologyRequest, executor: IsolatedExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor.supervisor.resident_limit = 600 << 20
    odd_workers(monkeypatch, "detect_echo=grow")
    events: list[RunEvent] = []
    response = run_study(None, study, executor=executor, on_event=events.append)
    assert (response.status, response.error_code) == ("error", "E_HARD_002")
    retries = [event.text for event in events if event.kind == "retry"]
    assert len(retries) == 1
    assert "batch halved" in retries[0]
    assert response.report["error"]["details"]["attempts"] == "2"


@pytest.mark.slow
def test_parts_of_a_long_ecg_come_out_of_the_worker(executor: IsolatedExecutor, tmp_path: Path) -> None:
    request = CardiologyRequest(ecg_path=write_wfdb(tmp_path, make_holter(4200, seed=7)))
    whole = run_study(None, request)
    store, cancel = tmp_path / "data" / "s.sqlite", CancelToken()

    def stop_in_second_hour(event: RunEvent) -> None:
        if event.state == "ANALYSIS" and "hour 2" in event.text:
            cancel.cancel()

    stopped = run_study(store, request, executor=executor, cancel=cancel, on_event=stop_in_second_hour)
    assert stopped.status == "cancelled"
    with Store.open(store) as opened:
        (row,) = opened._query("SELECT count(*) AS n FROM partial_results WHERE field = 'analysis_result.ecg'")
    assert row["n"] == 1
    texts: list[str] = []
    resumed = run_study(
        store, None, resume=stopped.run_id, executor=executor, on_event=lambda event: texts.append(event.text)
    )
    assert resumed.status == "complete"
    assert not any("hour 1" in text and "Measuring" in text for text in texts)
    assert result(resumed) == result(whole)
