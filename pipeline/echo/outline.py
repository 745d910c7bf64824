"""Trace the outline of a mask with sub-pixel precision, and resample lines by arc length."""

from __future__ import annotations

import numpy as np

from pipeline.records import Array

SMOOTHING_PX = 1.0
"""Blur before tracing: takes the stairs off a mask and moves a chamber's outline by some 0.01 px."""

_MARGIN = 5
_STEPS = np.array([(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)])
"""(x, y) of the eight neighbours, clockwise on a screen from the right."""


def _passed_neighbours() -> Array:
    """Which of the four straight neighbours are passed, in order, between two pixels of a border.

    int8 (8, 8, 4) by the directions back to the last pixel and on to the next one, -1 where there are fewer. A border
    follower turns counter-clockwise around each pixel, from the last one to the next; all that it passes is outside.
    """
    table = np.full((8, 8, 4), -1, np.int8)
    for back in range(8):
        for onward in range(8):
            passed = [(back - turn) % 8 for turn in range(1, (back - onward - 1) % 8 + 1)]
            straight = [way for way in passed if way % 2 == 0]
            table[back, onward, : len(straight)] = straight
    return table


_PASSED = _passed_neighbours()
_DIRECTIONS = np.zeros((3, 3), np.int8)
_DIRECTIONS[_STEPS[:, 1] + 1, _STEPS[:, 0] + 1] = np.arange(8)


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
    import cv2

    pixels = np.ascontiguousarray(mask).view(np.uint8)
    left, top, width, height = cv2.boundingRect(pixels)
    if not width:
        return np.zeros((0, 2))
    field = _smooth_field(pixels[top : top + height, left : left + width])
    borders, _ = cv2.findContours((field > 0.5).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    border = max(borders, key=len)[:, 0]
    return np.asarray(_crossings(field, border) + np.array([left - _MARGIN, top - _MARGIN]))


def _smooth_field(pixels: Array) -> Array:
    import cv2

    padded = cv2.copyMakeBorder(pixels, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_CONSTANT).astype(np.float32)
    side = 2 * round(3 * SMOOTHING_PX) + 1
    soft = cv2.GaussianBlur(padded, (side, side), SMOOTHING_PX)
    # A piece too thin to survive the blur is traced as it is.
    return np.asarray(soft if soft.max() > 0.5 else padded)


def _crossings(field: Array, border: Array) -> Array:
    """Where the field crosses 0.5 between the pixels of a border (n, 2) and what lies outside them, in order."""
    if len(border) == 1:
        ways = np.array([[0, 2, 4, 6]])
    else:
        onward = _directions(turned(border, 1) - border)
        ways = _PASSED[(turned(onward, -1) + 4) % 8, onward]
    at, which = np.nonzero(ways >= 0)
    inside, steps = border[at], _STEPS[ways[at, which]]
    outside = inside + steps
    high, low = field[inside[:, 1], inside[:, 0]], field[outside[:, 1], outside[:, 0]]
    part = (high - 0.5) / (high - low)
    return np.asarray(inside + steps * part[:, None])


def turned(loop: Array, start: int) -> Array:
    """A closed row of values or points that begins at another one; cheaper than `numpy.roll`."""
    return np.concatenate([loop[start:], loop[:start]])


def _directions(steps: Array) -> Array:
    """Index into _STEPS of steps (n, 2) between neighbours."""
    return np.asarray(_DIRECTIONS[steps[:, 1] + 1, steps[:, 0] + 1])


def arc_length(line: Array) -> Array:
    """Length of an open line (n_points, 2) up to each of its points; float64 (n_points,), from 0."""
    lengths = np.zeros(len(line))
    along, down = (line[1:] - line[:-1]).T
    np.cumsum(np.hypot(along, down), out=lengths[1:])
    return lengths


def resample(line: Array, n_points: int) -> Array:
    """An open line (n, 2) as n_points equally far apart along it, ends kept."""
    lengths = arc_length(line)
    wanted = np.arange(n_points) * (lengths[-1] / (n_points - 1))
    wanted[-1] = lengths[-1]
    points = np.empty((n_points, 2))
    for axis in (0, 1):
        points[:, axis] = np.interp(wanted, lengths, line[:, axis])
    return points


def signed_area(line: Array) -> float:
    """Shoelace area of a closed line (n, 2); positive when it runs clockwise on a screen (y down)."""
    x, y = line[:, 0], line[:, 1]
    return float(0.5 * (np.dot(x, turned(y, 1)) - np.dot(y, turned(x, 1))))
