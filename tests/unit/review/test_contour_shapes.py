"""Pulling, redrawing and fitting outlines: what must hold exactly, and what may not move."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.echo.contours import APEX_IDX
from pipeline.echo.outline import resample
from pipeline.echo.volumes import disc_volume_from_contour
from pipeline.errors import EditError
from pipeline.review.contour_shapes import evened, fitted, nearest_outline, pulled, redrawn


def test_a_pulled_point_lies_where_it_was_put_and_far_ones_stay(ellipses: Any) -> None:
    line = ellipses.wall(90, 25)
    goal = line[30] + [-8.0, 2.0]
    after = pulled(line, 30, goal, "lv_cavity")
    moved = np.hypot(*(after - line).T)
    assert after[30] == pytest.approx(goal)
    assert moved.argmax() == 30
    assert (np.diff(moved[:31]) >= -1e-9).all()  # nearer points follow more
    assert (np.diff(moved[30:]) <= 1e-9).all()
    assert moved[-20:].max() < 0.01


def test_a_pull_on_a_closed_line_reaches_round_its_start(ellipses: Any) -> None:
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    line = np.stack([100 + 40 * np.cos(angle), 100 + 30 * np.sin(angle)], -1)
    moved = np.hypot(*(pulled(line, 0, line[0] + [5.0, 0.0], "left_atrium") - line).T)
    assert moved[-1] == pytest.approx(moved[1], rel=0.01)
    assert moved[-1] > 1.0


@pytest.mark.parametrize("backwards", [False, True])
def test_a_stroke_replaces_the_part_beside_it(ellipses: Any, backwards: bool) -> None:
    line, wide = ellipses.wall(90, 25), ellipses.wall(90, 29)
    stroke = wide[60:90]
    after = evened(redrawn(line, stroke[::-1] if backwards else stroke, "lv_cavity"), "lv_cavity", ellipses.shape, None)
    assert after.shape == (97, 2)
    assert _distance(line[:50], after) < 1.0
    assert _distance(stroke[2:-2], after) < 1.0
    assert disc_volume_from_contour(line, (0.5, 0.5)) < disc_volume_from_contour(after, (0.5, 0.5))


def _distance(points: np.ndarray, line: np.ndarray) -> float:
    dense = resample(line, 3000)
    return float(np.sqrt(((points[:, None] - dense[None]) ** 2).sum(-1)).min(1).max())


def test_a_stroke_on_a_closed_line_keeps_the_other_side(ellipses: Any) -> None:
    line = ellipses.atrium(20)
    stroke = line[10:30] + np.array([0.0, 6.0])
    after = evened(redrawn(line, stroke, "left_atrium"), "left_atrium", ellipses.shape, None)
    assert after.shape == (64, 2)
    assert _distance(line[40:], after) < 2.0
    assert _distance(stroke[3:-3], after) < 2.0


def test_a_click_is_no_stroke(ellipses: Any) -> None:
    with pytest.raises(EditError):
        redrawn(ellipses.wall(90, 25), np.array([[10.0, 10.0], [10.5, 10.0]]), "lv_cavity")


def test_three_points_are_met_exactly_and_an_ellipse_stays_one(ellipses: Any) -> None:
    line = ellipses.wall(90, 25)
    left, right, apex = line[0] + [5, 3], line[-1] + [-2, 9], line[APEX_IDX] + [12, -6]
    after = fitted(line, left, right, apex)
    assert after[0] == pytest.approx(left)
    assert after[-1] == pytest.approx(right)
    assert after[APEX_IDX] == pytest.approx(apex)
    # an affine map keeps the parts of an area
    assert np.allclose(after.mean(0), fitted(line, left, right, apex).mean(0))
    moved = fitted(line, line[0] + 7, line[-1] + 7, line[APEX_IDX] + 7)
    assert moved == pytest.approx(line + 7)


def test_three_points_on_one_line_are_refused(ellipses: Any) -> None:
    with pytest.raises(EditError):
        fitted(ellipses.wall(90, 25), np.array([0, 0]), np.array([50, 50]), np.array([100, 100]))


def test_even_points_keep_line_and_apex(ellipses: Any) -> None:
    line = ellipses.wall(90, 25)
    after = evened(line, "lv_cavity", ellipses.shape, (0.5, 0.5))
    assert after[APEX_IDX] == pytest.approx(line[APEX_IDX], abs=1e-6)
    steps = np.hypot(*np.diff(after, axis=0).T)
    assert steps[:48].std() < 0.02 * steps.mean()
    assert disc_volume_from_contour(after, (0.5, 0.5)) == pytest.approx(
        disc_volume_from_contour(line, (0.5, 0.5)), rel=1e-3
    )


def test_a_line_beyond_the_frame_is_brought_back(ellipses: Any) -> None:
    after = evened(ellipses.wall(90, 25) - [0, 60], "lv_cavity", ellipses.shape, None)
    assert after.min() >= 0


def test_the_nearest_frame_lends_its_outline(ellipses: Any) -> None:
    lines = np.stack([ellipses.wall(90, 25), ellipses.wall(80, 22), ellipses.wall(70, 20)])
    lines[1] = np.nan
    assert np.array_equal(nearest_outline(lines, 2), lines[2])  # type: ignore[arg-type]
    assert np.array_equal(nearest_outline(lines, 1), lines[0])  # type: ignore[arg-type]
    assert nearest_outline(np.full_like(lines, np.nan), 1) is None
