"""What the echo's numbers come from: the clips and beats that count, and why a number cannot be given."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.clinical.reference_ranges import LV_LENGTH_MM
from pipeline.echo.cine_study import BeatFigures, CineStudy
from pipeline.echo.error_model import Interval, difficulty, mean_interval
from pipeline.echo.manifest import ModelManifest
from pipeline.records import Metadata, Metric, Source

ADULT_YEARS = 18.0
NO_BODY_SURFACE = "The body surface is not known: height and weight are needed."
NO_SPACING = "The clip is not calibrated."


@dataclass(frozen=True, slots=True)
class Subject:
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


def choose(studies: list[CineStudy], metadata: Metadata, manifest: ModelManifest) -> Subject:
    """The clip with most beats of each view; biplane when both views are calibrated and beat."""
    best = {view: _best(studies, view) for view in ("A4C", "A2C")}
    main, other = best["A4C"], best["A2C"]
    if main is None or (not main.figures and other is not None and other.figures):
        main, other = other or max(studies, key=lambda s: len(s.figures)), None
    if other is not None and not (other.figures and main.spacing_mm and other.spacing_mm):
        other = None
    return Subject(main, other, metadata, manifest)


def _best(studies: list[CineStudy], view: str) -> CineStudy | None:
    of_view = [study for study in studies if study.cine.view == view]
    return max(of_view, key=lambda study: len(study.figures), default=None)


def source_of(subject: Subject, *, contour: str = "lv_cavity", phase: str = "both") -> Source:
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


def no_beats(subject: Subject) -> str | None:
    """Why no beat counts; None when one does."""
    return subject.main.cycle.reason or (None if subject.pairs else "No beat of this clip could be measured.")


def no_length(subject: Subject) -> str | None:
    """Why nothing in mm can be measured; None when it can."""
    if subject.main.spacing_mm is None:
        return subject.main.cine.calibration.reason or NO_SPACING
    return no_beats(subject) or _implausible_length(subject)


def _implausible_length(subject: Subject) -> str | None:
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


def interval_of(subject: Subject, metric: Metric, beats: list[float], phase: str) -> Interval | None:
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


_PHASES = {"edv": "ed", "edv_index": "ed", "lv_length_ed": "ed", "lv_mass": "ed", "lv_mass_index": "ed", "sv": "both"}


def phase_of(metric: Metric) -> str:
    """The phase a metric is measured in: "ed", "es" or "both"."""
    return _PHASES.get(metric.name, "es")
