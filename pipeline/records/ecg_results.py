"""What analysis finds in an ECG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.records.common import Array, Remark
from pipeline.records.long_ecg import LongEcg
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
class LeadWaves:
    """Waves of one lead's median beat, in mV above the level before the QRS and in ms; None where there is no wave."""

    lead: str
    n_beats: int
    p_mv: float | None
    q_mv: float | None  # negative
    r_mv: float | None
    s_mv: float | None  # negative
    r2_mv: float | None  # R'
    t_mv: float | None  # its largest deflection, with its sign
    j_mv: float | None  # at the end of the QRS
    st60_mv: float | None  # 60 ms after the end of the QRS
    st60_interval_mv: tuple[float, float] | None  # 95 %, from the spread over beats
    q_ms: float | None
    r_ms: float | None
    s_ms: float | None
    r_peak_ms: float | None  # from the onset of the QRS over all leads to the peak of the last R wave


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgStatement:
    """A suggestion about the shape of the beats, to be confirmed; or why its rule could not be applied."""

    code: str  # "rbbb", "lvh_voltage", "st_elevation" …
    text: str
    status: Literal["suggested", "withheld"]
    evidence: str  # the measurements it rests on
    leads: tuple[str, ...]
    reference: str
    reason: str | None = None  # set when withheld


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
    waves: tuple[LeadWaves, ...] = ()  # of the usable leads, in the order of the record
    statements: tuple[EcgStatement, ...] = ()
    flutter_beats: Array | None = None  # bool (n_beats,)
    paced_beats: Array | None = None  # bool (n_beats,), by pacing spikes in the trace
    long: LongEcg | None = None  # set for a long record, whose delineation holds the beats of its beginning only
