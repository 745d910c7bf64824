"""ANALYSIS of the echo branch: function, volumes and wall motion out of the contours of all cines."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.clinical.reference_ranges import (
    LV_LENGTH_MM,
    la_volume_index_band,
    lvef_band,
    volume_band,
)
from pipeline.echo import metrics
from pipeline.echo.cine_study import BeatFigures, CineStudy, study_cine
from pipeline.echo.error_model import Interval, difficulty, mean_interval
from pipeline.echo.manifest import ModelManifest, read_manifest
from pipeline.echo.study_remarks import study_remarks
from pipeline.echo.volumes import area_length_ml, volume_of_profiles
from pipeline.errors import AnalysisError
from pipeline.measurements import measured, withheld
from pipeline.records import (
    EchoAnalysis,
    EchoCine,
    EchoDetection,
    Measurement,
    Metadata,
    Metric,
    Source,
)

MM2_PER_CM2 = 100.0
ADULT_YEARS = 18.0
NO_BODY_SURFACE = "The body surface is not known: height and weight are needed."
INTERVAL_FROM = "90 % interval from the model's error on {} held-out patients and the spread of the beats"
NO_SPACING = "The clip is not calibrated."
ATRIUM_CUT = "The left atrium is cut by the edge of the image."
NO_ATRIUM = "The left atrium is not visible at end-systole."
NO_RATE = "The clip shows no interval between two beats."
NO_TIMES = "The file does not say when its frames were taken."


@dataclass(frozen=True, slots=True)
class _Subject:
    """The cines that the numbers come from: one, or the two of a biplane measurement."""

    main: CineStudy
    other: CineStudy | None
    metadata: Metadata
    manifest: ModelManifest

    @property
    def pairs(self) -> tuple[tuple[BeatFigures, BeatFigures | None], ...]:
        if self.other is None:
            return tuple((figures, None) for figures in self.main.figures)
        return tuple(zip(self.main.figures, self.other.figures, strict=False))

    @property
    def way(self) -> str:
        if self.other is not None:
            return "biplane A4C and A2C"
        return f"single plane {self.main.cine.view}"


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
            studies.append(study_cine(cine, detection, cancel))
        progress((number + 1) / len(cines), f"Measured clip {number + 1} of {len(cines)}")
    subject = _choose(studies, metadata, manifest)
    return EchoAnalysis(
        measurements=tuple(_measurements(subject)),
        cines=tuple(study.analysis for study in studies),
        remarks=tuple(study_remarks(studies, subject.pairs, sum(reason is not None for reason in reasons))),
    )


def _skipped(reason: str, cine: EchoCine, detection: EchoDetection) -> EchoAnalysis:
    source = Source(file_sha256=cine.file_sha256, model_sha256=detection.model_sha256)
    rows = (m for m in metrics.ECHO_METRICS if m not in (metrics.LVEF_A4C, metrics.LVEF_A2C))
    return EchoAnalysis(
        measurements=tuple(withheld(metric, reason, source=source) for metric in rows), cines=(), skipped_reason=reason
    )


def _choose(studies: list[CineStudy], metadata: Metadata, manifest: ModelManifest) -> _Subject:
    """The clip with most beats of each view; biplane when both views are calibrated and beat."""
    best = {view: _best(studies, view) for view in ("A4C", "A2C")}
    main, other = best["A4C"], best["A2C"]
    if main is None or (not main.figures and other is not None and other.figures):
        main, other = other or max(studies, key=lambda s: len(s.figures)), None
    if other is not None and not (other.figures and main.spacing_mm and other.spacing_mm):
        other = None
    return _Subject(main, other, metadata, manifest)


def _best(studies: list[CineStudy], view: str) -> CineStudy | None:
    of_view = [study for study in studies if study.cine.view == view]
    return max(of_view, key=lambda study: len(study.figures), default=None)


def _measurements(subject: _Subject) -> Iterator[Measurement]:
    yield _lvef(subject, metrics.LVEF)
    if subject.other is not None:
        yield _lvef(_Subject(subject.main, None, subject.metadata, subject.manifest), metrics.LVEF_A4C)
        yield _lvef(_Subject(subject.other, None, subject.metadata, subject.manifest), metrics.LVEF_A2C)
    volumes = [_beat_volumes(*pair) for pair in subject.pairs]
    edv, esv = [each[0] for each in volumes], [each[1] for each in volumes]
    yield _volume(subject, metrics.EDV, edv)
    yield _volume(subject, metrics.ESV, esv)
    yield _volume(subject, metrics.SV, [each[0] - each[1] for each in volumes])
    yield _index(subject, metrics.EDV_INDEX, edv)
    yield _index(subject, metrics.ESV_INDEX, esv)
    yield _length(subject, metrics.LV_LENGTH_ED, lambda figures: figures.ed_profile[1])
    yield _length(subject, metrics.LV_LENGTH_ES, lambda figures: figures.es_profile[1])
    yield _strain(subject)
    yield from _atrium(subject)
    yield _heart_rate(subject)


# --- where a number comes from -----------------------------------------------------------------------


def _source(subject: _Subject, *, contour: str = "lv_cavity", phase: str = "both") -> Source:
    """Frames are those of the main view."""
    used = [figures for figures, _ in subject.pairs]
    frames = [i for f in used for i in (f.beat.ed_idx, f.beat.es_idx)]
    if phase != "both":
        frames = [f.beat.ed_idx if phase == "ed" else f.beat.es_idx for f in used]
    return Source(
        file_sha256=subject.main.cine.file_sha256,
        frame_idx=tuple(frames),
        contour=contour,
        beat_idx=tuple(f.number for f in used),
        model_sha256=subject.main.detection.model_sha256,
    )


def _no_beats(subject: _Subject) -> str | None:
    return subject.main.cycle.reason or (None if subject.pairs else "No beat of this clip could be measured.")


def _no_length(subject: _Subject) -> str | None:
    """Why nothing in mm can be measured; None when it can."""
    if subject.main.spacing_mm is None:
        return subject.main.cine.calibration.reason or NO_SPACING
    return _no_beats(subject) or _implausible_length(subject)


def _implausible_length(subject: _Subject) -> str | None:
    """Why the calibration is not believed: an adult's ventricle is not 4 cm long, and not 18 cm; None when it is."""
    age_years = subject.metadata.age_years
    if age_years is not None and age_years < ADULT_YEARS:
        return None
    figures = [each for pair in subject.pairs for each in pair if each is not None]
    lengths = sorted(each.ed_profile[1] for each in figures)
    wrong = [length for length in (lengths[0], lengths[-1]) if not LV_LENGTH_MM[0] <= length <= LV_LENGTH_MM[1]]
    if not wrong:
        return None
    low, high = LV_LENGTH_MM
    return (
        f"The left ventricle would be {wrong[0]:.0f} mm long, which is not plausible in an adult ({low:.0f} to "
        f"{high:.0f} mm): the calibration or the view cannot be right."
    )


