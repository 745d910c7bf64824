"""How quick the window is: its start, the first frame of a clip, the event loop during a run with a playing cine.

`python -m benchmarks.gui` prints a row for each mark. Nothing is faked: the start is a process of its own, the run is
the demo study in worker processes, and the cine plays at 60 Hz. The window has no display. On a busy machine the
wall-clock figures say more about the machine; the CPU time of the window's thread stands beside them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ui.playback import SPEEDS

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

START_CODE = """
import os, sys, time
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as app/__main__.py does
born = float(sys.argv[2])
from app.command_line import main
import ui.application
from PySide6.QtCore import QTimer
shown = ui.application.MainWindow.showEvent
def tell():
    window = next(w for w in ui.application.QApplication.topLevelWidgets() if isinstance(w, ui.application.MainWindow))
    window.repaint()
    print(time.monotonic() - born, time.process_time(), flush=True)
    window.close()
def note(window, event):
    shown(window, event)
    QTimer.singleShot(0, tell)
ui.application.MainWindow.showEvent = note
main(["--data-dir", sys.argv[1]])
"""
N_STARTS = 5
TICK_MS = 5
OPENED_S = (1.0, 4.0, 12.0)
"""How long after the painted window a clip is opened: the workers are starting, loading, waiting."""
PLAYING_HZ = 60.0


@dataclass(frozen=True, slots=True)
class Row:
    """One figure and its mark."""

    name: str
    value: float
    unit: str
    mark: float

    def line(self) -> str:
        word = "met" if self.value <= self.mark else "missed"
        return f"{self.name:58} {self.value:8.1f} {self.unit:3} mark {self.mark:6g} {word}"


def main() -> int:
    """Print every row; 1 when a mark is missed."""
    rows = []
    for measure in ROWS:
        for row in measure():
            print(row.line(), flush=True)
            rows.append(row)
    return int(any(row.value > row.mark for row in rows))


def start_rows() -> Iterator[Row]:
    """From the birth of the process to the painted window, the second start and later (warm disk)."""
    with tempfile.TemporaryDirectory() as folder:
        spent = []
        for _ in range(N_STARTS + 1):
            # the monotonic clock is the machine's; the birth that a system tells is off by up to a second
            command = [sys.executable, "-W", "ignore", "-c", START_CODE, folder, str(time.monotonic())]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            spent.append([float(word) for word in done.stdout.split()[:2]])
    wall, cpu = np.median(np.array(spent[1:]) * 1000.0, axis=0)
    yield Row("start of the process to the painted window, median", float(wall), "ms", 1000.0)
    yield Row("the same, CPU time of the process", float(cpu), "ms", 1000.0)


def run_rows() -> Iterator[Row]:
    """The demo study, opened at several times after the start; at the last it runs while a cine plays at 60 Hz."""
    from app.composition import isolated_engine
    from ui.application import SWITCH_S, make_application
    from ui.window import MainWindow

    application = make_application()
    sys.setswitchinterval(SWITCH_S)
    for opened_s in OPENED_S:
        with (
            tempfile.TemporaryDirectory() as folder,
            isolated_engine(Path(folder) / "s.sqlite", keeps_spare=True, starts_late=True) as engine,
        ):
            window = MainWindow(engine)
            window.resize(1600, 1000)
            window.show()
            window.start_with([])  # as the application does: the cases are listed, the workers started
            _turn(application, lambda: False, opened_s)
            name = f"opened clip to its first frame, {opened_s:g} s after the start"
            yield Row(name, _first_frame_ms(application, window), "ms", 300.0)
            if opened_s == OPENED_S[-1]:
                yield from _loop_rows(application, window)
            window.close()


def _first_frame_ms(application: Any, window: Any) -> float:
    from app.demo import demo_request

    begin = time.perf_counter()
    window.review.cases.start(demo_request(), None)
    _turn(application, lambda: window.review.state.case.has_echo, 120.0)
    return 1000.0 * (time.perf_counter() - begin)


def _loop_rows(application: Any, window: Any) -> Iterator[Row]:
    _play_at(window, PLAYING_HZ)
    gaps, work = _watched(application, lambda: not window.review.is_running, 300.0)
    yield Row("event loop gap, run and 60 Hz cine, p99", float(np.percentile(gaps, 99)), "ms", 33.0)
    yield Row("the same, longest", float(np.max(gaps)), "ms", 100.0)
    yield Row("the window's own work between two ticks (CPU), p99", float(np.percentile(work, 99)), "ms", 33.0)
    yield Row("the same, longest", float(np.max(work)), "ms", 100.0)


def _play_at(window: Any, rate_hz: float) -> None:
    """Play the clip at the speed that comes to 60 frames a second."""
    echo = window.views["echo"]
    acquired_hz = 1.0 / float(np.median(np.diff(window.review.state.case.results.cines[0].frame_times_s)))
    speed = min(SPEEDS, key=lambda each: abs(each * acquired_hz - rate_hz))
    echo.step_speed(SPEEDS.index(speed) - SPEEDS.index(1.0))
    if not echo.is_playing:
        echo.toggle_play()


def _turn(application: Any, is_over: Callable[[], bool], limit_s: float) -> None:
    end = time.monotonic() + limit_s
    while not is_over() and time.monotonic() < end:
        application.processEvents()
        time.sleep(0.001)


def _watched(application: Any, is_over: Callable[[], bool], limit_s: float) -> tuple[list[float], list[float]]:
    """Milliseconds between the ticks of a timer, by the wall clock and in CPU time of this thread."""
    from PySide6.QtCore import QEventLoop, Qt, QTimer

    gaps, work = [], []
    last = [time.perf_counter(), time.thread_time()]
    loop = QEventLoop()
    end = time.monotonic() + limit_s

    def tick() -> None:
        now = [time.perf_counter(), time.thread_time()]
        gaps.append(1000.0 * (now[0] - last[0]))
        work.append(1000.0 * (now[1] - last[1]))
        last[:] = now
        if is_over() or time.monotonic() > end:
            loop.quit()

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setInterval(TICK_MS)
    timer.timeout.connect(tick)
    timer.start()
    loop.exec()
    timer.stop()
    return gaps, work


ROWS: tuple[Callable[[], Iterator[Row]], ...] = (start_rows, run_rows)
"""What is measured, in order; another part of the window adds a function that yields its rows."""


if __name__ == "__main__":
    sys.exit(main())
