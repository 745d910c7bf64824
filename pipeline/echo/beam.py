"""The part of a frame that the ultrasound beam reaches, and what its edge cuts off."""

from __future__ import annotations

import numpy as np

from pipeline.records import Array

LIT = 8
"""Grey level above which a pixel was reached by the beam; compression leaves noise below it."""
EDGE_PX = 3.0
CUT_POINTS = 4
"""A chamber with this many contour points at the edge is taken to go on beyond it."""
CLOSING_PX = 4


def visible_sector(frames: Array) -> Array:
    """The beam's area, bool (height, width), from the brightest each pixel of uint8 (n_frames, height, width) gets.

    Chambers are dark all the time, so everything between the uppermost and the lowest lit pixel of a column counts.
    """
    from scipy import ndimage

    lit = frames.max(0) > LIT
    padded = np.pad(lit, CLOSING_PX)
    closed = ndimage.binary_closing(padded, iterations=CLOSING_PX)[CLOSING_PX:-CLOSING_PX, CLOSING_PX:-CLOSING_PX]
    pieces, count = ndimage.label(closed)
    if not count:
        return np.zeros_like(lit)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    beam = pieces == sizes.argmax()
    above = np.maximum.accumulate(beam, 0)
    below = np.maximum.accumulate(beam[::-1], 0)[::-1]
    return np.asarray(above & below)


def edge_distance_px(sector: Array) -> Array:
    """Distance of every pixel to the edge of the sector or of the frame, float64 (height, width), 0 outside."""
    from scipy import ndimage

    return np.asarray(ndimage.distance_transform_edt(np.pad(sector, 1))[1:-1, 1:-1])


def is_cut(contour: Array, edge_px: Array) -> bool:
    """Whether a closed contour (n_points, 2) runs along the edge; `edge_px` is the map of distances to it."""
    return bool(np.isfinite(contour).all()) and int(np.count_nonzero(_at_edge(contour, edge_px))) >= CUT_POINTS


def part_at_edge(contour: Array, edge_px: Array) -> float:
    """The part 0..1 of a contour's points (n_points, 2) at the edge; 1 when absent."""
    return float(np.mean(_at_edge(contour, edge_px))) if np.isfinite(contour).all() else 1.0


def _at_edge(contour: Array, edge_px: Array) -> Array:
    columns = np.clip(np.rint(contour[:, 0]).astype(int), 0, edge_px.shape[1] - 1)
    rows = np.clip(np.rint(contour[:, 1]).astype(int), 0, edge_px.shape[0] - 1)
    return np.asarray(edge_px[rows, columns] <= EDGE_PX)
