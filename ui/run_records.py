"""How far a run is, as frozen records: steps, lanes, what went wrong. Knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pipeline.records import BRANCHES, Branch, BranchState, RunEvent
from pipeline.states import State

StepStatus = Literal[
    "waiting",
    "running",
    "paused",
    "done",
    "degraded",  # it ended, but a branch failed in it or goes on with less than everything
    "skipped",
    "restored",
    "failed",
    "cancelled",
    "interrupted",
    "unreached",  # the run ended before it
]
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
    fraction: float | None = None  # how far the work inside it is
    checkpoint: bool = False
    retries: int = 0
    note: str = ""  # what is wrong with it: "echo failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryNote:
    """A failure that is tried again, as the journal tells it."""

    number: int
    of: int
    failure: str
    action: str
    due_s: float | None  # POSIX time of the next attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One branch as the strip shows it."""

    branch: Branch
    status: BranchState = "pending"
    fraction: float | None = None
    text: str = ""
    code: str | None = None
    retry_text: str | None = None
    retry: RetryNote | None = None
    retries: int = 0
    degraded: str | None = None  # why less than everything will come of it; stays until the run ends


@dataclass(frozen=True, slots=True, kw_only=True)
class RunError:
    """What ended a run, and the state that it came from."""

    state: str
    code: str
    text: str
    branch: Branch | None = None


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
    cause: RunError | None = None  # what went wrong first: a branch, or the run
    paused: str | None = None
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
