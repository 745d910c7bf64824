"""The figures behind the intervals, on patients whose errors are known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pipeline.echo.error_model import read_error_models
from pipeline.echo.wall_scores import INWARD_PLACES, STRAIN_PLACES
from pipeline.training.error_figures import MEASURES, Patient, Still, error_figures, measures_of


def patients(n: int, *, seed: int = 3) -> list[Patient]:
    """Patients whose errors are normal and grow with the network's doubt."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        certainty = {phase: float(rng.uniform(0.90, 0.96)) for phase in ("ED", "ES")}
        doubt = 1 - float(np.mean(list(certainty.values())))
        truth = dict.fromkeys(MEASURES, 50.0)
        found = {name: 50 + 60 * doubt * float(rng.normal()) for name in MEASURES}
        made.append(Patient(found, truth, certainty))
    return made


def test_left_out_patients_are_covered() -> None:
    figures = error_figures(patients(200))
    models = read_error_models(figures["errors"])
    assert set(models) == set(MEASURES)
    for name, row in figures["errors"].items():
        assert 0.85 <= row["coverage"] <= 0.95, name
        assert models[name].patients == 200
    assert models["lvef"].reach == pytest.approx(1.645 * 60 * 0.07, rel=0.25)
    assert 0.90 < figures["certainty"]["p5"] < figures["certainty"]["median"] < 0.96


def test_the_same_patients_give_the_same_figures() -> None:
    assert error_figures(patients(30)) == error_figures(patients(30))


def test_too_few_patients_give_no_model() -> None:
    few: dict[str, Any] = error_figures(patients(5))
    assert few["errors"] == {}


def test_patients_without_a_measure_do_not_count() -> None:
    some = patients(40)
    for patient in some[:15]:
        patient.found["la_area"] = math.nan
        patient.truth["la_volume"] = math.nan
    errors = error_figures(some)["errors"]
    assert errors["la_area"]["patients"] == errors["la_volume"]["patients"] == 25
    assert errors["edv"]["patients"] == 40


def test_measures_of_a_patient() -> None:
    ed = Still(120, 90, 180, 1500, 40, 150, (20.0,) * 6, (30.0,) * 6)
    es = Still(50, 75, 150, 1800, 45, 160, (20.5, *(14.0,) * 4, 19.5), (24.0, *(27.0,) * 5))
    found = measures_of(ed, es)
    assert set(found) == set(MEASURES)
    assert found["lvef"] == pytest.approx(100 * 70 / 120)
    assert found["sv"] == 70
    assert found["gls"] == pytest.approx(-100 / 6)
    assert found["la_volume"] == pytest.approx(8 / (3 * math.pi) * 1800**2 / 45 / 1000)
    assert found["lv_mass"] == 150
    assert [found[place] for place in INWARD_PLACES] == pytest.approx([-2.5, 30, 30, 30, 30, 2.5])
    assert [found[place] for place in STRAIN_PLACES] == pytest.approx([-20, *[-10] * 5])
    assert found["wmsi"] == pytest.approx((3 + 1 + 1 + 1 + 1 + 3) / 6)
