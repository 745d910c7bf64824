"""One cine measured: its volume curve, its beats, and the figures of every beat that counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipeline.cancellation import CancelToken
from pipeline.echo.beam import edge_distance_px, is_cut, visible_sector
from pipeline.echo.cardiac_cycle import CardiacCycle, find_cycle
from pipeline.echo.error_model import Interval, difficulty, mean_interval
from pipeline.echo.manifest import ModelManifest
from pipeline.echo.mass import border_seen, lv_mass_g
from pipeline.echo.peak_time import NO_CLOCK
from pipeline.echo.sampling import hidden_beyond
from pipeline.echo.steadiness import UNTRUSTED
from pipeline.echo.strain import beat_curves, bridged, peak_systolic_pct
from pipeline.echo.volumes import (
    MM3_PER_ML,
    atrium_length_mm,
    disc_profile,
    disc_volume_from_contour,
    enclosed_area_mm2,
    wall_length_mm,
)
from pipeline.echo.wall_motion import IntervalOf, motion_of_sizes, no_interval, sizes_of_frames
from pipeline.records import Array, CineAnalysis, EchoBeat, EchoCine, EchoDetection, WallSegment

Profile = tuple[Array, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """How far the extremes of a beat may lie beyond its frames, between them; NaN where there is no curve."""

    edv_part: float  # of the end-diastolic volume
    esv_part: float  # of the end-systolic volume
    strain_pct: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatFigures:
    """What one beat gives; lengths in mm (pixels where the cine is not calibrated), NaN where absent."""

    beat: EchoBeat
    number: int  # among all beats of the cine
    ed_profile: Profile
    es_profile: Profile
    strain_pct: float
    hidden: Hidden
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSizes:
    """What every frame gives by itself; lengths in mm, pixels where the cine is not calibrated."""

    volumes: Array  # float64 (n_frames,), mL or px³; NaN where there is none
    wall_mm: Array  # float64 (n_frames, 1), length of the endocardial line
    segments_mm: Array  # float64 (n_frames, 6, 2), distance from the axis and length of the wall segments
    edge_px: Array  # float64 (height, width), distance to the edge of the beam: one map for all frames


def frame_sizes(cine: EchoCine, detection: EchoDetection, cancel: CancelToken | None = None) -> FrameSizes:
    """Measure every frame of a cine; frames that are not trusted give NaN."""
    spacing_mm = cine.calibration.spacing_mm or (1.0, 1.0)
    volumes = volume_curve(detection, cine.calibration.spacing_mm, cancel)
    trusted = np.where(np.isfinite(volumes)[:, None, None], detection.lv_endocardium, np.nan)
    return FrameSizes(
        volumes=volumes,
        wall_mm=np.array([[wall_length_mm(line, spacing_mm)] for line in trusted]),
        segments_mm=sizes_of_frames(trusted, spacing_mm),
        edge_px=edge_distance_px(visible_sector(cine.frames)),
    )


def study_cine(
    cine: EchoCine,
    detection: EchoDetection,
    cancel: CancelToken | None = None,
    *,
    manifest: ModelManifest | None = None,
) -> CineStudy:
    """Measure one cine; a clip without beats gives a study without figures, whose cycle says why.

    With a manifest the segments' motion and strain have intervals.
    """
    sizes = frame_sizes(cine, detection, cancel)
    cycle = find_cycle(sizes.volumes, cine.frame_times_s, cine.r_wave_times_s)
    return study_beats(cine, detection, sizes, cycle, manifest=manifest)


def study_beats(
    cine: EchoCine,
    detection: EchoDetection,
    sizes: FrameSizes,
    cycle: CardiacCycle,
    *,
    manifest: ModelManifest | None = None,
) -> CineStudy:
    """The second half of `study_cine`: from the sizes of the frames and the beats to everything measured."""
    times_s = cine.frame_times_s
    strain = beat_curves(bridged(sizes.wall_mm, times_s), cycle.included, times_s)[:, 0]
    intervals = _intervals(detection, cycle.included, manifest)
    motion = motion_of_sizes(sizes.segments_mm, cycle.included, times_s, cine.view, intervals)
    analysis = CineAnalysis(
        view=cine.view,
        volume_curve=sizes.volumes,
        volume_unit="mL" if cine.calibration.spacing_mm else "px³",
        smoothed_curve=cycle.smoothed,
        beats=cycle.beats,
        segments=motion.segments if cine.timing_known else tuple(map(_without_clock, motion.segments)),
        heart_rate_bpm=cycle.heart_rate_bpm if cine.timing_known else None,
        strain_curve=strain,
        segment_inward=motion.inward_pct,
        segment_strain=motion.strain_pct,
    )
    figures = tuple(
        _figures(
            detection,
            beat,
            number,
            cine.calibration.spacing_mm or (1.0, 1.0),
            sizes.edge_px,
            strain,
            _hidden(cycle.smoothed, strain, beat, times_s),
        )
        for number, beat in enumerate(cycle.beats)
        if beat.excluded is None
    )
    return CineStudy(cine=cine, detection=detection, cycle=cycle, analysis=analysis, figures=figures)


def _without_clock(segment: WallSegment) -> WallSegment:
    """A segment of a cine without times: the part of the cycle is known, the time is not."""
    return replace(
        segment,
        time_to_peak_ms=None,
        time_to_peak_interval_ms=None,
        time_to_peak_reason=segment.time_to_peak_reason or NO_CLOCK,
    )


def _intervals(detection: EchoDetection, beats: tuple[EchoBeat, ...], manifest: ModelManifest | None) -> IntervalOf:
    if manifest is None:
        return no_interval
    frames = [i for beat in beats for i in (beat.ed_idx, beat.es_idx)]
    certainty = [] if detection.certainty is None else detection.certainty[frames].tolist()
    hardness, errors = difficulty(certainty, manifest.certainty), manifest.errors

    def interval_of(name: str, values: list[float]) -> Interval | None:
        model = errors.get(name)
        return None if model is None else mean_interval(model, values, hardness)

    return interval_of


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


def _hidden(volumes: Array, strain: Array, beat: EchoBeat, times_s: Array) -> Hidden:
    ed, es = beat.ed_idx, beat.es_idx
    return Hidden(
        edv_part=hidden_beyond(volumes, times_s, ed) / max(float(volumes[ed]), 1e-9),
        esv_part=min(1.0, hidden_beyond(volumes, times_s, es) / max(float(volumes[es]), 1e-9)),
        strain_pct=hidden_beyond(strain, times_s, es),
    )


def _figures(
    detection: EchoDetection,
    beat: EchoBeat,
    number: int,
    spacing_mm: tuple[float, float],
    edge_px: Array,
    strain: Array,
    hidden: Hidden,
) -> BeatFigures:
    ed, es = detection.lv_endocardium[beat.ed_idx], detection.lv_endocardium[beat.es_idx]
    atrium, outer = detection.left_atrium[beat.es_idx], detection.lv_epicardium[beat.ed_idx]
    return BeatFigures(
        beat=beat,
        number=number,
        ed_profile=disc_profile(ed, spacing_mm),
        es_profile=disc_profile(es, spacing_mm),
        strain_pct=peak_systolic_pct(strain, beat),
        hidden=hidden,
        mass_g=lv_mass_g(ed, outer, spacing_mm),
        outer_border_seen=border_seen(outer, edge_px),
        atrium_mm2=enclosed_area_mm2(atrium, spacing_mm),
        atrium_length_mm=atrium_length_mm(atrium, es, spacing_mm),
        atrium_cut=is_cut(atrium, edge_px),
    )
