"""Contours of the chambers: from labels to lines with a known start and direction, and back to masks.

All contours are (x, y) in pixels of the frame they were found in. The endocardium runs from the septal
(left) end of the mitral annulus over the apex to the lateral end; its middle point is the apex.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipeline.echo.labels import heart_window
from pipeline.echo.outline import resample, signed_area, trace_outline, turned
from pipeline.records import Array

N_WALL_POINTS = 97
N_ATRIUM_POINTS = 64
APEX_IDX = N_WALL_POINTS // 2
CAVITY, MYOCARDIUM, ATRIUM = 1, 2, 3
CORNER_SPREAD = 0.8
"""How much a corner must lie aside, against how far down, to be an end of the annulus."""
NARROWEST_BASE = 0.25
"""Corners closer together than this part of the cavity's width are one and the same tip."""
TIP_PART = 0.03
"""Around a tip, the annulus is this part of the outline to either side."""
JUNCTION_PX = 3
"""Cavity outline this close to the atrium belongs to the mitral valve; leaflets are thin."""
SHORTEST_JUNCTION = 0.08
"""A junction shorter than this part of the outline is a chance contact, not the valve."""
MARGIN_PX = 8
"""What lies farther from every labelled pixel has no part in a contour."""
SMALLEST_PX = 30
"""A structure with fewer pixels has no contour."""


@dataclass(frozen=True, slots=True)
class FrameContours:
    """The contours of one frame, NaN where a structure is absent."""

    lv_endocardium: Array  # float32 (97, 2)
    lv_epicardium: Array  # float32 (97, 2)
    left_atrium: Array  # float32 (64, 2)


def frame_contours(labels: Array, spacing_mm: tuple[float, float]) -> FrameContours:
    """Contours of one labelled frame, uint8 (height, width); only the ratio of the spacing matters."""
    window = heart_window(labels, MARGIN_PX)
    found = _contours(labels[window], spacing_mm)
    corner = np.array([window[1].start, window[0].start], np.float32)
    return FrameContours(found.lv_endocardium + corner, found.lv_epicardium + corner, found.left_atrium + corner)


def _contours(labels: Array, spacing_mm: tuple[float, float]) -> FrameContours:
    scale = _scale(spacing_mm)
    endocardium = wall_contour(labels == CAVITY, spacing_mm, atrium=labels == ATRIUM)
    epicardium = np.full((N_WALL_POINTS, 2), np.nan, np.float32)
    if np.count_nonzero(labels == MYOCARDIUM) >= SMALLEST_PX and np.isfinite(endocardium).all():
        ventricle = (labels == CAVITY) | (labels == MYOCARDIUM)
        epicardium = _outer_wall(ventricle, endocardium, scale)
    return FrameContours(endocardium, epicardium, _atrium_contour(labels == ATRIUM, endocardium))


def wall_contour(cavity: Array, spacing_mm: tuple[float, float], *, atrium: Array | None = None) -> Array:
    """The endocardium of one cavity mask.

    Parameters
    ----------
    cavity, atrium : bool (height, width)
        The annulus is the junction with the atrium where there is one, else the two lower corners.
    spacing_mm : (row, column)

    Returns
    -------
    float32 (97, 2)
        NaN when the mask is empty or tiny.
    """
    if np.count_nonzero(cavity) < SMALLEST_PX:
        return np.full((N_WALL_POINTS, 2), np.nan, np.float32)
    scale = _scale(spacing_mm)
    loop = _clockwise(trace_outline(cavity)) * scale
    ends = None if atrium is None else _junction(loop, atrium, scale)
    if ends is None:
        ends = _corners(loop, _downward(loop))
    return _ordered_wall(loop, *ends, scale)


def cavity_mask(endocardium: Array, shape: tuple[int, int]) -> Array:
    """Pixels inside a contour (n_points, 2) that the annulus line closes; bool (height, width)."""
    from PIL import Image, ImageDraw

    canvas = Image.new("1", (shape[1], shape[0]), 0)
    if np.isfinite(endocardium).all():
        ImageDraw.Draw(canvas).polygon([(float(x), float(y)) for x, y in endocardium], fill=1)
    return np.asarray(canvas, bool)


def _scale(spacing_mm: tuple[float, float]) -> Array:
    """Factors that turn (x, y) into isotropic units of one column."""
    return np.array([1.0, spacing_mm[0] / spacing_mm[1]])


def _clockwise(loop: Array) -> Array:
    return loop if signed_area(loop) > 0 else loop[::-1]


