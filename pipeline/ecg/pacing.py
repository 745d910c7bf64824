"""Pacing spikes: a jump within four milliseconds out of a calm trace, at a steady distance before R.

A pulse lasts one or two milliseconds. What a recorder leaves of it is an edge that no heart makes: QRS complexes need
ten milliseconds and more from calm to steep. Recorders that blur the pulse (tape, low rates) leave an abrupt onset of
a wide QRS instead; that is looked for where no sharp edge shows.

Source: that a pulse is short and steep against the QRS is in AHA/ACC/HRS 2007 part I, doi
10.1161/CIRCULATIONAHA.106.180200. The measure and its limits are this project's own: the sharp edge was set on the
paced records of LUDB, the blurred one on records 102 and 107 of the MIT-BIH Arrhythmia Database.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.ecg.waves import running_mean
from pipeline.records import Array, Metadata, PatientHeader

LEAST_RATE_HZ = 250.0  # below, an edge of four milliseconds lies between two samples
BLURRED_QRS_MS = 140.0  # an abrupt onset counts only before a QRS as wide as this
_ATRIAL_S, _VENTRICULAR_S, _AFTER_S = 0.40, 0.16, 0.02  # around R
_CALM_S = 0.03
_NOISE_MV = 0.016  # what a calm trace moves by anyway, root mean square over leads
_SHARP_S, _SHARP, _SHARP_MV = 0.004, 2.3, 0.04
_BLURRED_S, _BLURRED, _BLURRED_MEDIAN, _BLURRED_MV = 0.008, 2.5, 3.5, 0.2
_STEADY_S = 0.02  # a spike lies this near its usual distance from R
_NEIGHBOURS, _LEAST_BEATS, _LEAST_SHARE = 9, 3, 0.5
_BEATS_AT_ONCE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """What was found of pacing spikes."""

    beats: Array  # bool (n_beats,): the beat lies in a stretch of paced beats
    spikes: Array  # bool (n_beats,): a spike precedes this beat
    distance_ms: float | None  # usual distance from spike to R; None where there are none
    blurred: bool = False  # abrupt onsets, not sharp spikes

    @property
    def evidence(self) -> str:
        """What the suggestion rests on, as a sentence."""
        what = "An abrupt onset of wide QRS complexes" if self.blurred else "A spike steeper than any QRS"
        return f"{what} lies {self.distance_ms or 0.0:.0f} ms before R in {int(self.spikes.sum())} beats."


def stated_pacing(metadata: Metadata, header: PatientHeader) -> str | None:
    """The sentence that the heart is paced, by what the user or else the ECG's file says; None where neither does."""
    if metadata.paced is not None:
        return "The metadata says that the heart is paced." if metadata.paced else None
    return "The ECG file names a pacemaker or a paced rhythm." if header.paced else None


def find_pacing(raw_mv: Array, sampling_rate_hz: float, peaks: Array, qrs_ms: float | None) -> Pacing:
    """Look for spikes before every beat.

    Parameters
    ----------
    raw_mv
        float (n_leads, n_samples), mV, not filtered: a filter takes the spikes away. NaN where missing or not usable.
    peaks
        int (n_beats,), ascending.
    qrs_ms
        Median QRS, None where unknown: blurred spikes are looked for before wide complexes only.
    """
    nothing = Pacing(beats=np.zeros(peaks.size, bool), spikes=np.zeros(peaks.size, bool), distance_ms=None)
    known = np.isfinite(raw_mv).any(axis=1)
    if sampling_rate_hz < LEAST_RATE_HZ or peaks.size < _LEAST_BEATS or not known.any():
        return nothing
    signal_mv = raw_mv[known]
    found = []
    for span_s in ((_VENTRICULAR_S, _AFTER_S), (_ATRIAL_S, -_VENTRICULAR_S)):
        ratio, jump_mv, place_s = _edges(signal_mv, sampling_rate_hz, peaks, span_s, _SHARP_S)
        found.append(_steady((ratio >= _SHARP) & (jump_mv >= _SHARP_MV), place_s))
    best = max(found, key=lambda one: int(one.beats.sum()))
    if best.beats.any() or qrs_ms is None or qrs_ms < BLURRED_QRS_MS:
        return best if best.beats.any() else nothing
    span_s = (_VENTRICULAR_S, _AFTER_S)
    ratio, jump_mv, place_s = _edges(signal_mv, sampling_rate_hz, peaks, span_s, _BLURRED_S)
    if float(np.median(ratio)) < _BLURRED_MEDIAN:
        return nothing
    return _steady((ratio >= _BLURRED) & (jump_mv >= _BLURRED_MV), place_s, blurred=True)


def _steady(marked: Array, place_s: Array, *, blurred: bool = False) -> Pacing:
    """Keep the marks at the usual distance from R, and the stretches in which most beats have one."""
    usual_s = float(np.median(place_s[marked])) if marked.any() else 0.0
    spikes = marked & (np.abs(place_s - usual_s) <= _STEADY_S)
    beats = running_mean(spikes.astype(np.float64), _NEIGHBOURS) >= _LEAST_SHARE
    if (spikes & beats).sum() < _LEAST_BEATS:
        beats = np.zeros(marked.size, bool)
    spikes &= beats
    return Pacing(beats=beats, spikes=spikes, distance_ms=-1000.0 * usual_s if beats.any() else None, blurred=blurred)


def _edges(
    signal_mv: Array, rate_hz: float, peaks: Array, span_s: tuple[float, float], edge_s: float
) -> tuple[Array, Array, Array]:
    """The steepest edge before each R: over what the trace moved by before it, its size in mV, its place from R in s.

    Three float64 (n_beats,); the leads are taken together as one vector. `span_s` is searched before and after R.
    """
    parts = [
        _edges_of(signal_mv, rate_hz, peaks[start : start + _BEATS_AT_ONCE], span_s, edge_s)
        for start in range(0, peaks.size, _BEATS_AT_ONCE)
    ]
    ratio, jump_mv, place_s = (np.concatenate(column) for column in zip(*parts, strict=True))
    return ratio, jump_mv, place_s


def _edges_of(
    signal_mv: Array, rate_hz: float, peaks: Array, span_s: tuple[float, float], edge_s: float
) -> tuple[Array, Array, Array]:
    from scipy.ndimage import maximum_filter1d, minimum_filter1d

    edge, calm = max(1, round(edge_s * rate_hz)), max(2, round(_CALM_S * rate_hz))
    before, after = round(span_s[0] * rate_hz), round(span_s[1] * rate_hz)
    steps = np.arange(-before - calm, after + edge + 1)
    places = np.clip(peaks[:, None] + steps[None, :], 0, signal_mv.shape[1] - 1)
    parts = np.nan_to_num(signal_mv[:, places].astype(np.float64))
    moved = maximum_filter1d(parts, calm + 1, axis=2, origin=calm // 2) - minimum_filter1d(
        parts, calm + 1, axis=2, origin=calm // 2
    )
    inside = slice(calm, parts.shape[2] - edge)
    jump = parts[:, :, calm + edge :] - parts[:, :, inside]
    size_mv = np.sqrt(np.mean(jump**2, axis=0))
    ratio = size_mv / (np.sqrt(np.mean(moved[:, :, inside] ** 2, axis=0)) + _NOISE_MV)
    best = ratio.argmax(axis=1)
    rows = np.arange(peaks.size)
    return ratio[rows, best], size_mv[rows, best], (best - before) / rate_hz
