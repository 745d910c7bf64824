"""One state's work: each branch restored or computed, side by side, under retry, deadline and cancel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.branches import BranchLedger
from pipeline.cancellation import CancelToken, DeadlineToken
from pipeline.crashed_inputs import remember
from pipeline.errors import (
    HardStopError,
    InputError,
    PipelineError,
    RetryExhaustedError,
    RunCancelledError,
    WorkerCrashError,
    WorkerError,
)
from pipeline.executor import StageExecutor
from pipeline.faults import as_fault
from pipeline.journal import Journal
from pipeline.records import Branch
from pipeline.results import RunResults
from pipeline.retry import Attempt, Retry, retrying
from pipeline.stage_calls import StageCall, without_file
from pipeline.stages.preprocessing import ENDED_ITS_READER
from pipeline.states import State

DEADLINES_S: dict[State, float] = {
    State.VALIDATION: 120.0,
    State.PREPROCESSING: 600.0,
    State.DETECTION: 1800.0,
    State.ANALYSIS: 600.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One result to be made: by which branch, out of what, how."""

    name: str
    branch: Branch
    depends_on: Mapping[str, Any]
    call: StageCall


class BranchWork:
    """Does the jobs of a state for one run."""

    def __init__(
        self,
        *,
        cancel: CancelToken,
        journal: Journal,
        results: RunResults,
        ledger: BranchLedger,
        executor: StageExecutor,
        sleep: Callable[[float], None] | None,
    ) -> None:
        self._cancel = cancel
        self._journal = journal
        self._results = results
        self._ledger = ledger
        self._executor = executor
        self._sleep = sleep or cancel.wait

    def compute(self, state: State, jobs: list[Job]) -> bool:
        """Restore or compute every job whose branch still lives; True when any was computed."""
        todo: dict[Branch, Job] = {}
        for job in jobs:
            if self._ledger.failure(job.branch) is not None:
                continue
            if self._results.restore(job.name, job.depends_on):
                self.restored(state, (job.branch,))
            else:
                todo[job.branch] = job
        values = self.side_by_side(state, {branch: job.call for branch, job in todo.items()})
        for branch, value in values.items():
            self._results.put(todo[branch].name, todo[branch].depends_on, value)
        return bool(values)

    def side_by_side(self, state: State, calls: Mapping[Branch, StageCall]) -> dict[Branch, Any]:
        """The barrier: values of the branches that succeeded; failed ones are noted, hard stops raised."""
        tasks: dict[str, Callable[[], Any]] = {}
        for branch, call in calls.items():
            self._ledger.set(branch, state, "running")
            tasks[branch] = self._task(state, branch, call)
        outcomes = self._executor.run_side_by_side(tasks, self._journal.pump)
        values: dict[Branch, Any] = {}
        for branch in calls:
            outcome = outcomes[branch]
            if outcome.error is None:
                values[branch] = outcome.value
                self._ledger.set(branch, state, "ok")
            else:
                self._failed(state, branch, outcome.error)
        return values

    def restored(self, state: State, branches: tuple[Branch, ...]) -> None:
        """Tell that these branches took their result from a checkpoint."""
        for branch in branches:
            self._ledger.set(branch, state, "cached")
        self._journal.emit(state, "restored", f"{', '.join(branches)} taken from the checkpoint")
        self._journal.pump()

    def require_a_modality(self) -> None:
        """ERROR only when neither echo nor ECG is left: with the error of the branch that failed last."""
        if self._ledger.all_failed():
            raise self._ledger.last_failure or HardStopError("No modality is left to analyse.", code="E_HARD_001")

    def _task(self, state: State, branch: Branch, call: StageCall) -> Callable[[], Any]:
        def progress(fraction: float, text: str) -> None:
            self._journal.progress(state, branch, fraction, text)

        def on_retry(retry: Retry) -> None:
            rule = retry.rule
            text = f"retry {retry.failures}/{rule.max_attempts - 1} ({rule.failure}, {retry.wait_s:.1f} s)"
            self._journal.emit(state, "retry", f"{text}: {rule.action}", branch=branch)

        def attempts_at(what: StageCall) -> Any:
            def once(attempt: Attempt) -> Any:
                self._hold_before(attempt, state, branch)
                return self._executor.call(what, attempt, progress, DeadlineToken(self._cancel, DEADLINES_S[state]))

            try:
                return retrying(once, on_retry=on_retry, sleep=self._sleep)
            except RetryExhaustedError as error:
                rest = self._without_culprit(what, error.__cause__)
                if rest is None:
                    raise
            return attempts_at(rest)

        return lambda: attempts_at(call)

    def _hold_before(self, attempt: Attempt, state: State, branch: Branch) -> None:
        """Wait before another attempt while the reader has paused the run."""
        if attempt.number > 1 and self._cancel.is_paused:
            self._journal.emit(state, "paused", f"paused before attempt {attempt.number}", branch=branch)
            self._cancel.hold()
            self._journal.emit(state, "continued", "goes on", branch=branch)

    def _without_culprit(self, call: StageCall, cause: BaseException | None) -> StageCall | None:
        """What is left of a call whose worker has died of one file; None when nothing is."""
        if not isinstance(cause, WorkerCrashError):
            return None
        if cause.file is not None:
            remember(cause.file, self._journal)
        return without_file(call, cause.file)

    def _failed(self, state: State, branch: Branch, error: BaseException) -> None:
        if isinstance(error, RetryExhaustedError):
            error = self._exhausted(error)
        if isinstance(error, HardStopError):
            self._ledger.fail(branch, state, error)
        if isinstance(error, (HardStopError, RunCancelledError)) or not isinstance(error, Exception):
            raise error
        self._ledger.fail(branch, state, error if isinstance(error, PipelineError) else as_fault(error, state, branch))

    def _exhausted(self, error: RetryExhaustedError) -> PipelineError:
        """What it means that a row's attempts are used up."""
        cause = error.__cause__
        if error.details.get("failure") == "memory error":
            text = "The memory is not enough for this study, even with half the batch."
            return HardStopError(text, code="E_HARD_002", details=error.details)
        if isinstance(cause, WorkerCrashError) and cause.file is not None:
            return InputError(ENDED_ITS_READER, code="E_INPUT_CRASHED_READER", details=error.details)
        if isinstance(cause, WorkerCrashError):
            return WorkerError(f"{cause.text} So did the one after it.", code=cause.code, details=error.details)
        return error
