"""Windows around the heart: cutting them out of frames for the network and laying its maps back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

from pipeline.records import Array

TYPICAL_BOX_QUANTILE = 0.85
"""The window follows nearly the largest outline of the clip, so that end-diastole fits in."""
MIN_HEART_PX = 60


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of whole pixels of a frame; it may reach beyond the frame, where it is black."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Extent:
    """Where the heart is, in pixels of the frame."""

    top: float
    bottom: float
    left: float
    right: float


def whole_frame(height: int, width: int, aspect: float) -> Window:
    """The window that letterboxes a frame into a physical square; aspect = row spacing / column spacing."""
    side = max(height * aspect, float(width))
    return _around(height / 2, width / 2, side, side, aspect)


def around_heart(heart: Extent, shape: tuple[int, int], fill: float, aspect: float) -> Window:
    """The window of the given shape (network pixels) whose height and width the heart fills by at most `fill`."""
    ratio = shape[1] / shape[0]
    tall, broad = (heart.bottom - heart.top) * aspect, heart.right - heart.left
    side = max(tall, broad / ratio) / fill
    centre = (heart.top + heart.bottom) / 2, (heart.left + heart.right) / 2
    return _around(*centre, side, side * ratio, aspect)


def _around(row: float, column: float, height: float, width: float, aspect: float) -> Window:
    """Lengths are in column pixels."""
    rows, columns = max(2, round(height / aspect)), max(2, round(width))
    return Window(round(row - rows / 2), round(column - columns / 2), rows, columns)


def find_heart(labels: Array, window: Window) -> Extent | None:
    """Where the largest patch of most labelled frames (n, size, size) of a window lies; None without a heart."""
    rows, columns = window.height / labels.shape[1], window.width / labels.shape[2]
    boxes = [box for box in map(_largest_box, labels) if box is not None]
    if not boxes:
        return None
    low, high = np.quantile(boxes, [1 - TYPICAL_BOX_QUANTILE, TYPICAL_BOX_QUANTILE], axis=0)
    return Extent(
        window.top + low[0] * rows, window.top + high[1] * rows,
        window.left + low[2] * columns, window.left + high[3] * columns,
    )  # fmt: skip


def _largest_box(labels: Array) -> tuple[int, int, int, int] | None:
    """Top, bottom, left and right of the largest connected patch of a labelled frame."""
    patches, n_patches = ndimage.label(labels > 0)
    if not n_patches:
        return None
    sizes = np.bincount(patches.ravel())[1:]
    if sizes.max() < MIN_HEART_PX:
        return None
    rows, columns = ndimage.find_objects(patches)[int(sizes.argmax())]
    return rows.start, rows.stop, columns.start, columns.stop


def cut(frame: Array, window: Window, shape: tuple[int, int]) -> Array:
    """The window of a frame (height, width) resampled to `shape`, same dtype."""
    seen, place = _overlap(window, *frame.shape)
    box = np.zeros((window.height, window.width), frame.dtype)
    box[place] = frame[seen]
    shrinks = window.height >= shape[0]
    return np.asarray(cv2.resize(box, shape[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))


def lay_back(maps: Array, window: Window, canvas: Array) -> tuple[slice, slice]:
    """Add a window's maps float32 (n, rows, columns) to a frame-sized canvas (n, height, width).

    Returns the part of the canvas that was touched.
    """
    seen, _ = _overlap(window, *canvas.shape[1:])
    canvas[:, *seen] += enlarged(maps, window, (canvas.shape[1], canvas.shape[2]))
    return seen


def enlarged(maps: Array, window: Window, shape: tuple[int, int]) -> Array:
    """A window's maps float32 (n, rows, columns) at the size of a frame's pixels, where the frame is."""
    _, place = _overlap(window, *shape)
    size = window.width, window.height
    large = np.empty((len(maps), window.height, window.width), np.float32)
    for one, whole in zip(maps, large, strict=True):
        cv2.resize(one, size, dst=whole, interpolation=cv2.INTER_LINEAR)
    return np.asarray(large[:, *place])


def part_of_frame(window: Window, shape: tuple[int, int]) -> tuple[slice, slice]:
    """The part of a frame that a window sees."""
    return _overlap(window, *shape)[0]


def _overlap(window: Window, height: int, width: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The part of the frame that a window sees, in the frame's and in the window's own pixels."""
    top, left = max(window.top, 0), max(window.left, 0)
    bottom = max(min(window.top + window.height, height), top)
    right = max(min(window.left + window.width, width), left)
    frame = slice(top, bottom), slice(left, right)
    own = slice(top - window.top, bottom - window.top), slice(left - window.left, right - window.left)
    return frame, own
