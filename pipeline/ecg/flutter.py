"""Atrial flutter: regular atrial waves at 210 to 360 a minute that go on whatever the ventricles do.

The QRS complexes are blanked and the rest is compared with itself one, two and three flutter cycles later. Where the
waves return in step, the first number below is high; so it may be with a T wave and a P wave that happen to lie one
cycle apart. The second number is the same after the usual beat was taken away: what belongs to the beat is gone then.
Flutter conducted at a fixed ratio loses part of its waves too, but seldom all. Both together decide.

Source: the rates of typical flutter are those of the 2023 ACC/AHA/ACCP/HRS atrial fibrillation guideline, doi
10.1161/CIR.0000000000001193; the measure and its limits are this project's own, chosen on three patients with flutter
among 150 of LUDB. Coarse fibrillation with irregular waves does not reach them.
"""

from __future__ import annotations

import itertools

import numpy as np

from pipeline.ecg.envelope import fill_gaps
from pipeline.records import Array

_WINDOW_S = 10.0
_RATE_HZ = 125.0
_BAND_HZ = (2.0, 20.0)
_BLANK_S = (0.06, 0.10)  # around R
_BEAT_S = (0.10, 0.45)  # around R, of the usual beat that is taken away
_NEXT_BEAT_S = 0.1  # before the next R the usual beat ends
_CYCLES_S = np.arange(0.167, 0.286, 0.002)
_STEPS = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0])  # cycles
_LEAST_BEATS = 5
_LEAST_STRENGTH, _LEAST_AFTER = 0.26, 0.15
_MOST_VENTRICULAR = 0.3  # share of ventricular beats beyond which waves are not the atria's
_LEAST_OVERLAP = 0.15


def flutter_beats(signal_mv: Array, sampling_rate_hz: float, peaks: Array, is_ventricular: Array) -> Array:
    """Whether each beat lies in a stretch of suspected atrial flutter.

    Parameters
    ----------
    signal_mv
        float (n_leads, n_samples), mV; NaN where a sample is missing.
    peaks
        int (n_beats,), ascending; `is_ventricular` is bool (n_beats,).

    Returns
    -------
    bool (n_beats,), decided in stretches of about 10 s; False where a stretch has fewer than five beats.
    """
    found = np.zeros(peaks.size, bool)
    n_windows = max(1, round(signal_mv.shape[1] / (_WINDOW_S * sampling_rate_hz)))
    edges = np.linspace(0, signal_mv.shape[1], n_windows + 1).astype(np.int64)
    for first, last in itertools.pairwise(edges):
        inside = (peaks >= first) & (peaks < last)
        if inside.sum() < _LEAST_BEATS or is_ventricular[inside].mean() > _MOST_VENTRICULAR:
            continue
        before, after = atrial_periodicity(signal_mv[:, first:last], sampling_rate_hz, peaks[inside] - first)
        together = float(np.sqrt(max(before, 0.0) * max(after, 0.0)))
        found[inside] = together >= _LEAST_STRENGTH and after >= _LEAST_AFTER
    return found


def atrial_periodicity(signal_mv: Array, sampling_rate_hz: float, peaks: Array) -> tuple[float, float]:
    """How well the atrial waves return in step, -1 to 1: with the usual beat, and after it was taken away.

    It is that of the second best lead, so that one lead's artefact is not enough; of the only one where there is one.
    """
    step = max(1, round(sampling_rate_hz / _RATE_HZ))
    rate_hz, n_steps = sampling_rate_hz / step, signal_mv.shape[1] // step
    known = np.isfinite(signal_mv).mean(axis=1) > 0.9
    if n_steps < rate_hz or not known.any():
        return 0.0, 0.0
    slow = fill_gaps(signal_mv[known])[:, : n_steps * step].reshape(int(known.sum()), n_steps, step).mean(axis=2)
    level, beats = _band_passed(slow, rate_hz), peaks // step
    seen = np.ones(n_steps, bool)
    for beat in beats:
        seen[max(0, beat - int(_BLANK_S[0] * rate_hz)) : beat + int(_BLANK_S[1] * rate_hz)] = False
    return (
        _second_best(_periodicity(level, seen, rate_hz)),
        _second_best(_periodicity(_without_usual_beat(level, beats, rate_hz), seen, rate_hz)),
    )


def _second_best(strengths: Array) -> float:
    return float(np.sort(strengths)[-min(2, strengths.size)])


def _band_passed(level: Array, rate_hz: float) -> Array:
    """Flutter waves and their first harmonics: zero phase, edges mirrored."""
    from scipy.signal import butter, sosfiltfilt

    return np.asarray(sosfiltfilt(butter(2, _BAND_HZ, "band", fs=rate_hz, output="sos"), level, axis=1))


def _without_usual_beat(level: Array, beats: Array, rate_hz: float) -> Array:
    """Take the median beat away from every beat."""
    usual_rr = float(np.median(np.diff(beats)))
    before = int(_BEAT_S[0] * rate_hz)
    after = int(min(_BEAT_S[1] * rate_hz, usual_rr - _NEXT_BEAT_S * rate_hz))
    whole = beats[(beats >= before) & (beats + after < level.shape[1])]
    if after <= 0 or whole.size < 3:
        return level
    spots = whole[:, None] + np.arange(-before, after)[None, :]
    usual = np.median(level[:, spots], axis=1)
    rest = level.copy()
    for beat in whole:
        rest[:, beat - before : beat + after] -= usual
    return rest


def _periodicity(level: Array, seen: Array, rate_hz: float) -> Array:
    """Best over the cycle lengths: high after whole cycles, low after half ones, (n_leads,)."""
    alike = _self_likeness(level, seen)
    n_lags = alike.shape[1]
    lags = np.minimum(np.rint(_CYCLES_S[:, None] * _STEPS[None, :] * rate_hz).astype(np.int64), n_lags - 1)
    half, whole = alike[:, lags[:, ::2]], alike[:, lags[:, 1::2]]
    contrast = 0.5 * (whole.mean(axis=2) - half.mean(axis=2))
    return np.asarray(np.minimum(contrast, whole.min(axis=2)).max(axis=1))


def _self_likeness(level: Array, seen: Array) -> Array:
    """Correlation (n_leads, n_lags) of the seen samples with those a lag later; 0 where too few are seen."""
    weight = seen.astype(np.float64)
    centred = (level - level[:, seen].mean(axis=1, keepdims=True)) * weight
    length = 2 * level.shape[1]
    own, power, mask = (np.fft.rfft(part, length) for part in (centred, centred**2, weight))
    n_lags = level.shape[1] // 2

    def back(spectrum: Array) -> Array:
        return np.asarray(np.fft.irfft(spectrum, length)[..., :n_lags])

    energy = back(np.conj(power) * mask) * back(power * np.conj(mask))
    alike = back(np.abs(own) ** 2) / np.sqrt(np.maximum(energy, 1e-18))
    alike[:, back(np.abs(mask) ** 2) < _LEAST_OVERLAP * seen.sum()] = 0.0
    return np.asarray(alike)
