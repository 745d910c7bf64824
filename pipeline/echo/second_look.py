"""A second look at a few frames: turned and shrunk, and upside down.

A heart is found again where it was when the image is turned a little; what the network reads into another image is
not. And it is found best with its apex at the top: a clip that is clearer upside down is shown upside down.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pipeline.records import Array

if TYPE_CHECKING:
    from pipeline.echo.segmentation import SegmentedBatch

TURN_DEG, SHRINK = 6.0, 0.92
N_LOOKS = 2


class Looks(Protocol):
    """What labels frames; `Segmenter.segment` is one."""

    def __call__(self, frames: Array, spacing_mm: tuple[float, float]) -> Iterator[SegmentedBatch]: ...


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What was found again in a few frames."""

    frame_idx: Array  # int64 (n,)
    labels: Array  # uint8 (n, height, width) of the turned frames, turned back
    certainty_upside_down: Array  # float64 (n,)


def chosen_frames(n_frames: int) -> Array:
    """The frames that are looked at again, int64 (n,), spread over the clip."""
    return np.unique(np.linspace(0, n_frames - 1, min(n_frames, N_LOOKS) + 2).round().astype(int)[1:-1])


def look_again(segment: Looks, frames: Array, frame_idx: Array, spacing_mm: tuple[float, float]) -> SecondLook:
    """Label some frames, uint8 (n_frames, height, width), of a clip turned and upside down."""
    some = frames[frame_idx]
    turned = np.concatenate([b.labels for b in segment(_turned(some, back=False), spacing_mm)])
    upside_down = np.ascontiguousarray(some[:, ::-1])
    certainty = np.concatenate([b.certainty for b in segment(upside_down, spacing_mm)])
    return SecondLook(frame_idx, _turned(turned, back=True), certainty)


def _turned(images: Array, *, back: bool) -> Array:
    import cv2

    height, width = images.shape[1:]
    motion = cv2.getRotationMatrix2D((width / 2, height / 2), TURN_DEG, SHRINK)
    way = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP if back else cv2.INTER_LINEAR
    return np.stack([cv2.warpAffine(image, motion, (width, height), flags=way) for image in images])


def same_heart(first: Array, second: Array) -> float:
    """Overlap (Dice) of the cavities of two labelled frames; 0 without one."""
    a, b = first == 1, second == 1
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return 2 * np.count_nonzero(a & b) / total if total else 0.0
