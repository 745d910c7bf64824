from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clinical.maggic import (
    AGE_POINTS,
    RISK_1_YEAR,
    RISK_3_YEARS,
    SBP_POINTS,
    items_for,
    maggic,
    risk_pct,
)
from pipeline.records import Metadata, RiskScore

Make = Callable[..., Any]

HEALTHIEST = Metadata(
    age_years=50,
    sex="female",
    systolic_bp_mmhg=150,
    bmi_kg_m2=31,
    creatinine_umol_l=80,
    nyha_class=1,
    smoker=False,
    diabetes=False,
    copd=False,
    heart_failure=True,
    heart_failure_18_months=False,
    beta_blocker=True,
    acei_or_arb=True,
)
SECOND = dataclasses.replace(
    HEALTHIEST, age_years=70, systolic_bp_mmhg=125, bmi_kg_m2=24, creatinine_umol_l=100, nyha_class=2
)
THIRD = dataclasses.replace(
    HEALTHIEST,
    age_years=68,
    sex="male",
    systolic_bp_mmhg=118,
    bmi_kg_m2=27,
    creatinine_umol_l=115,
    nyha_class=3,
    diabetes=True,
    heart_failure_18_months=True,
)
WORST = Metadata(
    age_years=85,
    sex="male",
    systolic_bp_mmhg=90,
    bmi_kg_m2=14,
    creatinine_umol_l=300,
    nyha_class=4,
    smoker=True,
    diabetes=True,
    copd=True,
    heart_failure=True,
    heart_failure_18_months=True,
    beta_blocker=False,
    acei_or_arb=False,
)


@pytest.fixture
def score(make_number: Make, make_findings: Make) -> Callable[..., RiskScore]:
    def scored(ef: float, facts: Metadata, interval: tuple[float, float] | None = None, **more: Any) -> RiskScore:
        return maggic(make_findings(make_number("lvef", ef, interval=interval), facts=facts, **more))

    return scored


def points_at(ef: int, facts: Metadata) -> int:
    return sum(item.points[0] for item in items_for(ef, facts))


@pytest.mark.parametrize(
    ("ef", "facts", "points", "one_year", "three_years"),
    [(45, HEALTHIEST, 0, 1.5, 3.9), (40, SECOND, 16, 7.0, 17.5), (32, THIRD, 27, 19.1, 42.7)],
)
def test_check_vectors(
    ef: int, facts: Metadata, points: int, one_year: float, three_years: float, score: Callable[..., RiskScore]
) -> None:
    found = score(ef, facts)
    assert (found.status, found.points) == ("scored", (points, points))
    assert found.risks == {
        "1-year mortality": (one_year, one_year),
        "3-year mortality": (three_years, three_years),
    }
    assert found.missing == ()


def test_more_than_50_points_are_read_as_50_and_said(score: Callable[..., RiskScore]) -> None:
    found = score(15, WORST)
    assert found.points == (57, 57)
    assert found.risks["1-year mortality"] == (84.2, 84.2)
    assert found.risks["3-year mortality"] == (98.5, 98.5)
    assert found.reason == "More than 50 points are read as 50."
    assert score(40, SECOND).reason is None


def test_the_risk_tables_have_51_rows_and_rise() -> None:
    for table in (RISK_1_YEAR, RISK_3_YEARS):
        assert len(table) == 51
        assert all(a < b for a, b in itertools.pairwise(table))
    assert all(one < three for one, three in zip(RISK_1_YEAR, RISK_3_YEARS, strict=True))
    assert risk_pct(-1) == risk_pct(0) == (1.5, 3.9)


@pytest.mark.parametrize(
    ("name", "value", "points"),
    [
        *[("bmi_kg_m2", v, p) for v, p in ((14.9, 6), (15, 5), (19.9, 5), (20, 3), (25, 2), (29.99, 2), (30, 0))],
        *[
            ("creatinine_umol_l", v, p)
            for v, p in (
                (89, 0),
                (90, 1),
                (110, 2),
                (130, 3),
                (150, 4),
                (170, 5),
                (209, 5),
                (210, 6),
                (249, 6),
                (250, 8),
            )
        ],
        *[("nyha_class", v, p) for v, p in ((1, 0), (2, 2), (3, 6), (4, 8))],
        ("sex", "male", 1),
        ("smoker", True, 1),
        ("diabetes", True, 3),
        ("copd", True, 2),
        ("heart_failure_18_months", True, 2),
        ("beta_blocker", False, 3),
        ("acei_or_arb", False, 1),
    ],
)
def test_points_of_single_items(name: str, value: Any, points: int) -> None:
    assert points_at(45, dataclasses.replace(HEALTHIEST, **{name: value})) == points


@pytest.mark.parametrize(
    ("ef", "points"), [(19, 7), (20, 6), (24, 6), (25, 5), (29, 5), (30, 3), (34, 3), (35, 2), (39, 2), (40, 0)]
)
def test_points_of_the_ejection_fraction(ef: int, points: int) -> None:
    assert items_for(ef, HEALTHIEST)[0].points == (points,)


