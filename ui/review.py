"""Holds the current ReviewState, answers the views' wishes, listens to the session. Draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from pipeline.notice import NOTICE
from pipeline.records import CardiologyRequest, CardiologyResponse, ClipFacts, RunEvent, StudyResults
from ui.case_rows import INTERRUPTED_TEXT, case_rows
from ui.engine_port import Engine
from ui.intake import Intake
from ui.plots import Plot
from ui.run_progress import advance, branch_results, settle
from ui.session import Session
from ui.theme import THEMES, Theme
from ui.view_state import (
    GAINS_MM_MV,
    NO_PROGRESS,
    SPEEDS_MM_S,
    Arrangement,
    CaseView,
    FrameFocus,
    Message,
    Phase,
    ReviewState,
    stepped,
)

if TYPE_CHECKING:
    from pipeline.engine import RunRow, StoredRun

REDRAW_MS = 20  # events that come together are shown together
LIVE_KEY = "live"  # until the first event names the run


class Review(QObject):
    """The window's memory: one running case, one case on screen, the list of stored ones."""

    state_changed = Signal(object)

    def __init__(self, engine: Engine, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = ReviewState(theme=theme)
        self._rows: tuple[RunRow, ...] = ()
        self._live: CaseView | None = None
        self._run_generation = 0
        self._load_generation = 0
        self._session = Session(engine, self)
        self._session.events_arrived.connect(self._take_events)
        self._session.results_arrived.connect(self._take_results)
        self._session.answered.connect(self._take_answer)
        self._session.failed.connect(self._take_failure)
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(REDRAW_MS)
        self._redraw.timeout.connect(self._publish_live)

    # --- state --------------------------------------------------------------------------------------

    def update(self, **changes: Any) -> None:
        """Replace parts of the snapshot and tell the window."""
        self.state = replace(self.state, generation=self.state.generation + 1, **changes)
        self.state_changed.emit(self.state)

    def _update_cases(self, **changes: Any) -> None:
        self.update(cases=case_rows(self._rows, self._live), **changes)

    def say(self, text: str, *, is_error: bool = False) -> None:
        """Show a sentence under the notice."""
        self.update(message=Message(text=text, is_error=is_error))

    @property
    def is_running(self) -> bool:
        return self._session.is_running

    # --- wishes: cases ------------------------------------------------------------------------------

    def refresh_cases(self) -> None:
        self._session.list_runs()

    def open_files(self, paths: Sequence[Path]) -> None:
        """Sort files into a study and run it."""
        if self.is_running:
            self.say("A study is being read. Wait for it or cancel it (Ctrl+.), then open the next one.")
        elif paths:
            self._session.sort_files(tuple(paths))
            self.say("Looking into the files …")

    def run_again(self) -> None:
        """Read the files of the case on screen again, as a new run."""
        if self.state.case.request is not None and not self.is_running:
            self._start(self.state.case.request, None)

    def run_with_facts(self, facts: tuple[ClipFacts, ...]) -> None:
        """Read the files of the case on screen again with what the reader says of its clips."""
        if self.state.case.request is not None and not self.is_running:
            self._start(replace(self.state.case.request, clip_facts=facts), None)

    def resume(self) -> None:
        """Go on with the stored run on screen; never done without being asked."""
        case = self.state.case
        if case.request is not None and case.key is not None and not self.is_running:
            self._start(case.request, case.key)

    def cancel(self) -> None:
        if self.is_running:
            self._session.cancel()
            self.say("Stopping the run …")

    def select(self, key: str) -> None:
        """Put a case on screen."""
        if self._live is not None and key == self._live.key:
            self.update(case=self._live, message=None)
        elif key not in (self.state.case.key, LIVE_KEY):
            self._load_generation = self._session.load_run(key)
            self.update(case=CaseView(key=key, phase="loading"), message=None, log_filter=None)

    def delete_shown(self) -> None:
        """Forget the stored run on screen; the window has asked before."""
        key = self.state.case.key
        if key is not None and key != self.state.live_key:
            self._session.delete_run(key)
            self.update(case=CaseView(), message=None, log_filter=None)

    def export(self, path: Path, form: str) -> None:
        """Write the report of the case on screen."""
        if self.state.case.report is not None:
            self._session.export(self.state.case.report, path, form)

    def save_values(self, plot: Plot, path: Path) -> None:
        """Write the values of a plot as a table."""
        self._session.save_values(plot, path)

    def _start(self, request: CardiologyRequest, resume: str | None) -> None:
        self._live = CaseView(key=resume or LIVE_KEY, phase="running", request=request)
        self._run_generation = self._session.run_study(request, resume)
        self._update_cases(case=self._live, live_key=self._live.key, message=None, focus=None, log_filter=None)

    def shutdown(self) -> bool:
        """Cancel and wait briefly; False when something still runs."""
        self._redraw.stop()
        return self._session.shutdown()

    # --- wishes: looks ------------------------------------------------------------------------------

    def switch_theme(self) -> None:
        names = [theme.name for theme in THEMES]
        after = names[(names.index(self.state.theme.name) + 1) % len(names)]
        self.update(theme=next(theme for theme in THEMES if theme.name == after))

    def arrange(self, arrangement: Arrangement) -> None:
        self.update(arrangement=arrangement)

    def focus(self, cine_idx: int, frame_idx: int) -> None:
        serial = 1 + (self.state.focus.serial if self.state.focus else 0)
        self.update(focus=FrameFocus(cine_idx=cine_idx, frame_idx=frame_idx, serial=serial))

    def set_echo_option(self, name: str, on: bool) -> None:
        self.update(echo=replace(self.state.echo, **{name: on}))

    def set_ecg_option(self, name: str, on: bool | float) -> None:
        chosen: dict[str, Any] = {name: on}
        self.update(ecg=replace(self.state.ecg, **chosen))

    def step_ecg(self, wish: str) -> None:
        """One step of paper speed or gain."""
        ecg = self.state.ecg
        if wish in ("faster", "slower"):
            speed = stepped(SPEEDS_MM_S, ecg.speed_mm_s, 1 if wish == "faster" else -1)
            self.update(ecg=replace(ecg, speed_mm_s=speed))
        else:
            gain = stepped(GAINS_MM_MV, ecg.gain_mm_mv, 1 if wish == "more_gain" else -1)
            self.update(ecg=replace(ecg, gain_mm_mv=gain))

    def filter_log(self, state_name: str | None) -> None:
        """Show the journal of one state; the same state again shows everything."""
        self.update(log_filter=None if state_name == self.state.log_filter else state_name)

    # --- facts: the running study -------------------------------------------------------------------

    def _take_events(self, generation: int, events: list[RunEvent]) -> None:
        if generation != self._run_generation or self._live is None:
            return
        live = self._live
        if live.key == LIVE_KEY:
            live = self._named(live, events[0].run_id)
        self._live = replace(live, progress=advance(live.progress, events))
        if not self._redraw.isActive():
            self._redraw.start()

    def _named(self, live: CaseView, run_id: str) -> CaseView:
        was_shown = self.state.case.key == live.key
        named = replace(live, key=run_id)
        self._live = named
        self._update_cases(live_key=run_id, **({"case": named} if was_shown else {}))
        return named

    def _take_results(self, generation: int, results: StudyResults) -> None:
        if generation == self._run_generation and self._live is not None:
            self._live = replace(self._live, results=results)
            self._publish_live()

    def _publish_live(self) -> None:
        if self._live is not None and self.state.case.key == self._live.key:
            self.update(case=self._live)

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
        was_shown = self.state.case.key == live.key
        self._redraw.stop()
        self._live = None
        said = Message(text=text) if text else None
        self._update_cases(live_key=None, message=said, **({"case": done} if was_shown else {}))
        self.refresh_cases()

    # --- facts: answers -----------------------------------------------------------------------------

    def _take_answer(self, topic: str, generation: int, answer: Any) -> None:
        if topic == "run" and generation == self._run_generation:
            self._finish(answer)
        elif topic == "list":
            self._rows = answer
            self._update_cases()
        elif topic == "load" and generation == self._load_generation:
            self._show_stored(answer)
        elif topic == "sort":
            self._take_intake(answer)
        elif topic == "delete":
            self.refresh_cases()
        elif topic == "export":
            self.say(f"The report was written as {str(answer).upper()}. {NOTICE}.")
        elif topic == "values":
            self.say(f"The values were written as CSV. {NOTICE}.")

    def _take_intake(self, intake: Intake) -> None:
        if intake.request is None:
            self.say(intake.problem or "These files make no study.", is_error=True)
        elif not self.is_running:
            self._start(intake.request, None)

    def _show_stored(self, stored: StoredRun) -> None:
        if self.state.case.key != stored.row.run_id:
            return
        phases: dict[str, Phase] = {s: s for s in ("complete", "error", "cancelled", "interrupted")}
        branches = branch_results(stored.report)
        case = CaseView(
            key=stored.row.run_id,
            phase=phases.get(stored.row.status, "interrupted"),
            request=stored.request,
            results=stored.results,
            report=stored.report,
            branches=branches,
            progress=settle(advance(NO_PROGRESS, stored.events), stored.row.status, branches),
        )
        said = Message(text=INTERRUPTED_TEXT) if case.phase == "interrupted" else None
        self.update(case=case, message=said)

    def _take_failure(self, topic: str, generation: int, code: str, text: str) -> None:
        sentence = f"{text} ({code})"
        if topic == "run" and self._live is not None and generation == self._run_generation:
            failed = replace(self._live, phase="error", progress=settle(self._live.progress, "error", ()))
            self._close(self._live, failed, None)
        elif topic == "load" and generation == self._load_generation:
            self.update(case=CaseView())
        self.say(sentence, is_error=True)