# --- left ventricle ----------------------------------------------------------------------------------


def _beat_volumes(figures: BeatFigures, other: BeatFigures | None) -> tuple[float, float]:
    if other is None:
        return figures.beat.edv or math.nan, figures.beat.esv or math.nan
    return (
        volume_of_profiles(figures.ed_profile, other.ed_profile),
        volume_of_profiles(figures.es_profile, other.es_profile),
    )


def _lvef(subject: _Subject, metric: Metric) -> Measurement:
    """Mean over beats, with a 90 % interval from the network's held-out error and the spread of the beats."""
    source = _source(subject)
    reason = _no_beats(subject)
    if reason:
        return withheld(metric, reason, source=source)
    values = [100 * (1 - esv / edv) for edv, esv in (_beat_volumes(*pair) for pair in subject.pairs)]
    mean, reach = float(np.mean(values)), _interval(subject, metric, values, "both")
    interval = None if reach is None else (max(0.0, reach[0]), min(100.0, reach[1]))
    beats = "1 beat" if len(values) == 1 else f"mean of {len(values)} beats"
    method = f"{metric.method}, {subject.way}, {beats}; {INTERVAL_FROM.format(subject.manifest.ef_patients)}"
    band = None if interval is None else lvef_band(mean, interval, subject.metadata.sex)
    return measured(metric, mean, source=source, interval=interval, band=band, method=method)


def _interval(subject: _Subject, metric: Metric, beats: list[float], phase: str) -> Interval | None:
    """90 % interval of the mean over beats; None for a measure whose error is not known."""
    model = subject.manifest.errors.get(re.sub("_(index|a4c|a2c)$", "", metric.name))
    if model is None:
        return None
    certainty = [
        float(study.detection.certainty[i])
        for study in (subject.main, subject.other)
        if study is not None and study.detection.certainty is not None
        for beat in (figures.beat for figures in study.figures)
        for i in {"ed": (beat.ed_idx,), "es": (beat.es_idx,)}.get(phase, (beat.ed_idx, beat.es_idx))
    ]
    return mean_interval(model, beats, difficulty(certainty, subject.manifest.certainty))


def _phase(metric: Metric) -> str:
    return {"edv": "ed", "edv_index": "ed", "lv_length_ed": "ed", "sv": "both"}.get(metric.name, "es")


def _volume(subject: _Subject, metric: Metric, beats_ml: list[float]) -> Measurement:
    source = _source(subject, phase=_phase(metric))
    reason = _no_length(subject)
    if reason:
        return withheld(metric, reason, source=source)
    value_ml, interval = float(np.mean(beats_ml)), _interval(subject, metric, beats_ml, _phase(metric))
    band = volume_band(metric.name, value_ml, subject.metadata.sex, subject.metadata.bsa_m2)
    method = f"{metric.method}, {subject.way}"
    return measured(metric, value_ml, source=source, interval=interval, band=band, method=method)


