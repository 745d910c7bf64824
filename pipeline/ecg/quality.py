"""Signal quality: what each second of each lead is worth, and which leads can be measured.

A lead is unusable for a hard reason only (missing, flat, clipped, noise of the size of the QRS, values
that no heart makes); everything else lowers its quality between 1 and 0. The thresholds are ours.
They are deliberately wide: a lead that is merely ugly stays in and is weighed down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.cancellation import CancelToken
from pipeline.ecg.filters import MAINS_HZ
from pipeline.ecg.readers.scaling import IMPLAUSIBLE_MV, PROBE_SAMPLES, typical_size_mv
from pipeline.records import Array

MAX_MISSING_SHARE = 0.5
FLAT_RANGE_MV = 0.03  # peak to peak of a typical second; limb leads of low voltage reach 0.2 mV
DEAD_RANGE_MV = 0.002  # a second below this is a disconnected electrode, not a pause
MAX_DEAD_SHARE = 0.5
CLIPPED_RUN_S = 0.012  # a top this long at exactly the largest value is a limit, not a wave
CLIPPED_DISTANCE = 0.2  # of the lead's whole range: how far a limit lies from the isoelectric line
MAX_CLIPPED_SHARE = 0.05
CLEAN_NOISE_SHARE = 0.02
MAX_NOISE_SHARE = 0.15
"""Noise (standard deviation) as a share of the peak-to-peak size: white noise alone gives about 0.16."""
NOISE_LAG_S = 0.004
WANDER_SHARE = 1.0
LARGEST_RANGE_MV = 20.0
"""Peak to peak of a typical second above which the unit must be wrong: the tallest QRS stay below 10 mV (ours)."""
LEAST_OFF_S = 3  # a lead that is dead for so many seconds is named with its stretch; a heart's pause is seen in all
BLOCK_S = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFeatures:
    """Features of a lead for each second; the last, shorter second counts when it has half its samples."""

    missing_share: Array  # float32 (n_seconds,)
    range_mv: Array  # peak to peak of the filtered signal
    noise_mv: Array  # standard deviation of what changes within 4 ms
    wander_mv: Array  # how far the second's median lies from the lead's
    clipped_share: Array
    raw_range_mv: Array  # peak to peak as recorded, missing samples left out
    mains_mv: Array  # amplitude of the stronger of 50 and 60 Hz as recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadQuality:
    """Verdict on one lead. `reason` is set when it is unusable, or when it is impaired and `usable`."""

    quality: float  # 0..1; 0 when unusable
    usable: bool
    reason: str | None


def second_features(
    raw_mv: Array,
    filtered_mv: Array,
    sampling_rate_hz: float,
    *,
    on_fraction: Callable[[float], None] | None = None,
    cancel: CancelToken | None = None,
) -> SecondFeatures:
    """Measure each second of one lead.

    Parameters
    ----------
    raw_mv, filtered_mv
        float (n_samples,) in mV; NaN in `raw_mv` marks missing samples, `filtered_mv` has none.
    """
    middle_mv = _middle_of(raw_mv)
    limits_mv = _clipping_limits_mv(raw_mv, middle_mv)
    blocks, n_done = [], 0
    for raw, filtered in _blocks(raw_mv, filtered_mv, sampling_rate_hz):
        if cancel is not None:
            cancel.check()
        missing = ~np.isfinite(raw)
        present = np.where(missing, np.float32(middle_mv), raw)
        blocks.append(
            np.stack(
                [
                    missing.mean(axis=1),
                    np.ptp(filtered, axis=1),
                    _noise_mv(filtered, sampling_rate_hz),
                    np.abs(np.median(present, axis=1) - middle_mv),
                    _clipped_share(raw, limits_mv, sampling_rate_hz),
                    np.ptp(present, axis=1),
                    _mains_mv(present, sampling_rate_hz),
                ]
            )
        )
        n_done += raw.size
        if on_fraction is not None:
            on_fraction(n_done / raw_mv.size)
    joined = np.concatenate(blocks, axis=1).astype(np.float32)
    return SecondFeatures(
        missing_share=joined[0],
        range_mv=joined[1],
        noise_mv=joined[2],
        wander_mv=joined[3],
        clipped_share=joined[4],
        raw_range_mv=joined[5],
        mains_mv=joined[6],
    )


def second_quality(features: SecondFeatures) -> Array:
    """Quality of each second, float32 (n_seconds,) 0..1: the worst of its terms."""
    size_mv = np.maximum(features.range_mv, 1e-6)
    noise = (MAX_NOISE_SHARE - features.noise_mv / size_mv) / (MAX_NOISE_SHARE - CLEAN_NOISE_SHARE)
    wander = 1.0 - 0.5 * np.clip(features.wander_mv / size_mv - WANDER_SHARE, 0.0, 1.0)
    clipped = 1.0 - features.clipped_share / MAX_CLIPPED_SHARE
    worst = np.minimum.reduce([1.0 - features.missing_share, noise, wander, clipped])
    worst = np.where(features.range_mv < DEAD_RANGE_MV, 0.0, worst)
    return np.clip(worst, 0.0, 1.0).astype(np.float32)


def lead_quality(raw_mv: Array, features: SecondFeatures) -> LeadQuality:
    """Judge one lead by the features of its seconds."""
    reason = _hard_reason(raw_mv, features)
    if reason is not None:
        return LeadQuality(quality=0.0, usable=False, reason=reason)
    quality = float(np.mean(second_quality(features)))
    return LeadQuality(quality=quality, usable=True, reason=_impairment(features, quality))


def _hard_reason(raw_mv: Array, features: SecondFeatures) -> str | None:
    present = features.missing_share < 1.0
    if not present.any() or float(features.missing_share.mean()) > MAX_MISSING_SHARE:
        return "most of its samples are missing"
    ranges_mv = features.range_mv[present]
    if float(np.mean(ranges_mv < DEAD_RANGE_MV)) > MAX_DEAD_SHARE or float(np.median(ranges_mv)) < FLAT_RANGE_MV:
        if typical_size_mv(raw_mv) > FLAT_RANGE_MV:
            return "it holds mains noise or drift only, as from a disconnected electrode"
        return "it is flat, as from a disconnected electrode"
    if typical_size_mv(raw_mv) > IMPLAUSIBLE_MV or float(np.median(ranges_mv)) > LARGEST_RANGE_MV:
        return "its values are larger than any ECG"
    if float(features.clipped_share.mean()) > MAX_CLIPPED_SHARE:
        return "it is clipped at the limit of the recorder"
    noise_share = float(np.median(features.noise_mv[present] / np.maximum(ranges_mv, 1e-6)))
    if noise_share > MAX_NOISE_SHARE:
        return "its noise hides the heartbeats"
    return None


def _impairment(features: SecondFeatures, quality: float) -> str | None:
    """The plain reason of a usable lead of less than half quality, or of one with clipped tops or a flat stretch."""
    if float(features.clipped_share.max()) > MAX_CLIPPED_SHARE:
        return "some of its waves are clipped"
    first, last = _longest_run(features.range_mv < DEAD_RANGE_MV)
    if last - first >= LEAST_OFF_S and float(features.missing_share[first:last].mean()) < MAX_MISSING_SHARE:
        return f"it is flat from second {first} to {last}, as from a disconnected electrode"
    if quality >= 0.5:
        return None
    return "parts of it are missing" if float(features.missing_share.mean()) > 0.2 else "it is noisy"


def _longest_run(marked: Array) -> tuple[int, int]:
    """First index and the one after the last of the longest stretch of True; (0, 0) where there is none."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], marked.astype(np.int8), [0]))))
    if not edges.size:
        return 0, 0
    longest = int(np.argmax(edges[1::2] - edges[::2]))
    return int(edges[2 * longest]), int(edges[2 * longest + 1])


