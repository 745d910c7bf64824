"""What the window shows, as frozen snapshots. Knows no Qt.

Views draw from a ReviewState and never change it; a new one replaces it whole. Parts that did not change
are the same objects as before, so a view can tell by identity whether it has anything to redraw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipeline.records import BranchResult, CardiologyRequest, CheckpointRow, Edit, Role, StudyResults
from pipeline.review.changes import NOTHING, Changes
from ui.echo_tools import LOOK, EchoTool
from ui.hanging import Hanging, Shape
from ui.run_progress import RunProgress
from ui.theme import DARK, Theme

if TYPE_CHECKING:
    from pipeline.review.ecg_edits import EcgReview
    from pipeline.review.time_lock import TimeLock

Phase = Literal["empty", "loading", "running", "complete", "error", "cancelled", "interrupted"]
NO_RESULTS = StudyResults()
NO_PROGRESS = RunProgress()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One line of the study list."""

    key: str  # the run's id, or "live" until the first event names it
    title: str  # "Case 3F9A2C": never a name of a file or a person
    status: str
    detail: str  # what was read, or how to go on
    when: str
    resumable: bool = False
    thumbnail: bytes | None = None  # PNG


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """Everything known about the case on screen."""

    key: str | None = None
    phase: Phase = "empty"
    request: CardiologyRequest | None = None
    results: StudyResults = NO_RESULTS
    report: Mapping[str, Any] | None = None
    progress: RunProgress = NO_PROGRESS
    branches: tuple[BranchResult, ...] = ()
    checkpoints: tuple[CheckpointRow, ...] = ()  # what the run has saved so far
    edits: tuple[Edit, ...] = ()  # the command log of this run
    ecg_review: EcgReview | None = None  # the ECG with the reader's edits; comes a moment after the analysis
    time_locks: tuple[TimeLock, ...] = ()  # of each clip to the ECG
    own: StudyResults | None = None  # as the run left them, where `results` and `report` hold a reader's changes
    own_report: Mapping[str, Any] | None = None
    changes: Changes = NOTHING  # what holds of the log

    @property
    def own_results(self) -> StudyResults:
        """The results without any change of a reader."""
        return self.results if self.own is None else self.own

    @property
    def has_echo(self) -> bool:
        return bool(self.results.cines)

    @property
    def has_ecg(self) -> bool:
        return self.results.ecg is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFocus:
    """A wish to look at one frame; `serial` tells two equal wishes apart."""

    cine_idx: int
    frame_idx: int
    serial: int


