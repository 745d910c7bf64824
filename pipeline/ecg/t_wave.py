"""Where each T wave begins and ends, a lead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.ecg.waves import at, smooth, toward_median, windows
from pipeline.records import Array

_SIGMA_MS = 12.0
_WINDOW_S = 0.75  # after the QRS
_FIRST_S = 0.05  # the T wave's peak is later than this after the QRS
_ST_RAMP_S = (0.04, 0.12)  # the ST segment counts less and less as it nears the QRS
_LONGEST_QT_S = 0.53  # at 60/min; grows with the cube root of RR, as Fridericia's correction does
_NEXT_QRS_S = 0.12  # a T wave ends this long before the next R
_AGREE_S = 0.06  # a lead's peak lies this near to the peak of all leads
_LIMB_S = 0.16  # the steepest part of a limb lies this near to the peak
_END_AREA_S, _ONSET_AREA_S = 0.10, 0.07  # reach of the trapezium beyond the steepest part
_END_SHIFT_S = -0.004
_OWN_SHARE, _MOST_S = 0.5, 0.06
_LEAST_MV = 0.03  # in the best lead: a third of a small box; less cannot be told from drift
_LEAST_LEAD_MV = 0.008
_LEAST_OVER_NOISE = 3.0


@dataclass(frozen=True, slots=True)
class _Window:
    """Samples after each QRS, thinned to about 250 a second."""

    level: Array  # (n_leads, n_beats, n_steps) smoothed, mV
    height: Array  # distance from the level at the window's end, 0 outside the search range
    last: Array  # (n_beats,) last step of the search range
    start: Array  # (n_beats,) sample position of step 0
    step: int
    rate_hz: float


def t_bounds(
    signal_mv: Array, sampling_rate_hz: float, r_peaks_idx: Array, rr_s: Array, qrs_on: Array, qrs_off: Array
) -> tuple[Array, Array]:
    """Onset and end of every T wave by the area of the trapezium under each limb.

    `rr_s` is (n_beats,), seconds to the next beat. Returns two float64 (n_leads, n_beats) of sample positions, NaN
    where the T wave is too flat to be seen.

    Source: Vazquez-Seisdedos et al., BioMed Eng OnLine 2011, 10:43, doi 10.1186/1475-925X-10-43 (T-wave end). We
    differ: the peak is found over all leads, each lead is pulled to the median, and the onset is the mirror image.
    """
    window = _window(signal_mv, sampling_rate_hz, r_peaks_idx, rr_s, qrs_on, qrs_off)
    together = np.sqrt(np.mean(window.height**2, axis=0))
    centre = together.argmax(axis=1)
    steps = np.arange(together.shape[1])
    near = np.abs(steps[None, :] - centre[:, None]) <= _AGREE_S * window.rate_hz
    near_height = np.where(near[None], window.height, 0.0)
    peak = near_height.argmax(axis=2)
    end = _limb_end(window.level, peak, window.last, window.rate_hz, _END_AREA_S)
    flipped_first = np.full_like(window.last, steps.size - 1)
    mirrored = _limb_end(window.level[..., ::-1], steps.size - 1 - peak, flipped_first, window.rate_hz, _ONSET_AREA_S)
    onset = steps.size - 1 - mirrored
    most = _MOST_S * window.rate_hz
    seen = _is_seen(near_height.max(axis=2), signal_mv, sampling_rate_hz)
    off = window.start + window.step * toward_median(end, _OWN_SHARE, most) + _END_SHIFT_S * sampling_rate_hz
    on = window.start + window.step * toward_median(onset, _OWN_SHARE, most)
    return np.where(seen, on, np.nan), np.where(seen, off, np.nan)


def _window(
    signal_mv: Array, sampling_rate_hz: float, r_peaks_idx: Array, rr_s: Array, qrs_on: Array, qrs_off: Array
) -> _Window:
    step = max(1, round(sampling_rate_hz / 250.0))
    rate_hz = sampling_rate_hz / step
    start, onset = np.median(qrs_off, axis=0), np.median(qrs_on, axis=0)
    longest_s = _LONGEST_QT_S * np.cbrt(np.clip(rr_s, 0.3, 1.6))
    next_qrs_s = rr_s - _NEXT_QRS_S + (r_peaks_idx - onset) / sampling_rate_hz
    range_s = np.minimum(longest_s, next_qrs_s) + (onset - start) / sampling_rate_hz
    range_s = np.clip(range_s, 0.15, _WINDOW_S - 0.01)
    n_steps = int(_WINDOW_S * rate_hz)
    times_s = np.arange(n_steps) / rate_hz
    last = np.clip((range_s * rate_hz).astype(np.int64), 2, n_steps - 1)
    level = windows(smooth(signal_mv, _SIGMA_MS, sampling_rate_hz), start[:, None] + step * np.arange(n_steps)[None, :])
    base = at(level, np.broadcast_to(last, level.shape[:2]))
    ramp = np.clip((times_s - _ST_RAMP_S[0]) / (_ST_RAMP_S[1] - _ST_RAMP_S[0]), 0.0, 1.0)
    searched = (times_s[None, :] > _FIRST_S) & (times_s[None, :] < range_s[:, None])
    height = np.where(searched[None], np.abs(level - base) * ramp, 0.0)
    return _Window(level, height, last, start, step, rate_hz)


def _limb_end(level: Array, peak: Array, last: Array, rate_hz: float, area_s: float) -> Array:
    """Step (n_leads, n_beats) at which the limb after the peak ends: the trapezium of largest area."""
    steps = np.arange(level.shape[2])
    slope = np.gradient(level, axis=2)
    reach = _LIMB_S * rate_hz
    limb = (steps >= peak[..., None]) & (steps <= peak[..., None] + reach) & (steps <= last[None, :, None])
    falls = np.where(limb, slope, 0.0).sum(axis=2) < 0
    sign = np.where(falls, 1.0, -1.0)[..., None]
    steepest = np.where(limb, -sign * slope, -np.inf).argmax(axis=2)
    far = np.minimum(steepest + int(area_s * rate_hz), last[None, :] + int(0.02 * rate_hz))
    far = np.minimum(far, steps.size - 1)
    drop = sign * (at(level, steepest) - level)
    area = drop * (2.0 * far[..., None] - steps - steepest[..., None])
    inside = (steps >= steepest[..., None]) & (steps <= far[..., None])
    return np.asarray(np.where(inside, area, -np.inf).argmax(axis=2), np.float64)


def _is_seen(height_mv: Array, signal_mv: Array, sampling_rate_hz: float) -> Array:
    """Bool (n_leads, n_beats): the wave stands out from drift and noise."""
    rough = signal_mv - smooth(signal_mv, _SIGMA_MS, sampling_rate_hz)
    noise_mv = 1.48 * np.median(np.abs(rough), axis=1, keepdims=True)
    over_noise = np.max(height_mv / np.maximum(noise_mv, 1e-6), axis=0) >= _LEAST_OVER_NOISE
    in_best_lead = np.max(height_mv, axis=0) >= _LEAST_MV
    return np.asarray((over_noise & in_best_lead)[None] & (height_mv >= _LEAST_LEAD_MV))
