"""Where in the picture the ultrasound sector lies, apart from text, icons and menu bars.

The sector is what moves: speckle changes from frame to frame, letters do not. Without movement it is the
largest bright patch. Every doubt ends with the whole frame: a cut heart is worse than a border.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.records import Array

N_SAMPLED = 24
MOTION_LEVELS = 4  # grey levels between a pixel's darkest and brightest moment; above compression noise
LIT_LEVEL = 8
JOIN_PX = 5  # gaps that speckle leaves inside the sector
MIN_AREA = 0.05  # of the searched area; anything smaller is not the sector
MIN_MOVING = 0.02
MIN_SIDE_PX = 64
WHOLE_SIDE = 0.85  # a patch that spans so much of both sides is the frame
REGION_SIDE = 0.6  # the header knows its region: a patch far smaller is a dim picture, not the sector
MIN_SOLIDITY = 0.7  # a sector fills its convex hull, scattered text does not
MASK_SHARE = (0.25, 0.97)  # of the box: outside these the hull is not a sector, or there is nothing to mask
HULL_MARGIN_PX = 2.0

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sector:
    """The sector's box in the frame and, where it is certain, its outline."""

    box_px: Box  # (top, left, bottom, right), end exclusive
    mask: Array | None  # bool (bottom - top, right - left), True inside; None: nothing may be masked
    method: Literal["movement", "brightness", "region", "whole frame"]


def find_sector(frames: Array, region_px: Box | None) -> Sector:
    """Find the sector.

    Parameters
    ----------
    frames
        uint8 (n_frames, height, width), grey.
    region_px
        The calibrated region (top, left, bottom, right), None where there is none. The search stays
        inside it.
    """
    area = region_px or (0, 0, frames.shape[1], frames.shape[2])
    top, left, bottom, right = area
    sample = frames[_evenly(len(frames)), top:bottom, left:right]
    brightest, darkest = sample.max(axis=0), sample.min(axis=0)
    moving = np.asarray(brightest - darkest >= MOTION_LEVELS)
    if len(sample) > 1 and moving.mean() >= MIN_MOVING:
        found = _from_patch(_largest_patch(moving), area, "movement")
    else:
        found = _from_patch(_largest_patch(brightest >= LIT_LEVEL), area, "brightness")
    if found is not None and (region_px is None or _spans(found.box_px, region_px)):
        return found
    return Sector(box_px=area, mask=None, method="whole frame" if region_px is None else "region")


def _spans(box_px: Box, region_px: Box) -> bool:
    """Whether a box fills so much of the calibrated region that it may stand for it."""
    sides = ((box_px[i + 2] - box_px[i]) / (region_px[i + 2] - region_px[i]) for i in (0, 1))
    return all(side >= REGION_SIDE for side in sides)


def _evenly(n_frames: int) -> Array:
    return np.unique(np.linspace(0, n_frames - 1, min(n_frames, N_SAMPLED)).astype(int))


def _largest_patch(pixels: Array) -> Array:
    """The largest connected patch of a bool image, with speckle gaps closed and lone pixels dropped."""
    from scipy import ndimage

    opened = ndimage.binary_opening(pixels, np.ones((2, 2), bool))
    padded = np.pad(opened, JOIN_PX)  # a closing eats the image's own edge otherwise
    joined = ndimage.binary_closing(padded, np.ones((JOIN_PX, JOIN_PX), bool))[JOIN_PX:-JOIN_PX, JOIN_PX:-JOIN_PX]
    labels, n_patches = ndimage.label(joined)
    if not n_patches:
        return np.zeros_like(pixels)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    patch: Array = ndimage.binary_fill_holes(labels == int(sizes.argmax()))
    return patch


def _from_patch(patch: Array, area: Box, method: Literal["movement", "brightness"]) -> Sector | None:
    """The sector from a patch of the searched area, None where the patch is too small to be one."""
    if patch.mean() < MIN_AREA:
        return None
    rows, columns = np.flatnonzero(patch.any(axis=1)), np.flatnonzero(patch.any(axis=0))
    box = (int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    height, width = box[2] - box[0], box[3] - box[1]
    if min(height, width) < MIN_SIDE_PX:
        return None
    if method == "brightness" and height >= WHOLE_SIDE * patch.shape[0] and width >= WHOLE_SIDE * patch.shape[1]:
        box = (0, 0, patch.shape[0], patch.shape[1])
    inside = patch[box[0] : box[2], box[1] : box[3]]
    mask = _outline(inside) if method == "movement" else None
    top, left = area[:2]
    placed = (top + box[0], left + box[1], top + box[2], left + box[3])
    return Sector(box_px=placed, mask=mask, method=method)


def _outline(patch: Array) -> Array | None:
    """The patch's convex hull as bool pixels, None where it is not surely the outline of a sector."""
    hull = _convex_hull(patch)
    share = float(hull.mean())
    if not MASK_SHARE[0] <= share <= MASK_SHARE[1] or patch.sum() < MIN_SOLIDITY * hull.sum():
        return None
    return hull


def _convex_hull(patch: Array) -> Array:
    """All pixels inside the convex hull of a patch, a small margin added."""
    from scipy.spatial import ConvexHull

    points = _row_ends(patch)
    inside = np.ones(patch.shape, bool)
    rows, columns = np.ogrid[: patch.shape[0], : patch.shape[1]]
    for row_factor, column_factor, offset in ConvexHull(points).equations:
        inside &= row_factor * rows + column_factor * columns + offset <= HULL_MARGIN_PX
    return inside


def _row_ends(patch: Array) -> Array:
    """First and last pixel of each row of a patch, (n_points, 2): its hull has no other corners."""
    rows = np.flatnonzero(patch.any(axis=1))
    first = patch[rows].argmax(axis=1)
    last = patch.shape[1] - 1 - patch[rows][:, ::-1].argmax(axis=1)
    return np.concatenate([np.stack([rows, first], axis=1), np.stack([rows, last], axis=1)])
