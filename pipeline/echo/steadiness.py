"""Steady contours: each point follows a parabola through its neighbours in time, so that outlines do not flicker.

A parabola keeps the height of end-diastole and end-systole, which a moving mean would flatten; what it still
takes off is smoothed once more and put back ("twicing").
Sources: Savitzky and Golay 1964, doi 10.1021/ac60214a047, here with uneven times and left-out frames; Tukey 1977,
Exploratory Data Analysis, chapter 16.
"""

from __future__ import annotations

import math

import numpy as np

from pipeline.echo.outline import signed_area
from pipeline.records import Array

UNTRUSTED = 0.1
"""A frame below this confidence gives no volume: it is bridged from its neighbours."""
USUAL_PERIOD_S = 0.83
WINDOW_S = 0.17
SHORTEST_WINDOW_S, LONGEST_WINDOW_S = 0.10, 0.22
"""The window at a usual cycle, and its limits: systole shortens about with the root of the cycle.

Source: Weissler et al. 1968, doi 10.1161/01.CIR.37.2.149 (the trend, not the figures)."""
DEGREE = 2
SMALLEST_SUPPORT = 5
SMALLEST_PERIOD_S, LARGEST_PERIOD_S = 0.27, 2.5
CLEAR_REPEAT = 0.3
"""Correlation of a curve with itself one cycle later, below which no cycle is seen."""
LEAP_REACH = 3
LEAP_LIMIT = 0.30
"""A frame this far (part of the curve's range) from its neighbours does not belong to the curve."""
LEAP_RATE_HZ = 30.0
"""Below this rate a true end-systole looks more and more like a leap: the limit grows with the step squared."""


def step_s(times_s: Array) -> float:
    """Usual time between two frames."""
    return max(float(np.median(np.diff(times_s))), 1e-6) if len(times_s) > 1 else 1e-6


