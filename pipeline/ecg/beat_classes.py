"""Classes of heart beats by shape and timing: N normal, S supraventricular ectopic, V ventricular ectopic, Q unknown.

A beat is compared with the usual beat around it. Another shape, wider and early, is ventricular, and so is one that is
followed by a long pause or that keeps coming back. The usual shape, but early in a regular rhythm, is supraventricular.
F (fusion) is never claimed: the rules cannot tell it from N and V.

Source: the class letters are those of ANSI/AAMI EC57. The comparison of shape and RR with the patient's own usual beat
follows de Chazal et al., IEEE Trans Biomed Eng 2004, doi 10.1109/TBME.2004.827359; we use rules, no trained weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.ecg.envelope import LEAST_CLARITY, fill_gaps, qrs_envelope
from pipeline.ecg.waves import running_median, smooth, windows, without_baseline
from pipeline.records import Array

_BLOCK_BEATS = 400  # the usual beat may change over a record: about five minutes
_BEFORE_S, _AFTER_S = 0.12, 0.20
_RATE_HZ = 125.0
_SIGMA_MS = 6.0
_LAG_STEPS = 4
_FULL_CLARITY = 25.0  # from here on a lead counts in full

_RR_WINDOW = 25
_EDGE_S = 0.08  # a beat nearer to an end of the record is cut off
_ON_TIME = (0.88, 1.25)  # RR over the usual RR of beats that make up the template
_SAME_SHAPE = 0.90  # correlation with the usual beat
_UNEQUAL_SHAPE, _OTHER_SHAPE, _FOREIGN_SHAPE, _STRANGE_SHAPE = 0.93, 0.85, 0.50, 0.20
_NOT_NARROWER, _WIDER, _MUCH_WIDER = 0.95, 1.15, 1.5  # duration over that of the usual beat
_REPEATS, _MANY_REPEATS = 1, 3  # other beats of the same foreign shape: noise does not come back
_LIKE_ANOTHER = 0.85
_EARLY_V, _EARLY_S = 0.85, 0.86  # RR over the usual RR
_PAUSE, _LONG_PAUSE = 0.85, 0.70  # RR before over RR after
_MOST_IRREGULAR = 0.08  # median |ln RR ratio|: beyond it an early beat means nothing


@dataclass(frozen=True, slots=True)
class BeatFeatures:
    """What the rules look at; each is float64 (n_beats,)."""

    rr_ratio: Array  # RR before the beat over the usual RR around it
    irregularity: Array  # median |ln rr_ratio| around it
    likeness: Array  # correlation with the usual beat over all leads; NaN where no lead is clear
    width_ratio: Array  # duration of the QRS energy over that of beats of the usual shape
    repeats: Array  # how many other beats nearby share a shape that is not the usual one
    pause_ratio: Array  # RR before over RR after


def classify_beats(signal_mv: Array, sampling_rate_hz: float, r_peaks_idx: Array) -> Array:
    """Class letter of every beat.

    Parameters
    ----------
    signal_mv
        float (n_leads, n_samples), mV; NaN where a sample is missing.
    r_peaks_idx
        int (n_beats,), ascending.

    Returns
    -------
    str (n_beats,) of 'N', 'S', 'V' and 'Q'; 'Q' where no lead is clear or the record's end cuts the beat.
    """
    peaks = np.asarray(r_peaks_idx, np.int64)
    if peaks.size == 0:
        return np.empty(0, "<U1")
    features = beat_features(np.atleast_2d(np.asarray(signal_mv)), sampling_rate_hz, peaks)
    ventricular = _is_ventricular(features)
    early_usual = (features.rr_ratio < _EARLY_S) & (features.irregularity <= _MOST_IRREGULAR)
    classes = np.where(ventricular, "V", np.where(early_usual, "S", "N"))
    last = np.atleast_2d(signal_mv).shape[1] - 1
    cut = np.minimum(peaks, last - peaks) < _EDGE_S * sampling_rate_hz
    return np.asarray(np.where(np.isnan(features.likeness) | cut, "Q", classes), "<U1")


def _is_ventricular(features: BeatFeatures) -> Array:
    """Bool (n_beats,): another shape, and either its timing or its return speaks for the ventricle."""
    alike, width, repeats = features.likeness, features.width_ratio, features.repeats
    early = (features.rr_ratio < _EARLY_V) | (features.pause_ratio < _PAUSE)
    wide_and_early = (alike < _OTHER_SHAPE) & (width > _WIDER) & early & (repeats >= _REPEATS)
    before_a_pause = (alike < _UNEQUAL_SHAPE) & (width > _NOT_NARROWER) & (features.pause_ratio < _LONG_PAUSE)
    wide_and_back = (alike < _FOREIGN_SHAPE) & (width > _MUCH_WIDER) & (repeats >= _MANY_REPEATS)
    strange = (alike < _STRANGE_SHAPE) & ((early & (repeats >= _REPEATS)) | (repeats >= _MANY_REPEATS))
    return np.asarray(wide_and_early | before_a_pause | wide_and_back | strange)


def beat_features(signal_mv: Array, sampling_rate_hz: float, peaks: Array) -> BeatFeatures:
    """Shape and timing of every beat against the usual beat around it."""
    rr_ratio, irregularity, pause_ratio = _timing(peaks, sampling_rate_hz)
    likeness, width_ratio = np.full(peaks.size, np.nan), np.ones(peaks.size)
    repeats = np.zeros(peaks.size)
    on_time = (rr_ratio > _ON_TIME[0]) & (rr_ratio < _ON_TIME[1])
    for start in range(0, peaks.size, _BLOCK_BEATS):
        part = slice(start, start + _BLOCK_BEATS)
        shapes = _shapes(signal_mv, sampling_rate_hz, peaks[part])
        if shapes.shape[0]:
            likeness[part] = _likeness(shapes, on_time[part])
            width_ratio[part] = _width_ratio(shapes, likeness[part] > _SAME_SHAPE)
            repeats[part] = _repeats(shapes, likeness[part] < _UNEQUAL_SHAPE)
    return BeatFeatures(rr_ratio, irregularity, likeness, width_ratio, repeats, pause_ratio)


def _timing(peaks: Array, sampling_rate_hz: float) -> tuple[Array, Array, Array]:
    """RR over the usual RR, how irregular the rhythm is around each beat, and RR before over RR after."""
    if peaks.size < 3:
        return np.ones(peaks.size), np.zeros(peaks.size), np.ones(peaks.size)
    rr_s = np.clip(np.diff(peaks) / sampling_rate_hz, 0.2, 3.0)
    after_s = np.concatenate([rr_s, rr_s[-1:]])
    rr_s = np.concatenate([rr_s[:1], rr_s])
    ratio = rr_s / running_median(rr_s, _RR_WINDOW)
    return ratio, running_median(np.abs(np.log(ratio)), _RR_WINDOW), rr_s / after_s


def _shapes(signal_mv: Array, sampling_rate_hz: float, peaks: Array) -> Array:
    """QRS shapes (n_clear_leads, n_beats, n_steps), each lead scaled to an energy that grows with its clarity."""
    origin = max(0, int(peaks[0] - sampling_rate_hz))
    filled = fill_gaps(signal_mv[:, origin : int(peaks[-1] + sampling_rate_hz)])
    step = max(1, round(sampling_rate_hz / _RATE_HZ))
    rate_hz, n_steps = sampling_rate_hz / step, filled.shape[1] // step
    slow = filled[:, : n_steps * step].reshape(filled.shape[0], n_steps, step).mean(axis=2)
    clarity = qrs_envelope(slow, rate_hz).lead_clarity
    clear = clarity >= LEAST_CLARITY
    level = smooth(without_baseline(slow[clear], rate_hz), _SIGMA_MS, rate_hz)
    steps = np.arange(-int(_BEFORE_S * rate_hz), int(_AFTER_S * rate_hz) + 1)
    parts = windows(level, ((peaks - origin) // step)[:, None] + steps[None, :])
    parts = parts - np.median(parts, axis=2, keepdims=True)
    energy = np.sqrt(np.mean(parts**2, axis=(1, 2), keepdims=True))
    weight = np.minimum(clarity[clear], _FULL_CLARITY)[:, None, None] / _FULL_CLARITY
    return np.asarray(parts * weight / np.maximum(energy, 1e-9))


def _likeness(shapes: Array, on_time: Array) -> Array:
    """Correlation (n_beats,) with the usual beat, at the best lag; the template is refined once."""
    chosen = on_time if on_time.sum() >= 3 else np.ones_like(on_time)
    likeness = _correlation(shapes, np.median(shapes[:, chosen], axis=1))
    same = likeness > _SAME_SHAPE
    if same.sum() < 3:
        return likeness
    return _correlation(shapes, np.median(shapes[:, same], axis=1))


def _correlation(shapes: Array, template: Array) -> Array:
    """Largest correlation over small lags, (n_beats,)."""
    n_steps = template.shape[1]
    padded = np.pad(template, ((0, 0), (_LAG_STEPS, _LAG_STEPS)), mode="edge")
    energy = np.sum(shapes**2, axis=(0, 2))
    best = np.full(shapes.shape[1], -1.0)
    for lag in range(2 * _LAG_STEPS + 1):
        moved = padded[:, lag : lag + n_steps]
        alike = np.einsum("lbs,ls->b", shapes, moved) / np.maximum(np.sqrt(energy * np.sum(moved**2)), 1e-9)
        best = np.maximum(best, alike)
    return best


def _width_ratio(shapes: Array, same: Array) -> Array:
    """Time in which the middle 80 % of the slope's energy lies, over that of beats of the usual shape, (n_beats,)."""
    energy = np.sum(np.gradient(shapes, axis=2) ** 2, axis=0)
    share = np.cumsum(energy, axis=1) / np.maximum(energy.sum(axis=1, keepdims=True), 1e-12)
    width = ((share > 0.1) & (share < 0.9)).sum(axis=1) + 1.0
    usual = np.median(width[same]) if same.sum() >= 3 else np.median(width)
    return np.asarray(width / usual)


def _repeats(shapes: Array, foreign: Array) -> Array:
    """How many other foreign beats look like each foreign beat, (n_beats,); 0 for the others."""
    count = np.zeros(foreign.size)
    chosen = shapes[:, foreign]
    chosen = chosen / np.maximum(np.sqrt(np.sum(chosen**2, axis=(0, 2))), 1e-9)[None, :, None]
    best = np.full((chosen.shape[1], chosen.shape[1]), -1.0)
    for lag in range(-_LAG_STEPS, _LAG_STEPS + 1, 2):
        best = np.maximum(best, np.einsum("las,lbs->ab", chosen, np.roll(chosen, lag, axis=2), optimize=True))
    count[foreign] = np.sum(best > _LIKE_ANOTHER, axis=1) - 1
    return count
