"""R peaks over all leads.

Candidates are the maxima of the QRS envelope. The chain of candidates that explains the trace best is found by
dynamic programming: a tall candidate gains, two candidates closer than a T wave cost the more the more their heights
differ, and a gap costs when a beat seems to be missing. A missed beat is thus searched back, and a T wave dropped, by
one rule. The height that a beat needs follows the noise around it.

Source: the idea of thresholds that follow signal and noise, search-back and T-wave rejection is that of Pan and
Tompkins, IEEE Trans Biomed Eng 1985, doi 10.1109/TBME.1985.325532. We differ: zero phase, looks ahead, all leads at
once, one optimum instead of a sequence of rules.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.ecg.beat_classes import classify_beats
from pipeline.ecg.envelope import LEAST_CLARITY, QrsEnvelope, fill_gaps, qrs_envelope
from pipeline.records import Array

__all__ = ["classify_beats", "detect_r_peaks"]

_CHUNK_S, _MARGIN_S = 1800.0, 30.0  # memory stays that of half an hour however long the record is
_SHORTEST_S = 0.5  # nothing can be told from less

_LEAST_HEIGHT = 0.08
_REFRACTORY_S = 0.18  # no two ventricular activations are closer
_T_WAVE_S = 0.34  # a T wave peaks within this time of its QRS
_T_WAVE_COST = 2.5
_GAP_COST, _GAP_RATIO = 0.4, 1.5  # a gap costs from 1.5 usual RR on
_IRREGULAR_COST = 0.05
_FIRST_MID, _LEAST_MID, _MOST_MID = 0.33, 0.2, 0.7  # height at which a candidate neither gains nor costs
_MID_OVER_NOISE = 2.0
_MOST_GAIN, _MOST_LOSS = 0.7, -3.0
_NOISE_WINDOW = 61  # refused candidates that make up the local noise level
_LOOK_BACK = 10  # candidates before this one that may be its predecessor
_PASSES = 2
_REFINE_S = 0.07


def detect_r_peaks(
    signal_mv: Array,
    sampling_rate_hz: float,
    *,
    progress: Progress = no_progress,
    cancel: CancelToken | None = None,
) -> Array:
    """Find the R peaks of an ECG of any length.

    Parameters
    ----------
    signal_mv
        float (n_leads, n_samples) or (n_samples,), mV; NaN where a sample is missing.
    sampling_rate_hz
        Samples per second.

    Returns
    -------
    int64 (n_beats,), ascending sample positions; empty for a flat line, noise, or less than half a second. The
    position is the largest deflection of the clearest lead.
    """
    signal_mv = np.atleast_2d(np.asarray(signal_mv))
    n_samples = signal_mv.shape[1]
    if n_samples < _SHORTEST_S * sampling_rate_hz or signal_mv.shape[0] == 0:
        return np.empty(0, np.int64)
    found = []
    for first, start, stop, last in _chunks(n_samples, sampling_rate_hz):
        if cancel is not None:
            cancel.check()
        peaks = first + _peaks_of_chunk(fill_gaps(signal_mv[:, first:last]), sampling_rate_hz)
        found.append(peaks[(peaks >= start) & (peaks < stop)])
        progress(stop / n_samples, "Finding heart beats")
    return _apart(np.concatenate(found), _REFRACTORY_S * sampling_rate_hz)


def _chunks(n_samples: int, sampling_rate_hz: float) -> Iterator[tuple[int, int, int, int]]:
    """(first, start, stop, last): beats of start..stop are kept, the margins around them are only looked at."""
    size, margin = int(_CHUNK_S * sampling_rate_hz), int(_MARGIN_S * sampling_rate_hz)
    for start in range(0, n_samples, size):
        stop = min(start + size, n_samples)
        yield max(0, start - margin), start, stop, min(n_samples, stop + margin)


def _apart(peaks: Array, distance: float) -> Array:
    """Drop a beat that two chunks found at slightly different places."""
    keep = np.ones(peaks.size, bool)
    keep[1:] = np.diff(peaks) >= 0.5 * distance
    return np.asarray(peaks[keep], np.int64)


def _peaks_of_chunk(filled_mv: Array, sampling_rate_hz: float) -> Array:
    """R peaks of one chunk without NaN."""
    from scipy.ndimage import maximum_filter1d

    envelope = qrs_envelope(filled_mv, sampling_rate_hz)
    height = envelope.height
    reach = 2 * int(0.1 * envelope.rate_hz) + 1
    is_candidate = (height == maximum_filter1d(height, reach)) & (height > _LEAST_HEIGHT)
    candidates = np.flatnonzero(is_candidate & (envelope.clarity >= LEAST_CLARITY))
    if not candidates.size:
        return np.empty(0, np.int64)
    times_s, heights = candidates / envelope.rate_hz, height[candidates]
    mid = np.full(candidates.size, _FIRST_MID)
    chosen = _best_chain(times_s, heights, mid)
    for _ in range(_PASSES):
        chosen = _best_chain(times_s, heights, _local_mid(heights, chosen))
    return _refine(filled_mv, sampling_rate_hz, envelope, candidates[chosen])


def _local_mid(heights: Array, chosen: Array) -> Array:
    """Height that a beat needs: twice the level of the refused candidates around it."""
    from scipy.ndimage import percentile_filter

    refused = np.setdiff1d(np.arange(heights.size), chosen)
    if refused.size < 5:
        return np.full(heights.size, _LEAST_MID)
    level = percentile_filter(heights[refused], 60, _NOISE_WINDOW, mode="nearest")
    local = np.interp(np.arange(heights.size), refused, level)
    return np.clip(_MID_OVER_NOISE * local, _LEAST_MID, _MOST_MID)


def _usual_rr_s(times_s: Array, heights: Array) -> Array:
    """Median RR around each candidate, from the candidates that are surely beats."""
    from scipy.ndimage import median_filter

    sure = times_s[heights > 0.5]
    if sure.size < 3:
        return np.full(times_s.size, 0.8)
    usual = median_filter(np.clip(np.diff(sure), 0.25, 2.5), 15, mode="nearest")
    return np.interp(times_s, 0.5 * (sure[1:] + sure[:-1]), usual)


def _step_costs(times_s: Array, heights: Array) -> Array:
    """Cost of reaching each candidate from each of the `_LOOK_BACK` before it, float64 (n, _LOOK_BACK)."""
    earlier = np.arange(times_s.size)[:, None] - np.arange(1, _LOOK_BACK + 1)[None, :]
    exists = earlier >= 0
    earlier = np.maximum(earlier, 0)
    gap_s = times_s[:, None] - times_s[earlier]
    ratio = np.maximum(gap_s, 1e-3) / _usual_rr_s(times_s, heights)[:, None]
    unlike = np.abs(np.log(heights[:, None] / heights[earlier]))
    nearness = np.clip((_T_WAVE_S - gap_s) / 0.16, 0.0, 1.0)
    cost = _IRREGULAR_COST * np.minimum(np.abs(np.log(ratio)), 1.0)
    cost += _GAP_COST * np.maximum(ratio - _GAP_RATIO, 0.0) + _T_WAVE_COST * unlike * nearness
    return np.where(exists & (gap_s > _REFRACTORY_S), cost, np.inf)


def _best_chain(times_s: Array, heights: Array, mid: Array) -> Array:
    """Indices of the candidates that form the best chain (dynamic programming)."""
    gains = np.clip(np.log(heights / mid), _MOST_LOSS, _MOST_GAIN).tolist()
    costs = _step_costs(times_s, heights).tolist()
    n = len(gains)
    scores, came_from = [0.0] * n, [-1] * n
    for i in range(n):
        best, origin = (0.0, -1) if i < _LOOK_BACK else (-np.inf, -1)
        for back, cost in enumerate(costs[i][: min(_LOOK_BACK, i)], start=1):
            value = scores[i - back] - cost
            if value > best:
                best, origin = value, i - back
        scores[i], came_from[i] = best + gains[i], origin
    i = max(range(max(0, n - _LOOK_BACK), n), key=scores.__getitem__)
    chain = []
    while i >= 0:
        chain.append(i)
        i = came_from[i]
    return np.array(chain[::-1], np.int64)


def _refine(filled_mv: Array, sampling_rate_hz: float, envelope: QrsEnvelope, steps: Array) -> Array:
    """Move each beat from the envelope's maximum to the largest deflection of the clearest lead.

    The lead's usual polarity is kept unless the deflection of the other sign is twice as large, so that R and S
    of an RS complex do not take turns.
    """
    lead = filled_mv[int(np.argmax(envelope.lead_clarity))]
    reach = max(1, int(_REFINE_S * sampling_rate_hz))
    centres = (steps * envelope.step + envelope.step // 2).astype(np.int64)
    window = np.clip(centres[:, None] + np.arange(-reach, reach + 1)[None, :], 0, lead.size - 1)
    parts = lead[window]
    parts = parts - np.median(parts, axis=1, keepdims=True)
    up, down = parts.max(axis=1), -parts.min(axis=1)
    mostly_up = np.median(up) >= np.median(down)
    use_up = (up * 2.0 > down) if mostly_up else (up > down * 2.0)
    best = np.where(use_up, parts.argmax(axis=1), parts.argmin(axis=1))
    return np.asarray(np.unique(window[np.arange(steps.size), best]), np.int64)
