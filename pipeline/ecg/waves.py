"""Small array tools that the wave detectors share. Arrays are (n_leads, n_beats, n_steps) unless said otherwise."""

from __future__ import annotations

import numpy as np

from pipeline.records import Array

_BASELINE_HZ = 0.35  # slower than any wave at 30/min: respiration and electrode drift


def without_baseline(signal_mv: Array, sampling_rate_hz: float) -> Array:
    """Signal (n_leads, n_samples) without its slow drift: zero phase, edges mirrored."""
    from scipy.fft import next_fast_len

    n = signal_mv.shape[1]
    mirrored = np.concatenate([signal_mv, signal_mv[:, ::-1]], axis=1)
    length = max(2 * n, 2)
    if length > 4096:
        length = next_fast_len(2 * n)
        mirrored = np.pad(mirrored, ((0, 0), (0, length - 2 * n)), mode="wrap")
    frequency_hz = np.fft.rfftfreq(length, 1.0 / sampling_rate_hz)
    keep = 1.0 - np.exp(-0.5 * (frequency_hz / _BASELINE_HZ) ** 2)
    keep[0] = 0.0
    return np.asarray(np.fft.irfft(np.fft.rfft(mirrored, axis=1) * keep, length, axis=1)[:, :n])


def smooth(signal_mv: Array, sigma_ms: float, sampling_rate_hz: float, order: int = 0) -> Array:
    """Gaussian smoothing along time; order 1 gives the slope per sample."""
    from scipy.ndimage import gaussian_filter1d

    sigma = max(sigma_ms * sampling_rate_hz / 1000.0, 0.3)
    return np.asarray(gaussian_filter1d(signal_mv, sigma, axis=1, order=order, mode="nearest"))


def windows(signal_mv: Array, positions: Array) -> Array:
    """Samples of (n_leads, n_samples) at (n_beats, n_steps) positions; beyond an edge the edge is repeated."""
    inside = np.clip(positions, 0, signal_mv.shape[1] - 1).astype(np.int64)
    return np.asarray(signal_mv[:, inside])


def at(values: Array, steps: Array) -> Array:
    """Value of (..., n_steps) at one step each (...), last axis kept with length 1."""
    return np.asarray(np.take_along_axis(values, steps[..., None], axis=-1))


def last_true(mask: Array) -> Array:
    """Step of the last True on the last axis, -1 where there is none."""
    n = mask.shape[-1]
    return np.where(mask.any(axis=-1), n - 1 - np.argmax(mask[..., ::-1], axis=-1), -1)


def first_true(mask: Array) -> Array:
    """Step of the first True on the last axis, n_steps where there is none."""
    return np.asarray(np.where(mask.any(axis=-1), np.argmax(mask, axis=-1), mask.shape[-1]))


def toward_median(steps: Array, own_share: float, most: float) -> Array:
    """Pull each lead's boundary (n_leads, ...) to the median of the leads.

    A lead may differ from the median by `most` steps, and of that it keeps `own_share`: a wave begins and ends at
    nearly the same time in all leads, and a lead that disagrees much is mostly wrong.
    """
    centre = np.median(steps, axis=0)
    return np.asarray(centre + own_share * np.clip(steps - centre, -most, most))


def running_median(values: Array, window: int) -> Array:
    """Median of (n,) values over an odd number of neighbours; the median of all where there are no more than that."""
    from scipy.ndimage import median_filter

    if values.size <= window:
        return np.full(values.size, np.median(values) if values.size else np.nan)
    return np.asarray(median_filter(values, window, mode="reflect"))


def running_mean(values: Array, window: int) -> Array:
    """Mean of (n,) values over an odd number of neighbours; the mean of all where there are no more than that."""
    from scipy.ndimage import uniform_filter1d

    if values.size <= window:
        return np.full(values.size, np.mean(values) if values.size else np.nan)
    return np.asarray(uniform_filter1d(values, window, mode="reflect"))
