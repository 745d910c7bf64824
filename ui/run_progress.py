"""How far a run is: the journal's events folded into one frozen snapshot. Knows no Qt.

The same fold serves live and stored runs, so the run strip shows both alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, cast, get_args

from pipeline.records import BRANCHES, Branch, BranchResult, BranchState, RunEvent
from pipeline.states import State

StepStatus = Literal["waiting", "running", "done", "skipped", "restored", "failed", "cancelled", "interrupted"]
STATE_NAMES = tuple(s.name for s in State if s is not State.ERROR)
CANCELLED_CODE = "E_CANCELLED"
LOG_LIMIT = 5000  # events kept for the log pane; the store keeps all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One of the ten states as the strip shows it."""

    name: str
    status: StepStatus = "waiting"
    started_s: float | None = None  # POSIX time of its first event
    elapsed_s: float | None = None  # known once it has ended
    checkpoint: bool = False
    retries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One branch as the strip shows it."""

    branch: Branch
    status: BranchState = "pending"
    fraction: float | None = None
    text: str = ""
    code: str | None = None
    retry_text: str | None = None
    retries: int = 0
    degraded: str | None = None  # why less than everything will come of it; stays until the run ends


@dataclass(frozen=True, slots=True, kw_only=True)
class RunError:
    """What ended a run, and the state that it came from."""

    state: str
    code: str
    text: str


def _fresh_steps() -> tuple[Step, ...]:
    return tuple(Step(name=name) for name in STATE_NAMES)


def _fresh_lanes() -> tuple[Lane, ...]:
    return tuple(Lane(branch=branch) for branch in BRANCHES)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    """Steps, lanes and journal of one run."""

    steps: tuple[Step, ...] = _fresh_steps()
    lanes: tuple[Lane, ...] = _fresh_lanes()
    error: RunError | None = None
    events: tuple[RunEvent, ...] = ()
    warnings: int = 0

    @property
    def current(self) -> Step | None:
        """The state that is being worked on."""
        return next((step for step in self.steps if step.status == "running"), None)

    @property
    def has_started(self) -> bool:
        return bool(self.events)


def posix_s(time_utc: str) -> float | None:
    """Seconds since 1970 of an ISO time; None where it cannot be read."""
    try:
        return datetime.fromisoformat(time_utc).timestamp()
    except ValueError:
        return None


def advance(progress: RunProgress, events: Iterable[RunEvent]) -> RunProgress:
    """The snapshot after more events."""
    fold = _Fold(progress)
    for event in events:
        fold.take(event)
    return fold.snapshot()


def settle(progress: RunProgress, status: str, branches: Sequence[BranchResult]) -> RunProgress:
    """The snapshot of a run that is over: nothing is left running, lanes hold how their branch ended."""
    ended: StepStatus = {"cancelled": "cancelled", "interrupted": "interrupted", "error": "failed"}.get(status, "done")  # type: ignore[assignment]
    steps = tuple(replace(s, status=ended) if s.status == "running" else s for s in progress.steps)
    results = {result.branch: result for result in branches}
    lanes = tuple(_settled_lane(lane, results.get(lane.branch)) for lane in progress.lanes)
    return replace(progress, steps=steps, lanes=lanes)


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


class _Fold:
    """Mutable while events are folded in, frozen again by `snapshot`."""

    def __init__(self, progress: RunProgress) -> None:
        self._before = progress
        self._steps = {step.name: step for step in progress.steps}
        self._lanes = {lane.branch: lane for lane in progress.lanes}
        self._error = progress.error
        self._warnings = progress.warnings
        self._new: list[RunEvent] = []

    def snapshot(self) -> RunProgress:
        events = (self._before.events + tuple(self._new))[-LOG_LIMIT:]
        return RunProgress(
            steps=tuple(self._steps[name] for name in STATE_NAMES),
            lanes=tuple(self._lanes[branch] for branch in BRANCHES),
            error=self._error,
            events=events,
            warnings=self._warnings,
        )

    def take(self, event: RunEvent) -> None:
        self._new.append(event)
        step = getattr(self, f"_take_{event.kind}", None)
        if step is not None:
            step(event)

    def _take_state(self, event: RunEvent) -> None:
        if event.state == State.ERROR.name:
            self._fail(event)
            return
        if event.state not in self._steps:
            return
        if event.state == State.INIT.name:  # a resumed run goes on in the same journal
            self._start_over()
        at_s = posix_s(event.time_utc)
        self._close_before(event.state, at_s)
        done_at_once = event.state == State.COMPLETE.name
        status: StepStatus = "done" if done_at_once else "running"
        entered = replace(self._steps[event.state], status=status, started_s=at_s)
        self._steps[event.state] = replace(entered, elapsed_s=0.0) if done_at_once else entered

    def _start_over(self) -> None:
        fresh = RunProgress()
        self._steps = {step.name: step for step in fresh.steps}
        self._lanes = {lane.branch: lane for lane in fresh.lanes}
        self._error = None

    def _close_before(self, name: str, at_s: float | None) -> None:
        for earlier in STATE_NAMES[: STATE_NAMES.index(name)]:
            step = self._steps[earlier]
            if step.status == "running":
                self._steps[earlier] = _ended(step, at_s)
            elif step.status == "waiting":
                self._steps[earlier] = replace(step, status="skipped")

    def _take_state_done(self, event: RunEvent) -> None:
        step = self._steps.get(event.state)
        if step is not None and step.status in ("running", "waiting"):
            self._steps[event.state] = _ended(step, posix_s(event.time_utc))

    def _take_restored(self, event: RunEvent) -> None:
        step = self._steps.get(event.state)
        if step is not None:
            self._steps[event.state] = replace(step, status="restored", checkpoint=True)

    def _take_checkpoint(self, event: RunEvent) -> None:
        step = self._steps.get(event.state)
        if step is not None:
            self._steps[event.state] = replace(step, checkpoint=True)

    def _take_retry(self, event: RunEvent) -> None:
        step = self._steps.get(event.state)
        if step is not None:
            self._steps[event.state] = replace(step, retries=step.retries + 1)
        for lane in self._addressed(event):
            self._lanes[lane.branch] = replace(lane, retries=lane.retries + 1, retry_text=event.text)

    def _addressed(self, event: RunEvent) -> list[Lane]:
        """The lane that an event names, or every running one."""
        if event.branch is not None:
            return [self._lanes[event.branch]]
        return [lane for lane in self._lanes.values() if lane.status == "running"]

    def _take_branch(self, event: RunEvent) -> None:
        """The text is a status word, then a colon and the reason where there is one."""
        word, _, reason = event.text.partition(": ")
        if event.branch is None or word not in get_args(BranchState):
            return
        lane = self._lanes[event.branch]
        status = cast(BranchState, word)
        degraded = reason or event.text if status == "degraded" else lane.degraded
        if degraded and status in ("ok", "cached"):
            status, reason = "degraded", degraded
        fraction = 1.0 if status in ("ok", "cached", "degraded") else None
        self._lanes[event.branch] = replace(
            lane, status=status, fraction=fraction, code=event.code, text=reason, degraded=degraded, retry_text=None
        )

    def _take_progress(self, event: RunEvent) -> None:
        if event.branch is not None:
            lane = self._lanes[event.branch]
            status: BranchState = "running" if lane.status == "pending" else lane.status
            self._lanes[event.branch] = replace(
                lane, status=status, fraction=event.fraction, text=event.text, retry_text=None
            )

    def _take_warning(self, event: RunEvent) -> None:
        self._warnings += 1
        if event.branch is not None:
            lane = self._lanes[event.branch]
            self._lanes[event.branch] = replace(lane, text=event.text, code=event.code or lane.code)

    def _take_error(self, event: RunEvent) -> None:
        if event.branch is not None:
            lane = self._lanes[event.branch]
            self._lanes[event.branch] = replace(lane, text=event.text, code=event.code)
            return
        self._fail(event)

    def _fail(self, event: RunEvent) -> None:
        """The first error names the cause; what follows was dragged along."""
        was_cancelled = event.code == CANCELLED_CODE
        culprit = next((s for s in self._steps.values() if s.status == "running"), None)
        name = culprit.name if culprit else event.state
        if culprit is not None:
            ended: StepStatus = "cancelled" if was_cancelled else "failed"
            self._steps[name] = replace(_ended(culprit, posix_s(event.time_utc)), status=ended)
        if self._error is None and not was_cancelled:
            self._error = RunError(state=name, code=event.code or "E_PIPELINE", text=event.text)


def _ended(step: Step, at_s: float | None) -> Step:
    elapsed_s = None if at_s is None or step.started_s is None else max(0.0, at_s - step.started_s)
    status: StepStatus = "restored" if step.status == "restored" else "done"
    return replace(step, status=status, elapsed_s=elapsed_s)
