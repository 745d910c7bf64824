"""Where each QRS begins and ends, a lead."""

from __future__ import annotations

import numpy as np

from pipeline.ecg.waves import first_true, last_true, smooth, toward_median, windows
from pipeline.records import Array

_BEFORE_S, _AFTER_S = 0.2, 0.3
_SIGMA_MS = 7.0  # of the slope: keeps the corners of a QRS, hides 50 Hz hum
_PEAK_REACH_S = 0.06  # the steepest part lies this near to the R peak
_QUIET_SHARE = 0.07  # of the steepest slope: below it the QRS has not begun or is over
_QUIET_MS = 18.0  # for as long, so that the top of an R wave is not its end
_BACKGROUND_S, _BACKGROUND_PCT = 0.12, 30
_OWN_SHARE, _MOST_S = 0.5, 0.03
_ONSET_SHIFT_S = -0.004  # the slope rises after the eye sees the corner


def qrs_bounds(signal_mv: Array, sampling_rate_hz: float, r_peaks_idx: Array) -> tuple[Array, Array]:
    """Onset and end of every QRS.

    Parameters
    ----------
    signal_mv
        float64 (n_leads, n_samples), mV, no NaN, only leads with a heart beat in them.
    r_peaks_idx
        int64 (n_beats,).

    Returns
    -------
    Two float64 (n_leads, n_beats): sample positions. A boundary lies where the slope falls below a small part of its
    maximum and stays there.
    """
    from scipy.ndimage import maximum_filter1d

    slope = np.abs(smooth(signal_mv, _SIGMA_MS, sampling_rate_hz, order=1))
    before, after = int(_BEFORE_S * sampling_rate_hz), int(_AFTER_S * sampling_rate_hz)
    steps = np.arange(-before, after)
    parts = windows(slope, r_peaks_idx[:, None] + steps[None, :])
    near = np.where(np.abs(steps) <= _PEAK_REACH_S * sampling_rate_hz, parts, 0.0)
    steepest, peak = near.max(axis=-1), near.argmax(axis=-1)
    quiet = parts[..., : max(2, int(_BACKGROUND_S * sampling_rate_hz))]
    background = np.minimum(np.percentile(quiet, _BACKGROUND_PCT, axis=-1), 0.5 * steepest)
    limit = (background + _QUIET_SHARE * (steepest - background))[..., None]
    hold = max(3, int(_QUIET_MS * sampling_rate_hz / 1000.0))
    half = (hold - 1) // 2
    calm_before = maximum_filter1d(parts, hold, axis=-1, origin=half) < limit
    calm_after = maximum_filter1d(parts, hold, axis=-1, origin=-half) < limit
    index = np.arange(steps.size)
    onset = last_true(calm_before & (index <= peak[..., None])).astype(np.float64)
    end = first_true(calm_after & (index >= peak[..., None])).astype(np.float64)
    most = _MOST_S * sampling_rate_hz
    start = r_peaks_idx[None, :] - before
    onset = toward_median(onset, _OWN_SHARE, most) + start + _ONSET_SHIFT_S * sampling_rate_hz
    return onset, toward_median(end, _OWN_SHARE, most) + start
