"""What analysis finds in an ECG."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.records.common import Array, Remark
from pipeline.records.measurement import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Delineation:
    """Wave boundaries as sample positions, float64 (n_leads, n_beats), NaN where no wave."""

    p_on: Array
    p_off: Array
    qrs_on: Array
    qrs_off: Array
    t_on: Array
    t_off: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class RhythmStatement:
    """A suggestion to confirm, with its evidence."""

    code: str  # "sinus", "af_suspected", "bradycardia", "tachycardia", "pause", "ectopics", "wide_qrs" …
    text: str
    evidence: str
    start_s: float
    end_s: float
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgAnalysis:
    """The ECG branch's result."""

    measurements: tuple[Measurement, ...]
    r_peaks_idx: Array  # int64 (n_beats,)
    beat_classes: tuple[str, ...]  # AAMI letters
    af_beats: Array  # bool (n_beats,)
    delineation: Delineation
    rhythm: tuple[RhythmStatement, ...]
    remarks: tuple[Remark, ...] = ()
