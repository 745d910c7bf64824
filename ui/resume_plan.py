"""What is taken from checkpoints and what is computed again when a run goes on from a state. Knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.states import CHECKPOINTED, State
from ui.run_progress import STATE_NAMES
from ui.view_state import CaseView
from ui.wording import joined

STOPPED = ("interrupted", "cancelled", "error")
CHECKPOINT_NAMES = tuple(state.name for state in CHECKPOINTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumePlan:
    """Going on from one state: in the same run, or as a new one where the run is complete."""

    state: str
    reused: tuple[str, ...]
    rerun: tuple[str, ...]
    is_new_run: bool

    @property
    def words(self) -> str:
        """The plan as two sentences."""
        taken = (
            f"Taken from checkpoints: {joined(self.reused)}." if self.reused else "Nothing is taken from checkpoints."
        )
        run = "a new run; this one stays as it is" if self.is_new_run else "this run"
        return f"{taken} Computed again, in {run}: {joined(self.rerun)}."


def resume_plan(case: CaseView, state_name: str, is_running: bool) -> ResumePlan | None:
    """The plan for a state; None where the run cannot go on from it.

    A state keeps its result only where it has a checkpoint; the quick states between are computed in any case.
    """
    if is_running or case.request is None or case.key is None or case.phase not in (*STOPPED, "complete"):
        return None
    if state_name not in STATE_NAMES or state_name in (State.INIT.name, State.COMPLETE.name):
        return None
    saved = {row.state for row in case.checkpoints}
    place = STATE_NAMES.index(state_name)
    needed = [name for name in STATE_NAMES[:place] if name in CHECKPOINT_NAMES and not _was_skipped(case, name)]
    if not saved.issuperset(needed):
        return None  # a result that this state needs is not there: an earlier state has to be chosen
    reused = tuple(name for name in STATE_NAMES[:place] if name in saved)
    rerun = tuple(name for name in STATE_NAMES[place:-1] if not _was_skipped(case, name))
    return ResumePlan(state=state_name, reused=reused, rerun=rerun, is_new_run=case.phase == "complete")


def _was_skipped(case: CaseView, name: str) -> bool:
    return next(step.status for step in case.progress.steps if step.name == name) == "skipped"
