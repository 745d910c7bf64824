"""What detection and analysis find in an echo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.records.common import Array, Remark
from pipeline.records.inputs import EchoCine
from pipeline.records.measurement import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoQuality:
    """How far a clip's chambers can be trusted: every part runs from 0 (worthless) to 1 (full marks)."""

    frame_parts: Mapping[str, Array]  # float64 (n_frames,) by name of the part
    clip_parts: Mapping[str, float]  # means of those over the frames, and what only the clip shows
    score: float  # 0..1
    low_confidence_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoDetection:
    """Chambers in every frame of one cine.

    Contours are float32 (n_frames, n_points, 2) as (x, y) pixels of the cropped frame, NaN where a
    structure is absent. `lv_endocardium` runs from the septal (left) annulus over the apex to the
    lateral annulus and is open: the annulus line closes it.
    """

    labels: Array  # uint8 (n_frames, height, width): 0 background, 1 cavity, 2 myocardium, 3 atrium
    lv_endocardium: Array
    lv_epicardium: Array
    left_atrium: Array
    confidence: Array  # float64 (n_frames,) 0..1
    model_sha256: str
    low_confidence_reason: str | None = None  # set: functional analysis is skipped
    remarks: tuple[Remark, ...] = ()
    certainty: Array | None = None  # float64 (n_frames,), the network's own; tells the width of intervals
    quality: EchoQuality | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoBeat:
    """One cardiac cycle of a cine; `excluded` says why it is left out of the means."""

    ed_idx: int
    es_idx: int
    end_idx: int  # next end-diastole
    edv: float | None  # mL where calibrated, else relative units
    esv: float | None
    ef_pct: float | None
    excluded: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WallSegment:
    """One of the six wall segments of a view."""

    name: str  # "basal septal"
    radial_excursion_pct: float | None  # inward motion ED to ES, % of the ED distance to the long axis
    longitudinal_strain_pct: float | None  # change of the segment's length ED to ES, negative: shorter
    reason: str | None = None
    radial_interval_pct: tuple[float, float] | None = None  # 90 %
    time_to_peak_ms: float | None = None  # ED to the largest inward motion
    time_to_peak_pct: float | None = None  # the same in % of the cycle
    score: int | None = None  # suggested: 1 normal, 2 hypokinetic, 3 akinetic, 4 dyskinetic
    score_reason: str | None = None  # why there is no score
    strain_interval_pct: tuple[float, float] | None = None  # 90 %
    time_to_peak_interval_ms: tuple[float, float] | None = None  # 90 %, from the flatness of the curve and its noise
    time_to_peak_interval_pct: tuple[float, float] | None = None
    time_to_peak_reason: str | None = None  # why there is no time
    score_range: tuple[int, int] | None = None  # lowest and highest class that the 90 % interval of the motion reaches


@dataclass(frozen=True, slots=True, kw_only=True)
class CineAnalysis:
    """One analysed cine."""

    view: str
    volume_curve: Array  # float64 (n_frames,), mL where calibrated, else px^3; NaN where none
    volume_unit: str  # "mL" or "px³"
    smoothed_curve: Array
    beats: tuple[EchoBeat, ...]
    segments: tuple[WallSegment, ...]
    heart_rate_bpm: float | None
    strain_curve: Array | None = None  # float64 (n_frames,), % since the beat's end-diastole; NaN outside beats
    segment_inward: Array | None = None  # float64 (n_frames, 6), inward motion in %, in the order of `segments`
    segment_strain: Array | None = None  # float64 (n_frames, 6), longitudinal strain in %


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoAnalysis:
    """The echo branch's result."""

    measurements: tuple[Measurement, ...]
    cines: tuple[CineAnalysis, ...]
    remarks: tuple[Remark, ...] = ()
    skipped_reason: str | None = None  # low confidence: functional analysis skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedEcho:
    """The clips that passed the quality gate, in the order given."""

    cines: tuple[EchoCine, ...]
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedEcho:
    """Detections of the cines named by `kept` (positions in PreparedEcho.cines); the others showed no heart."""

    kept: tuple[int, ...]
    detections: tuple[EchoDetection, ...]
    remarks: tuple[Remark, ...] = ()


def empty_contours(n_frames: int, n_points: int) -> Array:
    """Contours of no structure: all NaN."""
    return np.full((n_frames, n_points, 2), np.nan, np.float32)
