"""The application as its own worker: what a frozen build starts, since it has no Python beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cancellation import CancelToken
from pipeline.isolation import worker_process
from pipeline.isolation.protocol import WORKER_ARGUMENT
from pipeline.isolation.supervisor import Supervisor
from pipeline.stages.validation import validate_ecg
from tests.unit.isolation.conftest import do, look_at


def test_the_application_serves_as_worker(
    supervisors: Callable[..., Supervisor], monkeypatch: pytest.MonkeyPatch, strip: Path
) -> None:
    """The command of a frozen application, with this Python and `-m app` in the place of its executable."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    frozen = worker_process.worker_command

    def command(folder: Path) -> list[str]:
        executable, *arguments = frozen(folder)
        assert arguments[0] == WORKER_ARGUMENT
        return [executable, "-m", "app", *arguments]

    monkeypatch.setattr(worker_process, "worker_command", command)
    call = look_at(strip)
    here = validate_ecg(strip, call.arguments.limits, progress=lambda *_: None, cancel=CancelToken())
    assert do(supervisors(), call) == here


def test_a_worker_begins_before_the_command_line_is_imported(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "app", WORKER_ARGUMENT, str(tmp_path), str(os.getpid())]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "import time:" in line}
    assert done.returncode == 0
    assert "pipeline.isolation.worker" in imported
    assert not {"app.command_line", "argparse", "PySide6", "torch", "scipy", "pydicom", "sqlite3"} & imported
