"""Heart rate variability, each index only from records long enough for it.

Source: Task Force ESC/NASPE 1996, Circulation 93:1043 (definitions, bands, minimum lengths). The share of ectopic
beats from which all indices are refused is a rule of this project.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.ecg.waves import running_median
from pipeline.records import Array

_DAY_S = 86_400.0
LEAST_RECORD_S: dict[str, float] = {
    "rmssd": 10.0,
    "sdnn": 10.0,
    "pnn50": 60.0,
    "hf": 60.0,
    "lf": 120.0,
    "lf_hf": 120.0,
    "vlf": 300.0,
    "dfa_alpha1": 300.0,
    "sample_entropy": 300.0,
    "triangular_index": 1200.0,
    "sdann": _DAY_S,
    "ulf": _DAY_S,
}
SDNN_INDICATIVE_S = 60.0
_LENGTH_TOLERANCE_S = 0.5  # a "10 s" record may be a few samples short
_DAY_SHARE = 0.9  # "24 h" recorders run for 22 h and more
_MOST_ECTOPIC_SHARE = 0.10
_LEAST_NORMAL_SHARE = 0.8  # of the record that normal intervals must cover
_NN_RANGE_S = (0.3, 2.0)
_MOST_JUMP = 0.3  # of the local median: a larger one is a missed or an extra beat
_LEAST_INTERVALS = 5
_HISTOGRAM_BIN_MS = 1000.0 / 128.0
_PART_S, _LEAST_PART = 300.0, 0.5  # the five minutes of SDANN, and how much of them must be normal
_ULF_HZ, _ULF_RATE_HZ = 0.0033, 0.25
_ENTROPY_BEATS = 1000  # time and memory grow with its square
_ALPHA1_BEATS = range(4, 17)
_LEAST_VARIANCE = 1e-8  # ms²: below it a window does not vary


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalIntervals:
    """RR intervals between normal beats; `pair` marks those whose predecessor is normal too."""

    nn_ms: Array  # float64 (n_intervals,)
    end_s: Array  # float64 (n_intervals,), time of the beat that ends it
    pair: Array  # bool (n_intervals,)


def normal_intervals(r_peaks_idx: Array, sampling_rate_hz: float, beat_classes: Array) -> NormalIntervals:
    """Intervals whose two beats are normal and that no missed or extra beat has spoilt."""
    if r_peaks_idx.size < 2:
        return NormalIntervals(nn_ms=np.empty(0), end_s=np.empty(0), pair=np.empty(0, bool))
    rr_s = np.diff(r_peaks_idx) / sampling_rate_hz
    normal = np.asarray(beat_classes) == "N"
    local = running_median(rr_s, 25)
    good = normal[1:] & normal[:-1] & (rr_s > _NN_RANGE_S[0]) & (rr_s < _NN_RANGE_S[1])
    good &= np.abs(rr_s - local) <= _MOST_JUMP * local
    pair = np.concatenate([[False], good[:-1]])
    return NormalIntervals(nn_ms=1000.0 * rr_s[good], end_s=r_peaks_idx[1:][good] / sampling_rate_hz, pair=pair[good])


def refusal(
    name: str,
    intervals: NormalIntervals,
    *,
    record_s: float,
    ectopic_share: float,
    af_share: float,
    paced: bool,
) -> str | None:
    """Why an index must not be given, as a sentence; None when it may."""
    if paced:
        return "The rhythm is paced: heart rate variability says nothing about the sinus node."
    if af_share > 0:
        return "Atrial fibrillation or flutter is suspected: heart rate variability does not apply."
    if ectopic_share > _MOST_ECTOPIC_SHARE:
        return f"Too many ectopic beats ({100 * ectopic_share:.0f} %) for heart rate variability."
    least_s = LEAST_RECORD_S[name]
    tolerance_s = (1.0 - _DAY_SHARE) * _DAY_S if least_s == _DAY_S else _LENGTH_TOLERANCE_S
    if record_s < least_s - tolerance_s:
        return f"The record of {_length(record_s)} is too short: at least {_length(least_s)} are needed."
    if intervals.nn_ms.size < _LEAST_INTERVALS or not intervals.pair.any():
        return "Too few intervals between normal beats."
    covered_s = float(intervals.nn_ms.sum()) / 1000.0
    if covered_s < _LEAST_NORMAL_SHARE * (record_s - 2.0):
        return "Too much of the record lies outside normal beats."
    return None


def _length(seconds: float) -> str:
    if seconds >= 2 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 300 else f"{seconds:.0f} s"


def rmssd_ms(intervals: NormalIntervals) -> float:
    """Root mean square of successive differences, ms."""
    return float(np.sqrt(np.mean(_successive_ms(intervals) ** 2)))


def sdnn_ms(intervals: NormalIntervals) -> float:
    """Standard deviation, ms (n - 1)."""
    return float(np.std(intervals.nn_ms, ddof=1))


def pnn50_pct(intervals: NormalIntervals) -> float:
    """Share of successive differences above 50 ms, %."""
    return float(100.0 * np.mean(np.abs(_successive_ms(intervals)) > 50.0))


def triangular_index(intervals: NormalIntervals) -> float:
    """Number of intervals over the height of their histogram with bins of 1/128 s."""
    bins = np.floor(intervals.nn_ms / _HISTOGRAM_BIN_MS).astype(np.int64)
    return float(intervals.nn_ms.size / np.bincount(bins).max())


def sdann_ms(intervals: NormalIntervals) -> float:
    """Standard deviation of the five-minute means, ms; parts less than half full are left out."""
    parts = np.floor(intervals.end_s / _PART_S).astype(np.int64)
    total_ms, count = np.bincount(parts, intervals.nn_ms), np.bincount(parts)
    full = total_ms >= 1000.0 * _LEAST_PART * _PART_S
    return float(np.std(total_ms[full] / count[full], ddof=1)) if full.sum() > 1 else float("nan")


def dfa_alpha1(intervals: NormalIntervals) -> float:
    """Short-term exponent of detrended fluctuation analysis, over 4 to 16 beats; NaN where all intervals are alike.

    Source: Peng et al., Chaos 1995, doi 10.1063/1.166141; windows overlap by half, as in neurokit2, whose value it is:
    all windows at once, where neurokit2 fits one after the other, which takes seconds for a day.
    """
    profile = np.cumsum(intervals.nn_ms - intervals.nn_ms.mean())
    fluctuations = [_fluctuation(profile, n_beats) for n_beats in _ALPHA1_BEATS]
    if not np.all(np.isfinite(fluctuations)):
        return float("nan")
    return float(np.polyfit(np.log2(_ALPHA1_BEATS), np.log2(fluctuations), 1)[0])


def _fluctuation(profile: Array, n_beats: int) -> float:
    """Root of the mean variance about the line through each window; NaN where no window varies."""
    if profile.size <= n_beats:
        return float("nan")
    segments = np.lib.stride_tricks.sliding_window_view(profile, n_beats)[: profile.size - n_beats : n_beats // 2]
    along = np.arange(n_beats) - (n_beats - 1) / 2.0
    centred = segments - segments.mean(axis=1, keepdims=True)
    rest = centred - np.outer(centred @ along / (along @ along), along)
    variance = np.mean(rest**2, axis=1)
    varying = variance[variance > _LEAST_VARIANCE]
    return float(np.sqrt(varying.mean())) if varying.size else float("nan")


def sample_entropy(intervals: NormalIntervals) -> float:
    """Sample entropy with m = 2 and r = 0.2 standard deviations, of the middle thousand intervals.

    Source: Richman and Moorman, Am J Physiol 2000, doi 10.1152/ajpheart.2000.278.6.H2039; computed by neurokit2.
    """
    if np.ptp(intervals.nn_ms) == 0:
        return float("nan")
    import neurokit2

    spare = max(0, intervals.nn_ms.size - _ENTROPY_BEATS) // 2
    nn_ms = intervals.nn_ms[spare : spare + _ENTROPY_BEATS]
    tolerance_ms = 0.2 * float(np.std(nn_ms, ddof=1))
    return float(neurokit2.entropy_sample(nn_ms, delay=1, dimension=2, tolerance=tolerance_ms)[0])


def ulf_power_ms2(intervals: NormalIntervals) -> float:
    """Power in ms² up to 0.0033 Hz from one periodogram of the whole record.

    A day's slowest swings are longer than the windows that the other bands are averaged over.
    """
    from scipy.signal import periodogram

    times_s = np.arange(intervals.end_s[0], intervals.end_s[-1], 1.0 / _ULF_RATE_HZ)
    steady_ms = np.interp(times_s, intervals.end_s, intervals.nn_ms)
    frequency_hz, density = periodogram(steady_ms, _ULF_RATE_HZ, detrend="constant")
    slow = (frequency_hz > 0.0) & (frequency_hz <= _ULF_HZ)
    return float(np.sum(density[slow]) * (frequency_hz[1] - frequency_hz[0]))


def band_powers_ms2(intervals: NormalIntervals) -> dict[str, float]:
    """Power in ms² of the bands "vlf", "lf" and "hf"; NaN where neurokit2 finds none."""
    import neurokit2

    rri: dict[str, Any] = {"RRI": intervals.nn_ms, "RRI_Time": intervals.end_s}
    table = neurokit2.hrv_frequency(rri, normalize=False, interpolation_rate=4, silent=True)
    return {band: float(table[f"HRV_{band.upper()}"].iloc[0]) for band in ("vlf", "lf", "hf")}


def _successive_ms(intervals: NormalIntervals) -> Array:
    """Differences of neighbouring normal intervals, ms."""
    differences = np.diff(intervals.nn_ms, prepend=intervals.nn_ms[:1])
    return np.asarray(differences[intervals.pair])
