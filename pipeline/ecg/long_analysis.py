"""ANALYSIS of an ECG of many hours: each hour from its file, then everything that needs all beats at once."""

from __future__ import annotations

import dataclasses

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.ecg.delineation import delineate_with
from pipeline.ecg.fibrillation import fibrillation
from pipeline.ecg.hourly import LongBeats, course, known_intervals
from pipeline.ecg.long_beats import HourBeats, hour_beats, joined_beats
from pipeline.ecg.long_measurements import interval_median, long_measurements
from pipeline.ecg.long_preparation import long_filter
from pipeline.ecg.long_windows import hour_count
from pipeline.ecg.median_beat import usual_beats
from pipeline.ecg.pacing import Pacing, stated_pacing
from pipeline.ecg.readers.stream import EcgStream
from pipeline.ecg.rhythm import RhythmFacts, rhythm_statements
from pipeline.ecg.shape import AXIS_WAVES, BeatShape, beat_shape, shape_statements
from pipeline.ecg.waves import running_median
from pipeline.errors import AnalysisError
from pipeline.parts import NoParts, Parts
from pipeline.records import (
    Array,
    Delineation,
    EcgAnalysis,
    EcgStatement,
    Metadata,
    PreparedEcg,
    Remark,
    RhythmStatement,
)

_USUAL_BEATS = 25
LEAST_PACED = 0.01  # of the beats, from which the whole recording counts as paced
_BEGINNING = "Usual beat of the first minutes:"
_FIRST_RR_S = 0.8  # where not one interval is known


def analyse_long(
    stream: EcgStream,
    ecg: PreparedEcg,
    metadata: Metadata,
    *,
    parts: Parts | None = None,
    progress: Progress = no_progress,
    cancel: CancelToken | None = None,
) -> EcgAnalysis:
    """Measure a long recording in memory that grows with its beats only; finished hours are kept in `parts`.

    Raises
    ------
    AnalysisError
        No heart beat was found in any hour.
    InputError, TransientReadError
        The file could not be read any more.
    RunCancelledError
        The run was cancelled.
    """
    if ecg.overview is None:
        raise ValueError("a record without overview is not a long one")
    waves = _all_beats(stream, ecg, parts or NoParts(), progress, cancel)
    if waves.peaks.size == 0:
        raise AnalysisError("No heart beat was found in the ECG.")
    rate_hz = stream.sampling_rate_hz
    known = known_intervals(waves.peaks, ecg.overview.clean, rate_hz)
    steady_s = _steady_times_s(waves.peaks / rate_hz, known)
    has_p = _nearest_looked(waves)
    beats = LongBeats(
        peaks=waves.peaks,
        classes=np.array([chr(letter) for letter in waves.letters.tolist()], "<U1"),
        af_beats=fibrillation(np.round(steady_s * rate_hz).astype(np.int64), rate_hz, has_p) & ~waves.flutter,
        flutter_beats=waves.flutter,
        paced_beats=np.isfinite(waves.spike_ms),
        known=known,
        clean=ecg.overview.clean,
        sampling_rate_hz=rate_hz,
    )
    note = stated_pacing(metadata, ecg.record.header)
    paced = note is not None or float(beats.paced_beats.mean()) > LEAST_PACED
    shape, delineation = _beginning(ecg, beats, cancel)
    return EcgAnalysis(
        measurements=long_measurements(beats, waves, ecg.file_sha256, sex=metadata.sex, paced=paced),
        r_peaks_idx=beats.peaks,
        beat_classes=tuple(beats.classes.tolist()),
        af_beats=beats.af_beats,
        flutter_beats=beats.flutter_beats,
        paced_beats=beats.paced_beats,
        delineation=delineation,
        rhythm=_rhythm(beats, waves, has_p, steady_s, stream.duration_s),
        remarks=_remarks(beats, note),
        waves=shape.waves,
        statements=_statements(shape, metadata, interval_median(beats, waves, "qrs"), paced),
        long=course(beats),
    )


def _all_beats(
    stream: EcgStream, ecg: PreparedEcg, parts: Parts, progress: Progress, cancel: CancelToken | None
) -> HourBeats:
    assert ecg.overview is not None
    lead_filter, _ = long_filter(stream)
    hours = []
    n_hours = hour_count(stream.n_samples, stream.sampling_rate_hz)
    for number in range(n_hours):
        hour = parts.known(number, HourBeats)
        if hour is None:
            hour = hour_beats(stream, lead_filter, ecg.overview, number, progress=progress, cancel=cancel)
            parts.keep(number, hour)
        hours.append(hour)
        progress(0.99 * (number + 1) / n_hours, f"Hour {number + 1} of {n_hours} measured")
    return joined_beats(hours, stream.sampling_rate_hz)


