"""Exceptions as frames and back: the engine sees the same typed errors, wherever a stage ran."""

from __future__ import annotations

import traceback

from pipeline import errors
from pipeline.errors import PipelineError, ValidationError
from pipeline.faults import StageFaultError, places_of
from pipeline.isolation.protocol import Failure, ProtocolError
from pipeline.memory import is_out_of_memory

KINDS: tuple[type[PipelineError], ...] = (
    errors.InputError,
    errors.ValidationError,
    errors.QualityError,
    errors.DetectionError,
    errors.AnalysisError,
    errors.FusionError,
    errors.HardStopError,
    errors.ModelError,
    errors.StageTimeoutError,
    errors.TransientReadError,
    errors.RunCancelledError,
    errors.PipelineError,
)
"""Errors that a stage may raise on purpose."""
MEMORY, TIMEOUT, FAULT = "memory", "timeout", "fault"


def as_frame(number: int, error: BaseException) -> Failure:
    """The frame that tells of an exception; of one that was not raised on purpose, only its kind and place."""
    if isinstance(error, PipelineError) and type(error) in KINDS:
        listed = list(error.errors) if isinstance(error, ValidationError) else []
        return Failure(
            number=number,
            kind=type(error).__name__,
            code=error.code,
            text=error.text,
            details=error.details,
            errors=listed,
        )
    if is_out_of_memory(error):
        return Failure(number=number, kind=MEMORY)
    if isinstance(error, TimeoutError):
        return Failure(number=number, kind=TIMEOUT)
    places = places_of(traceback.extract_tb(error.__traceback__))
    return Failure(number=number, kind=FAULT, text=type(error).__name__, details={"places": "\n".join(places)[-3000:]})


def as_error(frame: Failure) -> BaseException:
    """The exception that a frame tells of; raises ProtocolError for an unknown kind."""
    if frame.kind == MEMORY:
        return MemoryError()
    if frame.kind == TIMEOUT:
        return TimeoutError()
    if frame.kind == FAULT:
        return StageFaultError(frame.text, tuple(frame.details.get("places", "").splitlines()))
    kind = next((each for each in KINDS if each.__name__ == frame.kind), None)
    if kind is None:
        raise ProtocolError("an error of an unknown kind")
    if kind is ValidationError:
        return ValidationError(frame.errors, code=frame.code)
    if kind is errors.RunCancelledError:
        return errors.RunCancelledError(frame.text)
    return kind(frame.text, code=frame.code, details=frame.details)
