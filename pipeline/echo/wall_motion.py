"""Motion of the six wall segments of an apical view in every frame of its beats.

This is geometry of contours, not speckle tracking: a segment is the part of the wall between two levels of
the long axis, and each frame has its own axis (a floating reference, so that the heart's swing is not motion). The
axis is fixed by the annulus and the apex only: a segment in between that stays behind does not shift it.
Segment names: Cerqueira et al. 2002, AHA, doi 10.1161/hc0402.102975.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pipeline.echo.contours import APEX_IDX
from pipeline.echo.error_model import Interval
from pipeline.echo.outline import arc_length
from pipeline.echo.peak_time import PeakTime, peak_time
from pipeline.echo.strain import beat_curves, bridged
from pipeline.echo.wall_scores import (
    INWARD_PLACES,
    NO_LIMITS,
    SCORED_VIEW,
    STRAIN_PLACES,
    UNCERTAIN,
    certain_score,
    score_range,
)
from pipeline.records import Array, EchoBeat, WallSegment

SEGMENTS = {
    "A4C": (
        ("basal inferoseptal", "mid inferoseptal", "apical septal"),
        ("basal anterolateral", "mid anterolateral", "apical lateral"),
    ),
    "A2C": (
        ("basal inferior", "mid inferior", "apical inferior"),
        ("basal anterior", "mid anterior", "apical anterior"),
    ),
}
"""Per view: the wall on the left of the image and the wall on its right, from base to apex."""
LEVELS = (0.0, 1 / 3, 2 / 3, 1.0)
N_PARTS = len(LEVELS) - 1
SAMPLES = 30
SMALLEST_RADIUS_MM = 1.0
ABSENT = "The wall is not visible at end-diastole or end-systole."
NO_BEAT = "No beat of this clip could be measured."


@dataclass(frozen=True, slots=True, kw_only=True)
class WallMotion:
    """The segments of one cine and their curves, in the order of the segments."""

    segments: tuple[WallSegment, ...]
    inward_pct: Array  # float64 (n_frames, 6), % of the end-diastolic distance from the long axis; NaN outside beats
    strain_pct: Array  # float64 (n_frames, 6), change of the segment's length; NaN outside beats


IntervalOf = Callable[[str, list[float]], Interval | None]
"""90 % interval of the mean of a measure of `INWARD_PLACES` or `STRAIN_PLACES` from its values in the beats."""


def no_interval(_name: str, _beats: list[float]) -> None:
    """For motion whose error is not known."""


def wall_motion(
    endocardium: Array,
    beats: tuple[EchoBeat, ...],
    times_s: Array,
    spacing_mm: tuple[float, float],
    view: str,
    interval_of: IntervalOf = no_interval,
) -> WallMotion:
    """The six segments, as means over the beats that count.

    Parameters
    ----------
    endocardium : float32 (n_frames, 97, 2)
        NaN where it is absent or not trusted: inside a beat such frames are bridged.
    beats : tuple of EchoBeat
        Only those without an exclusion.
    times_s : float64 (n_frames,)
    spacing_mm : (row, column)
        Only the ratio matters: all figures are percentages.
    view : str
        "A4C" or "A2C"; another view is named as A4C is.
    interval_of
        Gives the intervals of a segment's inward motion and strain.

    Returns
    -------
    WallMotion
        Radial excursion: inward motion at end-systole in % of the end-diastolic distance from the long axis.
        Longitudinal strain: change of the segment's length in % at end-systole, negative when it shortens. Time to
        peak: from end-diastole to the largest inward motion, see `peak_time`.
    """
    return motion_of_sizes(sizes_of_frames(endocardium, spacing_mm), beats, times_s, view, interval_of)


def sizes_of_frames(endocardium: Array, spacing_mm: tuple[float, float]) -> Array:
    """`segment_sizes` of every frame, float64 (n_frames, 6, 2), from float32 (n_frames, 97, 2)."""
    return np.array([segment_sizes(line, spacing_mm) for line in endocardium]).reshape(-1, 2 * N_PARTS, 2)


def motion_of_sizes(
    sizes: Array, beats: tuple[EchoBeat, ...], times_s: Array, view: str, interval_of: IntervalOf = no_interval
) -> WallMotion:
    """The same from the sizes of the segments in every frame, float64 (n_frames, 6, 2); see `wall_motion`."""
    names = [name for wall in SEGMENTS.get(view, SEGMENTS["A4C"]) for name in wall]
    inward = -beat_curves(bridged(sizes[..., 0], times_s), beats, times_s)
    strain = beat_curves(bridged(sizes[..., 1], times_s), beats, times_s)
    segments = []
    for place, name in enumerate(names):
        motion = [(inward[b.es_idx, place], strain[b.es_idx, place]) for b in beats]
        seen = np.array([pair for pair in motion if np.isfinite(pair).all()], float).reshape(-1, 2)
        if not len(seen):
            segments.append(_absent(name, ABSENT if beats else NO_BEAT))
            continue
        found = _segment(name, seen, place, interval_of, scored=view == SCORED_VIEW)
        error = interval_of(INWARD_PLACES[place], [0.0])
        segments.append(_timed(found, *peak_time(inward[:, place], beats, times_s, error[1] if error else None)))
    return WallMotion(segments=tuple(segments), inward_pct=inward, strain_pct=strain)


def _absent(name: str, reason: str) -> WallSegment:
    return WallSegment(
        name=name,
        radial_excursion_pct=None,
        longitudinal_strain_pct=None,
        reason=reason,
        time_to_peak_reason=reason,
    )


def _segment(name: str, seen: Array, place: int, interval_of: IntervalOf, *, scored: bool) -> WallSegment:
    """A measured segment but for its time, from its inward motion and its strain in the beats, (n_beats, 2)."""
    radial, longitudinal = seen.mean(0).tolist()
    moved = interval_of(INWARD_PLACES[place], seen[:, 0].tolist())
    shortened = interval_of(STRAIN_PLACES[place], seen[:, 1].tolist())
    reached = score_range(place, moved) if scored and moved else None
    score = certain_score(place, radial, reached) if scored else None
    return WallSegment(
        name=name,
        radial_excursion_pct=round(radial, 2),
        radial_interval_pct=_rounded(moved, 2),
        longitudinal_strain_pct=round(longitudinal, 2),
        strain_interval_pct=_rounded(shortened, 2),
        score=score,
        score_reason=None if score else UNCERTAIN if scored else NO_LIMITS,
        score_range=reached,
    )


def _timed(segment: WallSegment, time: PeakTime | None, reason: str | None) -> WallSegment:
    """The segment with the time of its peak, or with the reason why there is none."""
    if time is None:
        return replace(segment, time_to_peak_reason=reason)
    return replace(
        segment,
        time_to_peak_ms=round(time.time_ms, 1),
        time_to_peak_interval_ms=_rounded(time.interval_ms, 1),
        time_to_peak_pct=round(time.time_pct, 1),
        time_to_peak_interval_pct=_rounded(time.interval_pct, 1),
    )


def _rounded(interval: Interval | None, digits: int) -> Interval | None:
    return None if interval is None else (round(interval[0], digits), round(interval[1], digits))


def segment_sizes(contour: Array, spacing_mm: tuple[float, float]) -> Array:
    """Mean distance from the long axis and length of the six segments in mm, float64 (6, 2); NaN when absent."""
    sizes = np.full((2 * N_PARTS, 2), np.nan)
    if np.isfinite(contour).all():
        for side, wall in enumerate(_walls(contour, spacing_mm)):
            for part in range(N_PARTS):
                radius_mm, length_mm = _part(wall, LEVELS[part], LEVELS[part + 1])
                if radius_mm >= SMALLEST_RADIUS_MM and length_mm > 0 and math.isfinite(radius_mm):
                    sizes[side * N_PARTS + part] = radius_mm, length_mm
    return sizes


def _walls(contour: Array, spacing_mm: tuple[float, float]) -> tuple[Array, Array]:
    """Both walls from base to apex as (n, 2): part of the long axis 0..1, distance from it in mm, + its length."""
    points = np.asarray(contour, float) * np.array([spacing_mm[1], spacing_mm[0]])
    middle = (points[0] + points[-1]) / 2
    axis = points[APEX_IDX] - middle
    length_mm = max(float(np.hypot(*axis)), 1e-6)
    unit = axis / length_mm
    along = (points - middle) @ unit
    aside = (points - middle) @ np.array([-unit[1], unit[0]])
    local = np.stack([along / length_mm, np.abs(aside), np.full(len(points), length_mm)], -1)
    return local[: APEX_IDX + 1], local[APEX_IDX:][::-1]


def _part(wall: Array, low: float, high: float) -> tuple[float, float]:
    """Mean distance from the axis, and length along the wall, of the part between two levels, in mm."""
    level = np.maximum.accumulate(wall[:, 0])
    level = level + np.arange(len(level)) * 1e-9  # strictly rising, for the interpolation
    start = max(low, float(level[0])) if low > 0 else float(level[0])
    wanted = np.linspace(start, min(high, float(level[-1])), SAMPLES)
    radius = np.interp(wanted, level, wall[:, 1])
    line = np.stack([wanted * wall[0, 2], radius], -1)
    return float(radius.mean()), float(arc_length(line)[-1])
