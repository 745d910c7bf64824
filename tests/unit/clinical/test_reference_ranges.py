from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clinical import reference_ranges as ranges
from pipeline.clinical.reference_ranges import (
    axis_band,
    heart_rate_band,
    la_volume_index_band,
    lv_dimension_band,
    lvef_band,
    pr_band,
    qrs_band,
    qtc_band,
    volume_band,
)


@pytest.mark.parametrize(
    ("value", "sex", "label"),
    [
        (29.4, "male", "severely reduced"),
        (29.5, "male", "moderately reduced"),
        (30, "female", "moderately reduced"),
        (40.4, "male", "moderately reduced"),
        (41, "male", "mildly reduced"),
        (51.4, "male", "mildly reduced"),
        (52, "male", "normal"),
        (53, "female", "mildly reduced"),
        (54, "female", "normal"),
        (72, "male", "normal"),
        (73, "male", "above normal"),
        (74, "female", "normal"),
        (75, "female", "above normal"),
    ],
)
def test_lvef_classes_change_at_the_published_limits(value: float, sex: str, label: str) -> None:
    people = "men" if sex == "male" else "women"
    assert lvef_band(value, None, sex) == f"{label} (ASE/EACVI 2015, {people})"


def test_lvef_class_is_withheld_when_the_interval_crosses_a_limit() -> None:
    assert lvef_band(47, (43, 51), "male") == "mildly reduced (ASE/EACVI 2015, men)"
    assert lvef_band(47, (43, 52), "male") is None
    assert lvef_band(47, (40, 51), "male") is None
    assert lvef_band(60, (51, 80), "male") is None


def test_an_interval_above_every_reduction_is_not_reduced() -> None:
    assert lvef_band(68, (55, 80), "male") == "not reduced (ASE/EACVI 2015, men)"
    assert lvef_band(73, None, None) == "not reduced (ASE/EACVI 2015, men and women)"
    assert lvef_band(68, (53, 80), None) is None


def test_lvef_class_of_unknown_sex_needs_both_tables() -> None:
    assert lvef_band(60, (58, 62), None) == "normal (ASE/EACVI 2015, men and women)"
    assert lvef_band(53, None, None) is None
    assert lvef_band(math.nan, None, "male") is None
    assert lvef_band(60, (50, math.inf), "male") is None


LVEF_ORDER = ("severely", "moderately", "mildly", "normal", "above")


@given(st.floats(0, 100), st.floats(0, 100), st.sampled_from(["male", "female"]))
def test_lvef_class_never_worsens_with_a_higher_value(a: float, b: float, sex: str) -> None:
    low, high = sorted((a, b))
    first, second = (
        LVEF_ORDER.index((lvef_band(v, None, sex) or "").split(" ")[0])  # type: ignore[arg-type]
        for v in (low, high)
    )
    assert first <= second


@given(st.floats(0, 100), st.floats(0, 15), st.sampled_from(["male", "female", None]))
def test_a_wider_interval_never_gives_a_class_that_a_narrow_one_withholds(
    value: float, half: float, sex: str | None
) -> None:
    wide = lvef_band(value, (value - half, value + half), sex)  # type: ignore[arg-type]
    narrow = lvef_band(value, None, sex)  # type: ignore[arg-type]
    if wide is not None and wide != narrow:
        assert wide.startswith("not reduced")
        assert (narrow or "").startswith(("normal", "above normal"))


@pytest.mark.parametrize(
    ("name", "sex", "low", "high"),
    [
        ("edv", "male", 62, 150),
        ("edv", "female", 46, 106),
        ("esv", "male", 21, 61),
        ("esv", "female", 14, 42),
        ("edv_index", "male", 34, 74),
        ("edv_index", "female", 29, 61),
        ("esv_index", "male", 11, 31),
        ("esv_index", "female", 8, 24),
    ],
)
def test_volume_ranges(name: str, sex: str, low: int, high: int) -> None:
    people = "men" if sex == "male" else "women"
    words = [volume_band(name, v, sex) for v in (low - 1, low, high, high + 0.4, high + 1)]
    labels = ["below normal", "normal", "normal", "normal", "above normal"]
    assert words == [f"{label} (ASE/EACVI 2015, {people})" for label in labels]


