from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clinical.chads import ANNUAL_RATE_PCT, cha2ds2_scores, va_items
from pipeline.records import Metadata, RiskScore

Make = Callable[..., Any]
NOTHING = Metadata(
    age_years=60,
    sex="male",
    heart_failure=False,
    hypertension=False,
    diabetes=False,
    stroke_or_tia=False,
    vascular_disease=False,
    af_confirmed=True,
)
RATE = "annual stroke rate without anticoagulation"


@pytest.fixture
def score(make_number: Make, make_findings: Make) -> Callable[..., tuple[RiskScore, RiskScore]]:
    def scored(facts: Metadata, ef: float = 60, interval: Any = None, **more: Any) -> tuple[RiskScore, RiskScore]:
        return cha2ds2_scores(make_findings(make_number("lvef", ef, interval=interval), facts=facts, **more))

    return scored


@pytest.mark.parametrize(
    ("change", "points"),
    [
        ({}, 0),
        ({"heart_failure": True}, 1),
        ({"hypertension": True}, 1),
        ({"age_years": 64.9}, 0),
        ({"age_years": 65}, 1),
        ({"age_years": 74.9}, 1),
        ({"age_years": 75}, 2),
        ({"diabetes": True}, 1),
        ({"stroke_or_tia": True}, 2),
        ({"vascular_disease": True}, 1),
    ],
)
def test_points_of_single_items(change: dict[str, Any], points: int, score: Callable[..., Any]) -> None:
    va, vasc = score(dataclasses.replace(NOTHING, **change))
    assert (va.status, va.points) == ("scored", (points, points))
    assert va.risks == {RATE: (ANNUAL_RATE_PCT[points],) * 2}
    assert (vasc.points, vasc.risks) == ((points, points), {})


def test_everything_at_once(score: Callable[..., Any]) -> None:
    names = ("heart_failure", "hypertension", "diabetes", "stroke_or_tia", "vascular_disease")
    facts = dataclasses.replace(NOTHING, **dict.fromkeys(names, True), age_years=80, sex="female")
    va, vasc = score(facts)
    assert (va.points, vasc.points) == ((8, 8), (9, 9))
    assert va.risks[RATE] == (19.5, 19.5)


def test_the_published_rates() -> None:
    assert ANNUAL_RATE_PCT == (0.5, 1.5, 2.9, 5.1, 7.3, 11.2, 15.5, 14.7, 19.5)


def test_a_low_ejection_fraction_counts_as_heart_failure(score: Callable[..., Any]) -> None:
    assert score(NOTHING, 40)[0].points == (1, 1)
    assert score(NOTHING, 41)[0].points == (0, 0)
    assert score(NOTHING, 40, (36, 44))[0].points == (0, 1)
    assert score(dataclasses.replace(NOTHING, heart_failure=True), 60)[0].points == (1, 1)


def test_a_normal_ejection_fraction_does_not_exclude_heart_failure(score: Callable[..., Any]) -> None:
    va, _ = score(dataclasses.replace(NOTHING, heart_failure=None), 60)
    assert va.points == (0, 1)
    assert va.missing == ("heart_failure_or_lvef_40",)


def test_a_range_covers_rates_that_do_not_rise(score: Callable[..., Any]) -> None:
    names = ("heart_failure", "hypertension", "diabetes", "stroke_or_tia")
    facts = dataclasses.replace(NOTHING, **dict.fromkeys(names, True), age_years=70, vascular_disease=None)
    va, _ = score(facts)
    assert va.points == (6, 7)
    assert va.risks[RATE] == (14.7, 15.5)


@pytest.mark.parametrize(("confirmed", "missing"), [(None, ("af_confirmed",)), (False, ())])
def test_withheld_unless_confirmed(confirmed: bool | None, missing: tuple[str, ...], score: Callable[..., Any]) -> None:
    facts = dataclasses.replace(NOTHING, af_confirmed=confirmed)
    for found in score(facts, rhythm=("af_suspected",)):
        assert (found.status, found.points, found.missing) == ("withheld", None, missing)
        assert found.reason


def test_withheld_over_two_patients(score: Callable[..., Any]) -> None:
    assert {s.status for s in score(NOTHING, same_patient="disagree")} == {"withheld"}


def test_too_wide_a_range_is_withheld(score: Callable[..., Any]) -> None:
    va, _ = score(dataclasses.replace(NOTHING, age_years=None, stroke_or_tia=None, diabetes=None))
    assert va.status == "withheld"
    assert va.missing == ("age_years", "diabetes", "stroke_or_tia")


def test_unknown_sex_widens_only_vasc(score: Callable[..., Any]) -> None:
    va, vasc = score(dataclasses.replace(NOTHING, sex=None))
    assert (va.points, vasc.points) == ((0, 0), (0, 1))


FLAGS = ("heart_failure", "hypertension", "diabetes", "stroke_or_tia", "vascular_disease")


@given(st.tuples(*[st.none() | st.booleans()] * 5), st.none() | st.floats(18, 110), st.integers(10, 80))
def test_points_stay_in_0_to_8(flags: tuple[bool | None, ...], age: float | None, ef: int) -> None:
    items = va_items((ef,), Metadata(age_years=age, **dict(zip(FLAGS, flags, strict=True))))  # type: ignore[arg-type]
    assert 0 <= sum(min(i.points) for i in items) <= sum(max(i.points) for i in items) <= 8
