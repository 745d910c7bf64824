"""CHA2DS2-VA and CHA2DS2-VASc: stroke risk in confirmed atrial fibrillation.

Source: Van Gelder et al., ESC guideline 2024, doi 10.1093/eurheartj/ehae176; VASc: Lip et al., Chest
137:263-272, 2010, doi 10.1378/chest.09-1584. Where we differ: an item that is not known gives the range
that it leaves. Suspicion by an ECG algorithm alone never opens these scores.
"""

from __future__ import annotations

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

REFERENCE_VA = "ESC 2024, doi 10.1093/eurheartj/ehae176"
REFERENCE_VASC = "Lip 2010, doi 10.1378/chest.09-1584"
VA = ("cha2ds2_va", "CHA2DS2-VA", REFERENCE_VA)
VASC = ("cha2ds2_vasc", "CHA2DS2-VASc", REFERENCE_VASC)

ANNUAL_RATE_PCT = (0.5, 1.5, 2.9, 5.1, 7.3, 11.2, 15.5, 14.7, 19.5)
"""Strokes per 100 patient years without anticoagulation, VA 0 to 8: as counted, not smoothed (7 lies below 6).
Source: FinACAF cohort, as printed beside the ESC 2024 score."""

EF_LIMIT_PCT = 40
MAX_SPREAD = 4
"""A wider range of points says too little. A rule of this project."""

_AGE_POINTS = (0, 1, 2)
_YES_ITEMS: tuple[tuple[str, str, int], ...] = (
    ("hypertension", "hypertension", 1),
    ("diabetes", "diabetes", 1),
    ("stroke_or_tia", "stroke, TIA or thromboembolism", 2),
    ("vascular_disease", "vascular disease", 1),
)


def cha2ds2_scores(fused: FusedFindings) -> tuple[RiskScore, RiskScore]:
    """CHA2DS2-VA with its annual stroke rate, and CHA2DS2-VASc (points only).

    Returns
    -------
    (RiskScore, RiskScore)
        Withheld unless atrial fibrillation is confirmed, when the files name different patients, and when
        the missing items leave more than MAX_SPREAD points.
    """
    refusal = _refusal(fused)
    if refusal is not None:
        reason, missing = refusal
        return withhold(*VA, reason, missing=missing), withhold(*VASC, reason, missing=missing)
    items = va_items(ef_candidates(fused), fused.metadata)
    return _score(VA, items, with_rate=True), _score(VASC, (*items, _sex_item(fused.metadata)), with_rate=False)


def va_items(ef_pct: tuple[int, ...], facts: Metadata) -> tuple[Item, ...]:
    """The points of every CHA2DS2-VA item; `ef_pct` holds the possible ejection fractions."""
    yes_items = (_yes_item(n, words, points, facts) for n, words, points in _YES_ITEMS)
    return (_heart_failure_item(ef_pct, facts), _age_item(facts.age_years), *yes_items)


def annual_rate_pct(points: int) -> float:
    """Annual stroke rate for CHA2DS2-VA points 0 to 8, in percent."""
    return ANNUAL_RATE_PCT[points]


def _refusal(fused: FusedFindings) -> tuple[str, tuple[str, ...]] | None:
    if mixes_patients(fused):
        return NOT_ONE_PATIENT, ()
    confirmed = fused.metadata.af_confirmed
    if confirmed is False:
        return "The score is for people with atrial fibrillation only.", ()
    if confirmed is None:
        return "Atrial fibrillation is not confirmed by a clinician.", ("af_confirmed",)
    return None


def _score(names: tuple[str, str, str], items: tuple[Item, ...], *, with_rate: bool) -> RiskScore:
    name, label, reference = names
    low, high = sum(min(i.points) for i in items), sum(max(i.points) for i in items)
    missing = tuple(i.name for i in items if not i.known)
    if high - low > MAX_SPREAD:
        reason = f"What is not known leaves {low} to {high} points, too wide to say anything."
        return withhold(name, label, reference, reason, missing=missing, items=describe(items))
    rates = [annual_rate_pct(p) for p in range(low, high + 1)] if with_rate else []
    return RiskScore(
        name=name,
        label=label,
        status="scored" if low == high else "range",
        points=(low, high),
        risks={"annual stroke rate without anticoagulation": (min(rates), max(rates))} if rates else {},
        missing=missing,
        reason=None,
        items=describe(items),
        reference=reference,
    )


def _heart_failure_item(ef_pct: tuple[int, ...], facts: Metadata) -> Item:
    name = "heart_failure_or_lvef_40"
    if facts.heart_failure:
        return Item(name=name, points=(1,), text="heart failure")
    if ef_pct and max(ef_pct) <= EF_LIMIT_PCT:
        return Item(name=name, points=(1,), text=f"LVEF {interval_text(ef_pct)} %")
    if facts.heart_failure is False and ef_pct and min(ef_pct) > EF_LIMIT_PCT:
        return Item(name=name, points=(0,), text=f"no heart failure, LVEF {interval_text(ef_pct)} %")
    if facts.heart_failure is False and ef_pct:
        text = f"no heart failure, LVEF {interval_text(ef_pct)} % crosses {EF_LIMIT_PCT} %"
        return Item(name=name, points=(0, 1), text=text)
    text = "heart failure not known" if facts.heart_failure is None else "no heart failure, LVEF not known"
    return Item(name=name, points=(0, 1), text=text, known=False)


def _age_item(age_years: float | None) -> Item:
    if age_years is None:
        return Item(name="age_years", points=_AGE_POINTS, text="not known", known=False)
    if age_years >= 75:
        return Item(name="age_years", points=(2,), text="75 years or more")
    if age_years >= 65:
        return Item(name="age_years", points=(1,), text="65 to 74 years")
    return Item(name="age_years", points=(0,), text="below 65 years")


def _yes_item(name: str, words: str, points: int, facts: Metadata) -> Item:
    fact: bool | None = getattr(facts, name)
    if fact is None:
        return Item(name=name, points=(0, points), text="not known", known=False)
    return Item(name=name, points=(points if fact else 0,), text=words if fact else f"no {words}")


def _sex_item(facts: Metadata) -> Item:
    if facts.sex is None:
        return Item(name="sex", points=(0, 1), text="not known", known=False)
    return Item(name="sex", points=(1 if facts.sex == "female" else 0,), text=facts.sex)
