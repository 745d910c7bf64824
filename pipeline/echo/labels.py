"""Make the labels of one frame anatomically possible: one piece a structure, no holes."""

from __future__ import annotations

import numpy as np

from pipeline.records import Array

CAVITY, MYOCARDIUM, ATRIUM = 1, 2, 3
ATRIUM_GAP = 0.02
"""Largest gap between cavity and atrium, as a part of the frame's height: leaflets are thin."""


def largest_piece(mask: Array) -> Array:
    """The largest connected piece of a boolean mask; a mask without pixels is returned as it is."""
    from scipy import ndimage

    pieces, count = ndimage.label(mask)
    if count < 2:
        return mask
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.asarray(pieces == sizes.argmax())


def clean_labels(labels: Array) -> Array:
    """Keep the largest piece of each structure, fill its holes, drop an atrium far from the cavity.

    Parameters
    ----------
    labels : uint8 (height, width)

    Returns
    -------
    uint8 (height, width)
        A new array.
    """
    heart = labels > 0
    if not heart.any():
        return labels.copy()
    rows, columns = np.flatnonzero(heart.any(1)), np.flatnonzero(heart.any(0))
    window = (
        slice(max(0, rows[0] - 1), rows[-1] + 2),
        slice(max(0, columns[0] - 1), columns[-1] + 2),
    )
    cleaned = np.zeros_like(labels)
    cleaned[window] = _clean_window(labels[window], max(4, round(ATRIUM_GAP * labels.shape[0])))
    return cleaned


def _clean_window(labels: Array, gap_px: int) -> Array:
    from scipy import ndimage

    cavity = ndimage.binary_fill_holes(largest_piece(labels == CAVITY))
    atrium = ndimage.binary_fill_holes(largest_piece(labels == ATRIUM)) & ~cavity
    wall = largest_piece(labels == MYOCARDIUM)
    wall = ndimage.binary_fill_holes(wall | cavity) & ~cavity & ~atrium if wall.any() else wall
    if cavity.any() and atrium.any():
        near = ndimage.binary_dilation(cavity, iterations=gap_px)
        atrium = atrium if (near & atrium).any() else np.zeros_like(atrium)
    cleaned = np.zeros_like(labels)
    cleaned[wall], cleaned[atrium], cleaned[cavity] = MYOCARDIUM, ATRIUM, CAVITY
    return cleaned