@dataclass(frozen=True, slots=True)
class MessageAct:
    """A button beside a message: its words, and the action or the method that it calls."""

    words: str
    does: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A sentence for the reader, shown under the research notice until the next step."""

    text: str
    is_error: bool = False
    acts: tuple[MessageAct, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoOptions:
    """What is drawn over the cine."""

    contours: bool = True
    areas: bool = False
    names: bool = True
    axis: bool = False
    discs: bool = False
    segments: bool = False
    scale: bool = True  # millimetres beside the picture
    calipers: bool = True
    loop_beat: bool = False  # one beat of each clip plays over and over
    window: float = 255.0  # grey levels that are spread from black to white
    level: float = 127.5  # their middle
    gain: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgOptions:
    """How the ECG is laid out, and what is drawn on it."""

    grid: bool = True
    r_ticks: bool = True  # beats with their classes
    marks: bool = False  # P, R and T with their intervals
    calipers: bool = False
    march: bool = False  # the caliper's interval repeated over the strip
    median: bool = False
    overlaid: bool = False  # the leads of the median beat over each other
    course: bool = True  # of a long record
    layout: str = "3x4+1"  # a name of ui.ecg_layout.LAYOUTS
    rhythm_lead: str = ""  # "" takes the usual one
    speed_mm_s: float = 25.0
    gain_mm_mv: float = 10.0
    screen_scales: tuple[tuple[str, float], ...] = ()  # (screen, pixels in a millimetre), as the reader calibrated


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewState:
    """One snapshot of the whole window; `generation` grows with every change."""

    generation: int = 0
    theme: Theme = DARK
    role: Role = "clinician"
    hanging: Hanging = "auto"
    grid: Shape | None = None  # (rows, columns) of the echo grid; None leaves it to the protocol
    cases: tuple[CaseRow, ...] = ()
    case: CaseView = CaseView()
    prior: CaseView = CaseView()  # an earlier case beside it, where one was asked for
    prior_note: str = ""  # what that case is, or why there is none
    is_paused: bool = False  # the reader asked the running study to hold
    live_key: str | None = None  # the case that is running now, on screen or not
    queue: tuple[CardiologyRequest, ...] = ()  # studies that wait to be read, in order
    focus: FrameFocus | None = None
    message: Message | None = None
    echo: EchoOptions = EchoOptions()
    ecg: EcgOptions = EcgOptions()
    log_filter: str | None = None  # a state's name
    tool: EchoTool = LOOK  # what the left button does on the echo
    chosen: str | None = None  # the measure that the reader looks at, by its name

    @property
    def is_running(self) -> bool:
        return self.live_key is not None


CAUTION_CODES = ("W_NOT_ONE_PATIENT", "E_STORE_")  # beginnings of codes
BRANCH_NAMES: Mapping[str, str] = {"echo": "Echo", "ecg": "ECG", "metadata": "Metadata"}
SPEEDS_MM_S = (12.5, 25.0, 50.0)
GAINS_MM_MV = (2.5, 5.0, 10.0, 20.0)


def stepped(choices: tuple[float, ...], current: float, by: int) -> float:
    """The next choice up or down, staying at the ends."""
    place = min(range(len(choices)), key=lambda i: abs(choices[i] - current))
    return choices[min(max(place + by, 0), len(choices) - 1)]


# --- which actions make sense now ---------------------------------------------------------------------


def conditions(state: ReviewState) -> frozenset[str]:
    """Names of what holds now; an action of the menus lists the one that it needs."""
    case = state.case
    facts = (
        ("always", True),
        ("case", case.key is not None),
        ("idle", not state.is_running),
        ("running", state.is_running),
        ("report", case.report is not None),
        ("cine", case.has_echo),
        ("ecg", case.has_ecg),
        ("queue", bool(state.queue)),
        ("resumable", not state.is_running and case.key is not None and case.request is not None),
        ("rerun", not state.is_running and case.request is not None),
        ("clips", not state.is_running and case.request is not None and case.request.has_echo),
        (
            "resume",
            not state.is_running and case.phase in ("interrupted", "cancelled", "error") and case.key is not None,
        ),
        ("stored", case.key is not None and case.key != state.live_key),
        ("edit", case.phase == "complete" and case.key is not None),
    )
    return frozenset(name for name, holds in facts if holds)


def absence(case: CaseView, branch: Literal["echo", "ecg"]) -> str:
    """Why a view has nothing to show."""
    lane = next(lane for lane in case.progress.lanes if lane.branch == branch)
    name = {"echo": "echo", "ecg": "ECG"}[branch]
    was_given = case.request is not None and {"echo": case.request.has_echo, "ecg": case.request.has_ecg}[branch]
    if case.phase in ("running", "loading") and lane.status not in ("failed", "skipped"):
        return "Reading the study …"
    if lane.status == "failed":
        return f"The {name} could not be used.\n{lane.text}"
    if case.phase == "empty":
        return f"The {name} of a case is shown here."
    if was_given:
        reason = f": {lane.text}" if lane.status == "skipped" and lane.text else ""
        return f"The {name} was not read to its end{reason}."
    return f"This case has no {name}."


def caution(case: CaseView) -> str | None:
    """What a reader must know before any number: two patients mixed up, a modality lost, results not saved."""
    report = case.report or {}
    result, execution = report.get("result") or {}, report.get("pipeline_execution") or {}
    remarks = [*result.get("remarks", ()), *execution.get("warnings", ())]
    texts = [str(r.get("text", "")) for r in remarks if str(r.get("code", "")).startswith(CAUTION_CODES)]
    if case.phase == "complete":
        lost = [b for b in case.branches if b.status == "failed"]
        texts += [f"{BRANCH_NAMES[b.branch]} left out: {b.reason} ({b.code})" for b in lost]
    return " ".join(texts) or None