# --- the features of a block of seconds, (n_seconds, samples a second) --------------------------------


def _blocks(raw_mv: Array, filtered_mv: Array, sampling_rate_hz: float) -> Iterator[tuple[Array, Array]]:
    """Whole seconds in blocks; a rest of at least half a second is a row of its own."""
    n_second = max(1, round(sampling_rate_hz))
    n_whole = raw_mv.size // n_second * n_second
    step = BLOCK_S * n_second
    for start in range(0, n_whole, step):
        part = slice(start, min(start + step, n_whole))
        yield raw_mv[part].reshape(-1, n_second), filtered_mv[part].reshape(-1, n_second)
    rest = raw_mv.size - n_whole
    if rest * 2 >= n_second or not n_whole:
        yield raw_mv[n_whole:].reshape(1, -1), filtered_mv[n_whole:].reshape(1, -1)


def _middle_of(raw_mv: Array) -> float:
    probe = raw_mv[:: max(1, raw_mv.size // PROBE_SAMPLES)]
    probe = probe[np.isfinite(probe)]
    return float(np.median(probe)) if probe.size else 0.0


def _clipping_limits_mv(raw_mv: Array, middle_mv: float) -> tuple[float, ...]:
    """The lead's extremes, as far as they lie away from its isoelectric line.

    A calm or digitised baseline can rest for long at exactly the smallest value: that is no clipping.
    """
    if not np.isfinite(raw_mv).any():
        return ()
    extremes = (float(np.nanmin(raw_mv)), float(np.nanmax(raw_mv)))
    size_mv = extremes[1] - extremes[0]
    return tuple(limit for limit in extremes if abs(limit - middle_mv) > CLIPPED_DISTANCE * size_mv)


def _noise_mv(filtered: Array, sampling_rate_hz: float) -> Array:
    """Standard deviation of noise from second differences over 4 ms, robust against the QRS.

    A lag instead of neighbouring samples makes the figure independent of the sampling rate: below the
    150 Hz of the filter, neighbours at 1000 Hz are nearly equal even in pure noise.
    """
    lag = max(1, round(NOISE_LAG_S * sampling_rate_hz))
    if filtered.shape[1] <= 2 * lag:
        return np.zeros(filtered.shape[0], np.float32)
    curvature = filtered[:, 2 * lag :] - 2.0 * filtered[:, lag:-lag] + filtered[:, : -2 * lag]
    noise: Array = 1.4826 * np.median(np.abs(curvature), axis=1) / np.sqrt(6.0)
    return noise


def _mains_mv(present: Array, sampling_rate_hz: float) -> Array:
    """Amplitude of the stronger of 50 and 60 Hz in each row; what a QRS adds there is some hundredths of a mV."""
    lines_hz = np.array([line_hz for line_hz in MAINS_HZ if line_hz < 0.5 * sampling_rate_hz])
    if not lines_hz.size:
        return np.zeros(present.shape[0], np.float32)
    n = present.shape[1]
    turns = np.exp(-2j * np.pi * np.arange(n)[:, None] / sampling_rate_hz * lines_hz[None, :]).astype(np.complex64)
    level = present - present.mean(axis=1, keepdims=True)
    return np.asarray(2.0 / n * np.abs(level.astype(np.float32) @ turns).max(axis=1))


def _clipped_share(raw: Array, limits_mv: tuple[float, ...], sampling_rate_hz: float) -> Array:
    """Share of each row that lies in long runs at exactly one of the limits."""
    shares = np.zeros(raw.shape[0], np.float32)
    n_run = max(3, round(CLIPPED_RUN_S * sampling_rate_hz))
    for limit_mv in limits_mv:
        at_limit = raw == limit_mv
        for row in np.flatnonzero(at_limit.sum(axis=1) >= n_run):
            edges = np.flatnonzero(np.diff(np.concatenate(([0], at_limit[row].astype(np.int8), [0]))))
            lengths = edges[1::2] - edges[::2]
            shares[row] += lengths[lengths >= n_run].sum() / raw.shape[1]
    return shares
