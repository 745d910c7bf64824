"""One cine under a reader's hand: what was measured in each frame is kept, so that a change costs one frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from pipeline.echo.cardiac_cycle import (
    ENDS_INSIDE,
    STARTS_INSIDE,
    CardiacCycle,
    cycle_of_beats,
    find_cycle,
    interpolated,
    period_of,
    smooth,
    usable_r_waves,
    without_outliers,
)
from pipeline.echo.cine_study import CineStudy, FrameSizes, frame_sizes, study_beats
from pipeline.echo.manifest import ModelManifest
from pipeline.echo.volumes import MM3_PER_ML, disc_volume_from_contour, wall_length_mm
from pipeline.echo.wall_motion import segment_sizes
from pipeline.records import Array, Calibration, CineAnalysis, EchoBeat, EchoCine, EchoDetection
from pipeline.review.changes import FIELDS, Changes, PhaseName, Structure

OUT_OF_ORDER = "End-systole does not follow end-diastole in this beat."
NOT_SEEN = "A reader did not see this segment well enough."
DRAWN = "drawn by a reader"
KEPT_ROWS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class CineChanges:
    """The part of the changes that one cine's numbers depend on."""

    contours: Mapping[tuple[int, Structure], Array] = field(default_factory=dict)
    phases: Mapping[tuple[int, PhaseName], int] = field(default_factory=dict)
    pixel_mm: float | None = None
    scores: Mapping[str, int | None] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not self.contours and not self.phases and self.pixel_mm is None and not self.scores


def changes_of(changes: Changes, cine_idx: int) -> CineChanges:
    """What of the changes concerns one cine."""
    return CineChanges(
        contours={(frame, part): line for (cine, frame, part), line in changes.contours.items() if cine == cine_idx},
        phases={(beat, name): frame for (cine, beat, name), frame in changes.phases.items() if cine == cine_idx},
        pixel_mm=changes.pixel_mm.get(cine_idx),
        scores={name: score for (cine, name), score in changes.scores.items() if cine == cine_idx},
    )


class CineBench:
    """Measures one cine again with a reader's changes; without any it gives what the pipeline gave.

    The beats are taken from the stored `analysis` where it has any that count: looking for them anew would give the
    same ones and load much code first.

    An edited contour is always believed: it counts although the network's was not trusted, is never bridged as an
    outlier, and its beat is not left out because other beats differ. It moves no end-diastole or end-systole: those
    are moved by the reader alone.
    """

    def __init__(
        self, cine: EchoCine, detection: EchoDetection, manifest: ModelManifest, analysis: CineAnalysis | None = None
    ) -> None:
        self._cine, self._detection, self._manifest = cine, detection, manifest
        self._sizes: dict[float | None, FrameSizes] = {None: frame_sizes(cine, detection)}
        self._r_waves = usable_r_waves(cine.r_wave_times_s, cine.frame_times_s)
        self._rows: dict[tuple[float, bytes], tuple[float, float, Array]] = {}
        sizes = self._sizes[None]
        curve, outliers = without_outliers(sizes.volumes, cine.frame_times_s)
        self._cycle = _stored_cycle(analysis, outliers) or find_cycle(
            sizes.volumes, cine.frame_times_s, cine.r_wave_times_s
        )
        self._period_s = period_of(curve, cine.frame_times_s, self._r_waves)
        self.base = study_beats(cine, detection, sizes, self._cycle, manifest=manifest)

    def study(self, work: CineChanges) -> CineStudy:
        """The cine measured with the changes."""
        if work.is_empty:
            return self.base
        cine = self._calibrated(work.pixel_mm)
        detection = redrawn(self._detection, work.contours)
        sizes = self._edited_sizes(cine, work)
        edited_idx = sorted(frame for frame, part in work.contours if part == "lv_cavity")
        cycle = self._edited_cycle(sizes.volumes, edited_idx, work.phases)
        study = study_beats(cine, detection, sizes, cycle, manifest=self._manifest)
        return _scored(study, work.scores)

    def _calibrated(self, pixel_mm: float | None) -> EchoCine:
        if pixel_mm is None:
            return self._cine
        calibration = Calibration(spacing_mm=(pixel_mm, pixel_mm), method=DRAWN)
        return replace(self._cine, calibration=calibration)

    def _edited_sizes(self, cine: EchoCine, work: CineChanges) -> FrameSizes:
        if work.pixel_mm not in self._sizes:
            self._sizes = {None: self._sizes[None], work.pixel_mm: frame_sizes(cine, self._detection)}
        sizes = self._sizes[work.pixel_mm]
        lines = {frame: line for (frame, part), line in work.contours.items() if part == "lv_cavity"}
        if not lines:
            return sizes
        volumes, wall_mm, segments_mm = sizes.volumes.copy(), sizes.wall_mm.copy(), sizes.segments_mm.copy()
        for frame_idx, line in lines.items():
            volumes[frame_idx], wall_mm[frame_idx, 0], segments_mm[frame_idx] = self._row(line, cine)
        return replace(sizes, volumes=volumes, wall_mm=wall_mm, segments_mm=segments_mm)

    def _row(self, line: Array, cine: EchoCine) -> tuple[float, float, Array]:
        """Volume, length of the wall and sizes of the segments of one contour; each is measured once."""
        spacing_mm = cine.calibration.spacing_mm
        contour = np.asarray(line, np.float32)
        key = (spacing_mm[0] if spacing_mm else 0.0, contour.tobytes())
        if key not in self._rows:
            if len(self._rows) >= KEPT_ROWS:  # a long drag leaves one row a mouse move
                self._rows.clear()
            unit = spacing_mm or (1.0, 1.0)
            volume = disc_volume_from_contour(contour, unit) * (1.0 if spacing_mm else MM3_PER_ML)
            self._rows[key] = (volume, wall_length_mm(contour, unit), segment_sizes(contour, unit))
        return self._rows[key]

    def _edited_cycle(
        self, volumes: Array, edited_idx: list[int], phases: Mapping[tuple[int, PhaseName], int]
    ) -> CardiacCycle:
        times_s = self._cine.frame_times_s
        outliers = tuple(i for i in self._cycle.outliers_idx if i not in edited_idx)
        curve = volumes.copy()
        curve[list(outliers)] = np.nan
        beats = _moved(self._cycle.beats, phases, len(volumes))
        if not beats or not np.isfinite(curve).any():
            return replace(self._cycle, smoothed=volumes.copy(), outliers_idx=outliers)
        filled = interpolated(curve, times_s)
        smoothed = smooth(filled, times_s, self._period_s) if self._cycle.beats else filled
        cycle = cycle_of_beats(
            beats, filled, smoothed, times_s, self._r_waves, outliers, believed_idx=frozenset(edited_idx)
        )
        return replace(cycle, beats=tuple(_in_order(beat) for beat in cycle.beats))


