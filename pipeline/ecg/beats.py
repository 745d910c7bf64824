"""R peaks over all leads.

Candidates are the maxima of the QRS envelope. The chain of candidates that explains the trace best is found by
dynamic programming: a tall candidate gains, two candidates closer than a T wave cost the more the more their heights
differ, and a gap costs when a beat seems to be missing. A missed beat is thus searched back, and a T wave dropped, by
one rule. The height that a beat needs follows the noise around it, and grows for a shape that is rare in the record.

Source: the idea of thresholds that follow signal and noise, search-back and T-wave rejection is that of Pan and
Tompkins, IEEE Trans Biomed Eng 1985, doi 10.1109/TBME.1985.325532. We differ: zero phase, looks ahead, all leads at
once, one optimum instead of a sequence of rules.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.ecg.beat_chain import REFRACTORY_S, best_chain
from pipeline.ecg.beat_classes import classify_beats
from pipeline.ecg.beat_shapes import familiarity
from pipeline.ecg.beat_weights import LEAST_BEATS, envelope_by_beats
from pipeline.ecg.envelope import LEAST_CLARITY, QrsEnvelope, fill_gaps, first_envelope, lead_bands
from pipeline.records import Array

__all__ = ["classify_beats", "detect_r_peaks"]

_CHUNK_S, _MARGIN_S = 1800.0, 30.0  # memory stays that of half an hour however long the record is
_SHORTEST_S = 0.5  # nothing can be told from less

_LEAST_HEIGHT, _SURE_HEIGHT = 0.08, 0.5
_APART_S = 0.1  # the higher of two maxima that are closer stands for both
_FIRST_MID, _LEAST_MID, _MOST_MID = 0.33, 0.2, 0.7  # height at which a candidate neither gains nor costs
_MID_OVER_NOISE = 2.0
_MOST_GAIN, _MOST_LOSS = 0.7, -3.0
_FURTHER_GAIN = 0.15  # share of what lies beyond: a QRS is preferred to its T wave even where both are tall
_NOISE_WINDOW = 61  # refused candidates that make up the local noise level
_FAMILIAR, _STRANGENESS_COST = 0.85, 0.5  # correlation with a common shape that neither gains nor costs
_PASSES = 2
_LOOKS_BY_BEATS = 2
_EDGE_SHARE, _LONGEST_RISE_S, _FALL_S = 0.4, 0.12, 0.05  # a QRS begins where the envelope has this share of its top
_BASELINE_S = (0.06, 0.01)  # the isoelectric line is taken from this time before a QRS


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
    return _apart(np.concatenate(found), REFRACTORY_S * sampling_rate_hz)


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
    """R peaks of one chunk without NaN; with more than one lead, the beats found weigh the leads for the next look."""
    bands = lead_bands(filled_mv, sampling_rate_hz)
    envelope = first_envelope(bands)
    steps = _chosen(envelope)
    for _ in range(_LOOKS_BY_BEATS if bands.heights.shape[0] > 1 else 0):
        if steps.size >= LEAST_BEATS:
            envelope = envelope_by_beats(bands, steps)
            steps = _chosen(envelope)
    return _refine(filled_mv, sampling_rate_hz, envelope, steps) if steps.size else np.empty(0, np.int64)


def _chosen(envelope: QrsEnvelope) -> Array:
    """Steps of the candidates that form the best chain, int (n_beats,)."""
    candidates = _candidates(envelope)
    if not candidates.size:
        return candidates
    times_s, heights = candidates / envelope.rate_hz, envelope.height[candidates]
    gains = np.log(heights / _FIRST_MID)
    is_beat = best_chain(times_s, heights, _limited(gains), heights > _SURE_HEIGHT)
    shape_gain = _STRANGENESS_COST * (familiarity(envelope.shapes, envelope.rate_hz, candidates) - _FAMILIAR)
    for _ in range(_PASSES):
        gains = np.log(heights / _local_mid(heights, is_beat)) + shape_gain
        is_beat = best_chain(times_s, heights, _limited(gains), is_beat)
    return candidates[is_beat]


def _limited(gains: Array) -> Array:
    """Gains that no single candidate can decide the chain with: a tall artefact must not buy a missed beat."""
    gains = np.maximum(gains, _MOST_LOSS)
    return gains - (1.0 - _FURTHER_GAIN) * np.maximum(gains - _MOST_GAIN, 0.0)


def _candidates(envelope: QrsEnvelope) -> Array:
    """Steps of the local maxima of the envelope that may be beats."""
    from scipy.ndimage import maximum_filter1d

    height = envelope.height
    is_top = height == maximum_filter1d(height, 2 * int(_APART_S * envelope.rate_hz) + 1)
    return np.flatnonzero(is_top & (height > _LEAST_HEIGHT) & (envelope.clarity >= LEAST_CLARITY))


def _local_mid(heights: Array, is_beat: Array) -> Array:
    """Height that a beat needs: twice the level of the refused candidates around it."""
    from scipy.ndimage import percentile_filter

    refused = np.flatnonzero(~is_beat)
    if refused.size < 5:
        return np.full(heights.size, _LEAST_MID)
    level = percentile_filter(heights[refused], 60, _NOISE_WINDOW, mode="nearest")
    local = np.interp(np.arange(heights.size), refused, level)
    return np.clip(_MID_OVER_NOISE * local, _LEAST_MID, _MOST_MID)


def _refine(filled_mv: Array, sampling_rate_hz: float, envelope: QrsEnvelope, steps: Array) -> Array:
    """Move each beat from the envelope's maximum to the largest deflection of the clearest lead within its QRS.

    A wide QRS has its steepest part, and so the envelope's maximum, near its end: the beat is looked for from the
    QRS's beginning on. The lead's usual polarity is kept unless the deflection of the other sign is twice as large,
    so that R and S of an RS complex do not take turns.
    """
    lead = filled_mv[int(np.argmax(envelope.lead_clarity))]
    beginnings = _samples(envelope, steps - _rise_steps(envelope, steps))
    ends = _samples(envelope, steps) + int(_FALL_S * sampling_rate_hz)
    before, until = (int(edge * sampling_rate_hz) for edge in _BASELINE_S)
    level = np.median(_cut(lead, beginnings, -before, -until), axis=1)
    parts = _cut(lead, beginnings, 0, int((ends - beginnings).max())) - level[:, None]
    parts[np.arange(parts.shape[1]) > (ends - beginnings)[:, None]] = 0.0
    up, down = parts.max(axis=1), -parts.min(axis=1)
    mostly_up = np.median(up) >= np.median(down)
    use_up = (up * 2.0 > down) if mostly_up else (up > down * 2.0)
    best = np.where(use_up, parts.argmax(axis=1), parts.argmin(axis=1))
    return np.asarray(np.unique(np.clip(beginnings + best, 0, lead.size - 1)), np.int64)


def _rise_steps(envelope: QrsEnvelope, steps: Array) -> Array:
    """How many steps before its maximum the envelope of each QRS begins, int (n_beats,)."""
    longest = int(_LONGEST_RISE_S * envelope.rate_hz)
    rising = envelope.height[np.maximum(steps[:, None] - np.arange(1, longest + 1)[None, :], 0)]
    high = rising >= _EDGE_SHARE * envelope.height[steps][:, None]
    return np.where(high.any(axis=1), longest - high[:, ::-1].argmax(axis=1), 0)


def _samples(envelope: QrsEnvelope, steps: Array) -> Array:
    """Signal positions of envelope steps."""
    return (steps * envelope.step + envelope.step // 2).astype(np.int64)


def _cut(lead: Array, starts: Array, first: int, last: int) -> Array:
    """Samples of the lead from `first` to `last` around each start, float64 (n_beats, last - first + 1)."""
    return np.asarray(lead[np.clip(starts[:, None] + np.arange(first, last + 1)[None, :], 0, lead.size - 1)])
