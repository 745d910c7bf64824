"""What can lie between two frames: how far a curve may go beyond the extreme that the frames show.

Between two samples a step h apart a curve keeps to the straight line within h²/8 of its largest second derivative,
which is taken from the frames around the extreme. Source: the error of linear interpolation, e.g. Abramowitz and
Stegun 1964, Handbook of Mathematical Functions, 25.2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.echo.error_model import Interval
from pipeline.records import Array

REACH = 1
"""Frames on either side whose second derivative counts."""


def hidden_beyond(curve: Array, times_s: Array, frame_idx: int) -> float:
    """How far beyond an extreme at a frame a curve (n_frames,) may go between the frames, in its unit; never negative.

    0 for a curve of fewer than three frames. Values that are NaN are left out.
    """
    if len(curve) < 3:
        return 0.0
    near = np.unique(np.clip(np.arange(frame_idx - REACH, frame_idx + REACH + 1), 1, len(curve) - 2))
    before_s, after_s = times_s[near] - times_s[near - 1], times_s[near + 1] - times_s[near]
    rise = (curve[near + 1] - curve[near]) / after_s - (curve[near] - curve[near - 1]) / before_s
    bends = np.abs(2 * rise / (before_s + after_s))
    known = np.isfinite(bends)
    if not known.any():
        return 0.0
    return float(np.maximum(before_s, after_s)[known].max() ** 2 * bends[known].max() / 8)


def widened(interval: Interval | None, values: Sequence[float], extremes: Sequence[float]) -> Interval | None:
    """An interval of a mean over beats, with the side moved on to which the beats may go between their frames."""
    if interval is None:
        return None
    beyond = float(np.mean(extremes) - np.mean(values))
    return interval[0] + min(0.0, beyond), interval[1] + max(0.0, beyond)
