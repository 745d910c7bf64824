"""MAGGIC: one- and three-year mortality in heart failure.

Source: Pocock et al., Eur Heart J 34:1404-1413, 2013, doi 10.1093/eurheartj/ehs337. Where we differ: an
item that is not known, and an ejection fraction that is only known as an interval, give the range of
points that all possibilities span; more than 50 points are read as 50, the end of the published table.
"""

from __future__ import annotations

import math

from pipeline.clinical.facts import (
    NOT_ONE_PATIENT,
    Item,
    describe,
    ef_candidates,
    interval_text,
    mixes_patients,
    withhold,
)
from pipeline.records import FusedFindings, Metadata, RiskScore

NAME, LABEL = "maggic", "MAGGIC"
REFERENCE = "Pocock 2013, doi 10.1093/eurheartj/ehs337"
MAX_SPREAD = 10
"""A wider range of points says too little: the risk roughly triples. A rule of this project."""

_Steps = tuple[tuple[float, int], ...]  # (from this value on, points), ascending

EF_POINTS: _Steps = ((-math.inf, 7), (20, 6), (25, 5), (30, 3), (35, 2), (40, 0))
BMI_POINTS: _Steps = ((-math.inf, 6), (15, 5), (20, 3), (25, 2), (30, 0))
CREATININE_POINTS: _Steps = (
    (-math.inf, 0),
    (90, 1),
    (110, 2),
    (130, 3),
    (150, 4),
    (170, 5),
    (210, 6),
    (250, 8),
)
_AGE_STARTS = (-math.inf, 55, 60, 65, 70, 75, 80)
AGE_POINTS: tuple[tuple[int, ...], ...] = (
    (0, 1, 2, 4, 6, 8, 10),  # EF below 30
    (0, 2, 4, 6, 8, 10, 13),  # EF 30-39
    (0, 3, 5, 7, 9, 12, 15),  # EF from 40
)
_SBP_STARTS = (-math.inf, 110, 120, 130, 140, 150)
SBP_POINTS: tuple[tuple[int, ...], ...] = ((5, 4, 3, 2, 1, 0), (3, 2, 1, 1, 0, 0), (2, 1, 1, 0, 0, 0))
NYHA_POINTS = (0, 2, 6, 8)
YES_NO: tuple[tuple[str, str, str, tuple[int, int]], ...] = (
    ("smoker", "current smoker", "no current smoker", (1, 0)),
    ("diabetes", "diabetes", "no diabetes", (3, 0)),
    ("copd", "COPD", "no COPD", (2, 0)),
    ("heart_failure_18_months", "heart failure for at least 18 months", "a shorter time", (2, 0)),
    ("beta_blocker", "beta-blocker", "no beta-blocker", (0, 3)),
    ("acei_or_arb", "ACE inhibitor or receptor blocker", "no ACE inhibitor or receptor blocker", (0, 1)),
)
"""(fact, words for yes, words for no, points of yes and no)."""

RISK_1_YEAR = (
    *(0.015, 0.016, 0.018, 0.020, 0.022, 0.024, 0.027, 0.029, 0.032, 0.036, 0.039, 0.043, 0.048, 0.052, 0.058),
    *(0.063, 0.070, 0.077, 0.084, 0.093, 0.102, 0.111, 0.122, 0.134, 0.147, 0.160, 0.175, 0.191, 0.209, 0.227),
    *(0.248, 0.269, 0.292, 0.316, 0.342, 0.369, 0.398, 0.427, 0.458, 0.490, 0.523, 0.557, 0.591, 0.625, 0.659),
    *(0.692, 0.725, 0.757, 0.787, 0.816, 0.842),
)
RISK_3_YEARS = (
    *(0.039, 0.043, 0.048, 0.052, 0.058, 0.063, 0.070, 0.077, 0.084, 0.092, 0.102, 0.111, 0.122, 0.134, 0.146),
    *(0.160, 0.175, 0.191, 0.209, 0.227, 0.247, 0.269, 0.292, 0.316, 0.342, 0.369, 0.397, 0.427, 0.458, 0.490),
    *(0.523, 0.556, 0.590, 0.625, 0.658, 0.692, 0.725, 0.756, 0.787, 0.815, 0.842, 0.866, 0.889, 0.908, 0.926),
    *(0.941, 0.953, 0.964, 0.973, 0.980, 0.985),
)
MAX_POINTS = len(RISK_1_YEAR) - 1


def maggic(fused: FusedFindings) -> RiskScore:
    """Score a study.

    Returns
    -------
    RiskScore
        "scored" when every possibility gives the same points, "range" when they differ, "withheld" when
        heart failure is not stated, the ejection fraction or the age is missing, the files name different
        patients, or the range is wider than MAX_SPREAD points. `reason` of a given score says when points
        above the table were read as its end.
    """
    facts = fused.metadata
    if mixes_patients(fused):
        return withhold(NAME, LABEL, REFERENCE, NOT_ONE_PATIENT)
    if not facts.heart_failure:
        return _no_heart_failure(facts)
    efs = ef_candidates(fused)
    needed = [n for n, absent in (("lvef", not efs), ("age_years", facts.age_years is None)) if absent]
    if needed:
        reason = f"MAGGIC needs {' and '.join(_WORDS[n] for n in needed)}."
        return withhold(NAME, LABEL, REFERENCE, reason, missing=needed)
    possible = [items_for(ef, facts) for ef in efs]
    return _score(efs, possible)


