"""What a score may use: the ejection fraction with its interval, and possible points per item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.clinical.cross_checks import numeric
from pipeline.clinical.fusion import check_outcome
from pipeline.clinical.reference_ranges import shown
from pipeline.records import FusedFindings, Measurement, RiskScore

NOT_ONE_PATIENT = "The files name different patients; a score over both would mix them."
SAME_PATIENT = "same_patient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Points that one item of a score can have given what is known; more than one when it is not."""

    name: str
    points: tuple[int, ...]
    text: str  # why: "65-69 years"
    known: bool = True


def find(fused: FusedFindings, name: str) -> Measurement | None:
    """A measurement by name if it holds a number."""
    return next((m for m in fused.measurements if m.name == name and numeric(m) is not None), None)


def number(fused: FusedFindings, name: str) -> float | None:
    """The value of a measurement by name, or None."""
    found = find(fused, name)
    return None if found is None else numeric(found)


def ef_candidates(fused: FusedFindings) -> tuple[int, ...]:
    """Every whole percentage that the ejection fraction may be: its interval, or the value alone.

    Rounded as shown, so that a displayed ejection fraction and its points never contradict each other.
    """
    lvef, value_pct = find(fused, "lvef"), number(fused, "lvef")
    if lvef is None or value_pct is None:
        return ()
    value = shown(value_pct)
    low, high = lvef.interval or (value, value)
    return tuple(range(min(shown(low), value), max(shown(high), value) + 1))


def interval_text(values: Sequence[int]) -> str:
    """Write one number, or the first and the last: 47, 43-51."""
    return f"{values[0]}" if len(values) == 1 else f"{values[0]}-{values[-1]}"


def mixes_patients(fused: FusedFindings) -> bool:
    """Whether echo and ECG name different patients."""
    return check_outcome(fused, SAME_PATIENT) == "disagree"


def points_text(points: Sequence[int]) -> str:
    """Write possible points: 3 points, 0-3 points."""
    low, high = min(points), max(points)
    return f"{low} point{'' if low == 1 else 's'}" if low == high else f"{low}-{high} points"


def describe(items: Sequence[Item]) -> dict[str, str]:
    """Item -> how many points and why."""
    return {item.name: f"{points_text(item.points)}: {item.text}" for item in items}


def withhold(
    name: str,
    label: str,
    reference: str,
    reason: str,
    *,
    missing: Sequence[str] = (),
    items: Mapping[str, str] | None = None,
) -> RiskScore:
    """A score that is not given, with its reason."""
    return RiskScore(
        name=name,
        label=label,
        status="withheld",
        points=None,
        risks={},
        missing=tuple(missing),
        reason=reason,
        items=dict(items or {}),
        reference=reference,
    )
