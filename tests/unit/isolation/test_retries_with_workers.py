"""The retry table with real processes: each row's attempts, its waits, and what is done in between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cancellation import CancelToken, DeadlineToken, no_progress
from pipeline.errors import DetectionError, RetryExhaustedError
from pipeline.isolation.supervisor import Supervisor
from pipeline.retry import Attempt, retrying
from pipeline.stage_calls import PreparedClips, StageCall
from tests.unit.isolation.conftest import look_at
from tests.unit.orchestrator.stand_ins import prepared_echo


class Course:
    """Runs a call under the retry table; keeps attempts, waits and the workers that were used."""

    def __init__(self, supervisor: Supervisor, call: StageCall, deadline_s: float = 60.0) -> None:
        self.attempts: list[Attempt] = []
        self.waits_s: list[float] = []
        self.pids: set[int | None] = set()
        self._supervisor, self._call, self._deadline_s = supervisor, call, deadline_s

    def run(self) -> object:
        return retrying(self._once, sleep=self.waits_s.append)

    def _once(self, attempt: Attempt) -> object:
        self.attempts.append(attempt)

        def note(*_: object) -> None:
            self.pids.add(self._supervisor.pid_of("ecg"))

        token = DeadlineToken(CancelToken(), self._deadline_s)
        try:
            return self._supervisor.call(self._call, attempt, note, token)
        finally:
            note()
            self.pids.discard(None)


@pytest.mark.parametrize(
    ("behaviour", "failure", "waits_s", "fresh"),
    [
        pytest.param("validate_ecg=hang", "timeout", [1.0, 2.0], True, marks=pytest.mark.slow),
        ("validate_ecg=lose_the_drive", "transient network", [2.0, 2.0], False),
        ("validate_ecg=hold_much", "memory error", [0.0], True),
        ("validate_ecg=SIGSEGV", "worker crash", [0.0], True),
    ],
)
def test_each_row(
    supervisors: Callable[..., Supervisor],
    behave: Callable[[str], None],
    strip: Path,
    behaviour: str,
    failure: str,
    waits_s: list[float],
    fresh: bool,
) -> None:
    behave(behaviour)
    course = Course(supervisors(), look_at(strip), deadline_s=2.0 if failure == "timeout" else 60.0)
    with pytest.raises(RetryExhaustedError) as caught:
        course.run()
    assert caught.value.details["failure"] == failure
    assert course.waits_s == waits_s
    assert len(course.attempts) == len(waits_s) + 1
    divisors = [attempt.batch_divisor for attempt in course.attempts]
    assert divisors == ([1, 2] if failure == "memory error" else [1] * len(divisors))
    if not fresh:
        assert len(course.pids) == 1  # the worker is sound and goes on


def test_the_model_is_loaded_again_in_the_worker(
    supervisors: Callable[..., Supervisor], behave: Callable[[str], None]
) -> None:
    behave("LoadedModels=NeedsReload")
    call = StageCall(name="detect_echo", arguments=PreparedClips(prepared=prepared_echo()))
    supervisor = supervisors()
    waits_s: list[float] = []
    with pytest.raises(DetectionError, match="loaded again"):
        retrying(lambda attempt: supervisor.call(call, attempt, no_progress, CancelToken()), sleep=waits_s.append)
    assert waits_s == [0.2]
