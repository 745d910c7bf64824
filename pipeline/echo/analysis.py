"""ANALYSIS of the echo branch: function, volumes and wall motion out of the contours of all cines."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.clinical.reference_ranges import lvef_band, volume_band
from pipeline.echo import metrics
from pipeline.echo.chambers import atrium, mass
from pipeline.echo.cine_study import BeatFigures, CineStudy, study_cine
from pipeline.echo.error_model import Interval
from pipeline.echo.manifest import ModelManifest, read_manifest
from pipeline.echo.sampling import widened
from pipeline.echo.study_remarks import study_remarks
from pipeline.echo.subject import (
    NO_BODY_SURFACE,
    Subject,
    choose,
    interval_of,
    no_beats,
    no_length,
    phase_of,
    source_of,
)
from pipeline.echo.volumes import volume_of_profiles
from pipeline.echo.wall_scores import wall_motion_score_index
from pipeline.errors import AnalysisError
from pipeline.measurements import measured, withheld
from pipeline.records import Array, EchoAnalysis, EchoCine, EchoDetection, Measurement, Metadata, Metric, Source

INTERVAL_FROM = (
    "90 % interval from the model's error on {} held-out patients, the spread of the beats and what frames may hide"
)
FEWEST_SCORES = 3
"""Half of a view's segments: a mean of fewer says little about the wall."""
NO_RATE = "The clip shows no interval between two beats."
NO_TIMES = "The file does not say when its frames were taken."


def analyse_echo(
    cines: tuple[EchoCine, ...],
    detections: tuple[EchoDetection, ...],
    metadata: Metadata,
    *,
    progress: Progress = no_progress,
    cancel: CancelToken | None = None,
) -> EchoAnalysis:
    """Measure all cines of a study.

    Parameters
    ----------
    cines, detections : tuples of the same length
    metadata : Metadata
        Sex and body surface choose reference ranges and indices.
    progress, cancel
        Called and checked for every cine.

    Returns
    -------
    EchoAnalysis
        Every metric is measured, or withheld with its reason. `skipped_reason` is set when the chambers were
        found only with low confidence in every cine.

    Raises
    ------
    AnalysisError
        When there is no cine, or cines and detections do not belong together.
    """
    if not cines or len(cines) != len(detections):
        raise AnalysisError("There is no echo clip with detected chambers to analyse.")
    manifest = read_manifest()
    reasons = [detection.low_confidence_reason for detection in detections]
    if all(reasons):
        return _skipped(reasons[0] or "", cines[0], detections[0])
    studies: list[CineStudy] = []
    for number, (cine, detection) in enumerate(zip(cines, detections, strict=True)):
        if cancel is not None:
            cancel.check()
        if detection.low_confidence_reason is None:
            studies.append(study_cine(cine, detection, cancel, manifest=manifest))
        progress((number + 1) / len(cines), f"Measured clip {number + 1} of {len(cines)}")
    return summarise(studies, metadata, manifest, n_left_out=sum(reason is not None for reason in reasons))


def summarise(
    studies: list[CineStudy], metadata: Metadata, manifest: ModelManifest, *, n_left_out: int = 0
) -> EchoAnalysis:
    """Every metric out of the measured cines of a study; `n_left_out` clips showed the chambers too poorly."""
    subject = choose(studies, metadata, manifest)
    return EchoAnalysis(
        measurements=tuple(_measurements(subject)),
        cines=tuple(study.analysis for study in studies),
        remarks=tuple(study_remarks(studies, subject.pairs, n_left_out)),
    )


def _skipped(reason: str, cine: EchoCine, detection: EchoDetection) -> EchoAnalysis:
    source = Source(file_sha256=cine.file_sha256, model_sha256=detection.model_sha256)
    rows = (m for m in metrics.ECHO_METRICS if m not in (metrics.LVEF_A4C, metrics.LVEF_A2C))
    return EchoAnalysis(
        measurements=tuple(withheld(metric, reason, source=source) for metric in rows), cines=(), skipped_reason=reason
    )


