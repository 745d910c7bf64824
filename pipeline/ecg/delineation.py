"""Boundaries of P, QRS and T in every lead and beat.

Works through the beats in blocks, so that memory stays that of a minute or two however long the record is. No wave
is invented: what cannot be told is NaN. A small network trained on annotated records sets the boundaries; where it is
not at hand, or the record is so long that it would take minutes, the slopes and areas of the signal itself do.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.ecg.beats import detect_r_peaks
from pipeline.ecg.envelope import LEAST_CLARITY, fill_gaps, qrs_envelope
from pipeline.ecg.p_wave import p_bounds
from pipeline.ecg.qrs_bounds import qrs_bounds
from pipeline.ecg.t_wave import t_bounds
from pipeline.ecg.wave_model import load_wave_network
from pipeline.ecg.wave_network import WaveNetwork
from pipeline.ecg.wave_windows import FIELDS, beat_windows, network_input
from pipeline.ecg.waves import without_baseline
from pipeline.errors import ModelError
from pipeline.records import Array, Delineation

_BLOCK_BEATS = 40  # enough for a template of the P wave, few enough for it to follow the rhythm
_CONTEXT_BEATS = 1
_BEFORE_S, _AFTER_S = 1.0, 1.2

_LONGEST_RR_S = 2.0  # a longer gap tells nothing about the T wave
_QRS_RANGE_S = (0.03, 0.30)  # beyond it the boundary was not found
_TOUCH_S = 0.02  # waves may overlap by this much
_LEAST_PRESENT = 0.7  # probability, the mean over leads, from which a P wave is there though the signal is not sure
_LEAST_USUALLY, _LEAST_USUAL_BEATS = 0.5, 2  # the same in the usual beat: what does not repeat is not believed
_SAME_PLACE_S, _LEAST_SAME_PLACE = 0.05, 0.5  # share of leads in which network and signal mean the same P wave
_MOST_BEATS_OF_NETWORK = 5000  # times leads: some seconds of work


def delineate(
    signal_mv: Array,
    sampling_rate_hz: float,
    r_peaks_idx: Array | None = None,
    *,
    is_usual: Array | None = None,
    progress: Progress = no_progress,
    cancel: CancelToken | None = None,
) -> Delineation:
    """Find where each wave begins and ends.

    Parameters
    ----------
    signal_mv
        float (n_leads, n_samples), mV; NaN where a sample is missing.
    r_peaks_idx
        int (n_beats,), ascending; found here when not given.
    is_usual
        bool (n_beats,), beats of the basic rhythm; the P wave's template is made of them. All when not given.

    Returns
    -------
    Delineation of float64 (n_leads, n_beats): sample positions, NaN where there is no such wave, where the lead
    has missing samples, or where it shows no heart beat.
    """
    signal_mv = np.atleast_2d(np.asarray(signal_mv))
    peaks = detect_r_peaks(signal_mv, sampling_rate_hz) if r_peaks_idx is None else np.asarray(r_peaks_idx, np.int64)
    usual = np.ones(peaks.size, bool) if is_usual is None else np.asarray(is_usual, bool)
    network = wave_network() if peaks.size * signal_mv.shape[0] <= _MOST_BEATS_OF_NETWORK else None
    return delineate_with(network, signal_mv, sampling_rate_hz, peaks, usual, progress=progress, cancel=cancel)


def delineate_with(
    network: WaveNetwork | None,
    signal_mv: Array,
    sampling_rate_hz: float,
    peaks: Array,
    usual: Array,
    *,
    progress: Progress = no_progress,
    cancel: CancelToken | None = None,
) -> Delineation:
    """As `delineate`, by the given network, or without one by the signal's own slopes and areas."""
    bounds = np.full((len(FIELDS), signal_mv.shape[0], peaks.size), np.nan)
    for start in range(0, peaks.size, _BLOCK_BEATS):
        if cancel is not None:
            cancel.check()
        stop = min(start + _BLOCK_BEATS, peaks.size)
        first, last = max(0, start - _CONTEXT_BEATS), min(peaks.size, stop + _CONTEXT_BEATS)
        block = _block(signal_mv, sampling_rate_hz, peaks, usual, first, last, network)
        bounds[:, :, start:stop] = block[:, :, start - first : stop - first]
        progress(stop / peaks.size, "Finding wave boundaries")
    return Delineation(**dict(zip(FIELDS, bounds, strict=True)))


def without_p(delineation: Delineation, beats: Array) -> Delineation:
    """The boundaries without the P waves of the given beats, bool (n_beats,): fibrillation and flutter have none."""
    return dataclasses.replace(
        delineation,
        p_on=np.where(beats[None, :], np.nan, delineation.p_on),
        p_off=np.where(beats[None, :], np.nan, delineation.p_off),
    )


def wave_network() -> WaveNetwork | None:
    """The shipped network, None where it cannot be read; raises HardStopError E_HARD_003 where it is damaged."""
    try:
        return load_wave_network()
    except ModelError:
        return None