def _downward(loop: Array) -> Array:
    """Unit vector along the longest extent of a loop, pointing down: the apex is at the top."""
    filled = resample(np.concatenate([loop, loop[:1]]), 200)[:-1]
    apart = filled - filled.mean(0)
    (xx, xy), (_, yy) = (apart.T @ apart).tolist()
    lean = math.atan2(2 * xy, xx - yy) / 2  # of the major axis of the spread
    axis = np.array([math.cos(lean), math.sin(lean)])
    # A loop wider than long (a squat cavity, a short atrium) still has its base below.
    if abs(axis[1]) < abs(axis[0]):
        axis = np.array([-axis[1], axis[0]])
    return np.asarray(axis if axis[1] > 0 else -axis)


def _corners(loop: Array, down: Array) -> tuple[int, int]:
    """Indices of the lower left and the lower right corner of a loop."""
    left = np.array([-down[1], down[0]])
    depth, aside = loop @ down, loop @ left
    a, b = int(np.argmax(depth + CORNER_SPREAD * aside)), int(np.argmax(depth - CORNER_SPREAD * aside))
    if aside[a] - aside[b] >= NARROWEST_BASE * np.ptp(aside):
        return a, b
    tip, reach = int(np.argmax(depth)), max(2, round(TIP_PART * len(loop)))
    return (tip + reach) % len(loop), (tip - reach) % len(loop)


def _junction(loop: Array, atrium: Array, scale: Array) -> tuple[int, int] | None:
    """Ends (left, right) of the run of a cavity's loop that faces the atrium; None without one."""
    import cv2

    if np.count_nonzero(atrium) < SMALLEST_PX:
        return None
    reach = np.arange(-JUNCTION_PX, JUNCTION_PX + 1)
    disc = (np.hypot(reach[:, None], reach) <= JUNCTION_PX).astype(np.uint8)
    around = cv2.dilate(atrium.astype(np.uint8), disc)
    columns = np.clip(np.rint(loop[:, 0] / scale[0]).astype(int), 0, atrium.shape[1] - 1)
    rows = np.clip(np.rint(loop[:, 1] / scale[1]).astype(int), 0, atrium.shape[0] - 1)
    near = np.flatnonzero(around[rows, columns])
    if len(near) < SHORTEST_JUNCTION * len(loop):
        return None
    # Near the valve the outline turns into the walls: its corners, not its last near points, are the annulus.
    left, right = _corners(loop[near], _downward(loop))
    return int(near[left]), int(near[right])


def _ordered_wall(loop: Array, left: int, right: int, scale: Array) -> Array:
    """The part of a clockwise loop from the left end over the apex to the right one, in pixels."""
    line = turned(loop, left)[: (right - left) % len(loop) + 1]
    if len(line) < 3:
        return np.full((N_WALL_POINTS, 2), np.nan, np.float32)
    middle = (line[0] + line[-1]) / 2
    apex = int(np.argmax(((line - middle) ** 2).sum(1)))
    apex = min(max(apex, 1), len(line) - 2)
    septal, lateral = resample(line[: apex + 1], APEX_IDX + 1), resample(line[apex:], APEX_IDX + 1)
    return np.asarray(np.concatenate([septal, lateral[1:]]) / scale, np.float32)


def _outer_wall(ventricle: Array, endocardium: Array, scale: Array) -> Array:
    """The epicardium: the ventricle's outline between the corners below the endocardium's ends."""
    loop = _clockwise(trace_outline(ventricle)) * scale
    inner = endocardium * scale
    down = (inner[0] + inner[-1]) / 2 - inner[APEX_IDX]
    down = down / max(float(np.hypot(*down)), 1e-6)
    return _ordered_wall(loop, *_corners(loop, down), scale)


def _atrium_contour(atrium: Array, endocardium: Array) -> Array:
    """The atrium's outline, clockwise from the point nearest to the septal end of the annulus."""
    if np.count_nonzero(atrium) < SMALLEST_PX:
        return np.full((N_ATRIUM_POINTS, 2), np.nan, np.float32)
    loop = _clockwise(trace_outline(atrium))
    start = 0
    if np.isfinite(endocardium).all():
        start = int(np.argmin(((loop - endocardium[0]) ** 2).sum(1)))
    closed = np.concatenate([loop[start:], loop[: start + 1]])
    return np.asarray(resample(closed, N_ATRIUM_POINTS + 1)[:-1], np.float32)
