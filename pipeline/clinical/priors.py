"""A measure beside the same measure of an earlier study: the change, and how much of it repeating alone would give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["within repeat noise", "beyond repeat noise", "intervals overlap", "intervals apart", "not judged"]

REPEAT_NOISE: Mapping[str, tuple[float, float, str]] = {
    "lvef": (7.0, 9.0, "repeat noise: experts ±7, beginners ±9 EF points"),
}
"""Measure -> (experts, beginners, words), in the measure's unit.

Source: the project's clinical conventions, after Lang et al. 2015, ASE/EACVI, doi 10.1016/j.echo.2014.10.003.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One measure then and now."""

    name: str
    label: str
    unit: str
    digits: int
    before: float
    now: float
    verdict: Verdict
    noise: str  # what repeating alone gives, in words; empty where no figure is known

    @property
    def change(self) -> float:
        return self.now - self.before


def changes(prior: Mapping[str, Any], report: Mapping[str, Any]) -> tuple[Change, ...]:
    """Every measure that both reports hold as a number, in the order of the present report.

    A change is judged by the known repeat noise of the measure; without one, by whether the two intervals overlap;
    where one of them has no interval it is not judged.
    """
    before, now = _measures(prior), _measures(report)
    pairs = ((name, before[name], measure) for name, measure in now.items() if name in before)
    return tuple(_change(name, old, new) for name, old, new in pairs if _numeric(old) and _numeric(new))


def _measures(report: Mapping[str, Any]) -> Mapping[str, Any]:
    measures: Mapping[str, Any] = (report.get("result") or {}).get("measurements") or {}
    return measures


def _numeric(measure: Mapping[str, Any]) -> bool:
    return isinstance(measure["value"], int | float) and measure["status"] != "withheld"


def _change(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Change:
    before, now = float(old["value"]), float(new["value"])
    if old["unit"] != new["unit"]:
        verdict, noise = judged_units()
    else:
        verdict, noise = judged(name, before, now, old["interval"], new["interval"])
    return Change(
        name=name,
        label=new["label"],
        unit=new["unit"],
        digits=new["digits"],
        before=before,
        now=now,
        verdict=verdict,
        noise=noise,
    )


def judged_units() -> tuple[Verdict, str]:
    """What is said of two values in different units."""
    return "not judged", "the units differ"


def judged(
    name: str,
    before: float,
    now: float,
    interval_before: Sequence[float] | None,
    interval_now: Sequence[float] | None,
) -> tuple[Verdict, str]:
    """How a change of a measure is to be taken, and the repeat noise in words where it is known."""
    if name in REPEAT_NOISE:
        experts, _, words = REPEAT_NOISE[name]
        return ("within repeat noise" if abs(now - before) <= experts else "beyond repeat noise"), words
    if not interval_before or not interval_now:
        return "not judged", ""
    (low, high), (other_low, other_high) = interval_before, interval_now
    return ("intervals overlap" if low <= other_high and other_low <= high else "intervals apart"), ""
