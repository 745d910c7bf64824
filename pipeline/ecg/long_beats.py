"""The beats of one hour of a long ECG: found, classed and measured in windows of ten minutes that overlap.

P waves decide about atrial fibrillation only where RR is irregular. So the waves are looked for there, in every
second block of beats, and in one block of each window for the intervals; not in each of 100 000 beats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.ecg.atrial_waves import blocked_p_waves
from pipeline.ecg.beats import classify_beats, detect_r_peaks
from pipeline.ecg.delineation import delineate_with
from pipeline.ecg.fibrillation import rr_irregularity
from pipeline.ecg.filters import LeadFilter
from pipeline.ecg.flutter import flutter_beats
from pipeline.ecg.intervals import beat_intervals, usual_median
from pipeline.ecg.long_windows import hour_windows, read_piece, second_samples
from pipeline.ecg.pacing import find_pacing
from pipeline.ecg.readers.stream import EcgStream
from pipeline.ecg.rhythm import runs
from pipeline.records import Array, Delineation, EcgOverview

_MARGIN_S = 30.0  # of beats seen on both sides of a window, so that those inside have their neighbours
_IRREGULAR = 0.06  # of the usual RR: below it no rhythm is called fibrillation, with or without P waves
_AROUND_BEATS = 16  # half the window over which fibrillation is judged
_BLOCK_BEATS = 40
_LEAST_BEATS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class HourBeats:
    """Beats of one hour that lie in clean seconds, in order; NaN where an interval was not measured."""

    peaks: Array  # int64 (n_beats,), samples of the record
    letters: Array  # uint8 (n_beats,), character codes of the AAMI classes
    looked: Array  # bool (n_beats,): the waves of this beat were looked for
    has_p: Array  # bool (n_beats,)
    flutter: Array  # bool (n_beats,)
    spike_ms: Array  # float64 (n_beats,), from the pacing spike to R; NaN outside paced stretches
    blocked: Array  # uint8 (n_beats,), P waves without a QRS before the next beat, of the beats looked at
    pr_ms: Array  # float64 (n_beats,)
    qrs_ms: Array
    qt_ms: Array


_DTYPES: dict[str, type] = {
    "peaks": np.int64,
    "letters": np.uint8,
    "looked": np.bool_,
    "has_p": np.bool_,
    "flutter": np.bool_,
    "spike_ms": np.float64,
    "blocked": np.uint8,
    "pr_ms": np.float64,
    "qrs_ms": np.float64,
    "qt_ms": np.float64,
}


def hour_beats(
    stream: EcgStream,
    lead_filter: LeadFilter,
    overview: EcgOverview,
    hour: int,
    *,
    progress: Progress = no_progress,
    cancel: CancelToken | None = None,
) -> HourBeats:
    """Everything about the beats of one hour; empty where no lead of it is usable.

    Raises
    ------
    RunCancelledError
        `cancel` was set; it is looked at several times in a window.
    """
    usable = overview.hour_usable[hour]
    windows = []
    for first, end in hour_windows(stream.n_samples, stream.sampling_rate_hz, hour) if usable.any() else ():
        if cancel is not None:
            cancel.check()

        def part(fraction: float, first: int = first, end: int = end) -> None:
            progress((first + fraction * (end - first)) / stream.n_samples, f"Measuring hour {hour + 1}")

        windows.append(_window(stream, lead_filter, usable, (first, end), part, cancel))
    found = _joined(windows)
    clean = overview.clean[np.minimum(found.peaks // second_samples(stream.sampling_rate_hz), overview.clean.size - 1)]
    return _chosen(found, clean)


def _window(
    stream: EcgStream,
    lead_filter: LeadFilter,
    usable: Array,
    window: tuple[int, int],
    on_fraction: Callable[[float], None],
    cancel: CancelToken | None,
) -> HourBeats:
    """The beats of one window (first, end), in or out of clean seconds."""
    (first, end), rate_hz = window, stream.sampling_rate_hz
    margin = int(_MARGIN_S * rate_hz)
    piece = read_piece(stream, lead_filter, max(0, first - margin), min(stream.n_samples, end + margin))
    signal_mv = np.where(np.isfinite(piece.raw_mv) & usable[:, None], piece.filtered_mv, np.nan)
    on_fraction(0.1)
    peaks = detect_r_peaks(signal_mv, rate_hz, cancel=cancel)
    on_fraction(0.3)
    if cancel is not None:
        cancel.check()
    classes = classify_beats(signal_mv, rate_hz, peaks)
    on_fraction(0.6)
    looked = _to_look_at(peaks, rate_hz)
    has_p, blocked = np.zeros(peaks.size, bool), np.zeros(peaks.size, np.uint8)
    intervals = np.full((3, peaks.size), np.nan)
    for start, last in runs(looked):
        some = slice(start, last + 1)
        usual = classes[some] != "V"
        waves = delineate_with(None, signal_mv, rate_hz, peaks[some], usual, cancel=cancel)
        has_p[some] = np.isfinite(waves.p_on).any(axis=0)
        measured = beat_intervals(waves, rate_hz)
        intervals[:, some] = measured.pr_ms, measured.qrs_ms, measured.qt_ms
        blocked[some] = _blocked(signal_mv, rate_hz, peaks[some], classes[some], waves)
        on_fraction(0.6 + 0.3 * last / peaks.size)
    qrs_ms = usual_median(intervals[1], looked & (classes == "N"))
    beats = HourBeats(
        peaks=peaks + piece.first,
        letters=np.array([ord(letter) for letter in classes.tolist()], np.uint8),
        looked=looked,
        has_p=has_p,
        flutter=flutter_beats(signal_mv, rate_hz, peaks, classes == "V", sparing=True),
        spike_ms=_spikes_ms(np.where(usable[:, None], piece.raw_mv, np.nan), rate_hz, peaks, qrs_ms),
        blocked=blocked,
        pr_ms=intervals[0],
        qrs_ms=intervals[1],
        qt_ms=intervals[2],
    )
    return _chosen(beats, (beats.peaks >= first) & (beats.peaks < end))


def _blocked(signal_mv: Array, rate_hz: float, peaks: Array, classes: Array, waves: Delineation) -> Array:
    """P waves without a QRS among some beats, uint8 (n_beats,), from the trace around them alone."""
    first = max(0, int(peaks[0] - rate_hz))
    around = signal_mv[:, first : int(peaks[-1] + rate_hz)]
    moved = Delineation(**{name: getattr(waves, name) - first for name in Delineation.__slots__})
    return blocked_p_waves(around, rate_hz, peaks - first, classes, moved)


def _spikes_ms(raw_mv: Array, rate_hz: float, peaks: Array, qrs_ms: float | None) -> Array:
    """Distance from pacing spike to R, float64 (n_beats,), NaN outside the paced stretches."""
    pacing = find_pacing(raw_mv, rate_hz, peaks, qrs_ms)
    return np.where(pacing.beats, np.nan if pacing.distance_ms is None else pacing.distance_ms, np.nan)


def _to_look_at(peaks: Array, sampling_rate_hz: float) -> Array:
    """Bool (n_beats,): one block in the middle, and every second block of the irregular stretches."""
    looked = np.zeros(peaks.size, bool)
    middle = max(0, (peaks.size - _BLOCK_BEATS) // 2)
    looked[middle : middle + _BLOCK_BEATS] = True
    if peaks.size < _LEAST_BEATS:
        return looked
    irregular = rr_irregularity(peaks, sampling_rate_hz) > _IRREGULAR
    around = np.convolve(irregular, np.ones(2 * _AROUND_BEATS + 1), "full")[_AROUND_BEATS:-_AROUND_BEATS] > 0
    for first, last in runs(around):
        for start in range(first, last + 1, 2 * _BLOCK_BEATS):
            looked[start : min(start + _BLOCK_BEATS, last + 1)] = True
    return looked


def _chosen(beats: HourBeats, keep: Array) -> HourBeats:
    return HourBeats(**{name: getattr(beats, name)[keep] for name in _DTYPES})


def _joined(parts: list[HourBeats]) -> HourBeats:
    empty: dict[str, Array] = {name: np.empty(0, dtype) for name, dtype in _DTYPES.items()}
    joined = {name: np.concatenate([none, *(getattr(part, name) for part in parts)]) for name, none in empty.items()}
    return HourBeats(**joined)


def joined_beats(parts: list[HourBeats], sampling_rate_hz: float) -> HourBeats:
    """All hours in one, without the second copy of a beat that two windows found at slightly different places."""
    joined = _joined(parts)
    keep = np.ones(joined.peaks.size, bool)
    keep[1:] = np.diff(joined.peaks) > 0.1 * sampling_rate_hz
    return _chosen(joined, keep)