def _steady_times_s(times_s: Array, known: Array) -> Array:
    """Times of the beats as if noise had lasted one usual interval, float64 (n_beats,).

    The rules of rhythm look at intervals between neighbours; so a stretch that could not be read is neither a pause
    nor a slow heart to them.
    """
    rr_s = np.diff(times_s)
    if not known.any():
        return np.asarray(times_s[0] + _FIRST_RR_S * np.arange(times_s.size))
    usual_s = running_median(rr_s[known], _USUAL_BEATS)
    filled_s: Array = np.interp(np.arange(rr_s.size), np.flatnonzero(known), usual_s)
    steps_s = np.where(known, rr_s, filled_s)
    return np.asarray(times_s[0] + np.concatenate([[0.0], np.cumsum(steps_s)]))


def _nearest_looked(waves: HourBeats) -> Array:
    """Whether each beat, or the nearest one whose waves were looked for, has a P wave; bool (n_beats,)."""
    looked = np.flatnonzero(waves.looked)
    if looked.size == 0:
        return np.zeros(waves.peaks.size, bool)
    middle = 0.5 * (waves.peaks[looked][1:] + waves.peaks[looked][:-1])
    return np.asarray(waves.has_p[looked[np.searchsorted(middle, waves.peaks)]])


def _beginning(ecg: PreparedEcg, beats: LongBeats, cancel: CancelToken | None) -> tuple[BeatShape, Delineation]:
    """Usual beat and wave boundaries, (n_leads, n_first_beats), of the beginning that is kept."""
    n_samples = ecg.filtered_mv.shape[1]
    signal_mv = np.where(np.isfinite(ecg.record.signal_mv) & ecg.lead_usable[:, None], ecg.filtered_mv, np.nan)
    peaks, classes = beats.peaks[beats.peaks < n_samples], beats.classes[beats.peaks < n_samples]
    waves = delineate_with(None, signal_mv, beats.sampling_rate_hz, peaks, classes != "V", cancel=cancel)
    return beat_shape(ecg, signal_mv, peaks, waves, usual_beats(classes)), waves


def _statements(shape: BeatShape, metadata: Metadata, qrs_ms: float | None, paced: bool) -> tuple[EcgStatement, ...]:
    """Statements about the usual beat of the beginning; the evidence says that it is that one."""
    axis = shape.axes[AXIS_WAVES.index("qrs")]
    axis_deg = None if axis is None or shape.limb_swap is not None else axis.angle_deg
    found = shape_statements(shape, metadata, qrs_ms=qrs_ms, axis_deg=axis_deg, paced=paced)
    return tuple(
        dataclasses.replace(s, evidence=f"{_BEGINNING} {s.evidence}") if s.status == "suggested" else s for s in found
    )


def _rhythm(
    beats: LongBeats, waves: HourBeats, has_p: Array, steady_s: Array, record_s: float
) -> tuple[RhythmStatement, ...]:
    """Statements made in steady time, told in the time of the record."""
    facts = RhythmFacts(
        peaks_s=steady_s,
        classes=beats.classes,
        af_beats=beats.af_beats,
        has_p=has_p,
        pr_ms=interval_median(beats, waves, "pr"),
        qrs_ms=interval_median(beats, waves, "qrs"),
        record_s=record_s,
        flutter_beats=beats.flutter_beats,
        pacing=_pacing(waves),
        blocked_p=waves.blocked,
        beat_pr_ms=waves.pr_ms,
    )
    told = []
    for statement in rhythm_statements(facts):
        if statement.start_s > 0.0 or statement.end_s < round(record_s, 3):
            start_s, end_s = np.interp([statement.start_s, statement.end_s], steady_s, beats.times_s)
            statement = dataclasses.replace(statement, start_s=round(float(start_s), 3), end_s=round(float(end_s), 3))
        told.append(statement)
    return tuple(told)


def _pacing(waves: HourBeats) -> Pacing:
    paced = np.isfinite(waves.spike_ms)
    distance_ms = float(np.median(waves.spike_ms[paced])) if paced.any() else None
    return Pacing(beats=paced, spikes=paced, distance_ms=distance_ms)


def _remarks(beats: LongBeats, paced_note: str | None) -> tuple[Remark, ...]:
    remarks = []
    unclean_s = int((~beats.clean).sum())
    if unclean_s:
        share_pct = 100.0 * unclean_s / beats.clean.size
        text = f"{unclean_s / 60:.0f} min of the ECG ({share_pct:.1f} %) are noisy or empty; nothing is counted there."
        remarks.append(Remark(code="W_ECG_NOISY_PARTS", text=text))
    if beats.af_beats.any():
        text = "Atrial fibrillation is suspected: rate and QT vary from beat to beat."
        remarks.append(Remark(code="W_ECG_AF_SUSPECTED", text=text))
    if paced_note is not None:
        remarks.append(Remark(code="W_ECG_PACED", text=paced_note))
    elif beats.paced_beats.any():
        text = f"A paced rhythm is suspected in {100.0 * float(beats.paced_beats.mean()):.1f} % of the beats."
        remarks.append(Remark(code="W_ECG_PACED", text=text))
    return tuple(remarks)
