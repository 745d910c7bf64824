"""Wishes about runs: pause, go on from a state, and what is done about one that was interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from pipeline.records import CheckpointRow, RunEvent
from pipeline.states import Reuse, State
from ui.resume_plan import resume_plan
from ui.view_state import Message, MessageAct
from ui.wording import counted, short_case

if TYPE_CHECKING:
    from pipeline.engine import RunRow
    from ui.review import Review


class RunReview(QObject):
    """Never goes on with anything by itself."""

    def __init__(self, review: Review) -> None:
        super().__init__(review)
        self._review = review
        self._offered: str | None = None
        self._has_offered = False

    def pause(self) -> None:
        """Hold the run before its next state or attempt; the same wish again lets it go on."""
        if self._review.is_running:
            is_paused = not self._review.state.is_paused
            self._review.session.pause(is_paused)
            self._review.update(is_paused=is_paused)

    def resume_from(self, state_name: str) -> None:
        """Take what is stored of the states before, and compute this one and all after it."""
        case = self._review.state.case
        plan = resume_plan(case, state_name, self._review.is_running)
        if plan is None or case.request is None or case.key is None:
            return
        reuse = Reuse(run_id=case.key, rerun_from=State[state_name])
        self._review.cases.start(case.request, None if plan.is_new_run else case.key, reuse)

    # --- an interrupted run, offered once -----------------------------------------------------------

    def offer_interrupted(self, rows: tuple[RunRow, ...]) -> None:
        """Say at the start which run was interrupted; the reader decides."""
        is_busy = self._review.is_running or self._review.state.case.key is not None
        waiting = [row for row in rows if row.status == "interrupted"]
        if self._has_offered or is_busy or not waiting:
            self._has_offered = self._has_offered or bool(rows)
            return
        self._has_offered = True
        self._offered = waiting[0].run_id
        more = f" {counted(len(waiting) - 1, 'more')} in the list." if len(waiting) > 1 else ""
        text = (
            f"Case {short_case(self._offered)} was interrupted in {waiting[0].state}. It can go on from its last "
            f"checkpoint.{more}"
        )
        acts = (
            MessageAct("Resume", "review.run.resume_offered"),
            MessageAct("Show", "review.run.show_offered"),
            MessageAct("Not now", "review.run.dismiss"),
        )
        self._review.update(message=Message(text=text, acts=acts))

    def show_offered(self) -> None:
        if self._offered is not None:
            self._review.cases.select(self._offered)

    def resume_offered(self) -> None:
        """Show the run, and go on with it as soon as it is loaded."""
        if self._offered is not None:
            self._review.cases.select(self._offered, then_resume=True)

    def dismiss(self) -> None:
        self._review.update(message=None)

    # --- what the run has saved ---------------------------------------------------------------------

    def note_events(self, run_id: str, events: list[RunEvent]) -> None:
        """Ask for the checkpoints when one more was saved."""
        if any(event.kind == "checkpoint" for event in events):
            self._review.session.ask("checkpoints", lambda engine: (run_id, engine.checkpoint_rows(run_id)))

    def take_checkpoints(self, _: int, answer: tuple[str, tuple[CheckpointRow, ...]]) -> None:
        """The checkpoints of a run."""
        self._review.cases.put_checkpoints(*answer)
