"""Measurements of two cases side by side. Knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.clinical.priors import judged
from pipeline.records import Measurement
from ui.view_state import CaseView
from ui.wording import number, value_text


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorRow:
    """One measure of both cases, worded."""

    name: str
    label: str
    prior: str
    now: str
    change: str  # empty where one of the two is withheld or no number
    judged: str = ""  # how the change is to be taken, beside the repeat noise where it is known


def prior_rows(case: CaseView, prior: CaseView) -> tuple[PriorRow, ...]:
    """Every measure that both cases name, in the order of the case on screen."""
    before = {found.name: found for found in _measurements(prior)}
    pairs = [(found, before[found.name]) for found in _measurements(case) if found.name in before]
    return tuple(_row(now, then) for now, then in pairs)


def _measurements(case: CaseView) -> list[Measurement]:
    echo, ecg = case.results.echo_analysis, case.results.ecg_analysis
    return [*(echo.measurements if echo is not None else ()), *(ecg.measurements if ecg is not None else ())]


def _row(now: Measurement, then: Measurement) -> PriorRow:
    unit = f" {now.unit}" if now.unit else ""
    return PriorRow(
        name=now.name,
        label=now.label,
        prior=_value(then),
        now=_value(now) + (unit if now.status != "withheld" else ""),
        change=_change(now, then),
        judged=_judged(now, then),
    )


def _value(found: Measurement) -> str:
    return "withheld" if found.status == "withheld" else value_text(found.value, found.digits)


def _judged(now: Measurement, then: Measurement) -> str:
    if not _change(now, then):
        return ""
    before, present = float(then.value or 0.0), float(now.value or 0.0)
    verdict, noise = judged(now.name, before, present, then.interval, now.interval)
    if verdict == "not judged":
        return ""
    return f"{verdict} ({noise})" if noise else verdict


def _change(now: Measurement, then: Measurement) -> str:
    if "withheld" in (now.status, then.status) or now.unit != then.unit:
        return ""
    if not isinstance(now.value, int | float) or not isinstance(then.value, int | float):
        return ""
    change = now.value - then.value
    text = number(change, now.digits)
    return text if text.startswith("−") or float(text) == 0 else f"+{text}"
