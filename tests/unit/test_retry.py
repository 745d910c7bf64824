"""The retry table: counts, waits and actions, each proved by injecting the failure with a fake clock."""

from __future__ import annotations

import pytest

from pipeline.errors import InputError, ModelError, RetryExhaustedError, StageTimeoutError, TransientReadError
from pipeline.retry import RETRY_TABLE, Attempt, Retry, retrying, with_retry


class Failing:
    """Raises the given errors in turn, then returns "done"; remembers every attempt."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.attempts: list[Attempt] = []

    def __call__(self, attempt: Attempt | None = None) -> str:
        self.attempts.append(attempt or Attempt())
        if self.errors:
            raise self.errors.pop(0)
        return "done"


CASES = [
    (lambda: StageTimeoutError("late"), 3, [1.0, 2.0]),
    (lambda: TimeoutError(), 3, [1.0, 2.0]),
    (lambda: MemoryError(), 2, [0.0]),
    (lambda: ModelError("not now"), 2, [0.2]),
    (lambda: TransientReadError("away"), 3, [2.0, 2.0]),
]


@pytest.mark.parametrize(("error", "attempts", "waits"), CASES)
def test_counts_and_waits_of_each_row(error, attempts: int, waits: list[float]) -> None:
    slept: list[float] = []
    func = Failing(*[error() for _ in range(attempts - 1)])
    assert retrying(func, sleep=slept.append) == "done"
    assert slept == pytest.approx(waits)
    assert len(func.attempts) == attempts


@pytest.mark.parametrize(("error", "attempts", "waits"), CASES)
def test_exhaustion_carries_diagnostics(error, attempts: int, waits: list[float]) -> None:
    slept: list[float] = []
    func = Failing(*[error() for _ in range(9)])
    with pytest.raises(RetryExhaustedError) as caught:
        retrying(func, sleep=slept.append)
    assert len(func.attempts) == attempts
    assert slept == pytest.approx(waits)
    assert caught.value.details["attempts"] == str(attempts)
    assert isinstance(caught.value.__cause__, type(error()))


def test_memory_error_halves_the_batch() -> None:
    func = Failing(MemoryError())
    retrying(func, sleep=lambda _: None)
    assert [a.batch_divisor for a in func.attempts] == [1, 2]


def test_model_failure_reloads() -> None:
    func = Failing(ModelError("not now"))
    retrying(func, sleep=lambda _: None)
    assert [a.reload_model for a in func.attempts] == [False, True]


def test_each_row_counts_for_itself() -> None:
    func = Failing(MemoryError(), TimeoutError(), TimeoutError())
    assert retrying(func, sleep=lambda _: None) == "done"


@pytest.mark.parametrize("error", [InputError("bad"), ValueError("bug"), KeyboardInterrupt()])
def test_other_failures_are_not_tried_again(error: BaseException) -> None:
    func = Failing(error)
    with pytest.raises(type(error)):
        retrying(func, sleep=lambda _: pytest.fail("waited"))
    assert len(func.attempts) == 1


def test_listener_hears_each_retry() -> None:
    heard: list[Retry] = []
    retrying(Failing(TimeoutError(), TimeoutError()), on_retry=heard.append, sleep=lambda _: None)
    assert [(r.rule.failure, r.failures, r.wait_s) for r in heard] == [("timeout", 1, 1.0), ("timeout", 2, 2.0)]


def test_table_is_the_specifications() -> None:
    assert {r.failure: r.max_attempts for r in RETRY_TABLE} == {
        "timeout": 3, "memory error": 2, "model load failure": 2, "transient network": 3,
    }  # fmt: skip


def test_with_retry_of_the_specification() -> None:
    slept: list[float] = []
    assert with_retry(Failing(TimeoutError(), MemoryError()), sleep=slept.append) == "done"
    assert slept == pytest.approx([1.0, 2.0])
    with pytest.raises(RetryExhaustedError, match="3 attempts"):
        with_retry(Failing(*[TimeoutError() for _ in range(5)]), sleep=slept.append)
    with pytest.raises(ValueError, match="bug"):
        with_retry(Failing(ValueError("bug")), sleep=slept.append)