def _measurements(subject: Subject) -> Iterator[Measurement]:
    yield _lvef(subject, metrics.LVEF)
    if subject.other is not None:
        yield _lvef(Subject(subject.main, None, subject.metadata, subject.manifest), metrics.LVEF_A4C)
        yield _lvef(Subject(subject.other, None, subject.metadata, subject.manifest), metrics.LVEF_A2C)
    edv, esv, sv = _volumes(subject)
    yield _volume(subject, metrics.EDV, edv)
    yield _volume(subject, metrics.ESV, esv)
    yield _volume(subject, metrics.SV, sv)
    yield _index(subject, metrics.EDV_INDEX, edv)
    yield _index(subject, metrics.ESV_INDEX, esv)
    yield _length(subject, metrics.LV_LENGTH_ED, lambda figures: figures.ed_profile[1])
    yield _length(subject, metrics.LV_LENGTH_ES, lambda figures: figures.es_profile[1])
    yield _strain(subject)
    yield _score_index(subject)
    yield from mass(subject)
    yield from atrium(subject)
    yield _heart_rate(subject)


# --- left ventricle ----------------------------------------------------------------------------------


def _beat_volumes(figures: BeatFigures, other: BeatFigures | None) -> tuple[float, float]:
    if other is None:
        return figures.beat.edv or math.nan, figures.beat.esv or math.nan
    return (
        volume_of_profiles(figures.ed_profile, other.ed_profile),
        volume_of_profiles(figures.es_profile, other.es_profile),
    )


def _beat_extremes(figures: BeatFigures, other: BeatFigures | None) -> tuple[float, float]:
    """The largest EDV and the smallest ESV that the frames of a beat, in either view, can hide between them."""
    edv, esv = _beat_volumes(figures, other)
    views = [each.hidden for each in (figures, other) if each is not None]
    return edv * (1 + max(each.edv_part for each in views)), esv * (1 - max(each.esv_part for each in views))


@dataclass(frozen=True, slots=True)
class _Beats:
    """A figure of every beat, from its frames, and with what may lie between them."""

    values: list[float]
    extremes: list[float]


def _volumes(subject: Subject) -> tuple[_Beats, _Beats, _Beats]:
    """End-diastolic, end-systolic and stroke volumes."""
    seen, hidden = ([take(*pair) for pair in subject.pairs] for take in (_beat_volumes, _beat_extremes))

    def beats(of: Callable[[float, float], float]) -> _Beats:
        return _Beats([of(*pair) for pair in seen], [of(*pair) for pair in hidden])

    return beats(lambda edv, _: edv), beats(lambda _, esv: esv), beats(lambda edv, esv: edv - esv)


def _fraction_pct(edv: float, esv: float) -> float:
    return 100 * (1 - esv / edv)


def _lvef(subject: Subject, metric: Metric) -> Measurement:
    """Mean over beats, with a 90 % interval from the network's held-out error and the spread of the beats."""
    source = source_of(subject)
    reason = no_beats(subject)
    if reason:
        return withheld(metric, reason, source=source)
    values = [_fraction_pct(*_beat_volumes(*pair)) for pair in subject.pairs]
    extremes = [_fraction_pct(*_beat_extremes(*pair)) for pair in subject.pairs]
    mean, reach = float(np.mean(values)), widened(interval_of(subject, metric, values, "both"), values, extremes)
    interval = None if reach is None else (max(0.0, reach[0]), min(100.0, reach[1]))
    beats = "1 beat" if len(values) == 1 else f"mean of {len(values)} beats"
    method = f"{metric.method}, {subject.way}, {beats}; {INTERVAL_FROM.format(subject.manifest.ef_patients)}"
    band = None if interval is None else lvef_band(mean, interval, subject.metadata.sex)
    return measured(metric, mean, source=source, interval=interval, band=band, method=method)


def _volume(subject: Subject, metric: Metric, beats_ml: _Beats) -> Measurement:
    source = source_of(subject, phase=phase_of(metric))
    reason = no_length(subject)
    if reason:
        return withheld(metric, reason, source=source)
    value_ml, interval = float(np.mean(beats_ml.values)), _interval(subject, metric, beats_ml)
    band = volume_band(metric.name, value_ml, subject.metadata.sex, subject.metadata.bsa_m2)
    method = f"{metric.method}, {subject.way}"
    return measured(metric, value_ml, source=source, interval=interval, band=band, method=method)


def _interval(subject: Subject, metric: Metric, beats: _Beats) -> Interval | None:
    reach = interval_of(subject, metric, beats.values, phase_of(metric))
    return widened(reach, beats.values, beats.extremes)


