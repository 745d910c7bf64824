"""Labels made anatomically possible."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.echo.labels import clean_labels, heart_window

CAVITY, WALL, ATRIUM = 1, 2, 3


@pytest.fixture
def heart(phantoms: Any) -> np.ndarray:
    return np.asarray(phantoms.labels(85, 24))


def test_a_whole_heart_stays_as_it_is(heart: np.ndarray) -> None:
    assert np.array_equal(clean_labels(heart), heart)


@pytest.mark.parametrize("label", [CAVITY, WALL, ATRIUM])
def test_a_second_piece_goes(heart: np.ndarray, label: int) -> None:
    spotted = heart.copy()
    spotted[5:12, 5:12] = label
    assert np.array_equal(clean_labels(spotted), heart)
    assert (spotted[5:12, 5:12] == label).all()  # its input is not changed


@pytest.mark.parametrize("label", [CAVITY, WALL, ATRIUM])
def test_holes_are_filled(heart: np.ndarray, label: int) -> None:
    from scipy import ndimage

    inside = np.argwhere(ndimage.binary_erosion(heart == label, iterations=4))
    row, column = inside[len(inside) // 2]
    holed = heart.copy()
    holed[row - 1 : row + 2, column - 1 : column + 2] = 0
    assert np.array_equal(clean_labels(holed), heart)


def test_an_atrium_far_away_goes(heart: np.ndarray) -> None:
    apart = np.where(heart == ATRIUM, 0, heart).astype(np.uint8)
    apart[-20:-5, 10:40] = ATRIUM
    assert not (clean_labels(apart) == ATRIUM).any()
    alone = np.where(heart == ATRIUM, ATRIUM, 0).astype(np.uint8)
    assert (clean_labels(alone) == ATRIUM).any()


def test_a_thin_valve_does_not_part_the_atrium(heart: np.ndarray) -> None:
    valve = heart.copy()
    rows = np.flatnonzero((heart == ATRIUM).any(1))
    valve[rows[0] : rows[0] + 3] = np.where(valve[rows[0] : rows[0] + 3] == ATRIUM, 0, valve[rows[0] : rows[0] + 3])
    assert (clean_labels(valve) == ATRIUM).sum() > 0.8 * (heart == ATRIUM).sum()


@pytest.mark.parametrize("margin", [0, 3, 500])
def test_the_window_holds_the_heart(heart: np.ndarray, margin: int) -> None:
    window = heart_window(heart, margin)
    assert (heart[window] > 0).sum() == (heart > 0).sum()
    if margin == 0:
        assert heart[window].any(0).all()
        assert heart[window].any(1).all()


def test_nothing_stays_nothing() -> None:
    empty = np.zeros((70, 80), np.uint8)
    assert heart_window(empty, 2) == (slice(0, 0), slice(0, 0))
    assert not clean_labels(empty).any()