@pytest.mark.parametrize(("ef", "group"), [(29, 0), (30, 1), (39, 1), (40, 2)])
def test_age_and_pressure_depend_on_the_ejection_fraction(ef: int, group: int) -> None:
    ages = (54, 55, 60, 65, 70, 75, 80)
    found = [items_for(ef, dataclasses.replace(HEALTHIEST, age_years=a))[1].points[0] for a in ages]
    assert tuple(found) == AGE_POINTS[group]
    pressures = (109, 110, 120, 130, 140, 150)
    found = [items_for(ef, dataclasses.replace(HEALTHIEST, systolic_bp_mmhg=p))[2].points[0] for p in pressures]
    assert tuple(found) == SBP_POINTS[group]


def test_the_age_tables_are_the_published_ones() -> None:
    assert AGE_POINTS == ((0, 1, 2, 4, 6, 8, 10), (0, 2, 4, 6, 8, 10, 13), (0, 3, 5, 7, 9, 12, 15))
    assert SBP_POINTS == ((5, 4, 3, 2, 1, 0), (3, 2, 1, 1, 0, 0), (2, 1, 1, 0, 0, 0))


def test_an_interval_in_one_class_gives_one_score(score: Callable[..., RiskScore]) -> None:
    found = score(47, SECOND, (43, 51))
    assert (found.status, found.points) == ("scored", (16, 16))
    assert found.items["lvef"] == "0 points: same over EF 43-51 %"


def test_an_interval_over_classes_gives_the_range(score: Callable[..., RiskScore]) -> None:
    found = score(38, SECOND, (34, 42))
    by_hand = [points_at(ef, SECOND) for ef in range(34, 43)]
    assert found.status == "range"
    assert found.points == (min(by_hand), max(by_hand))
    assert found.missing == ()
    assert found.items["lvef"] == "0-3 points: changes over EF 34-42 %"
    assert found.risks["1-year mortality"] == (risk_pct(min(by_hand))[0], risk_pct(max(by_hand))[0])


def test_missing_items_give_the_range_of_all_possibilities(score: Callable[..., RiskScore]) -> None:
    found = score(45, dataclasses.replace(SECOND, beta_blocker=None, diabetes=None, acei_or_arb=None))
    assert found.status == "range"
    assert found.points == (16, 16 + 3 + 3 + 1)
    assert found.missing == ("diabetes", "beta_blocker", "acei_or_arb")
    assert found.items["diabetes"] == "0-3 points: not known"


def test_too_wide_a_range_is_withheld_and_names_what_is_missing(score: Callable[..., RiskScore]) -> None:
    found = score(45, dataclasses.replace(SECOND, nyha_class=None, creatinine_umol_l=None))
    assert (found.status, found.points, found.risks) == ("withheld", None, {})
    assert found.missing == ("creatinine_umol_l", "nyha_class")
    assert found.reason


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        (dataclasses.replace(SECOND, heart_failure=None), ("heart_failure",)),
        (dataclasses.replace(SECOND, heart_failure=False), ()),
        (dataclasses.replace(SECOND, age_years=None), ("age_years",)),
    ],
)
def test_withheld_without_heart_failure_or_age(
    facts: Metadata, missing: tuple[str, ...], score: Callable[..., RiskScore]
) -> None:
    found = score(45, facts)
    assert (found.status, found.missing) == ("withheld", missing)
    assert found.reason


def test_withheld_without_an_ejection_fraction(make_absent: Make, make_findings: Make) -> None:
    found = maggic(make_findings(make_absent("lvef"), facts=SECOND))
    assert (found.status, found.missing) == ("withheld", ("lvef",))
    assert found.reason == "MAGGIC needs the ejection fraction."


def test_withheld_over_two_patients(score: Callable[..., RiskScore]) -> None:
    for facts in (SECOND, Metadata()):
        found = score(45, facts, same_patient="disagree")
        assert found.status == "withheld"
        assert "different patients" in (found.reason or "")


@given(
    st.integers(5, 80),
    st.fixed_dictionaries(
        {
            "age_years": st.floats(18, 100),
            "systolic_bp_mmhg": st.none() | st.floats(70, 220),
            "bmi_kg_m2": st.none() | st.floats(12, 50),
            "creatinine_umol_l": st.none() | st.floats(30, 600),
            "nyha_class": st.none() | st.integers(1, 4),
            "sex": st.none() | st.sampled_from(["male", "female"]),
            "diabetes": st.none() | st.booleans(),
            "beta_blocker": st.none() | st.booleans(),
        }
    ),
)
def test_what_becomes_known_stays_inside_the_range(ef: int, known: dict[str, Any]) -> None:
    facts = Metadata(**known, smoker=False, copd=True, heart_failure_18_months=False, acei_or_arb=True)
    full = {name: getattr(SECOND if value is None else facts, name) for name, value in known.items()}
    items = items_for(ef, facts)
    exact = points_at(ef, dataclasses.replace(facts, **full))
    assert 0 <= sum(min(i.points) for i in items) <= exact <= sum(max(i.points) for i in items) <= 57


@given(st.integers(5, 80), st.floats(18, 100), st.floats(18, 100))
def test_points_never_fall_with_age(ef: int, a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert points_at(ef, dataclasses.replace(SECOND, age_years=low)) <= points_at(
        ef, dataclasses.replace(SECOND, age_years=high)
    )
