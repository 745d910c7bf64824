"""Contours: order, precision, absence, and the way back to a mask."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.echo.contours import APEX_IDX, cavity_mask, frame_contours, wall_contour
from pipeline.echo.labels import clean_labels
from pipeline.echo.outline import arc_length, resample, signed_area, trace_outline

SPACING = (0.5, 0.5)


def test_outline_of_a_disc_is_sub_pixel() -> None:
    y, x = np.mgrid[:120, :140]
    line = trace_outline((x - 70.3) ** 2 + (y - 60.8) ** 2 <= 40**2)
    radius = np.hypot(line[:, 0] - 70.3, line[:, 1] - 60.8)
    assert np.abs(radius - 40).max() < 0.5
    assert radius.mean() == pytest.approx(40, abs=0.05)


def test_outline_keeps_the_largest_piece_and_reaches_the_border() -> None:
    mask = np.zeros((50, 60), bool)
    mask[0:40, 0:30] = True
    mask[45:48, 50:55] = True
    line = trace_outline(mask)
    assert line.min() == pytest.approx(-0.5, abs=0.05)
    assert line[:, 0].max() == pytest.approx(29.5, abs=0.05)


def test_nothing_to_trace() -> None:
    assert trace_outline(np.zeros((10, 10), bool)).shape == (0, 2)


@pytest.mark.parametrize("tilt", [0.0, 0.35, -0.35])
@pytest.mark.parametrize("atrium_mm", [0.0, 34.0])
def test_endocardium_runs_from_septal_annulus_over_apex(phantoms: Any, tilt: float, atrium_mm: float) -> None:
    labels = phantoms.labels(80, 22, tilt=tilt, atrium_mm=atrium_mm)
    contour = frame_contours(labels, SPACING).lv_endocardium
    middle = np.array([130.0, 300 * 0.72])
    down_left = np.array([-np.cos(tilt), -np.sin(tilt)]) * 22 / 0.5
    up = np.array([np.sin(tilt), -np.cos(tilt)]) * 80 / 0.5
    assert contour.shape == (97, 2)
    assert contour.dtype == np.float32
    assert contour[0] == pytest.approx(middle + down_left, abs=3.5)
    assert contour[-1] == pytest.approx(middle - down_left, abs=3.5)
    assert contour[APEX_IDX] == pytest.approx(middle + up, abs=6.0)


def test_each_wall_is_sampled_evenly(phantoms: Any) -> None:
    contour = frame_contours(phantoms.labels(80, 22), SPACING).lv_endocardium
    for wall in (contour[: APEX_IDX + 1], contour[APEX_IDX:]):
        steps = np.diff(arc_length(wall))
        assert steps.std() / steps.mean() < 0.02


def test_epicardium_surrounds_endocardium(phantoms: Any) -> None:
    found = frame_contours(phantoms.labels(80, 22), SPACING)
    inside = cavity_mask(found.lv_epicardium, (300, 260))
    endocardium = np.rint(found.lv_endocardium[5:-5]).astype(int)
    assert inside[endocardium[:, 1], endocardium[:, 0]].all()
    assert found.lv_epicardium[0, 0] < found.lv_endocardium[0, 0]
    assert found.lv_epicardium[-1, 0] > found.lv_endocardium[-1, 0]


def test_atrium_is_closed_and_starts_at_the_septal_annulus(phantoms: Any) -> None:
    found = frame_contours(phantoms.labels(80, 22, atrium_mm=30), SPACING)
    assert found.left_atrium.shape == (64, 2)
    assert signed_area(found.left_atrium) * 0.25 == pytest.approx(np.pi / 2 * 22 * 30, rel=0.02)
    assert np.hypot(*(found.left_atrium[0] - found.lv_endocardium[0])) < 4


def test_absent_structures_are_nan() -> None:
    found = frame_contours(np.zeros((90, 90), np.uint8), SPACING)
    assert all(np.isnan(line).all() for line in (found.lv_endocardium, found.lv_epicardium, found.left_atrium))


def test_mask_and_contour_are_inverse(phantoms: Any) -> None:
    mask = phantoms.labels(80, 22, tilt=0.2) == 1
    back = cavity_mask(wall_contour(mask, SPACING), mask.shape)
    assert back.dtype == bool
    assert np.count_nonzero(back & mask) * 2 / (back.sum() + mask.sum()) > 0.985


def test_mask_of_an_absent_contour_is_empty() -> None:
    assert not cavity_mask(np.full((97, 2), np.nan), (20, 30)).any()


def test_resampling_keeps_the_ends() -> None:
    line = np.array([[0, 0], [1, 0], [1, 9]], float)
    found = resample(line, 11)
    assert found[[0, -1]].tolist() == [[0, 0], [1, 9]]
    assert np.diff(arc_length(found)) == pytest.approx(1.0)


def test_cleaning_keeps_one_piece_without_holes_and_drops_a_far_atrium(phantoms: Any) -> None:
    labels = phantoms.labels(80, 22)
    dirty = labels.copy()
    dirty[100:104, 128:132] = 0  # a hole in the cavity
    dirty[5:9, 5:9] = 1  # a speck far away
    assert np.array_equal(clean_labels(dirty), labels)
    far = phantoms.labels(80, 22, atrium_mm=0)
    far[270:290, 10:40] = 3
    assert not (clean_labels(far) == 3).any()
    assert (dirty[5:9, 5:9] == 1).all()  # the input is not changed


def test_cleaning_nothing() -> None:
    assert not clean_labels(np.zeros((30, 40), np.uint8)).any()