def test_volume_of_unknown_sex_or_name() -> None:
    assert volume_band("edv", 100, None) == "normal (ASE/EACVI 2015, men and women)"
    assert volume_band("edv", 120, None) is None
    assert volume_band("rv", 120, "male") is None
    assert volume_band("edv", math.nan, "male") is None


def test_absolute_volumes_are_judged_by_body_surface_when_it_is_known() -> None:
    assert volume_band("edv", 155, "male") == "above normal (ASE/EACVI 2015, men)"
    assert volume_band("edv", 155, "male", 2.2) == "normal (ASE/EACVI 2015, by body surface, men)"
    assert volume_band("edv_index", 75, "male", 2.2) == "above normal (ASE/EACVI 2015, men)"


def test_lv_dimension_and_left_atrium() -> None:
    assert lv_dimension_band(58.4, "male") == "normal (ASE/EACVI 2015, men)"
    assert lv_dimension_band(59, "male") == "above normal (ASE/EACVI 2015, men)"
    assert lv_dimension_band(55, None) is None
    words = ["below normal", "normal", "normal", "mildly", "mildly", "moderately", "moderately", "severely"]
    found = [la_volume_index_band(v) or "" for v in (15, 16, 34, 35, 41, 42, 48, 49)]
    assert [text.startswith(word) for text, word in zip(found, words, strict=True)] == [True] * 8
    assert la_volume_index_band(math.nan) is None


@pytest.mark.parametrize(
    ("value", "sex", "label"),
    [
        (390, "male", "short"),
        (391, "male", "normal"),
        (449.4, "male", "normal"),
        (450, "male", "prolonged"),
        (459, "female", "normal"),
        (460, "female", "prolonged"),
        (500, "female", "prolonged"),
        (501, "female", "markedly prolonged"),
    ],
)
def test_qtc_classes(value: float, sex: str, label: str) -> None:
    assert (qtc_band(value, sex) or "").startswith(f"{label} (AHA/ACCF/HRS 2009")


def test_qtc_of_unknown_sex() -> None:
    assert qtc_band(455, None) is None
    assert qtc_band(510, None) == "markedly prolonged (AHA/ACCF/HRS 2009, men and women)"
    assert qtc_band(math.nan, "male") is None


def test_qrs_pr_and_rate() -> None:
    assert [(qrs_band(v) or "").split(" (")[0] for v in (110, 111, 119, 120)] == [
        "normal",
        "slightly wide",
        "slightly wide",
        "wide, bundle-branch-block range",
    ]
    assert [(pr_band(v) or "").split(" (")[0] for v in (119, 120, 200, 201)] == [
        "short",
        "normal",
        "normal",
        "prolonged",
    ]
    assert [(heart_rate_band(v) or "").split(" (")[0] for v in (59, 60, 100, 101)] == [
        "slow",
        "normal",
        "normal",
        "fast",
    ]


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (-30, "normal"),
        (-31, "left axis"),
        (90, "normal"),
        (91, "right axis"),
        (180, "right axis"),
        (-180, "right axis"),
        (-90, "left axis"),
        (-91, "extreme axis"),
        (-179, "extreme axis"),
        (270, "left axis"),
        (405, "normal"),
    ],
)
def test_axis_sectors(value: float, label: str) -> None:
    assert axis_band(value) == f"{label} (AHA/ACCF/HRS 2009)"


def test_axis_that_is_not_finite() -> None:
    assert axis_band(math.inf) is None


def test_every_unconfirmed_rule_names_something_of_the_module() -> None:
    assert all(hasattr(ranges, name) for name, _ in ranges.CONFIRM)
    assert len({name for name, _ in ranges.CONFIRM}) == len(ranges.CONFIRM)


def test_the_module_names_its_sources() -> None:
    text = Path(ranges.__file__).read_text(encoding="utf-8")
    assert text.count("Source:") >= 10
