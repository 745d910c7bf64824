"""What the acts of a log amount to: contours, phases, calibrations, scores, verdicts, calipers that hold now."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np

from pipeline.echo.contours import N_ATRIUM_POINTS, N_WALL_POINTS
from pipeline.records import Array, Edit, StudyResults
from pipeline.review.log import Log, in_force

Structure = Literal["lv_cavity", "lv_epicardium", "left_atrium"]
PhaseName = Literal["ed", "es"]
Verdict = Literal["accepted", "rejected"]

FIELDS: Mapping[Structure, str] = MappingProxyType(
    {"lv_cavity": "lv_endocardium", "lv_epicardium": "lv_epicardium", "left_atrium": "left_atrium"}
)
"""Structure -> where its contours are in an EchoDetection."""
N_POINTS: Mapping[Structure, int] = MappingProxyType(
    {"lv_cavity": N_WALL_POINTS, "lv_epicardium": N_WALL_POINTS, "left_atrium": N_ATRIUM_POINTS}
)
OURS = ("cine:", "measure:")
"""Beginnings of the targets that are read here; those of the ECG have their own reader."""
SCORES = (1, 2, 3, 4)
PIXEL_MM = (0.02, 3.0)
"""A pixel of an echo outside this range is a slip of the hand, not a calibration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caliper:
    """A length or an area that a reader measured in a frame."""

    key: str
    form: Literal["length", "area"]
    points: Array  # float64 (n_points, 2), (x, y) pixels of the cropped frame
    value: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What holds now. Frames and cines are positions in StudyResults; a value of the pipeline itself is not listed."""

    contours: Mapping[tuple[int, int, Structure], Array] = field(default_factory=dict)  # (cine, frame, structure)
    phases: Mapping[tuple[int, int, PhaseName], int] = field(default_factory=dict)  # (cine, beat, phase) -> frame
    pixel_mm: Mapping[int, float] = field(default_factory=dict)  # cine -> size of its square pixels
    drawn_mm: Mapping[int, float] = field(default_factory=dict)  # cine -> the length that was drawn for it
    scores: Mapping[tuple[int, str], int | None] = field(default_factory=dict)  # (cine, segment); None: not seen
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)  # measure
    calipers: Mapping[tuple[int, int], tuple[Caliper, ...]] = field(default_factory=dict)  # (cine, frame)
    numbers: Mapping[str, int] = field(default_factory=dict)  # target -> number of the act that decides it
    ignored: tuple[int, ...] = ()  # acts that do not fit this study

    def of_echo(self) -> bool:
        """Whether anything holds that the echo's numbers depend on."""
        return bool(self.contours or self.phases or self.pixel_mm or self.scores)


NOTHING = Changes()


# --- targets -----------------------------------------------------------------------------------------


def contour_target(cine_idx: int, frame_idx: int, structure: Structure) -> str:
    """The name of one contour in the log."""
    return f"cine:{cine_idx}/frame:{frame_idx}/{structure}"


def phase_target(cine_idx: int, beat_idx: int, phase: PhaseName) -> str:
    """The name of a beat's end-diastole or end-systole."""
    return f"cine:{cine_idx}/beat:{beat_idx}/{phase}"


def calibration_target(cine_idx: int) -> str:
    """The name of a cine's calibration."""
    return f"cine:{cine_idx}/calibration"


def segment_target(cine_idx: int, segment: str) -> str:
    """The name of a wall segment's score."""
    return f"cine:{cine_idx}/segment:{segment}"


def caliper_target(cine_idx: int, frame_idx: int, key: str) -> str:
    """The name of one measurement with the caliper."""
    return f"cine:{cine_idx}/frame:{frame_idx}/caliper:{key}"


def measure_target(name: str) -> str:
    """The name of a measure on which a reader gives a verdict."""
    return f"measure:{name}"


_PLACES = {
    "contour": re.compile(r"cine:(\d+)/frame:(\d+)/(lv_cavity|lv_epicardium|left_atrium)"),
    "phase": re.compile(r"cine:(\d+)/beat:(\d+)/(ed|es)"),
    "calibration": re.compile(r"cine:(\d+)/calibration"),
    "segment_score": re.compile(r"cine:(\d+)/segment:(.+)"),
    "caliper": re.compile(r"cine:(\d+)/frame:(\d+)/caliper:(.+)"),
    "verdict": re.compile(r"measure:(.+)"),
}


# --- reading -----------------------------------------------------------------------------------------


