"""Atrial fibrillation, beat by beat: irregular without a pattern, and without P waves.

Irregularity is the median change of RR over a window, taken against the 1st to 4th RR before and the smallest kept:
bigeminy repeats itself after two beats, trigeminy after three, fibrillation never. P waves come from the
delineation, which claims one only where it repeats from beat to beat.

Source: both signs are the definition of atrial fibrillation in the 2024 ESC guideline, doi
10.1093/eurheartj/ehae176; the limits are this project's own, chosen on the training half of the MIT-BIH Arrhythmia
Database.
"""

from __future__ import annotations

import numpy as np

from pipeline.ecg.waves import running_mean, running_median
from pipeline.records import Array

_WINDOW = 31  # beats
_LAGS = (1, 2, 3, 4)
_LEAST_BEATS = 7
_IRREGULAR = 0.09  # of the usual RR
_IRREGULAR_ALONE = 0.12  # when the trace itself is not given
_MOST_P_SHARE = 0.4


def af_burden(r_peaks_idx: Array, sampling_rate_hz: float, signal_mv: Array | None = None) -> Array:
    """Whether each beat lies in suspected atrial fibrillation; flutter is told apart where its waves show.

    Parameters
    ----------
    r_peaks_idx
        int (n_beats,), ascending.
    signal_mv
        float (n_leads, n_samples), mV, to look for P waves; without it the RR intervals alone decide.

    Returns
    -------
    bool (n_beats,); all False for fewer than 7 beats.
    """
    peaks = np.asarray(r_peaks_idx, np.int64)
    if signal_mv is None or peaks.size < _LEAST_BEATS:
        return fibrillation(peaks, sampling_rate_hz, None)
    from pipeline.ecg.beat_classes import classify_beats
    from pipeline.ecg.flutter import flutter_beats

    signal_mv = np.atleast_2d(np.asarray(signal_mv))
    ventricular = classify_beats(signal_mv, sampling_rate_hz, peaks) == "V"
    called = fibrillation(peaks, sampling_rate_hz, p_seen(signal_mv, sampling_rate_hz, peaks, ventricular))
    return called & ~flutter_beats(signal_mv, sampling_rate_hz, peaks, ventricular)


def p_seen(signal_mv: Array, sampling_rate_hz: float, peaks: Array, ventricular: Array) -> Array:
    """Bool (n_beats,): the signal shows a P wave in some lead of (n_leads, n_samples).

    By the signal alone, without the network: the rule for fibrillation was set on what it sees, and flutter waves
    count among it.
    """
    from pipeline.ecg.delineation import delineate_with

    waves = delineate_with(None, signal_mv, sampling_rate_hz, peaks, ~ventricular)
    return np.asarray(np.isfinite(waves.p_on).any(axis=0))


def fibrillation(peaks: Array, sampling_rate_hz: float, has_p: Array | None) -> Array:
    """The decision of `af_burden` from bool (n_beats,) of P waves found, None where the trace was not looked at."""
    if peaks.size < _LEAST_BEATS:
        return np.zeros(peaks.size, bool)
    irregular = rr_irregularity(peaks, sampling_rate_hz)
    if has_p is None:
        called = irregular > _IRREGULAR_ALONE
    else:
        p_share = running_mean(has_p.astype(np.float64), _WINDOW)
        called = (irregular > _IRREGULAR) & (p_share < _MOST_P_SHARE)
    return np.asarray(running_median(called.astype(np.float64), _WINDOW) > 0.5)


def rr_irregularity(peaks: Array, sampling_rate_hz: float) -> Array:
    """Patternless change of RR around each beat as a share of the usual RR, float64 (n_beats,), n_beats >= 7."""
    rr_s = np.clip(np.diff(peaks) / sampling_rate_hz, 0.2, 2.5)
    usual = running_median(rr_s, _WINDOW)
    least = np.full(rr_s.size, np.inf)
    for lag in _LAGS:
        change = running_median(np.abs(rr_s[lag:] - rr_s[:-lag]), _WINDOW)
        least = np.minimum(least, np.concatenate([np.full(lag, change[0]), change]) / usual)
    return np.concatenate([least[:1], least])
