"""Cases: the one that runs, the one on screen, the list of stored ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from pipeline.notice import NOTICE
from pipeline.records import (
    CardiologyRequest,
    CardiologyResponse,
    CheckpointRow,
    ClipFacts,
    EchoCine,
    RunEvent,
    StudyResults,
)
from pipeline.states import Reuse
from ui.case_rows import INTERRUPTED_TEXT, WAITING_KEY, case_rows
from ui.page import PAGE_FORM
from ui.run_progress import advance, branch_results, settle
from ui.view_state import NO_PROGRESS, CaseView, Message, Phase

if TYPE_CHECKING:
    from pipeline.engine import RunRow, StoredRun
    from pipeline.intake.cases import Intake
    from pipeline.research.items import Item
    from ui.compare_window import Comparison
    from ui.engine_port import Engine
    from ui.plots import Plot
    from ui.review import Review

REDRAW_MS = 20  # events that come together are shown together
LIVE_KEY = "live"  # until the first event names the run


class CaseReview(QObject):
    """Opens, runs, cancels, resumes, chooses and deletes cases."""

    runs_compared = Signal(object)
    maps_made = Signal(object)

    def __init__(self, review: Review) -> None:
        super().__init__(review)
        self._review = review
        self._session = review.session
        self._rows: tuple[RunRow, ...] = ()
        self._live: CaseView | None = None
        self._run_generation = 0
        self._load_generation = 0
        self._resumes_loaded = False
        self._session.events_arrived.connect(self._take_events)
        self._session.results_arrived.connect(self._take_results)
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(REDRAW_MS)
        self._redraw.timeout.connect(self._publish_live)

    @property
    def _case(self) -> CaseView:
        return self._review.state.case

    def _update_rows(self, **changes: Any) -> None:
        waiting = changes.get("queue", self._review.state.queue)
        self._review.update(cases=case_rows(self._rows, self._live, waiting), **changes)

    # --- wishes -------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask the store for its runs."""
        self._session.list_runs()

    def open_files(self, paths: Sequence[Path]) -> None:
        """Sort files and folders into studies; they are read one after the other."""
        if paths:
            self._session.sort_files(tuple(paths))
            self._review.say("Looking into the files …")

    def run_again(self) -> None:
        """Read the files of the case on screen again, as a new run."""
        if self._case.request is not None and not self._session.is_running:
            self.start(self._case.request, None)

    def run_with_facts(self, facts: tuple[ClipFacts, ...]) -> None:
        """Read the files of the case on screen again with what the reader says of its clips."""
        if self._case.request is not None and not self._session.is_running:
            self.start(replace(self._case.request, clip_facts=facts), None)

    def run_with_metadata(self, facts: dict[str, Any]) -> None:
        """Judge the case on screen with other facts about the patient; what does not depend on them is kept."""
        case = self._case
        if case.request is not None and case.key is not None and not self._session.is_running:
            self.start(replace(case.request, metadata=facts or None, metadata_path=None), case.key)

    def resume(self) -> None:
        """Go on with the stored run on screen; never done without being asked."""
        case = self._case
        if case.request is not None and case.key is not None and not self._session.is_running:
            self.start(case.request, case.key)

    def cancel(self) -> None:
        if self._session.is_running:
            self._session.cancel()
            self._review.say("Stopping the run …")

    def select(self, key: str, *, then_resume: bool = False) -> None:
        """Put a case on screen, and where that was asked for go on with it."""
        self._resumes_loaded = then_resume
        if self._live is not None and key == self._live.key:
            self._review.update(case=self._live, message=None)
        elif key.startswith(WAITING_KEY):
            self._review.say("This study waits until the ones before it have been read.")
        elif key not in (self._case.key, LIVE_KEY):
            self._load_generation = self._session.load_run(key)
            self._review.update(case=CaseView(key=key, phase="loading"), message=None, log_filter=None)

    def delete_shown(self) -> None:
        """Forget the stored run on screen; the window has asked before."""
        key = self._case.key
        if key is not None and key != self._review.state.live_key:
            self._session.delete_run(key)
            self._review.update(case=CaseView(), message=None, log_filter=None)

    def get_ready(self) -> None:
        """Have the engine start what a first study will need."""
        self._session.ask("ready", lambda engine: engine.get_ready())

    def take_ready(self, _generation: int, _answer: None) -> None:
        """Nothing is to be shown."""

    def export(self, path: Path, form: str) -> None:
        """Write the report of the case on screen."""
        case = self._case
        if case.report is None:
            return
        if form == PAGE_FORM:
            results, report = case.results, case.report
            self._session.ask("export", lambda engine: _page(engine, results, report, path))
        else:
            self._session.export(case.report, path, form)

    def save_values(self, plot: Plot, path: Path) -> None:
        """Write the values of a plot as a table."""
        self._session.save_values(plot, path)

    def compare_with(self, key: str) -> None:
        """Load another run and compare it with the case on screen."""
        this_key, report = self._case.key, self._case.report
        if this_key is not None and report is not None:
            self._session.ask("comparison", lambda engine: _compared(engine, this_key, key, report))

    def take_comparison(self, _: int, answer: Comparison) -> None:
        """Two runs were compared."""
        self.runs_compared.emit(answer)

    def make_maps(self, cine_idx: int, frame_idx: int) -> None:
        """Ask the network for the probabilities of one frame of the case on screen."""
        cine = self._case.results.cines[cine_idx]
        self._session.ask("maps", lambda engine: _maps(engine, cine, cine_idx, frame_idx))
        self._review.say("The network looks at the frame …")

    def take_maps(self, _: int, item: Item) -> None:
        """Probability maps were made."""
        self._review.update(message=None)
        self.maps_made.emit(item)

    def save_item(self, item: Item, path: Path) -> None:
        """Write an intermediate result."""
        self._session.save_item(item, path)

    def start(
        self, request: CardiologyRequest, resume: str | None, reuse: Reuse | None = None, *, is_shown: bool = True
    ) -> None:
        """Run a study, or go on with a stored run; one at a time."""
        self._live = CaseView(key=resume or LIVE_KEY, phase="running", request=request)
        self._run_generation = self._session.run_study(request, resume, reuse)
        shown = {"case": self._live, "message": None, "focus": None, "log_filter": None} if is_shown else {}
        self._update_rows(live_key=self._live.key, is_paused=False, **shown)

    def _start_next(self, *, is_shown: bool) -> None:
        """Read the first study that waits, unless one is being read; only one that is to be shown goes on screen."""
        if self._review.state.queue and not self._session.is_running:
            first, *rest = self._review.state.queue
            self._review.update(queue=tuple(rest))
            self.start(first, None, is_shown=is_shown)

    def clear_queue(self) -> None:
        """Forget the studies that wait; the one being read goes on."""
        self._update_rows(queue=())

    def stop(self) -> None:
        """The window closes: nothing is drawn and no study is begun any more."""
        self._redraw.stop()
        self.clear_queue()

    # --- facts: the running study -------------------------------------------------------------------

    def _take_events(self, generation: int, events: list[RunEvent]) -> None:
        if generation != self._run_generation or self._live is None:
            return
        live = self._live
        if live.key == LIVE_KEY:
            live = self._named(live, events[0].run_id)
        self._live = replace(live, progress=advance(live.progress, events))
        self._review.run.note_events(events[0].run_id, events)
        if not self._redraw.isActive():
            self._redraw.start()

    def _named(self, live: CaseView, run_id: str) -> CaseView:
        was_shown = self._case.key == live.key
        named = replace(live, key=run_id)
        self._live = named
        self._update_rows(live_key=run_id, **({"case": named} if was_shown else {}))
        return named

    def _take_results(self, generation: int, results: StudyResults) -> None:
        if generation == self._run_generation and self._live is not None:
            self._live = replace(self._live, results=results)
            self._publish_live()

    def _publish_live(self) -> None:
        if self._live is not None and self._case.key == self._live.key:
            self._review.update(case=self._live)

    def _finish(self, response: CardiologyResponse) -> None:
        live = self._live
        if live is None:
            return
        phases: dict[str, Phase] = {"complete": "complete", "cancelled": "cancelled"}
        done = replace(
            live,
            key=response.run_id if live.key == LIVE_KEY else live.key,
            phase=phases.get(response.status, "error"),
            report=response.report,
            branches=response.branches,
            progress=settle(live.progress, response.status, response.branches),
        )
        self._close(live, done, "The run was cancelled." if response.status == "cancelled" else None)

    def _close(self, live: CaseView, done: CaseView, text: str | None) -> None:
        was_shown = self._case.key == live.key
        self._redraw.stop()
        self._live = None
        said = Message(text=text) if text else None
        self._update_rows(live_key=None, is_paused=False, message=said, **({"case": done} if was_shown else {}))
        self.refresh()
        self._review.looks.find_prior()
        self._start_next(is_shown=False)

    # --- facts: answers, each taken by the method that its topic names -------------------------------

    def take_run(self, generation: int, response: CardiologyResponse) -> None:
        """The study that runs has ended."""
        if generation == self._run_generation:
            self._finish(response)

    def take_list(self, _: int, rows: tuple[RunRow, ...]) -> None:
        """What the store holds."""
        self._rows = rows
        self._update_rows()
        self._review.run.offer_interrupted(rows)

    def take_delete(self, _generation: int, _answer: None) -> None:
        """A run is forgotten."""
        self.refresh()

    def take_export(self, _: int, form: str) -> None:
        """A report was written."""
        self._review.say(f"The report was written as {form.upper()}. {NOTICE}.")

    def take_values(self, _generation: int, _answer: None) -> None:
        """The values of a plot were written."""
        self._review.say(f"The values were written as CSV. {NOTICE}.")

    def take_item(self, _: int, name: str) -> None:
        """An intermediate result was written."""
        self._review.say(f"{name} was written. {NOTICE}.")

    def take_sort(self, _: int, intake: Intake) -> None:
        """What the opened files are."""
        if not intake.requests:
            self._review.say(intake.problem or "These files make no study.", is_error=True)
            return
        self._update_rows(queue=(*self._review.state.queue, *intake.requests))
        self._start_next(is_shown=True)
        if intake.notes:
            self._review.say(" ".join(intake.notes))

    def take_load(self, generation: int, stored: StoredRun) -> None:
        """A stored run; dropped when another case was chosen meanwhile."""
        if generation != self._load_generation or self._case.key != stored.row.run_id:
            return
        phases: dict[str, Phase] = {s: s for s in ("complete", "error", "cancelled", "interrupted")}
        branches = branch_results(stored.report)
        case = CaseView(
            key=stored.row.run_id,
            phase=phases.get(stored.row.status, "interrupted"),
            request=stored.request,
            results=stored.results,
            report=stored.report,
            edits=stored.edits,
            branches=branches,
            checkpoints=stored.checkpoints,
            progress=settle(advance(NO_PROGRESS, stored.events), stored.row.status, branches),
        )
        said = Message(text=INTERRUPTED_TEXT) if case.phase == "interrupted" else None
        self._review.update(case=case, message=said)
        self._review.looks.find_prior()
        if self._resumes_loaded:
            self._resumes_loaded = False
            self.resume()

    def put_checkpoints(self, run_id: str, rows: tuple[CheckpointRow, ...]) -> None:
        """Show what a run has saved."""
        if self._live is not None and self._live.key == run_id:
            self._live = replace(self._live, checkpoints=rows)
        if self._case.key == run_id:
            self._review.update(case=replace(self._case, checkpoints=rows))

    def take_failure(self, topic: str, generation: int) -> None:
        """Something did not work; what was to be shown by it is given up."""
        if topic == "run" and self._live is not None and generation == self._run_generation:
            failed = replace(self._live, phase="error", progress=settle(self._live.progress, "error", ()))
            self._close(self._live, failed, None)
        elif topic == "load" and generation == self._load_generation:
            self._review.update(case=CaseView())


def _edited(engine: Engine, key: str) -> Mapping[str, Any] | None:
    """The report of a stored run with what readers did to it; not for the GUI thread."""
    from pipeline.engine import with_edits

    return with_edits(engine.load_run(key)).report


def _compared(engine: Engine, this_key: str, other_key: str, report: Mapping[str, Any]) -> Comparison:
    from ui.compare_window import compared

    return compared(this_key, other_key, report, _edited(engine, other_key))


def _page(engine: Engine, results: StudyResults, report: Mapping[str, Any], path: Path) -> str:
    from ui.page.export import export_page

    return export_page(engine, results, report, path)


def _maps(engine: Engine, cine: EchoCine, cine_idx: int, frame_idx: int) -> Item:
    from pipeline.research.probabilities import as_item

    return as_item(cine_idx, engine.probabilities(cine, frame_idx))
