"""Folds the journal's events into steps and lanes. Knows no Qt."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import cast, get_args

from pipeline.records import BRANCHES, Branch, BranchState, RunEvent
from pipeline.states import State
from ui.run_records import (
    CANCELLED_CODE,
    LOG_LIMIT,
    STATE_NAMES,
    Lane,
    RetryNote,
    RunError,
    RunProgress,
    Step,
    StepStatus,
    posix_s,
)

RETRY_LINE = re.compile(r"retry (\d+)/(\d+) \((.+), ([\d.]+) s\)(?:: (.*))?$")


class Fold:
    """Mutable while events are folded in, frozen again by `snapshot`."""

    def __init__(self, progress: RunProgress) -> None:
        self._before = progress
        self._steps = {step.name: step for step in progress.steps}
        self._lanes = {lane.branch: lane for lane in progress.lanes}
        self._error = progress.error
        self._cause = progress.cause
        self._paused = progress.paused
        self._warnings = progress.warnings
        self._new: list[RunEvent] = []

    def snapshot(self) -> RunProgress:
        events = (self._before.events + tuple(self._new))[-LOG_LIMIT:]
        return RunProgress(
            steps=tuple(self._steps[name] for name in STATE_NAMES),
            lanes=tuple(self._lanes[branch] for branch in BRANCHES),
            error=self._error,
            cause=self._cause,
            paused=self._paused,
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
        self._paused = None
        self._close_before(event.state, at_s)
        done_at_once = event.state == State.COMPLETE.name
        status: StepStatus = "done" if done_at_once else "running"
        entered = replace(self._steps[event.state], status=status, started_s=at_s)
        self._steps[event.state] = replace(entered, elapsed_s=0.0) if done_at_once else entered

    def _start_over(self) -> None:
        fresh = RunProgress()
        self._steps = {step.name: step for step in fresh.steps}
        self._lanes = {lane.branch: lane for lane in fresh.lanes}
        self._error = self._cause = None

    def _close_before(self, name: str, at_s: float | None) -> None:
        for earlier in STATE_NAMES[: STATE_NAMES.index(name)]:
            step = self._steps[earlier]
            if step.status in ("running", "paused"):
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
        note = _retry_note(event)
        for lane in self._addressed(event):
            self._lanes[lane.branch] = replace(lane, retries=lane.retries + 1, retry_text=event.text, retry=note)

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
            lane,
            status=status,
            fraction=fraction,
            code=event.code,
            text=reason,
            degraded=degraded,
            retry_text=None,
            retry=None,
        )
        if word in ("failed", "degraded"):
            self._note_trouble(event, event.branch, word, reason)

    def _note_trouble(self, event: RunEvent, branch: Branch, word: str, reason: str) -> None:
        """A state in which a branch fails is marked; the first failure is the root cause."""
        step = self._steps.get(event.state)
        if step is not None:
            noted = replace(step, note=f"{branch} {word}")
            self._steps[event.state] = replace(noted, status="degraded") if step.status == "done" else noted
        if word == "failed" and self._cause is None:
            code = event.code or "E_PIPELINE"
            self._cause = RunError(state=event.state, code=code, text=reason, branch=branch)

    def _take_progress(self, event: RunEvent) -> None:
        if event.branch is not None:
            lane = self._lanes[event.branch]
            status: BranchState = "running" if lane.status == "pending" else lane.status
            self._lanes[event.branch] = replace(
                lane, status=status, fraction=event.fraction, text=event.text, retry_text=None, retry=None
            )
            self._show_share(event.state)

    def _show_share(self, name: str) -> None:
        """A state is as far as its running branches are together."""
        step = self._steps.get(name)
        shares = [lane.fraction for lane in self._lanes.values() if lane.status == "running" and lane.fraction]
        if step is not None and step.status == "running" and shares:
            self._steps[name] = replace(step, fraction=sum(shares) / len(shares))

    def _take_paused(self, event: RunEvent) -> None:
        """Held before the next state, or before the next attempt of a branch."""
        self._paused = event.text
        held = self._steps.get(event.state) if event.branch else self._next_after(event.state)
        if held is not None:
            self._steps[held.name] = replace(held, status="paused")

    def _take_continued(self, _event: RunEvent) -> None:
        self._paused = None
        for step in list(self._steps.values()):
            if step.status == "paused":
                was: StepStatus = "waiting" if step.started_s is None else "running"
                self._steps[step.name] = replace(step, status=was)

    def _next_after(self, name: str) -> Step | None:
        later = STATE_NAMES[STATE_NAMES.index(name) + 1 :] if name in STATE_NAMES else ()
        return next((self._steps[each] for each in later if self._steps[each].status == "waiting"), None)

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
            self._cause = self._cause or self._error


def _ended(step: Step, at_s: float | None) -> Step:
    elapsed_s = None if at_s is None or step.started_s is None else max(0.0, at_s - step.started_s)
    status: StepStatus = "restored" if step.status == "restored" else "degraded" if step.note else "done"
    return replace(step, status=status, elapsed_s=elapsed_s, fraction=None)


def _retry_note(event: RunEvent) -> RetryNote | None:
    """What the journal's line says of a retry; None for a line of another form."""
    told = RETRY_LINE.match(event.text)
    if told is None:
        return None
    number, of, failure, wait_s, action = told.groups()
    at_s = posix_s(event.time_utc)
    due_s = None if at_s is None else at_s + float(wait_s)
    return RetryNote(number=int(number), of=int(of), failure=failure, action=action or "", due_s=due_s)
