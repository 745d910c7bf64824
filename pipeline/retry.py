"""Which failures are tried again, how often, after what wait and with what change. Source: specification 4.1."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import tenacity

from pipeline.errors import ModelError, RetryExhaustedError, TransientReadError, WorkerCrashError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """One row of the retry table."""

    failure: str
    errors: tuple[type[BaseException], ...]
    max_attempts: int
    delay_s: float
    backoff_factor: float
    action: str

    def wait_s(self, failures: int) -> float:
        """Seconds to wait after this many failures of the kind."""
        return self.delay_s * self.backoff_factor ** (failures - 1)


RETRY_TABLE: tuple[RetryRule, ...] = (
    RetryRule(
        failure="model load failure",
        errors=(ModelError,),
        max_attempts=2,
        delay_s=0.2,
        backoff_factor=1.0,
        action="model loaded again",
    ),
    RetryRule(
        failure="transient network",
        errors=(TransientReadError,),
        max_attempts=3,
        delay_s=2.0,
        backoff_factor=1.0,
        action="read again",
    ),
    RetryRule(
        failure="timeout",
        errors=(TimeoutError,),
        max_attempts=3,
        delay_s=1.0,
        backoff_factor=2.0,
        action="started again",
    ),
    RetryRule(
        failure="memory error",
        errors=(MemoryError,),
        max_attempts=2,
        delay_s=0.0,
        backoff_factor=1.0,
        action="batch halved",
    ),
)

CRASH_RULE = RetryRule(
    failure="worker crash",
    errors=(WorkerCrashError,),
    max_attempts=2,
    delay_s=0.0,
    backoff_factor=1.0,
    action="started in a fresh worker",
)
"""Beside the specification's table, which knows no worker processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What the function is told about this try."""

    number: int = 1
    batch_divisor: int = 1
    reload_model: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """A failure that will be tried again."""

    rule: RetryRule
    failures: int
    wait_s: float


def rule_for(error: BaseException) -> RetryRule | None:
    """The table's row for a failure; None: it is not recoverable."""
    return next((rule for rule in (*RETRY_TABLE, CRASH_RULE) if isinstance(error, rule.errors)), None)


class _Course:
    """The failures so far of one call, a count for each row of the table."""

    def __init__(self, on_retry: Callable[[Retry], None]) -> None:
        self.attempt = Attempt()
        self._counts: Counter[str] = Counter()
        self._on_retry = on_retry

    def decide(self, state: tenacity.RetryCallState) -> bool:
        """Count a failure; True when its row allows another try."""
        error = state.outcome.exception() if state.outcome else None
        rule = rule_for(error) if error else None
        if rule is None:
            return False
        self._counts[rule.failure] += 1
        return True

    def is_over(self, state: tenacity.RetryCallState) -> bool:
        rule, failures = self._last(state)
        return failures >= rule.max_attempts

    def wait(self, state: tenacity.RetryCallState) -> float:
        rule, failures = self._last(state)
        return rule.wait_s(failures)

    def prepare(self, state: tenacity.RetryCallState) -> None:
        """Apply the row's action to the next attempt and tell the listener."""
        rule, failures = self._last(state)
        halve = rule.action == "batch halved"
        self.attempt = replace(
            self.attempt,
            number=self.attempt.number + 1,
            batch_divisor=self.attempt.batch_divisor * (2 if halve else 1),
            reload_model=rule.action == "model loaded again",
        )
        self._on_retry(Retry(rule=rule, failures=failures, wait_s=rule.wait_s(failures)))

    def _last(self, state: tenacity.RetryCallState) -> tuple[RetryRule, int]:
        error = state.outcome.exception() if state.outcome else None
        rule = rule_for(error) if error else None
        if rule is None:
            raise RuntimeError("asked about a failure that is not in the table")
        return rule, self._counts[rule.failure]


def retrying(
    func: Callable[[Attempt], T],
    *,
    on_retry: Callable[[Retry], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Call `func` under the retry table.

    Raises
    ------
    RetryExhaustedError
        When a row's attempts are used up; its cause is the last failure.
    """
    course = _Course(on_retry)
    policy = tenacity.Retrying(
        retry=course.decide,
        stop=course.is_over,
        wait=course.wait,
        before_sleep=course.prepare,
        sleep=sleep,
        retry_error_cls=tenacity.RetryError,
    )
    try:
        return policy(lambda: func(course.attempt))
    except tenacity.RetryError as error:
        cause = error.last_attempt.exception()
        raise _exhausted(cause) from cause


def _exhausted(cause: BaseException | None) -> RetryExhaustedError:
    rule = rule_for(cause) if cause else None
    if rule is None:
        raise RuntimeError("retries ended without a known failure")
    return RetryExhaustedError(
        f"Gave up after {rule.max_attempts} attempts: {rule.failure}.",
        details={
            "failure": rule.failure,
            "attempts": str(rule.max_attempts),
            "action": rule.action,
            "last_code": getattr(cause, "code", type(cause).__name__),
        },
    )


def with_retry(
    func: Callable[[], T],
    max_attempts: int = 3,
    backoff_factor: float = 2.0,
    recoverable_errors: tuple[type[BaseException], ...] = (TimeoutError, MemoryError),
    *,
    delay_s: float = 1.0,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Call a function again on the named errors, waiting longer each time (specification, section 4.3)."""
    policy = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(recoverable_errors),
        stop=tenacity.stop_after_attempt(max_attempts),
        wait=tenacity.wait_exponential(multiplier=delay_s, exp_base=backoff_factor),
        sleep=sleep,
    )
    try:
        return policy(func)
    except tenacity.RetryError as error:
        cause = error.last_attempt.exception()
        raise RetryExhaustedError(
            f"Gave up after {max_attempts} attempts.",
            details={
                "attempts": str(max_attempts),
                "last_code": getattr(cause, "code", type(cause).__name__),
            },
        ) from cause
