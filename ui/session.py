"""Runs the engine in a thread pool; everything it says arrives in the GUI thread.

The worker never touches a QObject of the window: it puts notes into a feed that this module owns, and one queued
signal wakes the GUI thread however many notes there are. A flood of events cannot freeze the window, because the
feed is emptied in portions.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal

from pipeline.cancellation import CancelToken
from pipeline.errors import PipelineError
from pipeline.records import CardiologyRequest
from pipeline.states import Reuse
from ui.engine_port import Engine

if TYPE_CHECKING:
    from pipeline.research.items import Item
    from ui.plots import Plot

PORTION = 400
SHUTDOWN_MS = 3000
ACTS = ("edit", "viewing")
"""Topics of what a reader did."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """Something a worker has to say: what kind, for which run or question, and the thing itself."""

    kind: str  # "event", "results", "finished", "answer", "failed"
    topic: str
    generation: int
    content: Any


class Feed(QObject):
    """Notes from any thread, for the GUI thread."""

    _woken = Signal()
    portion_ready = Signal(list)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notes: deque[Note] = deque()
        self._lock = threading.Lock()
        self._is_posted = False
        self._woken.connect(self.deliver, Qt.ConnectionType.QueuedConnection)

    def put(self, note: Note) -> None:
        """Add a note; safe in every thread."""
        with self._lock:
            self._notes.append(note)
            wakes = not self._is_posted
            self._is_posted = True
        if wakes:
            self._woken.emit()

    def deliver(self) -> None:
        """Pass a portion of the notes on; in the GUI thread."""
        with self._lock:
            portion = [self._notes.popleft() for _ in range(min(PORTION, len(self._notes)))]
            self._is_posted = bool(self._notes)
            wakes = self._is_posted
        if portion:
            self.portion_ready.emit(portion)
        if wakes:
            self._woken.emit()


class Task(QRunnable):
    """One call in the pool; its outcome becomes a note."""

    def __init__(self, feed: Feed, topic: str, generation: int, call: Callable[[], Any]) -> None:
        super().__init__()
        self.setAutoDelete(False)
        self._feed, self._topic, self._generation, self._call = feed, topic, generation, call

    def run(self) -> None:
        """Answer or fail; nothing a worker raises may end the window."""
        try:
            answer = self._call()
        except PipelineError as error:
            self._put("failed", (error.code, error.text))
        except MemoryError:
            self._put("failed", ("E_HARD_002", "The memory is not enough."))
        except Exception as error:  # noqa: BLE001 - a fault of ours: told by its kind, never by its text
            _LOG.error("%s failed inside the window: %s", self._topic, type(error).__name__)
            self._put("failed", ("E_WINDOW", f"Something inside Chordae went wrong ({type(error).__name__})."))
        else:
            self._put("answer", answer)

    def _put(self, kind: str, content: Any) -> None:
        self._feed.put(Note(kind, self._topic, self._generation, content))


class Session(QObject):
    """Asks the engine; one study runs at a time, questions to the store are answered beside it.

    Signals carry a generation number, so that what belongs to an earlier run can be dropped.
    """

    events_arrived = Signal(int, list)
    results_arrived = Signal(int, object)
    answered = Signal(str, int, object)
    failed = Signal(str, int, str, str)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(3)
        self._acts = QThreadPool(self)  # what a reader did is stored in order, whatever else goes on
        self._acts.setMaxThreadCount(1)
        self._feed = Feed(self)
        self._feed.portion_ready.connect(self._sort)
        self._cancel: CancelToken | None = None
        self._generation = 0
        self._tasks: dict[tuple[str, int], Task] = {}
        self._spent: deque[Task] = deque(maxlen=16)  # kept a while: a pool thread may just be leaving one

    @property
    def is_running(self) -> bool:
        return self._cancel is not None

    @property
    def is_store_encrypted(self) -> bool:
        return self._engine.is_encrypted

    def run_study(self, request: CardiologyRequest, resume: str | None, reuse: Reuse | None = None) -> int:
        """Start a study; returns its generation."""
        cancel = CancelToken()
        generation = self._next("run", self._study_call(request, resume, reuse, cancel))
        self._cancel = cancel
        return generation

    def _study_call(
        self, request: CardiologyRequest, resume: str | None, reuse: Reuse | None, cancel: CancelToken
    ) -> Callable[[int], Callable[[], Any]]:
        engine, feed = self._engine, self._feed

        def bind(generation: int) -> Callable[[], Any]:
            return lambda: engine.run_study(
                request,
                on_event=lambda event: feed.put(Note("event", "run", generation, event)),
                on_results=lambda results: feed.put(Note("results", "run", generation, results)),
                cancel=cancel,
                resume=resume,
                reuse=reuse,
            )

        return bind

    def cancel(self) -> None:
        """Ask the running study to stop."""
        if self._cancel is not None:
            self._cancel.cancel()

    def pause(self, on: bool) -> None:
        """Hold the running study before its next state or attempt, or let it go on."""
        if self._cancel is not None:
            self._cancel.pause() if on else self._cancel.go_on()

    def list_runs(self) -> int:
        return self._next("list", lambda _: self._engine.list_runs)

    def load_run(self, run_id: str) -> int:
        return self._next("load", lambda _: lambda: self._engine.load_run(run_id))

    def delete_run(self, run_id: str) -> int:
        return self._next("delete", lambda _: lambda: self._engine.delete_run(run_id))

    def sort_files(self, paths: Sequence[Path]) -> int:
        """Look into files to see what they are; answers with an Intake."""
        return self._next("sort", lambda _: lambda: self._engine.sort_places(paths))

    def export(self, report: Any, path: Path, form: str) -> int:
        """Write a report; answers with the form's name."""
        return self._next("export", lambda _: lambda: _export(self._engine, report, path, form))

    def save_values(self, plot: Plot, path: Path) -> int:
        """Write the values of a plot; answers with nothing."""
        return self._next("values", lambda _: lambda: _save_values(plot, path))

    def ask(self, topic: str, question: Callable[[Engine], Any]) -> int:
        """Ask the engine anything in the pool; the answer goes to the part of Review that has `take_<topic>`."""
        return self._next(topic, lambda _: lambda: question(self._engine))

    def save_item(self, item: Item, path: Path) -> int:
        """Write an intermediate result; answers with its label."""
        return self._next("item", lambda _: lambda: _save_item(item, path))

    def _next(self, topic: str, bind: Callable[[int], Callable[[], Any]]) -> int:
        self._generation += 1
        task = Task(self._feed, topic, self._generation, bind(self._generation))
        self._tasks[(topic, self._generation)] = task
        (self._acts if topic in ACTS else self._pool).start(task)
        return self._generation

    def settle(self) -> None:
        """Wait for the acts that are being stored, and pass their answers on."""
        self._acts.waitForDone(SHUTDOWN_MS)
        self._feed.deliver()

    def _sort(self, notes: list[Note]) -> None:
        """Pass a portion on: events of a run together, in the order in which everything was said."""
        batch: list[Any] = []
        generation = 0
        for note in notes:
            if note.kind == "event":
                batch.append(note.content)
                generation = note.generation
                continue
            if batch:
                self.events_arrived.emit(generation, batch)
                batch = []
            self._pass_on(note)
        if batch:
            self.events_arrived.emit(generation, batch)

    def _pass_on(self, note: Note) -> None:
        if note.kind == "results":
            self.results_arrived.emit(note.generation, note.content)
            return
        spent = self._tasks.pop((note.topic, note.generation), None)
        if spent is not None:
            self._spent.append(spent)
        if note.topic == "run":
            self._cancel = None
        if note.kind == "answer":
            self.answered.emit(note.topic, note.generation, note.content)
        else:
            self.failed.emit(note.topic, note.generation, *note.content)

    def shutdown(self) -> bool:
        """Cancel what runs and wait briefly; False when something still runs."""
        self.cancel()
        self._pool.clear()
        return self._pool.waitForDone(SHUTDOWN_MS)


def _export(engine: Engine, report: Any, path: Path, form: str) -> str:
    from pipeline.reports import json_report
    from pipeline.reports.envelope import with_audit_head

    head = engine.note_act("export", report["pipeline_execution"]["run_id"], form)
    report = with_audit_head(report, head)
    if form == "json":
        json_report.write_report(report, path)
    else:
        _write_other(report, path, form)
    return form


def _write_other(report: Any, path: Path, form: str) -> None:
    from pipeline.errors import ReportError
    from pipeline.reports import EXPORTERS

    make = next((exporter for name, _, exporter in EXPORTERS if name == form), None)
    if make is None:
        raise ReportError("There is no such form of report.")
    try:
        path.write_bytes(make(report))
    except OSError as error:
        raise ReportError("The report could not be written there.") from error


def _save_values(plot: Plot, path: Path) -> None:
    from ui.plot_values import write_values

    write_values(plot, path)


def _save_item(item: Item, path: Path) -> str:
    from pipeline.research.files import write_item

    write_item(item, path)
    return item.label
