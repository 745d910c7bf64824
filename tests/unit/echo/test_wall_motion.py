"""Wall segments: names, known motion, and what is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.echo.contours import frame_contours
from pipeline.echo.wall_motion import ABSENT, NO_BEAT, wall_segments
from pipeline.records import EchoBeat

SPACING = (0.5, 0.5)
BEAT = EchoBeat(ed_idx=0, es_idx=1, end_idx=2, edv=None, esv=None, ef_pct=None)


def contours(*labels: np.ndarray) -> np.ndarray:
    return np.stack([frame_contours(frame, SPACING).lv_endocardium for frame in labels])


def test_names_follow_the_view(phantoms: Any) -> None:
    lines = contours(phantoms.labels(85, 24), phantoms.labels(75, 18))
    four = [segment.name for segment in wall_segments(lines, (BEAT,), SPACING, "A4C")]
    assert four == [
        "basal inferoseptal",
        "mid inferoseptal",
        "apical septal",
        "basal anterolateral",
        "mid anterolateral",
        "apical lateral",
    ]
    two = [segment.name for segment in wall_segments(lines, (BEAT,), SPACING, "A2C")]
    assert (two[0], two[-1]) == ("basal inferior", "apical anterior")


def test_uniform_contraction_moves_every_segment_alike(phantoms: Any) -> None:
    lines = contours(phantoms.labels(85, 24), phantoms.labels(68, 18))
    for segment in wall_segments(lines, (BEAT,), SPACING, "A4C"):
        assert segment.radial_excursion_pct == pytest.approx(25.0, abs=2.5)
        assert segment.longitudinal_strain_pct == pytest.approx(-20.5, abs=3.5)
        assert segment.reason is None


def test_swinging_is_not_motion(phantoms: Any) -> None:
    still = phantoms.labels(85, 24)
    lines = contours(still, np.roll(phantoms.labels(85, 24, tilt=0.15), 9, axis=1))
    radial = [segment.radial_excursion_pct for segment in wall_segments(lines, (BEAT,), SPACING, "A4C")]
    assert radial == pytest.approx([0.0] * 6, abs=7.0)  # the frame-fixed axis would show 9 mm of 24
    assert np.mean(radial) == pytest.approx(0.0, abs=2.0)


def test_a_wall_that_does_not_move_stands_out(phantoms: Any) -> None:
    ed, es = phantoms.labels(85, 24), phantoms.labels(85, 18)
    es[:, :130] = ed[:, :130]  # the septal half stays
    segments = wall_segments(contours(ed, es), (BEAT,), SPACING, "A4C")
    septal = np.mean([s.radial_excursion_pct for s in segments[:2]])
    lateral = np.mean([s.radial_excursion_pct for s in segments[3:5]])
    assert lateral > septal + 5  # the floating axis shares the motion out, but not evenly


def test_missing_walls_and_beats_have_their_reason(phantoms: Any) -> None:
    lines = contours(phantoms.labels(85, 24), np.zeros((300, 260), np.uint8))
    assert {s.reason for s in wall_segments(lines, (BEAT,), SPACING, "A4C")} == {ABSENT}
    assert {s.reason for s in wall_segments(lines, (), SPACING, "A4C")} == {NO_BEAT}
