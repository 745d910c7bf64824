"""What lies before each QRS, where the P wave should be, against what usually lies there.

What the beat before leaves behind, its T wave, is taken away first, so that a P wave on top of a T wave still shows.
"""

from __future__ import annotations

import numpy as np

from pipeline.ecg.waves import windows
from pipeline.records import Array

_P_S = (-0.28, -0.06)
_TAIL_S = (0.10, 0.80)  # of the beat before, counted from its R
_LAG_STEPS = 5
_LEAST_FOR_TEMPLATE = 3
_TINY = 1e-9

P_FEATURES = (
    "p_alike",  # correlation of the stretch before the QRS with the usual one
    "p_gain",  # regression on the usual one
    "p_surplus",  # ln of RMS of what the usual one leaves over, against its usual size
    "p_energy",  # ln of RMS over the usual one
    "p_strength",  # RMS of the usual stretch over what beats usually differ by
)


def preceding_wave(level: Array, steps: Array, rate_hz: float, same: Array) -> dict[str, Array]:
    """The stretch before each QRS: one float64 (n_beats,) for every name of `P_FEATURES`.

    Parameters
    ----------
    level
        float (n_leads, n_steps), leads without drift, scaled to be compared.
    steps
        int (n_beats,), aligned beats; `same` is bool (n_beats,), the beats of the usual shape and timing.
    """
    grid = _grid(_P_S, rate_hz)
    parts = windows(level, steps[:, None] + grid[None, :]) - _left_behind(level, steps, rate_hz, same)
    parts = parts - parts.mean(axis=2, keepdims=True)
    template = np.median(parts[:, same], axis=1)[:, None]
    best, gain = _best_match(parts, template)
    surplus, energy = _rms(parts - template), _rms(parts)
    usual_surplus = max(float(np.median(surplus[same])), _TINY)
    strength = float(np.sqrt(np.mean(template**2))) / usual_surplus
    return {
        "p_alike": best,
        "p_gain": np.clip(gain, -20.0, 20.0),
        "p_surplus": np.log(np.maximum(surplus, _TINY) / usual_surplus),
        "p_energy": np.log(np.maximum(energy, _TINY) / max(float(np.median(energy[same])), _TINY)),
        "p_strength": np.full(best.size, strength),
    }


def _grid(span_s: tuple[float, float], rate_hz: float) -> Array:
    return np.arange(int(np.floor(span_s[0] * rate_hz)), int(np.ceil(span_s[1] * rate_hz)) + 1)


def _rms(parts: Array) -> Array:
    return np.asarray(np.sqrt(np.mean(parts**2, axis=(0, 2))))


def _best_match(parts: Array, template: Array) -> tuple[Array, Array]:
    """Largest correlation with the template over small shifts, and the regression there, (n_beats,) each."""
    best, gain = np.full(parts.shape[1], -2.0), np.zeros(parts.shape[1])
    own, scale = np.sqrt(np.sum(parts**2, axis=(0, 2))), max(float(np.sqrt(np.sum(template**2))), _TINY)
    for shift in sorted(range(-_LAG_STEPS, _LAG_STEPS + 1), key=abs):
        product = np.einsum("lbs,ls->b", parts, np.roll(template[:, 0], shift, axis=1))
        alike = product / np.maximum(own * scale, _TINY)
        better = alike > best + 1e-6
        best, gain = np.where(better, alike, best), np.where(better, product / scale**2, gain)
    return best, gain


def _left_behind(level: Array, steps: Array, rate_hz: float, same: Array) -> Array:
    """What the beat before is expected to add to the stretch before each beat, (n_leads, n_beats, n_steps)."""
    grid, tail = _grid(_P_S, rate_hz), _grid(_TAIL_S, rate_hz)
    positions = steps[:, None] + tail[None, :]
    tails = windows(level, positions)
    limit = np.concatenate([steps[1:], [level.shape[1]]]) + grid[0]
    tails[:, positions > limit[:, None]] = np.nan
    known = np.isfinite(tails[0, same]).sum(axis=0) >= _LEAST_FOR_TEMPLATE
    usual = np.zeros((level.shape[0], tail.size))
    usual[:, known] = np.nanmedian(tails[:, same][:, :, known], axis=1)
    since = np.diff(steps)[:, None] + grid[None, :] - tail[0]
    inside = (since >= 0) & (since < tail.size) & same[:-1, None]
    expected = np.zeros((level.shape[0], steps.size, grid.size))
    expected[:, 1:] = np.where(inside, usual[:, np.clip(since, 0, tail.size - 1)], 0.0)
    return expected
