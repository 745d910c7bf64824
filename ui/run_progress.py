"""How far a run is: the journal's events folded into one frozen snapshot. Knows no Qt.

The same fold serves live and stored runs, so the run strip shows both alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast, get_args

from pipeline.records import BRANCHES, Branch, BranchResult, BranchState, RunEvent
from pipeline.states import State
from ui.run_fold import Fold
from ui.run_records import STATE_NAMES, Lane, RetryNote, RunError, RunProgress, Step, StepStatus, posix_s

__all__ = [
    "STATE_NAMES",
    "Lane",
    "RetryNote",
    "RunError",
    "RunProgress",
    "Step",
    "StepStatus",
    "advance",
    "branch_results",
    "dragged_along",
    "posix_s",
    "settle",
    "telling_state",
]
STOPPED = ("cancelled", "interrupted", "error")


def advance(progress: RunProgress, events: Iterable[RunEvent]) -> RunProgress:
    """The snapshot after more events."""
    fold = Fold(progress)
    for event in events:
        fold.take(event)
    return fold.snapshot()


def settle(progress: RunProgress, status: str, branches: Sequence[BranchResult]) -> RunProgress:
    """The snapshot of a run that is over: nothing is left running, lanes hold how their branch ended."""
    ended: StepStatus = {"cancelled": "cancelled", "interrupted": "interrupted", "error": "failed"}.get(status, "done")  # type: ignore[assignment]
    steps = tuple(_settled_step(s, status, ended) for s in progress.steps)
    results = {result.branch: result for result in branches}
    lanes = tuple(_settled_lane(lane, results.get(lane.branch)) for lane in progress.lanes)
    return replace(progress, steps=steps, lanes=lanes, paused=None)


def _settled_step(step: Step, status: str, ended: StepStatus) -> Step:
    if step.status in ("running", "paused") and step.started_s is not None:
        return replace(step, status=ended, fraction=None)
    if step.status in ("waiting", "paused") and status in STOPPED:
        return replace(step, status="unreached")
    return step


def dragged_along(progress: RunProgress) -> str:
    """What suffers from the root cause only because it comes after it; empty where nothing does."""
    cause = progress.cause
    if cause is None or cause.state not in STATE_NAMES:
        return ""
    after = progress.steps[STATE_NAMES.index(cause.state) + 1 :]
    if progress.error is not None:
        names = [step.name for step in after if step.status in ("waiting", "unreached")]
        return f"Not reached because of it: {', '.join(names)}." if names else ""
    names = [step.name for step in after if step.status in ("done", "degraded", "restored") and step.name != "COMPLETE"]
    return f"Because of it {cause.branch} is missing in {', '.join(names)}." if cause.branch and names else ""


def telling_state(progress: RunProgress) -> str:
    """The state to look at first: where it went wrong, else where it stands, else DETECTION, the longest."""
    if progress.cause is not None and progress.cause.state in STATE_NAMES:
        return progress.cause.state
    return progress.current.name if progress.current is not None else State.DETECTION.name


def branch_results(report: Mapping[str, Any] | None) -> tuple[BranchResult, ...]:
    """How the branches ended, read from a stored report; empty where it says nothing."""
    execution = (report or {}).get("pipeline_execution", {})
    branches = execution.get("branches", {}) if isinstance(execution, Mapping) else {}
    if not isinstance(branches, Mapping):
        return ()
    return tuple(_branch_result(b, branches[b]) for b in BRANCHES if isinstance(branches.get(b), Mapping))


def _branch_result(branch: Branch, entry: Mapping[str, Any]) -> BranchResult:
    status = entry.get("status")
    known = cast(BranchState, status) if status in get_args(BranchState) else "pending"
    return BranchResult(branch=branch, status=known, code=entry.get("code"), reason=entry.get("reason"))


def _settled_lane(lane: Lane, result: BranchResult | None) -> Lane:
    if result is None:
        unfinished = replace(lane, status="pending", fraction=None, text="not finished", retry_text=None)
        return unfinished if lane.status == "running" else lane
    fraction = 1.0 if result.status in ("ok", "cached", "degraded") else None
    text = result.reason or ("" if result.status in ("ok", "cached") else lane.text)
    return replace(lane, status=result.status, code=result.code, text=text, fraction=fraction)