def repeat_period_s(curve: Array, times_s: Array) -> float | None:
    """Length of the cycle in s, from the curve's likeness with itself; None where less than two cycles are seen."""
    known = np.flatnonzero(np.isfinite(curve))
    if len(known) < 8 or times_s[-1] <= times_s[0]:
        return None
    step = step_s(times_s)
    even_s = np.arange(times_s[0], times_s[-1], step)
    values = np.interp(even_s, times_s[known], curve[known])
    values = values - values.mean()
    first, last = (
        max(2, math.floor(SMALLEST_PERIOD_S / step)),
        min(len(values) * 2 // 3, round(LARGEST_PERIOD_S / step)),
    )
    likeness = np.array([_likeness(values, lag) for lag in range(1, last + 1)])
    best = [
        lag
        for lag in range(first, last)
        if likeness[lag - 1] >= CLEAR_REPEAT and likeness[lag - 1] >= likeness[max(0, lag - 3) : lag + 2].max()
    ]
    if not best:
        return None
    highest = max(likeness[lag - 1] for lag in best)
    # The first of the good ones: two cycles repeat as well as one.
    return float(step * next(lag for lag in best if likeness[lag - 1] >= 0.8 * highest))


def _likeness(values: Array, lag: int) -> float:
    one, other = values[:-lag], values[lag:]
    size = math.sqrt(float(one @ one) * float(other @ other))
    return float(one @ other) / size if size > 0 else 0.0


def window_s(period_s: float | None) -> float:
    """Length of the smoothing window in s for a cycle; the shortest where none is known."""
    if period_s is None:
        return SHORTEST_WINDOW_S
    return float(np.clip(WINDOW_S * math.sqrt(period_s / USUAL_PERIOD_S), SHORTEST_WINDOW_S, LONGEST_WINDOW_S))


def leaps(curve: Array, times_s: Array) -> tuple[int, ...]:
    """Frames whose value leaps out of its neighbourhood on both sides."""
    finite = curve[np.isfinite(curve)]
    if len(finite) < 2 * LEAP_REACH + 1:
        return ()
    slowness = max(1.0, step_s(times_s) * LEAP_RATE_HZ)
    limit = LEAP_LIMIT * slowness**2 * float(np.ptp(np.percentile(finite, [5, 95])))
    found = []
    for i in np.flatnonzero(np.isfinite(curve)):
        near = np.r_[curve[max(0, i - LEAP_REACH) : i], curve[i + 1 : i + 1 + LEAP_REACH]]
        near = near[np.isfinite(near)]
        steps = [abs(curve[i] - curve[j]) for j in (i - 1, i + 1) if 0 <= j < len(curve) and np.isfinite(curve[j])]
        if len(near) >= LEAP_REACH and min(steps, default=0.0) > limit and _stands_out(curve[i], near, limit):
            found.append(int(i))
    return tuple(found)


def _stands_out(value: float, near: Array, limit: float) -> bool:
    return bool(limit > 0 and (value > near.max() + limit / 2 or value < near.min() - limit / 2))


def local_parabolas(values: Array, times_s: Array, length_s: float) -> Array:
    """Each row replaced by the parabola through the rows around it in time.

    Parameters
    ----------
    values : float (n_frames, n_values)
        A row with a NaN is neither used nor changed.
    times_s : float64 (n_frames,)
    length_s : float
        Length of the window; a row with fewer than five usable ones in its window stays as it is.

    Returns
    -------
    float64 (n_frames, n_values)
    """
    source = np.asarray(values, float)
    result = source.copy()
    usable = np.isfinite(source).all(axis=1)
    n_near = 2 * round(length_s / step_s(times_s) / 2) + 1
    if n_near < SMALLEST_SUPPORT or len(source) < n_near:
        return result
    known: dict[tuple[int, ...], Array] = {}
    for i in np.flatnonzero(usable):
        first = int(np.clip(i - n_near // 2, 0, len(source) - n_near))  # at the clip's ends one-sided
        near = np.flatnonzero(usable[first : first + n_near]) + first
        if len(near) < SMALLEST_SUPPORT:
            continue
        offsets = (times_s[near] - times_s[i]) / length_s
        key = tuple(np.rint(1000 * offsets).astype(int).tolist())
        if key not in known:
            known[key] = _weights(offsets)
        result[i] = known[key] @ source[near]
    return result


def _weights(offsets: Array) -> Array:
    """What each neighbour adds to the value at offset 0 of the parabola through all of them."""
    return np.asarray(np.linalg.pinv(offsets[:, None] ** np.arange(DEGREE + 1))[0])


def without_flicker(values: Array, times_s: Array, length_s: float) -> Array:
    """Rows (n_frames, n_values) smoothed by parabolas, with what that flattens put back; NaN rows stay."""
    smoothed = local_parabolas(values, times_s, length_s)
    return np.asarray(smoothed + local_parabolas(values - smoothed, times_s, length_s))


def steady_contours(contours: Array, times_s: Array, confidence: Array) -> Array:
    """The contours of a cine without flicker.

    Parameters
    ----------
    contours : float32 (n_frames, n_points, 2)
        NaN where the structure is absent: those frames stay absent.
    times_s : float64 (n_frames,)
    confidence : float64 (n_frames,)
        Frames that give no volume, and single frames whose area leaps, are neither used for their neighbours
        nor changed.

    Returns
    -------
    float32 (n_frames, n_points, 2)
        A new array.
    """
    n_frames = len(contours)
    if n_frames < SMALLEST_SUPPORT:
        return contours.copy()
    areas = np.array([abs(signed_area(np.asarray(line, float))) for line in contours])
    rows = contours.reshape(n_frames, -1).astype(float)
    rows[confidence < UNTRUSTED] = np.nan
    areas[confidence < UNTRUSTED] = np.nan
    rows[list(leaps(areas, times_s))] = np.nan
    smoothed = without_flicker(rows, times_s, window_s(repeat_period_s(areas, times_s)))
    kept = np.isfinite(smoothed).all(axis=1)
    result = contours.copy()
    result[kept] = smoothed[kept].reshape(-1, *contours.shape[1:]).astype(contours.dtype)
    return result
