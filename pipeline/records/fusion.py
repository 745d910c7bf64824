"""Cross-checks, fused findings and risk scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pipeline.records.common import Remark
from pipeline.records.ecg_results import RhythmStatement
from pipeline.records.inputs import Metadata
from pipeline.records.measurement import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCheck:
    """One named rule that compares the modalities."""

    name: str  # "same_patient"
    outcome: Literal["agree", "disagree", "not_checked"]
    text: str
    tolerance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedFindings:
    """Everything measured, with the cross-checks."""

    measurements: tuple[Measurement, ...]
    cross_checks: tuple[CrossCheck, ...]
    rhythm: tuple[RhythmStatement, ...]
    metadata: Metadata
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskScore:
    """A published score, a range of it, or the reason why it is withheld."""

    name: str  # "maggic"
    label: str
    status: Literal["scored", "range", "withheld"]
    points: tuple[int, int] | None  # lowest and highest possible; equal when scored
    risks: Mapping[str, tuple[float, float]]  # "1-year mortality" -> % range
    missing: tuple[str, ...]
    reason: str | None
    items: Mapping[str, str]  # item -> how many points and why
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FiredRule:
    """One rule of the findings level that applied."""

    name: str
    level: Literal["routine", "review", "urgent"]
    text: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskReport:
    """Scores and the level of the findings; the level is not a probability."""

    level: Literal["routine", "review", "urgent"] | None
    rules: tuple[FiredRule, ...]
    scores: tuple[RiskScore, ...]
    remarks: tuple[Remark, ...] = ()