def _stored_cycle(analysis: CineAnalysis | None, outliers: tuple[int, ...]) -> CardiacCycle | None:
    """The beats as the run found them; None where no beat counts, since the reason is not stored with them."""
    if analysis is None or all(beat.excluded for beat in analysis.beats):
        return None
    return CardiacCycle(
        smoothed=analysis.smoothed_curve,
        beats=analysis.beats,
        heart_rate_bpm=analysis.heart_rate_bpm,
        outliers_idx=outliers,
        reason=None,
    )


def redrawn(detection: EchoDetection, contours: Mapping[tuple[int, Structure], Array]) -> EchoDetection:
    """The detection with the reader's lines in place of the model's."""
    fields = {FIELDS[part]: getattr(detection, FIELDS[part]).copy() for _, part in contours}
    confidence = detection.confidence.copy()
    for (frame_idx, part), line in contours.items():
        fields[FIELDS[part]][frame_idx] = line
        if part == "lv_cavity":
            confidence[frame_idx] = 1.0
    return replace(detection, confidence=confidence, **fields)


def _moved(
    beats: tuple[EchoBeat, ...], phases: Mapping[tuple[int, PhaseName], int], n_frames: int
) -> tuple[EchoBeat, ...]:
    """The beats with their frames where the reader put them; a phase that the clip's edge cut off then counts.

    Beats that the pipeline did not find are added where the reader named both frames.
    """
    moved = [_with_phases(beat, phases.get((n, "ed")), phases.get((n, "es"))) for n, beat in enumerate(beats)]
    for n, beat in enumerate(beats[:-1]):
        if beat.end_idx == beats[n + 1].ed_idx:  # the next beat begins where this one ends
            moved[n] = replace(moved[n], end_idx=moved[n + 1].ed_idx)
    for n in sorted({number for number, _ in phases if number >= len(beats)}):
        ed, es = phases.get((n, "ed")), phases.get((n, "es"))
        if ed is not None and es is not None:
            moved.append(_plain(ed, es, n_frames - 1))
    return tuple(moved)


def _with_phases(beat: EchoBeat, ed: int | None, es: int | None) -> EchoBeat:
    lifted = (ed is not None and beat.excluded == STARTS_INSIDE) or (es is not None and beat.excluded == ENDS_INSIDE)
    edge = beat.excluded if beat.excluded in (STARTS_INSIDE, ENDS_INSIDE) and not lifted else None
    moved = _plain(beat.ed_idx if ed is None else ed, beat.es_idx if es is None else es, beat.end_idx)
    return replace(moved, excluded=edge)


def _plain(ed_idx: int, es_idx: int, end_idx: int) -> EchoBeat:
    return EchoBeat(ed_idx=ed_idx, es_idx=es_idx, end_idx=max(end_idx, es_idx), edv=None, esv=None, ef_pct=None)


def _in_order(beat: EchoBeat) -> EchoBeat:
    return beat if beat.ed_idx < beat.es_idx else replace(beat, excluded=OUT_OF_ORDER)


def _scored(study: CineStudy, scores: Mapping[str, int | None]) -> CineStudy:
    """The study with scores by hand in place of the suggested ones."""
    if not scores:
        return study
    segments = tuple(
        replace(
            segment,
            score=scores[segment.name],
            score_reason=None if scores[segment.name] else NOT_SEEN,
            score_range=None,  # that of the suggestion
        )
        if segment.name in scores
        else segment
        for segment in study.analysis.segments
    )
    return replace(study, analysis=replace(study.analysis, segments=segments))