def _index(subject: Subject, metric: Metric, beats_ml: _Beats) -> Measurement:
    source = source_of(subject, phase=phase_of(metric))
    reason = no_length(subject) or (None if subject.metadata.bsa_m2 else NO_BODY_SURFACE)
    if reason:
        return withheld(metric, reason, source=source)
    surface_m2 = subject.metadata.bsa_m2 or math.nan
    beats = _Beats([v / surface_m2 for v in beats_ml.values], [v / surface_m2 for v in beats_ml.extremes])
    value, interval = float(np.mean(beats.values)), _interval(subject, metric, beats)
    band = volume_band(metric.name, value, subject.metadata.sex, subject.metadata.bsa_m2)
    method = f"{metric.method}, {subject.way}"
    return measured(metric, value, source=source, interval=interval, band=band, method=method)


def _length(subject: Subject, metric: Metric, pick: Callable[[BeatFigures], float]) -> Measurement:
    source = source_of(subject, phase=phase_of(metric))
    reason = no_length(subject)
    if reason:
        return withheld(metric, reason, source=source)
    beats = [pick(figures) for figures in subject.main.figures]
    interval = interval_of(subject, metric, beats, phase_of(metric))
    method = f"{metric.method}, {subject.main.cine.view}"
    return measured(metric, float(np.mean(beats)), source=source, interval=interval, method=method)


def _strain(subject: Subject) -> Measurement:
    source = source_of(subject)
    reason = no_beats(subject)
    if reason:
        return withheld(metrics.GLS, reason, source=source)
    beats = [figures.strain_pct for figures in subject.main.figures]
    deepest = [figures.strain_pct - figures.hidden.strain_pct for figures in subject.main.figures]
    interval = widened(interval_of(subject, metrics.GLS, beats, "both"), beats, deepest)
    method = f"{metrics.GLS.method}; {subject.main.cine.view}"
    return measured(metrics.GLS, float(np.mean(beats)), source=source, interval=interval, method=method)


def _score_index(subject: Subject) -> Measurement:
    """Mean of the scores of the main view, and of the other one where it is scored, with their number."""
    source, reason = source_of(subject), no_beats(subject)
    segments = subject.main.analysis.segments
    if subject.other is not None and any(segment.score for segment in subject.other.analysis.segments):
        segments = (*segments, *subject.other.analysis.segments)
    scores = [segment.score for segment in segments if segment.score is not None]
    if reason or len(scores) < FEWEST_SCORES:
        reasons = Counter(segment.score_reason or segment.reason or "" for segment in segments if not segment.score)
        return withheld(metrics.WMSI, reason or reasons.most_common(1)[0][0], source=source)
    index = wall_motion_score_index(scores)
    reach = interval_of(subject, metrics.WMSI, [index], "both")
    interval = None if reach is None else (max(1.0, reach[0]), min(4.0, reach[1]))
    method = f"{metrics.WMSI.method}; {len(scores)} of {len(segments)} segments scored, {subject.main.cine.view}"
    return measured(metrics.WMSI, index, source=source, interval=interval, method=method)


def _heart_rate(subject: Subject) -> Measurement:
    rate_bpm = subject.main.analysis.heart_rate_bpm
    source = source_of(subject, phase="ed")
    if rate_bpm is None:
        reason = (subject.main.cycle.reason or NO_RATE) if subject.main.cine.timing_known else NO_TIMES
        return withheld(metrics.ECHO_HEART_RATE, reason, source=source)
    interval = _rate_interval(rate_bpm, len(subject.main.analysis.beats), subject.main.cine.frame_times_s)
    return measured(metrics.ECHO_HEART_RATE, rate_bpm, source=source, interval=interval)


def _rate_interval(rate_bpm: float, n_beats: int, frame_times_s: Array) -> tuple[float, float] | None:
    """What the rate can be where the first and the last beat are each known to half a frame."""
    if n_beats < 1 or len(frame_times_s) < 2:
        return None
    span_s, frame_s = 60.0 * n_beats / rate_bpm, float(np.median(np.diff(frame_times_s)))
    if frame_s >= span_s:
        return None
    return 60.0 * n_beats / (span_s + frame_s), 60.0 * n_beats / (span_s - frame_s)