def _block(
    signal_mv: Array,
    sampling_rate_hz: float,
    peaks: Array,
    usual: Array,
    first: int,
    last: int,
    network: WaveNetwork | None,
) -> Array:
    """Boundaries of beats first..last, float64 (6, n_leads, n_beats)."""
    n_leads, n_samples = signal_mv.shape
    bounds = np.full((len(FIELDS), n_leads, last - first), np.nan)
    origin = max(0, int(peaks[first] - _BEFORE_S * sampling_rate_hz))
    stop = min(n_samples, int(peaks[last - 1] + _AFTER_S * sampling_rate_hz))
    piece = signal_mv[:, origin:stop]
    filled = fill_gaps(piece)
    clear = qrs_envelope(filled, sampling_rate_hz).lead_clarity >= LEAST_CLARITY
    if not clear.any():
        return bounds
    level = without_baseline(filled[clear], sampling_rate_hz)
    rr_s = np.diff(peaks, append=peaks[-1:] + int(_LONGEST_RR_S * sampling_rate_hz)) / sampling_rate_hz
    if peaks.size > 1:
        rr_s[-1] = rr_s[-2]
    local = peaks[first:last] - origin
    found, has_p = _waves(
        level, sampling_rate_hz, local, np.minimum(rr_s[first:last], _LONGEST_RR_S), usual[first:last]
    )
    if network is not None:
        parts = network_input(beat_windows(level, sampling_rate_hz, local), usual[first:last])
        found = _refined(found, has_p, local, usual[first:last], sampling_rate_hz, network.bounds_s(parts))
    width_s = (found[3] - found[2]) / sampling_rate_hz
    found[:, ~((width_s >= _QRS_RANGE_S[0]) & (width_s <= _QRS_RANGE_S[1]))] = np.nan
    found[:, _has_gap(piece[clear], sampling_rate_hz, local)] = np.nan
    found[(found < 0) | (found > piece.shape[1] - 1)] = np.nan
    bounds[:, clear] = found + origin
    return bounds


def _waves(level: Array, sampling_rate_hz: float, peaks: Array, rr_s: Array, usual: Array) -> tuple[Array, Array]:
    """The six boundaries of one block, float64 (6, n_leads, n_beats), and which beats surely have a P wave."""
    qrs_on, qrs_off = qrs_bounds(level, sampling_rate_hz, peaks)
    t_on, t_off = t_bounds(level, sampling_rate_hz, peaks, rr_s, qrs_on, qrs_off)
    p = p_bounds(level, sampling_rate_hz, qrs_on, qrs_off, t_off, usual)
    return np.stack([p.onset, p.end, qrs_on, qrs_off, t_on, t_off]), p.is_sure


def _refined(
    found: Array, has_p: Array, peaks: Array, usual: Array, sampling_rate_hz: float, seen: tuple[Array, Array]
) -> Array:
    """The boundaries moved to where the network has `seen` them, float64 (6, n_leads, n_beats).

    The signal decides whether there is a QRS and a T wave, which it does better. A beat has a P wave in all leads or in
    none. A QRS or T wave that the network places where
    none can be stays where the signal has it.
    """
    place_s, present = seen
    moved = peaks + place_s * sampling_rate_hz
    touch = _TOUCH_S * sampling_rate_hz
    refined = np.array(found)
    width_s = (moved[3] - moved[2]) / sampling_rate_hz
    better = (width_s >= _QRS_RANGE_S[0]) & (width_s <= _QRS_RANGE_S[1]) & np.isfinite(found[2] + found[3])
    refined[2:4, better] = moved[2:4, better]
    better = (moved[4] < moved[5]) & (moved[4] >= refined[3] - touch) & np.isfinite(found[5])
    refined[4:6, better] = moved[4:6, better]
    p_here = _beats_with_p(has_p, present[:2].mean(axis=(0, 1)), usual, moved[0] - found[0], sampling_rate_hz)
    kept = p_here[None] & (moved[0] < moved[1]) & (moved[1] <= refined[2] + touch)
    refined[:2] = np.where(kept, moved[:2], np.nan)
    return refined


def _beats_with_p(sure: Array, present: Array, usual: Array, apart: Array, sampling_rate_hz: float) -> Array:
    """Bool (n_beats,): where the signal is sure and the network looks at the same place, or where the network is.

    `present` is the network's probability, the mean over leads, and `apart` (n_leads, n_beats) is how far its onset
    lies from the signal's. A network alone is believed where it sees P waves in most usual beats: noise now and then
    looks like one.
    """
    reach = _SAME_PLACE_S * sampling_rate_hz
    together = np.sum(np.abs(apart) <= reach, axis=0) >= _LEAST_SAME_PLACE * apart.shape[0]
    usually = usual.sum() >= _LEAST_USUAL_BEATS and float(np.median(present[usual])) >= _LEAST_USUALLY
    return np.asarray((sure & together) | (usually & (present >= _LEAST_PRESENT)))


def _has_gap(piece: Array, sampling_rate_hz: float, peaks: Array) -> Array:
    """Bool (n_leads, n_beats): samples are missing between the P and the T wave."""
    missing = np.concatenate([np.zeros((piece.shape[0], 1), int), np.cumsum(~np.isfinite(piece), axis=1)], axis=1)
    low = np.clip(peaks - int(0.3 * sampling_rate_hz), 0, piece.shape[1])
    high = np.clip(peaks + int(0.5 * sampling_rate_hz), 0, piece.shape[1])
    return np.asarray(missing[:, high] > missing[:, low])
