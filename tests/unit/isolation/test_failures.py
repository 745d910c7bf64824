"""Errors on their way from a worker: typed ones as they are, faults without their text."""

from __future__ import annotations

import pytest

from pipeline import errors
from pipeline.errors import HardStopError, PipelineError, RunCancelledError, ValidationError
from pipeline.faults import StageFaultError
from pipeline.isolation.failures import KINDS, as_error, as_frame
from pipeline.isolation.protocol import Failure, ProtocolError
from pipeline.memory import is_out_of_memory


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in (ValidationError, RunCancelledError)])
def test_each_kind_comes_through(kind: type[PipelineError]) -> None:
    error = kind("A sentence.", code="E_SOME", details={"a": "b"})
    found = as_error(as_frame(1, error))
    assert type(found) is kind
    assert vars(found) == vars(error)


def test_listed_reasons_and_cancels_come_through() -> None:
    error = ValidationError([("E_INPUT_EMPTY", "One."), ("E_INPUT_KIND", "Two.")])
    found = as_error(as_frame(1, error))
    assert isinstance(found, ValidationError)
    assert vars(found) == vars(error)
    assert isinstance(as_error(as_frame(1, RunCancelledError())), RunCancelledError)


def test_every_error_that_a_stage_raises_is_known() -> None:
    of_the_engine = {
        errors.RetryExhaustedError, errors.StoreError, errors.ReportError, errors.EditError, errors.WorkerError,
        errors.WorkerCrashError,
    }  # fmt: skip
    all_kinds = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, PipelineError)}
    assert all_kinds - of_the_engine <= set(KINDS)


class error(Exception):  # noqa: N801 - OpenCV's own name
    """Stands for cv2.error, whose module is "cv2"."""


error.__module__ = "cv2"


@pytest.mark.parametrize(
    "raised",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried"),
        error("OpenCV(5.0) alloc.cpp: error: (-4:Insufficient memory) Failed to allocate 9 bytes"),
    ],
)
def test_memory_has_many_words(raised: Exception) -> None:
    assert isinstance(as_error(as_frame(1, raised)), MemoryError)


def test_other_words_are_no_lack_of_memory() -> None:
    assert not is_out_of_memory(ValueError("not enough memory"))
    assert not is_out_of_memory(RuntimeError("shapes differ"))


def test_faults_keep_kind_and_place_only() -> None:
    try:
        raise KeyError("CANARY^PATIENT")
    except KeyError as fault:
        frame = as_frame(1, fault)
    found = as_error(frame)
    assert isinstance(found, StageFaultError)
    assert (found.kind, "test_failures.py" in found.places[-1]) == ("KeyError", True)
    assert "CANARY" not in repr(frame)


def test_a_hard_stop_in_disguise_stays_what_it_is() -> None:
    class OurError(HardStopError):
        pass

    assert isinstance(as_error(as_frame(1, OurError("x"))), StageFaultError)
    with pytest.raises(ProtocolError):
        as_error(Failure(number=1, kind="SystemExit"))