def read_changes(log: Log, results: StudyResults) -> Changes:
    """Fold a log into what holds in a study.

    Acts of other kinds (marks of the ECG, notes) are left to their own readers. An act that does not fit the study,
    such as a frame beyond the clip's end, is listed in `ignored` and has no effect.
    """
    found = _Found(results)
    for act in in_force(log).values():
        if act.kind not in _PLACES or act.after is None or not act.target.startswith(OURS):
            continue
        place = _PLACES[act.kind].fullmatch(act.target)
        if place is not None and _TAKERS[act.kind](found, place.groups(), act.after):
            found.numbers[act.target] = act.seq
        else:
            found.ignored.append(act.seq)
    return found.changes()


class _Found:
    """What was read so far."""

    def __init__(self, results: StudyResults) -> None:
        self.results = results
        self.parts: dict[str, dict[Any, Any]] = {
            name: {} for name in ("contours", "phases", "pixel_mm", "drawn_mm", "scores", "verdicts", "calipers")
        }
        self.numbers: dict[str, int] = {}
        self.ignored: list[int] = []

    def changes(self) -> Changes:
        return Changes(**self.parts, numbers=self.numbers, ignored=tuple(self.ignored))

    def has_frame(self, cine_idx: int, frame_idx: object) -> bool:
        cines = self.results.cines
        if cine_idx >= len(cines) or not isinstance(frame_idx, int) or isinstance(frame_idx, bool):
            return False
        return 0 <= frame_idx < len(cines[cine_idx].frames)

    def take_contour(self, place: tuple[str, ...], value: Any) -> bool:
        cine_idx, frame_idx, structure = int(place[0]), int(place[1]), place[2]
        points = contour_points(value)
        if points is None or not self.has_frame(cine_idx, frame_idx) or cine_idx >= len(self.results.detections):
            return False
        if len(points) != N_POINTS[structure]:  # type: ignore[index]
            return False
        self.parts["contours"][cine_idx, frame_idx, structure] = points
        return True

    def take_phase(self, place: tuple[str, ...], value: Any) -> bool:
        cine_idx = int(place[0])
        if not self.has_frame(cine_idx, value):
            return False
        self.parts["phases"][cine_idx, int(place[1]), place[2]] = value
        return True

    def take_calibration(self, place: tuple[str, ...], value: Any) -> bool:
        cine_idx = int(place[0])
        size, drawn = _number(value, "pixel_mm"), _number(value, "length_mm")
        if size is None or drawn is None or not PIXEL_MM[0] <= size <= PIXEL_MM[1]:
            return False
        if not self.has_frame(cine_idx, 0) or self.results.cines[cine_idx].calibration.spacing_mm is not None:
            return False  # the file's own calibration stands above a drawn one
        self.parts["pixel_mm"][cine_idx], self.parts["drawn_mm"][cine_idx] = size, drawn
        return True

    def take_score(self, place: tuple[str, ...], value: Any) -> bool:
        score = value.get("score") if isinstance(value, Mapping) else 0
        if not self.has_frame(int(place[0]), 0) or not (score is None or score in SCORES):
            return False
        self.parts["scores"][int(place[0]), place[1]] = score
        return True

    def take_caliper(self, place: tuple[str, ...], value: Any) -> bool:
        cine_idx, frame_idx = int(place[0]), int(place[1])
        points, number = contour_points(value), _number(value, "value")
        if points is None or number is None or not self.has_frame(cine_idx, frame_idx):
            return False
        if value.get("form") not in ("length", "area"):
            return False
        caliper = Caliper(
            key=place[2], form=value["form"], points=points, value=number, unit=str(value.get("unit", "px"))
        )
        known = self.parts["calipers"].get((cine_idx, frame_idx), ())
        self.parts["calipers"][cine_idx, frame_idx] = (*known, caliper)
        return True

    def take_verdict(self, place: tuple[str, ...], value: Any) -> bool:
        if value not in get_args(Verdict):
            return False
        self.parts["verdicts"][place[0]] = value
        return True


_TAKERS: Mapping[str, Callable[[_Found, tuple[str, ...], Any], bool]] = MappingProxyType(
    {
        "contour": _Found.take_contour,
        "phase": _Found.take_phase,
        "calibration": _Found.take_calibration,
        "segment_score": _Found.take_score,
        "caliper": _Found.take_caliper,
        "verdict": _Found.take_verdict,
    }
)


def contour_points(value: Any) -> Array | None:
    """The points of a stored line, float64 (n_points, 2); None where the value holds none."""
    if not isinstance(value, Mapping):
        return None
    try:
        points = np.asarray(value.get("points"), np.float64)
    except (TypeError, ValueError):
        return None
    return points if points.ndim == 2 and points.shape[1] == 2 and np.isfinite(points).all() else None


def _number(value: Any, name: str) -> float | None:
    found = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(found, int | float) or isinstance(found, bool):
        return None
    return float(found) if np.isfinite(found) else None


def value_in_force(log: Log, target: str) -> Any:
    """What a target holds now as stored; None for the pipeline's own value."""
    act: Edit | None = in_force(log).get(target)
    return None if act is None else act.after
