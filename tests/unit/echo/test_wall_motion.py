"""Wall segments: names, known motion, and what is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline.echo.contours import frame_contours
from pipeline.echo.outline import resample
from pipeline.echo.peak_time import NO_MOTION, NO_WHOLE_BEAT, NOISE_UNKNOWN
from pipeline.echo.wall_motion import ABSENT, NO_BEAT, WallMotion, wall_motion
from pipeline.echo.wall_scores import NO_LIMITS, UNCERTAIN
from pipeline.records import EchoBeat

SPACING = (0.5, 0.5)
BEAT = EchoBeat(ed_idx=0, es_idx=10, end_idx=24, edv=None, esv=None, ef_pct=None)
TIMES_S = np.arange(26) / 30
PHASE = np.interp(np.arange(26), [0, 10, 24, 25], [0, 1, 0, 0.1])
"""0 at end-diastole, 1 at end-systole."""
Radius = Callable[[np.ndarray, np.ndarray], np.ndarray]


def wall(length_mm: float, radius: Radius, *, turn: float = 0.0, shift_mm: tuple[float, float] = (0, 0)) -> np.ndarray:
    """A contour (97, 2) in pixels: half-widths by level 0..1 for the left (-1) and the right (1) wall."""
    level = np.sin(np.linspace(0, np.pi / 2, 200))
    sides = [np.stack([side * radius(level, np.full(200, side)), -level * length_mm], -1) for side in (-1, 1)]
    points = np.vstack([resample(sides[0], 49), resample(sides[1], 49)[::-1][1:]])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray((points @ rotation.T + np.array([65, 120]) + shift_mm) / SPACING[0], np.float32)


def half_ellipse(radius_mm: float) -> Radius:
    return lambda level, _side: radius_mm * np.sqrt(np.clip(1 - level**2, 0, 1))


def beating(contraction: Callable[[float], np.ndarray], beat: EchoBeat = BEAT, **changes: Any) -> WallMotion:
    lines = np.stack([contraction(phase) for phase in PHASE])
    return wall_motion(lines, (beat,), TIMES_S, SPACING, **{"view": "A4C"} | changes)


def uniform(phase: float) -> np.ndarray:
    return wall(90 * (1 - 0.2 * phase), half_ellipse(25 * (1 - 0.3 * phase)))


def with_a_bad_segment(still: float) -> Callable[[float], np.ndarray]:
    """All walls come in by 30 %, but the middle of the left one only by `still` of that; the length stays."""

    def contraction(phase: float) -> np.ndarray:
        def radius(level: np.ndarray, side: np.ndarray) -> np.ndarray:
            inside = (side < 0) & (level > 0.3) & (level < 0.7)
            return half_ellipse(25)(level, side) * (1 - 0.3 * phase * np.where(inside, still, 1.0))

        return wall(90, radius)

    return contraction


def by_five(_name: str, beats: list[float]) -> tuple[float, float]:
    return float(np.mean(beats)) - 5.0, float(np.mean(beats)) + 5.0


def excursions(found: WallMotion) -> list[float]:
    return [float(segment.radial_excursion_pct or 0.0) for segment in found.segments]


def test_names_follow_the_view() -> None:
    four = [segment.name for segment in beating(uniform).segments]
    assert four == [
        "basal inferoseptal",
        "mid inferoseptal",
        "apical septal",
        "basal anterolateral",
        "mid anterolateral",
        "apical lateral",
    ]
    two = [segment.name for segment in beating(uniform, view="A2C").segments]
    assert (two[0], two[-1]) == ("basal inferior", "apical anterior")


def test_uniform_contraction_moves_every_segment_alike() -> None:
    found = beating(uniform, interval_of=by_five)
    for segment in found.segments:
        assert segment.radial_excursion_pct == pytest.approx(30.0, abs=0.5)
        assert segment.longitudinal_strain_pct is not None
        assert -28 < segment.longitudinal_strain_pct < -19  # between the shortening of length and of width
        assert segment.strain_interval_pct == pytest.approx(
            (segment.longitudinal_strain_pct - 5, segment.longitudinal_strain_pct + 5), abs=0.02
        )
        assert segment.time_to_peak_ms == pytest.approx(1000 * 10 / 30, abs=1)
        # Within 5 points of 30: one frame before the peak and two after it, and a frame more
        assert segment.time_to_peak_interval_ms == pytest.approx((1000 * 8 / 30, 1000 * 13 / 30), abs=1)
        assert segment.time_to_peak_interval_pct == pytest.approx((100 * 8 / 24, 100 * 13 / 24), abs=0.1)
        assert segment.time_to_peak_pct == pytest.approx(100 * 10 / 24, abs=0.1)
        assert (segment.score, segment.score_reason, segment.reason) == (1, None, None)


def test_curves_start_and_end_at_zero_and_peak_at_end_systole() -> None:
    found = beating(uniform)
    assert found.inward_pct.shape == found.strain_pct.shape == (26, 6)
    assert found.inward_pct[[0, 24]] == pytest.approx(0.0, abs=1e-9)
    assert (np.nanargmax(found.inward_pct, axis=0) == 10).all()
    assert (np.nanargmin(found.strain_pct, axis=0) == 10).all()
    assert np.isnan(found.inward_pct[25]).all()


def test_shift_and_rotation_of_the_whole_heart_are_no_motion() -> None:
    found = beating(lambda phase: wall(90, half_ellipse(25), turn=0.25 * phase, shift_mm=(12 * phase, -9 * phase)))
    assert excursions(found) == pytest.approx([0.0] * 6, abs=0.2)
    assert [s.longitudinal_strain_pct for s in found.segments] == pytest.approx([0.0] * 6, abs=0.2)
    assert {s.score for s in found.segments} == {3}
    assert {s.time_to_peak_reason for s in found.segments} == {NO_MOTION}  # a wall that does not move has no peak


def test_a_beating_heart_that_swings_moves_like_one_that_does_not() -> None:
    def swinging(phase: float) -> np.ndarray:
        return wall(
            90 * (1 - 0.2 * phase), half_ellipse(25 * (1 - 0.3 * phase)), turn=-0.2 * phase, shift_mm=(8 * phase, 0)
        )

    assert excursions(beating(swinging)) == pytest.approx(excursions(beating(uniform)), abs=0.3)


@pytest.mark.parametrize(("still", "score"), [(0.0, 3), (0.4, 2), (-0.6, 4), (1.0, 1)])
def test_a_segment_that_moves_otherwise_stands_out(still: float, score: int) -> None:
    found = beating(with_a_bad_segment(still))
    others = excursions(found)
    assert others.pop(1) == pytest.approx(30 * still, abs=0.5)
    assert np.min(others) > 20  # the bad part reaches a little into its neighbours
    assert [s.score for s in found.segments] == [1, score, 1, 1, 1, 1]


def test_a_late_segment_peaks_late() -> None:
    lines = np.stack([uniform(phase) for phase in np.roll(PHASE, 5)])

    lines[:5] = uniform(0.0)
    (first, *_) = wall_motion(lines, (BEAT,), TIMES_S, SPACING, "A4C", by_five).segments
    assert first.time_to_peak_ms == pytest.approx(1000 * 15 / 30, abs=1)


def test_scores_need_limits_and_certainty() -> None:
    assert {s.score_reason for s in beating(uniform, view="A2C").segments} == {NO_LIMITS}
    unsure = beating(uniform, interval_of=lambda _place, beats: (beats[0] - 28, beats[0] + 28)).segments[1]
    assert (unsure.score, unsure.score_reason, unsure.score_range) == (None, UNCERTAIN, (1, 3))
    doubtful = beating(uniform, interval_of=lambda _place, beats: (beats[0] - 20, beats[0] + 5)).segments[1]
    assert (doubtful.score, doubtful.score_range) == (1, (1, 2))
    assert unsure.radial_interval_pct == pytest.approx((2.0, 58.0), abs=0.5)
    assert beating(uniform).segments[1].radial_interval_pct is None


def test_a_frame_that_is_missing_inside_the_beat_is_bridged() -> None:
    lines = np.stack([uniform(phase) for phase in PHASE])
    lines[7] = np.nan
    found = wall_motion(lines, (BEAT,), TIMES_S, SPACING, "A4C")
    assert excursions(found) == pytest.approx(excursions(beating(uniform)))
    assert np.isfinite(found.inward_pct[7]).all()


def test_a_beat_that_the_clip_cuts_has_no_time_to_peak() -> None:
    cut = EchoBeat(ed_idx=0, es_idx=10, end_idx=25, edv=None, esv=None, ef_pct=None)
    assert {s.time_to_peak_pct for s in beating(uniform, cut, interval_of=by_five).segments} == {None}
    assert {s.time_to_peak_reason for s in beating(uniform, cut).segments} == {NO_WHOLE_BEAT}


def test_a_time_without_a_known_error_is_withheld() -> None:
    assert {s.time_to_peak_reason for s in beating(uniform).segments} == {NOISE_UNKNOWN}


def test_contours_of_labels_move_as_drawn(phantoms: Any) -> None:
    ends = [frame_contours(phantoms.labels(*size), SPACING).lv_endocardium for size in ((85, 24), (68, 18))]
    beat = EchoBeat(ed_idx=0, es_idx=1, end_idx=1, edv=None, esv=None, ef_pct=None)
    for segment in wall_motion(np.stack(ends), (beat,), TIMES_S[:2], SPACING, "A4C").segments:
        assert segment.radial_excursion_pct == pytest.approx(25.0, abs=2.5)
        assert segment.longitudinal_strain_pct == pytest.approx(-20.5, abs=3.5)


def test_missing_walls_and_beats_have_their_reason() -> None:
    lines = np.stack([uniform(phase) for phase in PHASE])
    lines[8:] = np.nan
    assert {s.reason for s in wall_motion(lines, (BEAT,), TIMES_S, SPACING, "A4C").segments} == {ABSENT}
    found = wall_motion(lines, (), TIMES_S, SPACING, "A4C")
    assert {s.reason for s in found.segments} == {NO_BEAT}
    assert np.isnan(found.inward_pct).all()
