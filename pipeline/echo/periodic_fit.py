"""The curve that repeats with every beat: what all beats of a clip share tells more of a flat summit than one beat.

A constant, a slope and the first harmonics of the heart rate, fitted by least squares.
"""

from __future__ import annotations

import numpy as np

from pipeline.echo.steadiness import step_s
from pipeline.records import Array

N_HARMONICS = 10
HIGHEST_PART = 0.4
"""Of the frame rate: harmonics above it follow single frames."""
FEWEST_CYCLES = 2.0
PERIODS = np.linspace(0.97, 1.03, 13)
LARGEST_RESIDUAL = 0.05
"""Part of the curve's range; beats that differ more are not of one length and form, and keep their own extremes."""


def periodic_fit(curve: Array, times_s: Array, period_s: float) -> Array | None:
    """The repeating curve, float64 (n_frames,) in the curve's unit; None where the beats do not repeat.

    Parameters
    ----------
    curve, times_s : float64 (n_frames,)
        Without NaN.
    period_s : float
        Length of the cycle; the best within 3 % of it is taken.
    """
    n_harmonics = min(N_HARMONICS, int(HIGHEST_PART * period_s / step_s(times_s)))
    enough = times_s[-1] - times_s[0] >= FEWEST_CYCLES * period_s and len(curve) > 2 * (2 * n_harmonics + 2)
    if n_harmonics < 2 or not enough:
        return None
    fits = [_fit(curve, times_s, part * period_s, n_harmonics) for part in PERIODS]
    best = min(fits, key=lambda fit: float(np.sum((fit - curve) ** 2)))
    residual = float(np.sqrt(np.mean((best - curve) ** 2)))
    return best if residual <= LARGEST_RESIDUAL * float(np.ptp(curve)) else None


def _fit(curve: Array, times_s: Array, period_s: float, n_harmonics: int) -> Array:
    angles = np.outer(times_s, 2 * np.pi / period_s * np.arange(1, n_harmonics + 1))
    trend = np.stack([np.ones(len(times_s)), times_s - times_s.mean()], -1)
    terms = np.concatenate([trend, np.cos(angles), np.sin(angles)], axis=1)
    return np.asarray(terms @ np.linalg.lstsq(terms, curve, rcond=None)[0])
