"""Motion of the six wall segments of an apical view between end-diastole and end-systole.

This is geometry of contours, not speckle tracking: a segment is the part of the wall between two levels of
the long axis, and each phase has its own axis (a floating reference, so that the heart's swing is not motion).
Segment names: Cerqueira et al. 2002, AHA, doi 10.1161/hc0402.102975.
"""

from __future__ import annotations

import math

import numpy as np

from pipeline.echo.contours import APEX_IDX
from pipeline.echo.outline import arc_length
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
SAMPLES = 30
SMALLEST_RADIUS_MM = 1.0
ABSENT = "The wall is not visible at end-diastole or end-systole."
NO_BEAT = "No beat of this clip could be measured."


def wall_segments(
    endocardium: Array, beats: tuple[EchoBeat, ...], spacing_mm: tuple[float, float], view: str
) -> tuple[WallSegment, ...]:
    """The six segments, as means over the beats that count.

    Parameters
    ----------
    endocardium : float32 (n_frames, 97, 2)
    beats : tuple of EchoBeat
        Only those without an exclusion.
    spacing_mm : (row, column)
        Only the ratio matters: both figures are percentages.
    view : str
        "A4C" or "A2C"; another view is named as A4C is.

    Returns
    -------
    tuple of 6 WallSegment
        Radial excursion: inward motion in % of the end-diastolic distance from the long axis. Longitudinal
        strain: change of the segment's length in %, negative when it shortens.
    """
    names = SEGMENTS.get(view, SEGMENTS["A4C"])
    pairs = [(endocardium[beat.ed_idx], endocardium[beat.es_idx]) for beat in beats]
    seen = [pair for pair in pairs if all(np.isfinite(contour).all() for contour in pair)]
    if not seen:
        reason = ABSENT if pairs else NO_BEAT
        return tuple(_absent(name, reason) for wall in names for name in wall)
    motion = np.mean([_pair_motion(ed, es, spacing_mm) for ed, es in seen], axis=0)
    return tuple(
        _segment(name, *motion[side, part]) for side, wall in enumerate(names) for part, name in enumerate(wall)
    )


def _absent(name: str, reason: str) -> WallSegment:
    return WallSegment(name=name, radial_excursion_pct=None, longitudinal_strain_pct=None, reason=reason)


def _segment(name: str, radial_pct: float, strain_pct: float) -> WallSegment:
    if not (math.isfinite(radial_pct) and math.isfinite(strain_pct)):
        return _absent(name, ABSENT)
    return WallSegment(
        name=name, radial_excursion_pct=round(float(radial_pct), 2), longitudinal_strain_pct=round(float(strain_pct), 2)
    )


def _pair_motion(ed: Array, es: Array, spacing_mm: tuple[float, float]) -> Array:
    """float64 (2 walls, 3 parts, 2): radial excursion % and longitudinal strain % of one beat."""
    before, after = _walls(ed, spacing_mm), _walls(es, spacing_mm)
    result = np.full((2, 3, 2), np.nan)
    for side in (0, 1):
        for part in range(3):
            radius_ed, length_ed = _part(before[side], LEVELS[part], LEVELS[part + 1])
            radius_es, length_es = _part(after[side], LEVELS[part], LEVELS[part + 1])
            if radius_ed >= SMALLEST_RADIUS_MM and length_ed > 0:
                result[side, part] = 100 * (1 - radius_es / radius_ed), 100 * (length_es / length_ed - 1)
    return result


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