def items_for(ef_pct: int, facts: Metadata) -> tuple[Item, ...]:
    """The points of every item at one ejection fraction; the age must be known."""
    group = 0 if ef_pct < 30 else 1 if ef_pct < 40 else 2
    age_steps = tuple(zip(_AGE_STARTS, AGE_POINTS[group], strict=True))
    sbp_steps = tuple(zip(_SBP_STARTS, SBP_POINTS[group], strict=True))
    return (
        _stepped("lvef", float(ef_pct), EF_POINTS, "%"),
        _stepped("age_years", facts.age_years, age_steps, "years"),
        _stepped("systolic_bp_mmhg", facts.systolic_bp_mmhg, sbp_steps, "mmHg"),
        _stepped("bmi_kg_m2", facts.bmi_kg_m2, BMI_POINTS, "kg/m²"),
        _stepped("creatinine_umol_l", facts.creatinine_umol_l, CREATININE_POINTS, "µmol/L"),
        _nyha(facts.nyha_class),
        _choice("sex", None if facts.sex is None else facts.sex == "male", "male", "female", (1, 0)),
        *(_choice(name, getattr(facts, name), yes, no, points) for name, yes, no, points in YES_NO),
    )


def risk_pct(points: int) -> tuple[float, float]:
    """(1-year, 3-year) mortality in percent; points above the table are read as its end."""
    row = min(max(points, 0), MAX_POINTS)
    return round(RISK_1_YEAR[row] * 100, 1), round(RISK_3_YEARS[row] * 100, 1)


_WORDS = {"lvef": "the ejection fraction", "age_years": "the age"}


def _no_heart_failure(facts: Metadata) -> RiskScore:
    if facts.heart_failure is None:
        reason = "MAGGIC is for people with heart failure, and whether this one has it is not stated."
        return withhold(NAME, LABEL, REFERENCE, reason, missing=("heart_failure",))
    return withhold(NAME, LABEL, REFERENCE, "MAGGIC is for people with heart failure only.")


def _score(efs: tuple[int, ...], possible: list[tuple[Item, ...]]) -> RiskScore:
    lows = [sum(min(i.points) for i in items) for items in possible]
    highs = [sum(max(i.points) for i in items) for items in possible]
    low, high = min(lows), max(highs)
    items = _merged(possible)
    missing = tuple(i.name for i in items if not i.known)
    shown_items = describe(items) | {"lvef": _ef_text(efs, items[0], lows, highs)}
    if high - low > MAX_SPREAD:
        reason = f"What is not known leaves {low} to {high} points, too wide to say anything."
        return withhold(NAME, LABEL, REFERENCE, reason, missing=missing, items=shown_items)
    one, three = zip(*(risk_pct(p) for p in range(low, high + 1)), strict=True)
    return RiskScore(
        name=NAME,
        label=LABEL,
        status="scored" if low == high else "range",
        points=(low, high),
        risks={"1-year mortality": (min(one), max(one)), "3-year mortality": (min(three), max(three))},
        missing=missing,
        reason=f"More than {MAX_POINTS} points are read as {MAX_POINTS}." if high > MAX_POINTS else None,
        items=shown_items,
        reference=REFERENCE,
    )


def _merged(possible: list[tuple[Item, ...]]) -> list[Item]:
    """One row an item, its points over all possible ejection fractions."""
    merged = []
    for same in zip(*possible, strict=True):
        points = tuple(sorted({p for item in same for p in item.points}))
        merged.append(Item(name=same[0].name, points=points, text=same[0].text, known=same[0].known))
    return merged


def _ef_text(efs: tuple[int, ...], item: Item, lows: list[int], highs: list[int]) -> str:
    points = describe((item,))["lvef"].partition(":")[0]
    if len(efs) == 1:
        return f"{points}: {efs[0]} %"
    same = len(set(lows)) == 1 and len(set(highs)) == 1
    return f"{points}: {'same' if same else 'changes'} over EF {interval_text(efs)} %"


def _stepped(name: str, value: float | None, steps: _Steps, unit: str) -> Item:
    if value is None:
        return Item(name=name, points=tuple(sorted({p for _, p in steps})), text="not known", known=False)
    row = max(i for i, (start, _) in enumerate(steps) if value >= start)
    return Item(name=name, points=(steps[row][1],), text=_step_text(steps, row, unit))


def _step_text(steps: _Steps, row: int, unit: str) -> str:
    start = steps[row][0]
    if row == 0:
        return f"below {steps[1][0]:g} {unit}"
    if row == len(steps) - 1:
        return f"{start:g} {unit} or more"
    return f"{start:g} to below {steps[row + 1][0]:g} {unit}"


def _nyha(nyha_class: int | None) -> Item:
    if nyha_class is None:
        return Item(name="nyha_class", points=NYHA_POINTS, text="not known", known=False)
    return Item(name="nyha_class", points=(NYHA_POINTS[nyha_class - 1],), text=f"class {nyha_class}")


def _choice(name: str, fact: bool | None, yes: str, no: str, points: tuple[int, int]) -> Item:
    if fact is None:
        return Item(name=name, points=tuple(sorted(points)), text="not known", known=False)
    return Item(name=name, points=(points[0] if fact else points[1],), text=yes if fact else no)
