"""The shape of every beat against the usual beat around it: QRS and T wave.

All leads speak together: each is scaled by its own usual QRS and weighted by its clarity, so that the features mean
the same for one lead as for twelve.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.ecg.envelope import LEAST_CLARITY, fill_gaps, qrs_envelope
from pipeline.ecg.preceding_wave import P_FEATURES, preceding_wave
from pipeline.ecg.waves import smooth, windows, without_baseline
from pipeline.records import Array

_RATE_HZ = 125.0
_SIGMA_MS = 6.0
_MARGIN_S = 1.0
_QRS_S, _T_S = (-0.12, 0.20), (0.16, 0.44)
_LAG_STEPS = 8  # R and S of one complex may take turns as the peak
_FULL_CLARITY = 25.0  # from here on a lead counts in full
_SAME_SHAPE, _ALIKE, _CLOSE = 0.90, 0.85, 0.95
_LEAST_FOR_TEMPLATE = 3
_TINY = 1e-9

SHAPE_FEATURES = (
    "alike",  # correlation with the usual beat
    "alike_before",  # the same of the beat before and of the beat after
    "alike_after",
    "like_previous",  # correlation with the beat before and with the beat after
    "like_next",
    "width",  # ln of the duration of the QRS energy over the usual one
    "width_s",
    "usual_width_s",
    "energy",  # ln of RMS over the usual one
    "slope",  # ln of the steepest slope over the usual one
    "gain",  # regression on the usual beat: negative where the polarity is the other one
    "surplus",  # ln of RMS of what the usual beat leaves over, against its usual size
    "t_alike",
    "common",  # share of beats nearby with this shape
    "kin_pre",  # mean timing of the beats with this shape
    "kin_post",
    "close_pre",  # the same of the beats that are closest in shape
    "close_post",
    *P_FEATURES,
)


@dataclass(frozen=True, slots=True)
class _Trace:
    """Clear leads at about 125 Hz without drift, each scaled to its weight, and where the beats are on it."""

    level: Array  # (n_clear_leads, n_steps)
    steps: Array  # int (n_beats,)
    rate_hz: float

    def cut(self, span_s: tuple[float, float], shift: Array | int = 0) -> Array:
        """Parts (n_leads, n_beats, n_steps) around beats moved by `shift` steps, their median taken away."""
        grid = np.arange(int(np.floor(span_s[0] * self.rate_hz)), int(np.ceil(span_s[1] * self.rate_hz)) + 1)
        parts = windows(self.level, (self.steps + shift)[:, None] + grid[None, :])
        return np.asarray(parts - np.median(parts, axis=2, keepdims=True))


def shape_features(
    signal_mv: Array, sampling_rate_hz: float, peaks: Array, on_time: Array, pre: Array, post: Array
) -> tuple[dict[str, Array], Array] | None:
    """Shape of every beat of one block, and the aligned beats themselves; None without a lead.

    The first is float64 (n_beats,) for every name of `SHAPE_FEATURES`, the second float32 (n_beats, n_values) of all
    leads one after the other, each row of energy 1: the product of two rows is their correlation.

    Parameters
    ----------
    signal_mv
        float (n_leads, n_samples), mV; NaN where a sample is missing.
    peaks
        int (n_beats,), ascending; `on_time` bool, `pre` and `post` float of the same length (see beat_timing).
    """
    trace = _trace(signal_mv, sampling_rate_hz, peaks)
    if trace.level.shape[0] == 0:
        return None
    template, alike, lag = _usual_beat(trace.cut(_QRS_S), on_time)
    same = (alike > _SAME_SHAPE) & on_time
    if same.sum() < _LEAST_FOR_TEMPLATE:
        same = alike >= np.median(alike)
    aligned = trace.cut(_QRS_S, lag)
    found = _qrs_features(aligned, template, same, trace.rate_hz)
    rows = _unit_rows(aligned)
    found |= _kinship(rows, pre, post)
    found |= {
        "alike": alike,
        "alike_before": np.concatenate([alike[:1], alike[:-1]]),
        "alike_after": np.concatenate([alike[1:], alike[-1:]]),
    }
    t_parts = trace.cut(_T_S, lag)
    found["t_alike"] = correlation(t_parts, np.median(t_parts[:, same], axis=1)[:, None])
    found |= preceding_wave(trace.level, trace.steps + lag, trace.rate_hz, same)
    return found, rows.astype(np.float32)


def _trace(signal_mv: Array, sampling_rate_hz: float, peaks: Array) -> _Trace:
    origin = max(0, int(peaks[0] - _MARGIN_S * sampling_rate_hz))
    filled = fill_gaps(signal_mv[:, origin : int(peaks[-1] + _MARGIN_S * sampling_rate_hz)])
    step = max(1, round(sampling_rate_hz / _RATE_HZ))
    rate_hz, n_steps = sampling_rate_hz / step, filled.shape[1] // step
    slow = filled[:, : n_steps * step].reshape(filled.shape[0], n_steps, step).mean(axis=2)
    clarity = qrs_envelope(slow, rate_hz).lead_clarity
    clear = clarity >= LEAST_CLARITY
    steps = (peaks - origin) // step
    if not clear.any():
        return _Trace(slow[clear], steps, rate_hz)
    level = smooth(without_baseline(slow[clear], rate_hz), _SIGMA_MS, rate_hz)
    energy = np.median(_rms(_Trace(level, steps, rate_hz).cut(_QRS_S), axis=2), axis=1)
    weight = np.minimum(clarity[clear], _FULL_CLARITY) / _FULL_CLARITY
    return _Trace(level * (weight / np.maximum(energy, _TINY))[:, None], steps, rate_hz)


def _rms(parts: Array, axis: int | tuple[int, ...] = (0, 2)) -> Array:
    return np.asarray(np.sqrt(np.mean(parts**2, axis=axis)))


def correlation(parts: Array, others: Array) -> Array:
    """Correlation (n_beats,) over leads and time of two (n_leads, n_beats, n_steps)."""
    energy = np.sum(parts**2, axis=(0, 2)) * np.sum(others**2, axis=(0, 2))
    return np.asarray(np.sum(parts * others, axis=(0, 2)) / np.maximum(np.sqrt(energy), _TINY))


def _usual_beat(parts: Array, on_time: Array) -> tuple[Array, Array, Array]:
    """Template (n_leads, n_steps), likeness (n_beats,) and lag in steps (n_beats,); the template is refined once."""
    chosen = on_time if on_time.sum() >= _LEAST_FOR_TEMPLATE else np.ones_like(on_time)
    template = np.median(parts[:, chosen], axis=1)
    alike, lag = _best_lag(parts, template)
    same = (alike > _SAME_SHAPE) & chosen
    if same.sum() >= _LEAST_FOR_TEMPLATE:
        template = np.median(parts[:, same], axis=1)
        alike, lag = _best_lag(parts, template)
    return template, alike, lag


def _best_lag(parts: Array, template: Array) -> tuple[Array, Array]:
    """Largest correlation over small lags, and how many steps the beat must be moved for it."""
    n_steps = template.shape[1]
    padded = np.pad(template, ((0, 0), (_LAG_STEPS, _LAG_STEPS)), mode="edge")
    best, best_lag = np.full(parts.shape[1], -2.0), np.zeros(parts.shape[1], np.int64)
    for lag in sorted(range(-_LAG_STEPS, _LAG_STEPS + 1), key=abs):
        alike = correlation(parts, padded[:, None, _LAG_STEPS - lag : _LAG_STEPS - lag + n_steps])
        better = alike > best + 1e-6
        best, best_lag = np.where(better, alike, best), np.where(better, lag, best_lag)
    return best, best_lag


def _qrs_features(aligned: Array, template: Array, same: Array, rate_hz: float) -> dict[str, Array]:
    """Size, width and steepness against the beats of the usual shape."""
    slope = np.gradient(aligned, axis=2)
    share = np.cumsum(np.sum(slope**2, axis=0), axis=1)
    share = share / np.maximum(share[:, -1:], _TINY)
    width_s = (((share > 0.1) & (share < 0.9)).sum(axis=1) + 1.0) / rate_hz
    usual_width_s = float(np.median(width_s[same]))
    gain = np.sum(aligned * template[:, None], axis=(0, 2)) / max(float(np.sum(template**2)), _TINY)
    usual = np.median(aligned[:, same], axis=1)
    return {
        "width": np.log(width_s / usual_width_s),
        "width_s": width_s,
        "usual_width_s": np.full(width_s.size, usual_width_s),
        "energy": against_usual(_rms(aligned), same),
        "slope": against_usual(np.sqrt(np.mean(slope**2, axis=0)).max(axis=1), same),
        "gain": gain,
        "surplus": against_usual(_rms(aligned - usual[:, None]), same),
    }


def against_usual(values: Array, same: Array) -> Array:
    """Ln of values over their median in the usual beats."""
    return np.asarray(np.log(np.maximum(values, _TINY) / max(float(np.median(values[same])), _TINY)))


def _unit_rows(aligned: Array) -> Array:
    flat = np.moveaxis(aligned, 1, 0).reshape(aligned.shape[1], -1)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), _TINY))


def _kinship(rows: Array, pre: Array, post: Array) -> dict[str, Array]:
    """How common each shape is, how its beats are timed, and how like their neighbours beats are."""
    alike = rows @ rows.T
    np.fill_diagonal(alike, 1.0)
    kin, close = (alike > _ALIKE).astype(np.float64), (alike > _CLOSE).astype(np.float64)
    count, n_close = kin.sum(axis=1), close.sum(axis=1)
    next_to = np.diagonal(alike, 1)
    end = np.ones(1)
    return {
        "common": count / count.size,
        "kin_pre": kin @ pre / count,
        "kin_post": kin @ post / count,
        "close_pre": close @ pre / n_close,
        "close_post": close @ post / n_close,
        "like_previous": np.concatenate([end, next_to]),
        "like_next": np.concatenate([next_to, end]),
    }
