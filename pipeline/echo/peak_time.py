"""When a wall segment comes in farthest after end-diastole, and how well that time is known.

A peak is as sharp as its curve is certain: every frame whose motion lies within the curve's noise of the largest
could be the true one. The noise is what the beats of the clip differ by; a single beat has none to compare with, and
the error of the motion on held-out patients, which is larger, takes its place. To what the noise leaves comes half
a frame each for end-diastole and for the peak. A bias of the outlines that changes over the cycle is not in it.
Source: the set of places that a test at 5 % does not tell from the largest is a confidence set for its place
(Lehmann and Romano 2005, Testing Statistical Hypotheses, doi 10.1007/0-387-27605-X, section 3.5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.echo.error_model import TWO_SIDED_90, Interval
from pipeline.echo.strain import is_whole
from pipeline.echo.wall_scores import NEGLIGIBLE_PCT
from pipeline.records import Array, EchoBeat

NO_WHOLE_BEAT = "No beat is shown from one end-diastole to the next."
NO_MOTION = "The segment hardly moves inward: its motion has no clear peak."
NOISE_UNKNOWN = "How far the motion is off is not known, and one beat alone does not tell."
NO_CLOCK = "The file does not say when its frames were taken."
FEWEST_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class PeakTime:
    """Mean over the whole beats, with its 90 % interval."""

    time_ms: float
    interval_ms: Interval
    time_pct: float  # of the cycle
    interval_pct: Interval


def peak_time(
    inward: Array, beats: Sequence[EchoBeat], times_s: Array, error_pct: float | None
) -> tuple[PeakTime | None, str | None]:
    """The time of one segment's largest inward motion, or the reason why there is none.

    Parameters
    ----------
    inward : float64 (n_frames,)
        Inward motion in %, NaN outside the beats.
    beats : sequence of EchoBeat
        Those that count; only those that the clip shows to their end are used.
    times_s : float64 (n_frames,)
    error_pct : float or None
        Reach of the motion's 90 % interval, for a clip of one beat; None where it is not known.
    """
    whole = [beat for beat in beats if is_whole(beat, len(inward)) and _is_known(inward, beat)]
    if not whole:
        return None, NO_WHOLE_BEAT
    moving = [beat for beat in whole if _curve(inward, beat).max() >= NEGLIGIBLE_PCT]
    if not moving:
        return None, NO_MOTION
    noise_pct = beat_noise_pct(inward, whole, times_s)
    within_pct = error_pct if noise_pct is None else TWO_SIDED_90 * math.sqrt(2) * noise_pct
    if within_pct is None:
        return None, NOISE_UNKNOWN
    rows_s = np.array([_edges_s(inward, beat, times_s, within_pct) for beat in moving])
    cycles_s = np.array([times_s[beat.end_idx] - times_s[beat.ed_idx] for beat in moving])
    early_ms, time_ms, late_ms = (1000 * rows_s.mean(0)).tolist()
    early_pct, time_pct, late_pct = (100 * (rows_s / cycles_s[:, None]).mean(0)).tolist()
    return PeakTime(time_ms, (early_ms, late_ms), time_pct, (early_pct, late_pct)), None


def beat_noise_pct(inward: Array, beats: Sequence[EchoBeat], times_s: Array) -> float | None:
    """Standard deviation of one beat's curve from that of all, in points; None with a single beat.

    Beats are laid upon each other by the time since end-diastole, as far as the shortest one goes: systole keeps its
    length better than the cycle does.
    """
    if len(beats) < 2:
        return None
    shortest_s = min(float(times_s[beat.end_idx] - times_s[beat.ed_idx]) for beat in beats)
    n_samples = max(FEWEST_SAMPLES, min(beat.end_idx - beat.ed_idx for beat in beats) + 1)
    since_s = np.linspace(0.0, shortest_s, n_samples)[1:]  # every curve begins at 0
    rows = [
        np.interp(since_s, times_s[beat.ed_idx : beat.end_idx + 1] - times_s[beat.ed_idx], _curve(inward, beat))
        for beat in beats
    ]
    return math.sqrt(float(np.var(rows, axis=0, ddof=1).mean()))


def _curve(inward: Array, beat: EchoBeat) -> Array:
    return inward[beat.ed_idx : beat.end_idx + 1]


def _is_known(inward: Array, beat: EchoBeat) -> bool:
    return bool(np.isfinite(_curve(inward, beat)).all())


def _edges_s(inward: Array, beat: EchoBeat, times_s: Array, within_pct: float) -> tuple[float, float, float]:
    """Earliest, found and latest time of one beat's peak since end-diastole."""
    curve, since_s = _curve(inward, beat), times_s[beat.ed_idx : beat.end_idx + 1] - times_s[beat.ed_idx]
    near_s = since_s[curve >= curve.max() - within_pct]
    frame_s = float(np.median(np.diff(since_s)))  # half of one at end-diastole and half of one at the peak
    found_s = float(since_s[np.argmax(curve)])
    return max(0.0, float(near_s[0]) - frame_s), found_s, min(float(since_s[-1]), float(near_s[-1]) + frame_s)
