from __future__ import annotations

import numpy as np
import pytest

from pipeline.ecg.delineation import delineate
from pipeline.ecg.intervals import (
    beat_intervals,
    outer_rank,
    qtc_bazett_ms,
    qtc_framingham_ms,
    qtc_fridericia_ms,
    qtc_hodges_ms,
)
from pipeline.records import Delineation


@pytest.mark.parametrize(
    ("formula", "expected_ms"),
    [
        (qtc_bazett_ms, 489.9),
        (qtc_fridericia_ms, 457.9),
        (qtc_framingham_ms, 451.3),
        (qtc_hodges_ms, 452.5),
    ],
)
def test_check_vector_qt_400_at_90(formula, expected_ms):
    assert round(formula(400.0, 60.0 / 90.0), 1) == expected_ms


@pytest.mark.parametrize("formula", [qtc_bazett_ms, qtc_fridericia_ms, qtc_framingham_ms, qtc_hodges_ms])
def test_no_correction_at_60(formula):
    assert formula(400.0, 1.0) == pytest.approx(400.0)


def _delineation(qrs_on, qrs_off, t_off, p_on):
    column = {"qrs_on": qrs_on, "qrs_off": qrs_off, "t_off": t_off, "p_on": p_on}
    arrays = {name: np.array(values, float)[:, None] for name, values in column.items()}
    nothing = np.full(arrays["qrs_on"].shape, np.nan)
    return Delineation(p_off=nothing, t_on=nothing, **arrays)


def test_one_lead_cannot_lengthen_an_interval():
    found = beat_intervals(
        _delineation([90, 100, 102, 104], [200, 201, 203, 260], [400, 405, 410, 600], [10, 40, 42, 44]), 1000.0
    )
    assert found.qrs_ms[0] == 203 - 100
    assert found.qt_ms[0] == 410 - 100
    assert found.pr_ms[0] == 100 - 40


@pytest.mark.parametrize(("n_leads", "rank"), [(0, 0), (1, 0), (2, 0), (3, 1), (7, 1), (8, 2), (12, 3)])
def test_a_quarter_of_the_leads_may_lie_further_out(n_leads, rank):
    assert outer_rank(n_leads) == rank


def test_twelve_leads_with_errors_of_their_own_do_not_widen_the_qrs():
    """Boundaries of the same QRS of 90 ms, each lead with an error of SD 8 ms: the second most extreme adds 18 ms."""
    rng = np.random.default_rng(4)
    on, off = 100.0 + 8.0 * rng.standard_normal((12, 400)), 190.0 + 8.0 * rng.standard_normal((12, 400))
    nothing = np.full(on.shape, np.nan)
    waves = Delineation(p_on=nothing, p_off=nothing, qrs_on=on, qrs_off=off, t_on=nothing, t_off=nothing)
    assert float(np.mean(beat_intervals(waves, 1000.0).qrs_ms)) < 90.0 + 10.0


def test_two_leads_take_the_extremes_and_missing_leads_are_left_out():
    nan = np.nan
    found = beat_intervals(_delineation([98, nan, 100], [200, nan, 210], [nan, nan, nan], [nan, 40, nan]), 500.0)
    assert found.qrs_ms[0] == (210 - 98) * 2
    assert found.pr_ms[0] == (98 - 40) * 2
    assert np.isnan(found.qt_ms[0])


def test_intervals_of_the_phantom(sinus):
    found = beat_intervals(delineate(sinus.signal_mv, 500.0), 500.0)
    assert np.nanmedian(found.pr_ms) == pytest.approx(167, abs=15)
    assert np.nanmedian(found.qrs_ms) == pytest.approx(93, abs=15)
    assert np.nanmedian(found.qt_ms) == pytest.approx(423, abs=30)
