"""A number with its proof."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.records.common import MeasurementStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a number comes from."""

    file_sha256: str | None = None
    frame_idx: tuple[int, ...] = ()
    contour: str | None = None  # "lv_cavity", "lv_epicardium", "left_atrium"
    beat_idx: tuple[int, ...] = ()
    lead: str | None = None
    model_sha256: str | None = None
    edited_frame_idx: tuple[int, ...] = ()  # frames of the main view that a reader changed
    edits: tuple[int, ...] = ()  # numbers of the reader's acts that the number rests on


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One row of the metrics catalogue."""

    name: str  # "lvef"
    label: str  # "LVEF"
    unit: str  # "%", "mL", "ms", "1/min", ""
    digits: int
    method: str
    reference: str  # the published source of the definition
    loinc: str | None = None
    biplane_code: bool = False  # the code names the biplane method: not for single-plane values


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A number with its proof, or the reason for its absence. Build with `pipeline.measurements`."""

    name: str
    label: str
    value: float | str | None
    unit: str
    status: MeasurementStatus
    method: str
    reference: str
    source: Source
    digits: int = 0
    interval: tuple[float, float] | None = None
    reason: str | None = None
    band: str | None = None  # "mildly reduced (ASE/EACVI 2015, men)"
