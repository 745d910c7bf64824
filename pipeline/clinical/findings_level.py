"""The level of the findings: routine, review or urgent, from a table of sourced rules.

The level is the highest one among the rules that fired and no probability. A rule sees the numbers as
they are shown (rounded to whole units).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pipeline.clinical.cross_checks import AF_CODE, numeric
from pipeline.clinical.facts import find, number
from pipeline.clinical.fusion import check_outcome
from pipeline.clinical.reference_ranges import QTC_HIGH_MS, WIDE_QRS_MS, shown
from pipeline.records import FiredRule, FusedFindings, Measurement

Level = Literal["routine", "review", "urgent"]
LEVELS: tuple[Level, ...] = ("routine", "review", "urgent")
Test = Callable[[FusedFindings], str | None]  # the sentence when the rule fires

_LANG = "ASE/EACVI 2015, doi 10.1016/j.echo.2014.10.003"
_AHA_III = "AHA/ACCF/HRS 2009 part III, doi 10.1161/CIRCULATIONAHA.108.191095"
_AHA_IV = "AHA/ACCF/HRS 2009 part IV, doi 10.1161/CIRCULATIONAHA.108.191096"
_ESC_AF = "ESC 2024 atrial fibrillation, doi 10.1093/eurheartj/ehae176"
_ESC_VA = "ESC 2022 ventricular arrhythmias, doi 10.1093/eurheartj/ehac262"
_BRADY = "ACC/AHA/HRS 2018 bradycardia, doi 10.1161/CIR.0000000000000628"
_TACHY = "AHA 2020 advanced life support, doi 10.1161/CIR.0000000000000916"
_OWN = "rule of this project"
_ENLARGED = ("mildly enlarged", "moderately enlarged", "severely enlarged")


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRule:
    """One row: what must be so for the level to apply."""

    name: str
    level: Level
    test: Test
    reference: str


def findings_level(fused: FusedFindings) -> tuple[Level | None, tuple[FiredRule, ...]]:
    """Level and the rules that fired, the most urgent first.

    Returns
    -------
    (level, rules)
        level None when nothing at all was measured; "routine" when no rule fired.
    """
    if all(m.status == "withheld" for m in fused.measurements):
        return None, ()
    fired = [
        FiredRule(name=rule.name, level=rule.level, text=text, reference=rule.reference)
        for rule in RULES
        if (text := rule.test(fused)) is not None
    ]
    fired.sort(key=lambda rule: -LEVELS.index(rule.level))
    return (fired[0].level if fired else "routine"), tuple(fired)


# --- kinds of test -----------------------------------------------------------------------------------


def _band(name: str, words: tuple[str, ...]) -> Test:
    """Fires when the band of a measurement starts with one of the words."""

    def test(fused: FusedFindings) -> str | None:
        m = find(fused, name)
        if m is None or m.band is None or not m.band.startswith(words):
            return None
        return f"{_quantity(m)}: {m.band}."

    return test


def _within(name: str, low: float, high: float, words: str) -> Test:
    """Fires when a measurement, as shown, lies in low..high (both included)."""

    def test(fused: FusedFindings) -> str | None:
        m = find(fused, name)
        value = number(fused, name)
        if m is None or value is None or not low <= shown(value) <= high:
            return None
        return f"{_quantity(m)}: {words}."

    return test


def _rhythm(code: str) -> Test:
    """Fires on a rhythm statement."""

    def test(fused: FusedFindings) -> str | None:
        return next((s.text for s in fused.rhythm if s.code == code), None)

    return test


def _disagrees(check: str) -> Test:
    """Fires when a cross-check disagrees."""

    def test(fused: FusedFindings) -> str | None:
        return next((c.text for c in fused.cross_checks if c.name == check and c.outcome == "disagree"), None)

    return test


def _quantity(m: Measurement) -> str:
    """Write a measurement as it is shown: QTcF 512 ms, Heart rate 38/min."""
    value = numeric(m) or 0.0
    digits = f"{shown(value)}" if m.digits == 0 else f"{value:.{m.digits}f}"
    per_minute = m.unit.startswith("1/")
    return f"{m.label} {digits}{m.unit[1:]}" if per_minute else f"{m.label} {digits} {m.unit}"


# --- single tests ------------------------------------------------------------------------------------


def _lvef_unclassed(fused: FusedFindings) -> str | None:
    """A low ejection fraction whose class is withheld still needs a look."""
    m, value = find(fused, "lvef"), number(fused, "lvef")
    if m is None or value is None or m.band is not None or shown(value) >= 55:
        return None
    return f"{_quantity(m)}: its class is not certain."


def _fast_af(fused: FusedFindings) -> str | None:
    rate = number(fused, "heart_rate")
    if rate is None or shown(rate) <= 110 or not any(s.code == AF_CODE for s in fused.rhythm):
        return None
    return f"Suspected atrial fibrillation with {shown(rate)} beats per minute."


def _wide_qrs_low_ef(fused: FusedFindings) -> str | None:
    qrs, ef = number(fused, "qrs"), number(fused, "lvef")
    if qrs is None or ef is None or check_outcome(fused, "same_patient") == "disagree":
        return None
    if shown(qrs) < WIDE_QRS_MS or shown(ef) > 35:
        return None
    return f"QRS {shown(qrs)} ms with an ejection fraction of {shown(ef)} %."


def _pause_3_s(fused: FusedFindings) -> str | None:
    longest, value = find(fused, "longest_rr"), number(fused, "longest_rr")
    if longest is None or value is None:
        return None
    rr_s = value if longest.unit == "s" else value / 1000
    return f"A pause of {rr_s:.1f} s." if rr_s >= 3.0 else None


RULES: tuple[LevelRule, ...] = (
    LevelRule(name="lvef_severely_reduced", level="urgent", test=_band("lvef", ("severely reduced",)), reference=_LANG),
    LevelRule(
        name="lvef_reduced",
        level="review",
        test=_band("lvef", ("mildly reduced", "moderately reduced")),
        reference=_LANG,
    ),
    LevelRule(name="lvef_class_uncertain", level="review", test=_lvef_unclassed, reference=_OWN),
    LevelRule(name="lv_enlarged", level="review", test=_band("edv", ("above normal",)), reference=_LANG),
    LevelRule(name="la_enlarged", level="review", test=_band("la_volume_index", _ENLARGED), reference=_LANG),
    LevelRule(
        name="qtc_above_500",
        level="urgent",
        test=_within("qtcf", QTC_HIGH_MS + 1, 10_000, "above 500 ms"),
        reference=_AHA_IV,
    ),
    LevelRule(name="qtc_prolonged", level="review", test=_band("qtcf", ("prolonged",)), reference=_AHA_IV),
    LevelRule(name="qtc_up_to_360", level="review", test=_within("qtcf", 0, 360, "very short"), reference=_ESC_VA),
    LevelRule(name="qtc_short", level="routine", test=_band("qtcf", ("short",)), reference=_AHA_IV),
    LevelRule(name="af_suspected", level="review", test=_rhythm(AF_CODE), reference=_ESC_AF),
    LevelRule(name="flutter_suspected", level="review", test=_rhythm("flutter_suspected"), reference=_ESC_AF),
    LevelRule(
        name="af_fast", level="urgent", test=_fast_af, reference=f"{_ESC_AF}: lenient rate control below 110/min"
    ),
    LevelRule(name="rate_below_40", level="urgent", test=_within("heart_rate", 0, 39, "very slow"), reference=_BRADY),
    LevelRule(name="rate_slow", level="review", test=_within("heart_rate", 40, 49, "slow"), reference=_BRADY),
    LevelRule(name="rate_fast", level="review", test=_within("heart_rate", 101, 149, "fast"), reference=_OWN),
    LevelRule(
        name="rate_from_150", level="urgent", test=_within("heart_rate", 150, 1000, "very fast"), reference=_TACHY
    ),
    LevelRule(name="pause_from_3_s", level="urgent", test=_pause_3_s, reference=_BRADY),
    LevelRule(name="pause", level="review", test=_rhythm("pause"), reference=_BRADY),
    LevelRule(name="av_dissociation", level="review", test=_rhythm("av_dissociation"), reference=_BRADY),
    LevelRule(name="second_degree_av_block", level="review", test=_rhythm("second_degree_av_block"), reference=_BRADY),
    LevelRule(name="wide_qrs", level="review", test=_within("qrs", WIDE_QRS_MS, 1000, "wide"), reference=_AHA_III),
    LevelRule(
        name="wide_qrs_low_ef",
        level="review",
        test=_wide_qrs_low_ef,
        reference="ESC 2021 pacing and resynchronisation, doi 10.1093/eurheartj/ehab364",
    ),
    LevelRule(
        name="pr_prolonged",
        level="routine",
        test=_band("pr", ("prolonged",)),
        reference="adults, PR up to 200 ms (confirm)",
    ),
    LevelRule(name="ventricular_run", level="review", test=_rhythm("ventricular_run"), reference=_ESC_VA),
    LevelRule(name="ectopics", level="routine", test=_rhythm("ectopics"), reference=_OWN),
    LevelRule(name="files_of_two_patients", level="review", test=_disagrees("same_patient"), reference=_OWN),
    LevelRule(name="heart_rates_differ", level="review", test=_disagrees("heart_rate"), reference=_OWN),
    LevelRule(name="lv_length_implausible", level="review", test=_disagrees("lv_length_bsa"), reference=_OWN),
)
"""References name the source of each limit; which level a finding gets is a rule of this project."""
