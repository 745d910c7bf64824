"""Strain curves on lengths that are known, and the suggested scores."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.echo.strain import beat_curves, bridged, is_whole, peak_systolic_pct
from pipeline.echo.wall_scores import (
    INWARD_PLACES,
    NORMAL_FROM_PCT,
    certain_score,
    score_of,
    score_range,
    wall_motion_score_index,
)
from pipeline.records import EchoBeat

TIMES_S = np.arange(21) / 20
BEAT = EchoBeat(ed_idx=0, es_idx=8, end_idx=18, edv=None, esv=None, ef_pct=None)
CUT = EchoBeat(ed_idx=0, es_idx=8, end_idx=20, edv=None, esv=None, ef_pct=None)


def lengths(drift_mm: float = 0.0) -> np.ndarray:
    """100 mm that shorten to 80 at frame 8 and are back at frame 18, on a steady drift."""
    shortening = np.interp(np.arange(21), [0, 8, 18, 20], [0, 20, 0, 2])
    return (100 - shortening + drift_mm * np.arange(21) / 18)[:, None]


def test_strain_is_the_change_since_end_diastole() -> None:
    curve = beat_curves(lengths(), (BEAT,), TIMES_S)[:, 0]
    assert curve[0] == pytest.approx(0)
    assert curve[8] == pytest.approx(-20)
    assert curve[4] == pytest.approx(-10)
    assert np.isnan(curve[19:]).all()
    assert peak_systolic_pct(curve, BEAT) == pytest.approx(-20)


@pytest.mark.parametrize("drift_mm", [-6.0, 6.0])
def test_drift_is_taken_off_a_whole_beat_only(drift_mm: float) -> None:
    whole = beat_curves(lengths(drift_mm), (BEAT,), TIMES_S)[:, 0]
    assert whole[8] == pytest.approx(-20)
    assert whole[18] == pytest.approx(0)
    assert is_whole(BEAT, 21)
    assert not is_whole(CUT, 21)
    cut = beat_curves(lengths(drift_mm), (CUT,), TIMES_S)[:, 0]
    assert cut[8] == pytest.approx(-20 + drift_mm * 8 / 18)


def test_a_missing_frame_is_bridged_and_missing_ends_are_not() -> None:
    values = lengths()
    values[[0, 5, 20]] = np.nan
    filled = bridged(values, TIMES_S)
    assert filled[5, 0] == pytest.approx(lengths()[5, 0])
    assert np.isnan(filled[[0, 20]]).all()
    assert np.isnan(bridged(np.full((4, 1), np.nan), TIMES_S[:4])).all()
    assert math.isnan(peak_systolic_pct(np.full(21, np.nan), BEAT))


def test_nothing_is_divided_by_a_wall_of_no_length() -> None:
    assert np.isnan(beat_curves(np.zeros((21, 1)), (BEAT,), TIMES_S)).all()


@pytest.mark.parametrize("place", range(6))
def test_each_class_of_motion(place: int) -> None:
    limit = NORMAL_FROM_PCT[place]
    assert [score_of(place, value) for value in (limit + 1, limit - 1, 4.9, -4.9, -5.1)] == [1, 2, 3, 3, 4]
    assert len(INWARD_PLACES) == len(set(INWARD_PLACES)) == 6


def test_a_score_needs_motion_that_is_certain_enough() -> None:
    assert certain_score(1, 30.0, None) == 1
    assert score_range(1, (10.0, 50.0)) == (1, 2)
    assert certain_score(1, 30.0, (1, 2)) == 1  # normal or hypokinetic
    assert certain_score(1, 18.0, score_range(1, (0.0, 36.0))) is None  # from akinetic to normal
    assert certain_score(1, 0.0, score_range(1, (-12.0, 12.0))) is None


def test_score_index_is_the_mean() -> None:
    assert wall_motion_score_index([1, 1, 2, 3]) == pytest.approx(1.75)
