"""Trace the outline of a mask with sub-pixel precision, and resample lines by arc length."""

from __future__ import annotations

import numpy as np

from pipeline.records import Array

SMOOTHING_PX = 1.0
"""Blur before tracing: takes the stairs off a mask and moves a chamber's outline by some 0.01 px."""

# Marching squares. Corners of a cell count 1 (top left), 2 (top right), 4 (bottom right), 8 (bottom left);
# sides are 0 top, 1 right, 2 bottom, 3 left. Each row: (case, entry side, exit side), inside on the right hand.
_CELLS = (
    (1, 0, 3), (2, 1, 0), (3, 1, 3), (4, 2, 1), (5, 0, 3), (5, 2, 1), (6, 2, 0), (7, 2, 3),
    (8, 3, 2), (9, 0, 2), (10, 1, 0), (10, 3, 2), (11, 1, 2), (12, 3, 1), (13, 0, 1), (14, 3, 0),
)  # fmt: skip


def trace_outline(mask: Array) -> Array:
    """The longest closed outline of a mask.

    Parameters
    ----------
    mask : bool (height, width)

    Returns
    -------
    float64 (n_points, 2)
        (x, y) in pixels, pixel centres at whole numbers, first point not repeated; (0, 2) for an empty mask.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return np.zeros((0, 2))
    window = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    field = _smooth_field(window)
    origin = np.array([columns[0], rows[0]]) - _MARGIN
    line = _longest_loop(*_crossings(field))
    return np.asarray(line + origin)


_MARGIN = 5


def _smooth_field(window: Array) -> Array:
    import cv2

    padded = np.pad(window.astype(np.float32), _MARGIN)
    side = 2 * round(3 * SMOOTHING_PX) + 1
    soft = cv2.GaussianBlur(padded, (side, side), SMOOTHING_PX)
    # A piece too thin to survive the blur is traced as it is.
    return np.asarray(soft if soft.max() > 0.5 else padded)


def _crossings(field: Array) -> tuple[Array, Array]:
    """Position (n, 2) of every crossing of 0.5, and the index (n,) of the crossing that follows each.

    A closed line crosses each side of a cell once, so that every crossing is the entry of one step.
    """
    width = field.shape[1]
    level = field - 0.5
    inside = (level > 0).view(np.uint8)
    cases = inside[:-1, :-1] | inside[:-1, 1:] << 1 | inside[1:, 1:] << 2 | inside[1:, :-1] << 3
    row, column = np.nonzero((cases > 0) & (cases < 15))
    case = cases[row, column]
    corners = level[row, column], level[row, column + 1], level[row + 1, column + 1], level[row + 1, column]
    top, right = column + _fractions(corners[0], corners[1]), row + _fractions(corners[1], corners[2])
    bottom, left = column + _fractions(corners[3], corners[2]), row + _fractions(corners[0], corners[3])
    points = np.stack([[top, row], [column + 1, right], [bottom, row + 1], [column, left]]).transpose(0, 2, 1)
    down = field.size  # names of sides that run down follow those of sides that run across
    names = np.stack([row * width + column, row * width + column + 1, (row + 1) * width + column, row * width + column])
    names[[1, 3]] += down
    steps = [(entry, leave, np.flatnonzero(case == number)) for number, entry, leave in _CELLS]
    entries = np.concatenate([names[entry, cells] for entry, _, cells in steps])
    leaves = np.concatenate([names[leave, cells] for _, leave, cells in steps])
    order = np.argsort(entries)
    following = order[np.searchsorted(entries, leaves, sorter=order)]
    return np.concatenate([points[entry, cells] for entry, _, cells in steps]), following


def _fractions(a: Array, b: Array) -> Array:
    """Where between two neighbours the level 0 lies; meaningless, but finite, where it does not."""
    rise = b - a
    return np.where(rise == 0, 0.5, np.clip(-a / np.where(rise == 0, 1, rise), 0, 1))


def _longest_loop(points: Array, following: Array) -> Array:
    steps: list[int] = following.tolist()
    seen = [False] * len(steps)
    best: list[int] = []
    for start in range(len(steps) - 1, -1, -1):
        if seen[start]:
            continue
        loop, step = [], start
        while not seen[step]:
            seen[step] = True
            loop.append(step)
            step = steps[step]
        if len(loop) > len(best):
            best = loop
    return np.asarray(points[best])


def arc_length(line: Array) -> Array:
    """Length of an open line (n_points, 2) up to each of its points; float64 (n_points,), from 0."""
    steps = np.hypot(*np.diff(line, axis=0).T)
    return np.concatenate([[0.0], np.cumsum(steps)])


def resample(line: Array, n_points: int) -> Array:
    """An open line (n, 2) as n_points equally far apart along it, ends kept."""
    lengths = arc_length(line)
    wanted = np.linspace(0, lengths[-1], n_points)
    return np.stack([np.interp(wanted, lengths, line[:, axis]) for axis in (0, 1)], -1)


def signed_area(line: Array) -> float:
    """Shoelace area of a closed line (n, 2); positive when it runs clockwise on a screen (y down)."""
    x, y = line[:, 0], line[:, 1]
    return float(0.5 * (np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))
