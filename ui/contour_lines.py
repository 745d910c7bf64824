"""Lines that are drawn over a wall contour: long axis, discs, segments. Knows no Qt.

A wall is (97, 2) in (x, y) pixels, from the left end of the annulus over the apex to the right end. Pixels may be
unequal: what is perpendicular in the body is so on the screen, which shows them put right.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from pipeline.records import Array

N_DISCS = 20
LEVELS = (0.0, 1 / 3, 2 / 3, 1.0)


def long_axis(wall: Array, ratio: float = 1.0) -> Array:
    """From the middle of the annulus to the farthest point, float64 (2, 2); `ratio` is row over column size."""
    points = np.asarray(wall, float) * [1.0, ratio]
    middle = (points[0] + points[-1]) / 2
    apex = points[int(np.argmax(((points - middle) ** 2).sum(1)))]
    return np.stack([middle, apex]) / [1.0, ratio]


def discs(wall: Array, ratio: float = 1.0) -> Array:
    """The middle lines of the 20 discs, float64 (n, 2, 2): outermost crossings of each level with the contour."""
    points = np.asarray(wall, float) * [1.0, ratio]
    middle, apex = long_axis(wall, ratio) * [1.0, ratio]
    length = float(np.hypot(*(apex - middle)))
    if length <= 0:
        return np.zeros((0, 2, 2))
    axis = (apex - middle) / length
    across = np.array([-axis[1], axis[0]])
    along, aside = (points - middle) @ axis, (points - middle) @ across
    lines = []
    for level in (np.arange(N_DISCS) + 0.5) / N_DISCS * length:
        ends = _crossings(along, aside, level)
        if len(ends) > 1:
            base = middle + level * axis
            lines.append([base + ends.min() * across, base + ends.max() * across])
    return np.asarray(lines).reshape(-1, 2, 2) / [1.0, ratio]


def _crossings(along: Array, aside: Array, level: float) -> Array:
    """Where the closed line crosses a level."""
    after_along, after_aside = np.roll(along, -1), np.roll(aside, -1)
    crosses = (along - level) * (after_along - level) < 0
    part = (level - along[crosses]) / (after_along[crosses] - along[crosses])
    return np.asarray(aside[crosses] + part * (after_aside[crosses] - aside[crosses]))


def segments(wall: Array, ratio: float = 1.0) -> tuple[Array, ...]:
    """The six wall segments as lines (n, 2): left wall from base to apex, then the right one, by levels of the axis."""
    points = np.asarray(wall, float)
    apex_idx = len(points) // 2
    scaled = points * [1.0, ratio]
    middle, apex = (scaled[0] + scaled[-1]) / 2, scaled[apex_idx]
    axis = apex - middle
    level = (scaled - middle) @ axis / max(float(axis @ axis), 1e-9)
    found = []
    for wall_idx in (np.arange(apex_idx + 1), np.arange(len(points) - 1, apex_idx - 1, -1)):
        rising = np.maximum.accumulate(level[wall_idx])
        for low, high in pairwise(LEVELS):
            # a wall that begins above the annulus line still has a base
            first = 0 if low <= 0 else int(np.searchsorted(rising, low))
            last = len(wall_idx) if high >= 1 else int(np.searchsorted(rising, high)) + 1
            found.append(points[wall_idx[first:last]])
    return tuple(found)
