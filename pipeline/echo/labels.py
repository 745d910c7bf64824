"""Make the labels of one frame anatomically possible: one piece a structure, no holes."""

from __future__ import annotations

import numpy as np

from pipeline.records import Array

CAVITY, MYOCARDIUM, ATRIUM = 1, 2, 3
ATRIUM_GAP = 0.02
"""Largest gap between cavity and atrium, as a part of the frame's height: leaflets are thin."""
SMALLEST_GAP_PX = 4
Window = tuple[slice, slice]


def heart_window(labels: Array, margin_px: int) -> Window:
    """Rows and columns of a labelled frame that hold everything labelled, and a margin; empty without a heart."""
    import cv2

    left, top, width, height = cv2.boundingRect(np.ascontiguousarray(labels))
    if not width:
        return slice(0, 0), slice(0, 0)
    return (
        slice(max(0, top - margin_px), top + height + margin_px),
        slice(max(0, left - margin_px), left + width + margin_px),
    )


def whole_piece(mask: Array) -> Array:
    """The largest piece of a mask, uint8 0 or 1, with its holes filled; a mask without pixels stays empty."""
    import cv2

    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = np.zeros_like(mask)
    if outlines:
        largest = outlines[0] if len(outlines) == 1 else max(outlines, key=cv2.contourArea)
        cv2.drawContours(whole, [largest], -1, 1, cv2.FILLED)
    return whole


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
    window = heart_window(labels, 1)
    cleaned = np.zeros_like(labels)
    seen = labels[window]
    if seen.size:
        cleaned[window] = _clean_window(seen, max(SMALLEST_GAP_PX, round(ATRIUM_GAP * labels.shape[0])))
    return cleaned


def _clean_window(labels: Array, gap_px: int) -> Array:
    cavity, wall, atrium = ((labels == label).view(np.uint8) for label in (CAVITY, MYOCARDIUM, ATRIUM))
    cavity, wall, atrium = whole_piece(cavity), whole_piece(wall) & wall, whole_piece(atrium)
    cleaned = np.zeros_like(labels)
    if wall.any():
        np.copyto(cleaned, MYOCARDIUM, where=whole_piece(wall | cavity).view(bool))
    kept = ATRIUM if not cavity.any() or _touches(cavity, atrium, gap_px) else 0
    np.copyto(cleaned, kept, where=atrium.view(bool))
    np.copyto(cleaned, CAVITY, where=cavity.view(bool))
    return cleaned


def _touches(cavity: Array, atrium: Array, gap_px: int) -> bool:
    """Whether the two lie no further apart than a gap."""
    import cv2

    side = 2 * gap_px + 1
    near = cv2.dilate(cavity, cv2.getStructuringElement(cv2.MORPH_RECT, (side, side)))
    return bool((near & atrium).any())
