"""A measure then and now, beside what repeating alone gives."""

from __future__ import annotations

import pytest

from pipeline.clinical.priors import changes


def report(**measures):
    rows = {
        name: {"label": name.upper(), "unit": "%", "digits": 0, "status": "measured", "interval": None} | measure
        for name, measure in measures.items()
    }
    return {"result": {"measurements": rows}}


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [(60.0, 53.0, "within repeat noise"), (60.0, 52.9, "beyond repeat noise"), (50.0, 57.0, "within repeat noise")],
)
def test_ef_is_judged_by_the_repeat_noise_of_experts(before, now, verdict):
    (change,) = changes(report(lvef={"value": before}), report(lvef={"value": now}))
    assert (change.verdict, change.before, change.now) == (verdict, before, now)
    assert "±7" in change.noise
    assert "±9" in change.noise
    assert change.change == pytest.approx(now - before)


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        ((80, 100), (100, 120), "intervals overlap"),
        ((80, 99), (100, 120), "intervals apart"),
        (None, (1, 2), "not judged"),
    ],
)
def test_other_measures_are_judged_by_their_intervals(one, other, verdict):
    (change,) = changes(report(edv={"value": 90.0, "interval": one}), report(edv={"value": 110.0, "interval": other}))
    assert change.verdict == verdict


def test_what_one_of_the_studies_lacks_is_left_out():
    withheld = {"value": None, "status": "withheld"}
    assert (
        changes(report(a={"value": 1.0}, b=withheld, c={"value": "x"}), report(b={"value": 1.0}, c={"value": "y"}))
        == ()
    )


def test_units_must_agree():
    (change,) = changes(report(edv={"value": 1.0}), report(edv={"value": 1.0, "unit": "mL"}))
    assert (change.verdict, change.noise) == ("not judged", "the units differ")