def _index(subject: _Subject, metric: Metric, beats_ml: list[float]) -> Measurement:
    source = _source(subject, phase=_phase(metric))
    reason = _no_length(subject) or (None if subject.metadata.bsa_m2 else NO_BODY_SURFACE)
    if reason:
        return withheld(metric, reason, source=source)
    beats = [value_ml / (subject.metadata.bsa_m2 or math.nan) for value_ml in beats_ml]
    value, interval = float(np.mean(beats)), _interval(subject, metric, beats, _phase(metric))
    band = volume_band(metric.name, value, subject.metadata.sex, subject.metadata.bsa_m2)
    method = f"{metric.method}, {subject.way}"
    return measured(metric, value, source=source, interval=interval, band=band, method=method)


def _length(subject: _Subject, metric: Metric, pick: Callable[[BeatFigures], float]) -> Measurement:
    source = _source(subject, phase=_phase(metric))
    reason = _no_length(subject)
    if reason:
        return withheld(metric, reason, source=source)
    beats = [pick(figures) for figures in subject.main.figures]
    interval = _interval(subject, metric, beats, _phase(metric))
    method = f"{metric.method}, {subject.main.cine.view}"
    return measured(metric, float(np.mean(beats)), source=source, interval=interval, method=method)


def _strain(subject: _Subject) -> Measurement:
    source = _source(subject)
    reason = _no_beats(subject)
    if reason:
        return withheld(metrics.GLS, reason, source=source)
    beats = [figures.strain_pct for figures in subject.main.figures]
    interval = _interval(subject, metrics.GLS, beats, "both")
    method = f"{metrics.GLS.method}; {subject.main.cine.view}"
    return measured(metrics.GLS, float(np.mean(beats)), source=source, interval=interval, method=method)


# --- left atrium, rate -------------------------------------------------------------------------------


def _no_atrium(subject: _Subject) -> str | None:
    reason = _no_length(subject)
    if reason:
        return reason
    figures = [f for pair in subject.pairs for f in pair if f is not None]
    if any(math.isnan(f.atrium_mm2) for f in figures):
        return NO_ATRIUM
    return ATRIUM_CUT if any(f.atrium_cut for f in figures) else None


def _atrium(subject: _Subject) -> Iterator[Measurement]:
    source = _source(subject, contour="left_atrium", phase="es")
    rows = (metrics.LA_AREA, metrics.LA_VOLUME, metrics.LA_VOLUME_INDEX)
    reason = _no_atrium(subject)
    if reason:
        yield from (withheld(metric, reason, source=source) for metric in rows)
        return
    areas_cm2 = [f.atrium_mm2 / MM2_PER_CM2 for f, _ in subject.pairs]
    view = subject.main.cine.view
    method, interval = f"{metrics.LA_AREA.method}, {view}", _interval(subject, metrics.LA_AREA, areas_cm2, "es")
    yield measured(metrics.LA_AREA, float(np.mean(areas_cm2)), source=source, interval=interval, method=method)
    volumes_ml = [_atrium_ml(*pair) for pair in subject.pairs]
    method, interval = (
        f"{metrics.LA_VOLUME.method}, {subject.way}",
        _interval(subject, metrics.LA_VOLUME, volumes_ml, "es"),
    )
    yield measured(metrics.LA_VOLUME, float(np.mean(volumes_ml)), source=source, interval=interval, method=method)
    if not subject.metadata.bsa_m2:
        yield withheld(metrics.LA_VOLUME_INDEX, NO_BODY_SURFACE, source=source)
        return
    beats = [volume_ml / subject.metadata.bsa_m2 for volume_ml in volumes_ml]
    index, interval = float(np.mean(beats)), _interval(subject, metrics.LA_VOLUME_INDEX, beats, "es")
    band = la_volume_index_band(index)
    yield measured(metrics.LA_VOLUME_INDEX, index, source=source, interval=interval, band=band, method=method)


def _atrium_ml(figures: BeatFigures, other: BeatFigures | None) -> float:
    if other is None:
        return area_length_ml(figures.atrium_mm2, figures.atrium_length_mm)
    # The shorter of the two lengths. Source: Lang et al. 2015.
    return area_length_ml(figures.atrium_mm2, min(figures.atrium_length_mm, other.atrium_length_mm), other.atrium_mm2)


def _heart_rate(subject: _Subject) -> Measurement:
    rate_bpm = subject.main.analysis.heart_rate_bpm
    source = _source(subject, phase="ed")
    if rate_bpm is None:
        reason = (subject.main.cycle.reason or NO_RATE) if subject.main.cine.timing_known else NO_TIMES
        return withheld(metrics.ECHO_HEART_RATE, reason, source=source)
    return measured(metrics.ECHO_HEART_RATE, rate_bpm, source=source)
