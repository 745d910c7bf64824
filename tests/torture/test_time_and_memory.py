"""How long nothing is said, how large a study gets, and how smooth the window stays while it is read."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.demo import demo_request
from pipeline.engine import run_study
from pipeline.isolation.executor import IsolatedExecutor
from pipeline.records import RunEvent
from tests.torture.promises import Record

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads memory out of /proc")
ROOT = Path(__file__).resolve().parents[2]
SILENCE_S = 0.5
STUDY_MB = 1500.0
LOOP = """
import json
from benchmarks.gui import run_rows
print(json.dumps([[row.name, row.value, row.mark] for row in run_rows()]))
"""


@pytest.mark.torture
def test_a_run_is_never_silent(tmp_path: Path, promise: Record) -> None:
    """By the wall clock, so that a machine busy with other work would be judged: not in the default suite."""
    request = demo_request()
    heard_s = [time.monotonic()]
    executor = IsolatedExecutor(tmp_path / "data")

    def hear(_: RunEvent) -> None:
        heard_s.append(time.monotonic())

    try:
        response = run_study(tmp_path / "data" / "s.sqlite", request, executor=executor, on_event=hear)
    finally:
        executor.close()
    assert response.status == "complete"
    longest_s = max(b - a for a, b in itertools.pairwise(heard_s))
    promise(
        "A progress event at least every 500 ms",
        f"{len(heard_s) - 1} events, longest silence {1000 * longest_s:.0f} ms",
        kept=longest_s <= SILENCE_S,
    )


def proportional_mb(process: psutil.Process) -> float:
    """Memory of a process and its children; what several share counts once."""
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            text = Path(f"/proc/{each.pid}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue  # it has ended
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024
    return total


def sizes(process: subprocess.Popen[bytes]) -> Iterator[float]:
    while process.poll() is None:
        try:
            yield proportional_mb(psutil.Process(process.pid))
        except psutil.Error:
            return
        time.sleep(0.05)


@pytest.mark.torture
def test_a_study_stays_below_its_memory(tmp_path: Path, promise: Record) -> None:
    request = demo_request()
    inputs = ["--echo", str(request.echo_paths[0]), "--ecg", str(request.ecg_path)]
    place = ["--report", str(tmp_path / "r.json"), "--data-dir", str(tmp_path / "data"), "--quiet"]
    process = subprocess.Popen([sys.executable, "-m", "app", "run", *inputs, *place], cwd=ROOT)
    largest_mb = max(sizes(process))
    assert process.wait() == 0
    promise(
        "The demo study: memory of the application and all its workers <= 1.5 GB",
        f"{largest_mb:.0f} MB (proportional set size)",
        kept=largest_mb <= STUDY_MB,
    )


@pytest.mark.torture
def test_the_window_stays_smooth(promise: Record) -> None:
    """A real window on the demo study in worker processes, a cine playing at 60 Hz."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-W", "ignore", "-c", LOOP]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    rows = {name: (value, mark) for name, value, mark in json.loads(done.stdout.splitlines()[-1])}
    start = next(name for name in rows if name.startswith("event loop gap"))
    names = list(rows)
    (p99_ms, p99_mark), (longest_ms, longest_mark) = (rows[name] for name in names[names.index(start) :][:2])
    promise(
        "The window during a run with a playing cine: gaps of the event loop, p99 <= 33 ms, longest <= 100 ms",
        f"p99 {p99_ms:.0f} ms, longest {longest_ms:.0f} ms",
        kept=p99_ms <= p99_mark <= 33.0 and longest_ms <= longest_mark <= 100.0,
    )
