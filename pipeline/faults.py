"""Faults of ours as typed errors: the log gets kind and place, never the text (it may hold patient data)."""

from __future__ import annotations

import logging
import traceback

from pipeline.errors import PipelineError
from pipeline.records import Branch
from pipeline.states import State

log = logging.getLogger("chordae.pipeline")


class StageFaultError(Exception):
    """A fault that another process met: kind and places, never the text."""

    def __init__(self, kind: str, places: tuple[str, ...]) -> None:
        super().__init__(kind)
        self.kind = kind
        self.places = places


def places_of(frames: traceback.StackSummary) -> list[str]:
    """Where an exception passed through, outermost first."""
    return [f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno} {frame.name}" for frame in frames]


def as_fault(error: BaseException, state: State, branch: Branch | None = None) -> PipelineError:
    """The E_INTERNAL error for an exception that no room raised on purpose."""
    if isinstance(error, StageFaultError):
        kind, places = error.kind, list(error.places)
    else:
        kind, places = type(error).__name__, places_of(traceback.extract_tb(error.__traceback__))
    log.error("fault in %s %s: %s at %s", state.name, branch or "", kind, " < ".join(places[-6:][::-1]))
    where = f" ({branch})" if branch else ""
    return PipelineError(
        f"An inner fault stopped {state.name}{where}; the log names the place.",
        code="E_INTERNAL",
        details={"kind": kind, "place": places[-1] if places else ""},
    )
