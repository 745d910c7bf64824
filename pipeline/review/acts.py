"""Acts ready for the log: each looks up what held before, and refuses what makes no sense."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pipeline.errors import EditError
from pipeline.records import Array, EchoCine, Edit, EditKind, Role, StudyResults
from pipeline.review import changes as parts
from pipeline.review.changes import FIELDS, N_POINTS, PIXEL_MM, SCORES, PhaseName, Structure, Verdict, value_in_force
from pipeline.review.log import Log

PIXEL_DIGITS = 2
"""Contours are stored to a hundredth of a pixel."""
SHORTEST_DRAWN_PX = 10.0
"""A shorter line than this calibrates badly: one pixel is then a tenth of it."""


def change_contour(
    log: Log, results: StudyResults, place: tuple[int, int, Structure], points: Array | None, *, way: str, role: Role
) -> Edit:
    """An outline drawn by the reader; `points` None gives the frame back to the model.

    Parameters
    ----------
    place : (cine, frame, structure)
    points : float (n_points, 2)
        (x, y) in pixels of the cropped frame: 97 for a wall, 64 for the atrium.
    way : str
        How it was drawn: "drag", "redraw", "three_clicks", "reset".

    Raises
    ------
    EditError
        E_EDIT: no such frame, or no such line.
    """
    cine_idx, frame_idx, structure = place
    _cine(results, cine_idx, frame_idx)
    if cine_idx >= len(results.detections):
        raise EditError("The chambers were not detected in this clip, so that no contour can be changed.")
    value = None
    if points is not None:
        if np.shape(points) != (N_POINTS[structure], 2) or not np.isfinite(points).all():
            raise EditError("The line drawn is not a contour of this structure.")
        value = {"points": np.round(np.asarray(points, float), PIXEL_DIGITS).tolist(), "way": way}
    return _act(log, "contour", parts.contour_target(*place), value, role)


def move_phase(
    log: Log, results: StudyResults, place: tuple[int, int, PhaseName], frame_idx: int | None, role: Role
) -> Edit:
    """End-diastole or end-systole of a beat (cine, beat, phase) put into another frame; None: the pipeline's own."""
    _cine(results, place[0], frame_idx or 0)
    return _act(log, "phase", parts.phase_target(*place), frame_idx, role)


def calibrate(
    log: Log, results: StudyResults, cine_idx: int, frame_idx: int, ends_px: Array, length_mm: float, role: Role
) -> Edit:
    """A known length drawn in a clip that has no calibration; the pixels are taken to be square.

    Parameters
    ----------
    ends_px : float (2, 2)
        Both ends, (x, y).
    length_mm : float
        What lies between them.

    Raises
    ------
    EditError
        E_EDIT: the file calibrates the clip itself, the line is too short, or the pixel would have no likely size.
    """
    cine = _cine(results, cine_idx, frame_idx)
    if cine.calibration.spacing_mm is not None:
        raise EditError("The file states the size of its pixels; a drawn length cannot replace it.")
    drawn_px = float(math.dist(*np.asarray(ends_px, float)))
    if drawn_px < SHORTEST_DRAWN_PX:
        raise EditError(f"The line is too short to calibrate by: draw at least {SHORTEST_DRAWN_PX:.0f} pixels.")
    pixel_mm = length_mm / drawn_px
    if not math.isfinite(length_mm) or not PIXEL_MM[0] <= pixel_mm <= PIXEL_MM[1]:
        raise EditError("With this length a pixel would have no likely size: look at the line and at the millimetres.")
    value = {
        "frame": frame_idx,
        "points": np.round(np.asarray(ends_px, float), PIXEL_DIGITS).tolist(),
        "length_mm": length_mm,
        "pixel_mm": round(pixel_mm, 6),
    }
    return _act(log, "calibration", parts.calibration_target(cine_idx), value, role)


def score_segment(log: Log, results: StudyResults, cine_idx: int, segment: str, score: int | None, role: Role) -> Edit:
    """The score of a wall segment by eye: 1 to 4, or None for a segment that is not seen."""
    _cine(results, cine_idx, 0)
    if score is not None and score not in SCORES:
        raise EditError("A wall segment is scored from 1 (normal) to 4 (dyskinetic).")
    return _act(log, "segment_score", parts.segment_target(cine_idx, segment), {"score": score}, role)


def unscore_segment(log: Log, cine_idx: int, segment: str, role: Role) -> Edit:
    """The suggested score of a wall segment again."""
    return _act(log, "segment_score", parts.segment_target(cine_idx, segment), None, role)


def judge(log: Log, name: str, verdict: Verdict | None, role: Role) -> Edit:
    """A measure accepted or rejected; None takes the verdict away."""
    return _act(log, "verdict", parts.measure_target(name), verdict, role)


def measure_by_hand(
    log: Log, results: StudyResults, cine_idx: int, frame_idx: int, points_px: Array, role: Role
) -> Edit:
    """A length (2 points) or an area (a closed line of more) under the caliper, in mm where the clip is calibrated."""
    from pipeline.review.calipers import caliper_value
    from pipeline.review.changes import read_changes

    cine = _cine(results, cine_idx, frame_idx)
    points = np.asarray(points_px, float)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 2 or not np.isfinite(points).all():
        raise EditError("A length needs two points, an area three or more.")
    drawn_mm = read_changes(log, results).pixel_mm.get(cine_idx)
    spacing_mm = cine.calibration.spacing_mm or (None if drawn_mm is None else (drawn_mm, drawn_mm))
    value, unit = caliper_value(points, spacing_mm)
    content = {
        "form": "length" if len(points) == 2 else "area",
        "points": np.round(points, PIXEL_DIGITS).tolist(),
        "value": round(value, 2),
        "unit": unit,
    }
    taken = {act.target for act in log}
    number = next(n for n in range(len(log) + 1) if parts.caliper_target(cine_idx, frame_idx, str(n)) not in taken)
    return _act(log, "caliper", parts.caliper_target(cine_idx, frame_idx, str(number)), content, role)


def remove_caliper(log: Log, cine_idx: int, frame_idx: int, key: str, role: Role) -> Edit:
    """A caliper measurement taken away; the log keeps it."""
    return _act(log, "caliper", parts.caliper_target(cine_idx, frame_idx, key), None, role)


def _act(log: Log, kind: EditKind, target: str, after: Any, role: Role) -> Edit:
    return Edit(kind=kind, target=target, before=value_in_force(log, target), after=after, role=role)


def _cine(results: StudyResults, cine_idx: int, frame_idx: int) -> EchoCine:
    if not 0 <= cine_idx < len(results.cines):
        raise EditError("There is no such clip.")
    cine = results.cines[cine_idx]
    if not 0 <= frame_idx < len(cine.frames):
        raise EditError("There is no such frame in this clip.")
    return cine


def model_contour(results: StudyResults, place: tuple[int, int, Structure]) -> Array:
    """What the model drew at (cine, frame, structure), float64 (n_points, 2); NaN where it saw nothing."""
    cine_idx, frame_idx, structure = place
    return np.asarray(getattr(results.detections[cine_idx], FIELDS[structure])[frame_idx], float)
