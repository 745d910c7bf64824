"""SIGKILL in the middle of a real run, then resume: the same `result`, byte for byte."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.demo import demo_request
from pipeline.store.database import Store

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a POSIX signal")


def command(folder: Path, *more: str, with_echo: bool = True) -> list[str]:
    request = demo_request()
    inputs = ["--ecg", str(request.ecg_path), *(["--echo", str(request.echo_paths[0])] if with_echo else [])]
    report = ["--report", str(folder / "report.json"), "--data-dir", str(folder / "data")]
    return [sys.executable, "-m", "app", "run", *inputs, *report, "--events", "-", *more]


def events(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def run_whole(folder: Path, *, with_echo: bool = True) -> dict[str, Any]:
    subprocess.run(command(folder, with_echo=with_echo), check=True, stdout=subprocess.DEVNULL, timeout=300)
    return json.loads((folder / "report.json").read_text())


def killed_in(folder: Path, state: str, *, with_echo: bool = True) -> None:
    """Start a run and kill its process once a branch works in that state."""
    with subprocess.Popen(command(folder, with_echo=with_echo), stdout=subprocess.PIPE, text=True) as process:
        for event in events(process):
            if event["state"] == state and event["kind"] == "branch" and event["text"] == "running":
                os.kill(process.pid, signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "report.json").exists()


def test_a_killed_run_of_an_ecg_resumes_byte_identically(tmp_path: Path) -> None:
    """The quick one, by the command line and with worker processes; where exactly the kill lands does not matter."""
    folders = tmp_path / "whole", tmp_path / "killed"
    for folder in folders:
        folder.mkdir()
    whole = run_whole(folders[0], with_echo=False)
    killed_in(folders[1], "PREPROCESSING", with_echo=False)
    with Store.open(folders[1] / "data" / "chordae.sqlite") as store:
        (row,) = store.runs()
        n_saved = len(store.checkpoint_states(row.run_id))
    assert (row.status, n_saved in (1, 2)) == ("interrupted", True)
    resume = command(folders[1], "--resume", row.run_id, with_echo=False)
    subprocess.run(resume, check=True, stdout=subprocess.DEVNULL, timeout=300)
    resumed = json.loads((folders[1] / "report.json").read_text())
    assert json.dumps(resumed["result"], sort_keys=True) == json.dumps(whole["result"], sort_keys=True)
    execution = resumed["pipeline_execution"]
    assert (execution["checkpoints_restored"], execution["checkpoints_saved"]) == (n_saved, 3 - n_saved)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return run_whole(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize(
    ("state", "restored"),
    [
        pytest.param("DETECTION", 2, marks=pytest.mark.slow),  # on a smaller study the quick torture does the same
        pytest.param("VALIDATION", 0, marks=pytest.mark.slow),
        pytest.param("PREPROCESSING", 1, marks=pytest.mark.slow),
        pytest.param("ANALYSIS", 3, marks=pytest.mark.slow),
    ],
)
def test_killed_run_resumes_byte_identically(whole: dict[str, Any], tmp_path: Path, state: str, restored: int) -> None:
    killed_in(tmp_path, state)
    with Store.open(tmp_path / "data" / "chordae.sqlite") as store:
        (row,) = store.runs()
        assert row.status == "interrupted"
        assert len(store.checkpoint_states(row.run_id)) == restored
    subprocess.run(command(tmp_path, "--resume", row.run_id), check=True, stdout=subprocess.DEVNULL, timeout=300)
    resumed = json.loads((tmp_path / "report.json").read_text())
    assert json.dumps(resumed["result"], sort_keys=True) == json.dumps(whole["result"], sort_keys=True)
    assert resumed["pipeline_execution"]["run_id"] == row.run_id
    assert resumed["pipeline_execution"]["checkpoints_restored"] == restored
    assert resumed["pipeline_execution"]["checkpoints_saved"] == 4 - restored
