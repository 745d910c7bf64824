"""Whether a clip and an ECG were taken at the same time, so that one cursor can stand in both.

Headers tell the second only, a heart beat is shorter. So the clocks must say that the recordings overlap, and the R
waves that the clip carries must fall on R peaks of the ECG; then these set the offset. Nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from pipeline.clinical.identity import read_time
from pipeline.records import Array, EchoCine, PreparedEcg

MOST_CLOCK_ERROR_S = 2.0
MOST_RESIDUAL_S = 0.04
"""Ours: one frame at 25/s. The clock error allows for headers that round or cut the second, in both files."""
LEAST_R_WAVES = 2
_UNIQUE_FACTOR = 2.0  # the next best offset must fit this much worse


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLock:
    """`offset_s` is added to a time of the clip to get the time of the ECG; None with the reason why there is none."""

    offset_s: float | None
    text: str


def time_lock(cine: EchoCine, ecg: PreparedEcg, r_peaks_idx: Array) -> TimeLock:
    """Compare two recordings; see the module for the rule. `r_peaks_idx` is int (n_beats,)."""
    if not cine.timing_known:
        return _none("the clip does not say when its frames were taken")
    ids = {header.patient_id for header in (cine.header, ecg.record.header)} - {None}
    if len(ids) > 1:
        return _none("the files name different patients")
    starts = [_time(header.acquired_at) for header in (cine.header, ecg.record.header)]
    if starts[0] is None or starts[1] is None:
        return _none("a file does not say when it was taken")
    clock_s = (starts[0] - starts[1]).total_seconds()
    length_s = _length_s(ecg)
    if clock_s > length_s + MOST_CLOCK_ERROR_S or clock_s + float(cine.frame_times_s[-1]) < -MOST_CLOCK_ERROR_S:
        return _none("they were taken at different times")
    r_waves_s = np.asarray(cine.r_wave_times_s, float)
    if r_waves_s.size < LEAST_R_WAVES or r_peaks_idx.size < LEAST_R_WAVES:
        return _none("the clip carries no R waves, and clocks that tell the second are not enough")
    return _fitted(r_waves_s, r_peaks_idx / ecg.record.sampling_rate_hz, clock_s)


def _fitted(r_waves_s: Array, peaks_s: Array, clock_s: float) -> TimeLock:
    """The offset near the clocks' at which every R wave of the clip lies on an R peak."""
    offsets = (peaks_s[None, :] - r_waves_s[:, None]).ravel()
    offsets = offsets[np.abs(offsets - clock_s) <= MOST_CLOCK_ERROR_S]
    best: list[tuple[float, float]] = []
    for offset in offsets.tolist():
        errors = _errors(r_waves_s + offset, peaks_s)
        centred = offset + float(np.median(errors))
        worst = float(np.abs(_errors(r_waves_s + centred, peaks_s)).max())
        if not any(abs(centred - other) < MOST_RESIDUAL_S for _, other in best):
            best.append((worst, centred))
    best.sort()
    if not best or best[0][0] > MOST_RESIDUAL_S:
        return _none("the R waves of the clip do not fall on those of the ECG")
    if len(best) > 1 and best[1][0] < _UNIQUE_FACTOR * max(best[0][0], MOST_RESIDUAL_S):
        return _none("the rhythm is so regular that the R waves fit in more than one place")
    return TimeLock(offset_s=best[0][1], text=f"Time-locked by the clip's R waves, within {1000 * best[0][0]:.0f} ms")


def _errors(times_s: Array, peaks_s: Array) -> Array:
    """Nearest R peak minus each time."""
    place = np.clip(np.searchsorted(peaks_s, times_s), 1, peaks_s.size - 1)
    before, after = peaks_s[place - 1], peaks_s[place]
    return np.asarray(np.where(times_s - before < after - times_s, before, after) - times_s)


def _length_s(ecg: PreparedEcg) -> float:
    n_samples = ecg.filtered_mv.shape[1] if ecg.overview is None else ecg.overview.n_samples
    return n_samples / ecg.record.sampling_rate_hz


def _time(text: str | None) -> datetime | None:
    """None where there is no clock time."""
    found = read_time(text)
    return found[0] if found is not None and found[1] else None


def _none(reason: str) -> TimeLock:
    return TimeLock(offset_s=None, text=f"Not time-locked: {reason}")
