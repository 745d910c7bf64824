"""Where each P wave begins and ends, and whether there is one.

A P wave is claimed only where it repeats: the stretch before the QRS must look alike from beat to beat, over all
leads at once. Fibrillation, noise and dissociated P waves do not repeat, and get no boundaries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.ecg.waves import at, first_true, last_true, smooth, toward_median, windows
from pipeline.records import Array

_SIGMA_MS = 8.0
_WINDOW_S = 0.34  # before the QRS: a PR interval of 340 ms
_SHORTEST_S = 0.048
_QRS_S = 0.1  # a P wave begins at least this long after the QRS before
_GUARD_STEPS = 3  # next to the QRS, whose smoothing reaches here
_LAG_S = 0.04  # how far a P wave may lie from its usual place
_AGREE_S, _LIMB_S = 0.04, 0.07
_ONSET_SHARE, _END_SHARE = 0.4, 0.65  # of the limb's steepest slope
_OWN_SHARE, _MOST_S = 0.5, 0.03
_LEAST_ALIKE = 0.65  # median likeness of the beats to their template, to believe in P waves at all
_LEAST_ALIKE_BEAT = 0.4
_SURE_ALIKE, _SURE_ALIKE_BEAT = 0.9, 0.8  # from here on the signal alone says that there is a P wave, where it also
_SURE_OVER_REST = 1.0  # is larger, in most leads, than what the beats differ by
_LEAST_MV = 0.02


@dataclass(frozen=True, slots=True)
class PWaves:
    """What the signal says about the P waves of one stretch."""

    onset: Array  # float64 (n_leads, n_beats), sample positions, NaN where there is none
    end: Array
    is_sure: Array  # bool (n_beats,): it repeats so well that nothing else need confirm it


@dataclass(frozen=True, slots=True)
class _Window:
    """Samples before each QRS, thinned to about 250 a second, a straight line from end to end taken away."""

    level: Array  # (n_leads, n_beats, n_steps)
    searched: Array  # bool (n_beats, n_steps): after the T wave before, before the QRS
    onset: Array  # (n_beats,) sample position of the step after the last
    step: int
    rate_hz: float


def p_bounds(
    signal_mv: Array, sampling_rate_hz: float, qrs_on: Array, qrs_off: Array, t_off: Array, is_usual: Array
) -> PWaves:
    """Onset and end of every P wave.

    `is_usual` is bool (n_beats,): the beats that make up the template; others may still match it.
    """
    nowhere = np.full(qrs_on.shape, np.nan)
    none = PWaves(nowhere, nowhere, np.zeros(qrs_on.shape[1], bool))
    if is_usual.sum() < 2:
        return none
    window = _window(signal_mv, sampling_rate_hz, qrs_on, qrs_off, t_off)
    template = np.median(window.level[:, is_usual], axis=1)
    likeness, lag = _likeness(window, template, int(is_usual.sum()))
    usual = float(np.median(likeness[is_usual]))
    if usual < _LEAST_ALIKE or np.abs(template).max() < _LEAST_MV:
        return none
    onset, end = _template_bounds(template, window.rate_hz)
    first = window.onset - window.step * template.shape[1]
    has_p = (likeness >= _LEAST_ALIKE_BEAT)[None, :]
    on = first[None, :] + window.step * (onset[:, None] + lag[None, :])
    off = first[None, :] + window.step * (end[:, None] + lag[None, :])
    sure = np.full(likeness.size, usual >= _SURE_ALIKE and _over_rest(window, template) >= _SURE_OVER_REST)
    return PWaves(
        np.where(has_p, on, np.nan), np.where(has_p, off, np.nan), np.asarray(sure & (likeness >= _SURE_ALIKE_BEAT))
    )


def _over_rest(window: _Window, template: Array) -> float:
    """Size of the template over what it leaves of the beats, the median over leads."""
    rest = np.sqrt(np.mean((window.level - template[:, None]) ** 2, axis=(1, 2)))
    return float(np.median(np.sqrt(np.mean(template**2, axis=1)) / np.maximum(rest, 1e-9)))


def _window(signal_mv: Array, sampling_rate_hz: float, qrs_on: Array, qrs_off: Array, t_off: Array) -> _Window:
    step = max(1, round(sampling_rate_hz / 250.0))
    rate_hz = sampling_rate_hz / step
    n_steps = int(_WINDOW_S * rate_hz)
    onset = np.median(qrs_on, axis=0)
    steps = np.arange(n_steps)
    smoothed = smooth(signal_mv, _SIGMA_MS, sampling_rate_hz)
    level = windows(smoothed, onset[:, None] + step * (steps - n_steps)[None, :])
    has_t = np.isfinite(t_off).any(axis=0)
    t_end = np.full(onset.size, -np.inf)
    t_end[has_t] = np.nanmedian(t_off[:, has_t], axis=0)
    free_from = np.maximum(t_end, np.median(qrs_off, axis=0) + _QRS_S * sampling_rate_hz)
    free_from = np.concatenate([[-np.inf], free_from[:-1]])
    start = np.maximum(np.ceil((free_from - onset) / step), -n_steps) + n_steps
    last = n_steps - 1 - _GUARD_STEPS
    start = np.clip(start, 0, last - int(_SHORTEST_S * rate_hz)).astype(np.int64)
    searched = (steps >= start[:, None]) & (steps <= last)
    share = np.clip((steps - start[:, None]) / (last - start[:, None]), 0.0, 1.0)
    low = at(level, np.broadcast_to(start, level.shape[:2]))
    level = np.where(searched[None], level - low - (level[..., last : last + 1] - low) * share[None], 0.0)
    return _Window(level, searched, onset, step, rate_hz)


def _likeness(window: _Window, template: Array, n_in_template: int) -> tuple[Array, Array]:
    """Likeness of every beat to the template and the lag in steps at which it is largest.

    The correlation is over leads and time, freed of each beat's own share in the template, so that beats without
    anything in common score about 0 however few they are.
    """
    reach = int(_LAG_S * window.rate_hz)
    n_steps = template.shape[1]
    padded = np.pad(template, ((0, 0), (reach, reach)))
    energy = np.sum(window.level**2, axis=(0, 2))
    best, best_lag = np.full(energy.size, -1.0), np.zeros(energy.size)
    for lag in sorted(range(-reach, reach + 1), key=abs):
        moved = padded[:, None, reach - lag : reach - lag + n_steps] * window.searched[None]
        norm = np.sqrt(energy * np.sum(moved**2, axis=(0, 2)))
        alike = np.sum(window.level * moved, axis=(0, 2)) / np.maximum(norm, 1e-9)
        better = alike > best + 1e-6
        best, best_lag = np.where(better, alike, best), np.where(better, float(lag), best_lag)
    square = (n_in_template * best**2 - 1.0) / max(n_in_template - 1, 1)
    return np.sign(best) * np.sqrt(np.clip(square, 0.0, 1.0)), best_lag


def _template_bounds(template: Array, rate_hz: float) -> tuple[Array, Array]:
    """Onset and end in the template, (n_leads,) steps each: where a limb's slope has fallen to a part of its top."""
    steps = np.arange(template.shape[1])
    together = np.sqrt(np.mean(template**2, axis=0))
    near = np.abs(steps - together.argmax()) <= _AGREE_S * rate_hz
    peak = np.where(near, np.abs(template), 0.0).argmax(axis=1)[:, None]
    slope = np.abs(np.gradient(template, axis=1))
    reach = _LIMB_S * rate_hz
    rising = np.where((steps <= peak) & (steps >= peak - reach), slope, -1.0).argmax(axis=1)
    falling = np.where((steps >= peak) & (steps <= peak + reach), slope, -1.0).argmax(axis=1)
    calm_before = (slope < _ONSET_SHARE * at(slope, rising)) & (steps <= rising[:, None])
    calm_after = (slope < _END_SHARE * at(slope, falling)) & (steps >= falling[:, None])
    onset = np.maximum(last_true(calm_before), 0).astype(np.float64)
    end = np.minimum(first_true(calm_after), steps.size - 1).astype(np.float64)
    most = _MOST_S * rate_hz
    return toward_median(onset, _OWN_SHARE, most), toward_median(end, _OWN_SHARE, most)
