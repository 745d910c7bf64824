"""One cine measured: its volume curve, its beats, and the figures of every beat that counts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipeline.cancellation import CancelToken
from pipeline.echo.beam import is_cut, visible_sector
from pipeline.echo.cardiac_cycle import CardiacCycle, find_cycle
from pipeline.echo.mass import border_seen, lv_mass_g
from pipeline.echo.steadiness import UNTRUSTED
from pipeline.echo.volumes import (
    MM3_PER_ML,
    atrium_length_mm,
    disc_profile,
    disc_volume_from_contour,
    enclosed_area_mm2,
    wall_length_mm,
)
from pipeline.echo.wall_motion import wall_segments
from pipeline.records import Array, CineAnalysis, EchoBeat, EchoCine, EchoDetection

Profile = tuple[Array, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatFigures:
    """What one beat gives; lengths in mm (pixels where the cine is not calibrated), NaN where absent."""

    beat: EchoBeat
    number: int  # among all beats of the cine
    ed_profile: Profile
    es_profile: Profile
    strain_pct: float
    mass_g: float
    outer_border_seen: bool
    atrium_mm2: float
    atrium_length_mm: float
    atrium_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CineStudy:
    """A cine with everything that was measured in it."""

    cine: EchoCine
    detection: EchoDetection
    cycle: CardiacCycle
    analysis: CineAnalysis
    figures: tuple[BeatFigures, ...]

    @property
    def spacing_mm(self) -> tuple[float, float] | None:
        return self.cine.calibration.spacing_mm


def study_cine(cine: EchoCine, detection: EchoDetection, cancel: CancelToken | None = None) -> CineStudy:
    """Measure one cine; a clip without beats gives a study without figures, whose cycle says why."""
    spacing_mm = cine.calibration.spacing_mm or (1.0, 1.0)
    volumes = volume_curve(detection, cine.calibration.spacing_mm, cancel)
    cycle = find_cycle(volumes, cine.frame_times_s, cine.r_wave_times_s)
    sector = visible_sector(cine.frames)
    figures = tuple(
        _figures(detection, beat, number, spacing_mm, sector)
        for number, beat in enumerate(cycle.beats)
        if beat.excluded is None
    )
    analysis = CineAnalysis(
        view=cine.view,
        volume_curve=volumes,
        volume_unit="mL" if cine.calibration.spacing_mm else "px³",
        smoothed_curve=cycle.smoothed,
        beats=cycle.beats,
        segments=wall_segments(detection.lv_endocardium, cycle.included, spacing_mm, cine.view),
        heart_rate_bpm=cycle.heart_rate_bpm if cine.timing_known else None,
    )
    return CineStudy(cine=cine, detection=detection, cycle=cycle, analysis=analysis, figures=figures)


def volume_curve(
    detection: EchoDetection, spacing_mm: tuple[float, float] | None, cancel: CancelToken | None = None
) -> Array:
    """Volume of every frame, float64 (n_frames,): mL, or px³ without calibration; NaN where there is none."""
    factor = 1.0 if spacing_mm else MM3_PER_ML
    curve = np.full(len(detection.labels), np.nan)
    for i, contour in enumerate(detection.lv_endocardium):
        if cancel is not None:
            cancel.check()
        if detection.confidence[i] >= UNTRUSTED:
            curve[i] = factor * disc_volume_from_contour(contour, spacing_mm or (1.0, 1.0))
    return curve


def _figures(
    detection: EchoDetection, beat: EchoBeat, number: int, spacing_mm: tuple[float, float], sector: Array
) -> BeatFigures:
    ed, es = detection.lv_endocardium[beat.ed_idx], detection.lv_endocardium[beat.es_idx]
    atrium, outer = detection.left_atrium[beat.es_idx], detection.lv_epicardium[beat.ed_idx]
    return BeatFigures(
        beat=beat,
        number=number,
        ed_profile=disc_profile(ed, spacing_mm),
        es_profile=disc_profile(es, spacing_mm),
        strain_pct=_strain_pct(wall_length_mm(ed, spacing_mm), wall_length_mm(es, spacing_mm)),
        mass_g=lv_mass_g(ed, outer, spacing_mm),
        outer_border_seen=border_seen(outer, sector),
        atrium_mm2=enclosed_area_mm2(atrium, spacing_mm),
        atrium_length_mm=atrium_length_mm(atrium, es, spacing_mm),
        atrium_cut=is_cut(atrium, sector),
    )


def _strain_pct(before: float, after: float) -> float:
    return 100 * (after - before) / before if before > 0 else math.nan
