"""Leads on paper, in millimetres."""

from __future__ import annotations

import numpy as np
import pytest

from ui.ecg_layout import BOTTOM_MM, LAYOUTS, LEFT_MM, TOP_MM, Paper, envelope, lay_out, layout_title, layouts_for
from ui.ecg_pick import spot_at

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def paper(leads=LEADS, duration_s=10.0, **more) -> Paper:
    return lay_out(leads, duration_s, **({"layout": "3x4+1", "speed_mm_s": 25.0, "gain_mm_mv": 10.0} | more))


def names(made: Paper) -> list[str]:
    return [s.name for s in made.strips()]


def test_three_by_four_with_a_rhythm_strip():
    made = paper()
    assert names(made) == ["I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6", "II"]
    strips = list(made.strips())
    columns = sorted({s.left_mm for s in strips})
    assert np.diff(columns) == pytest.approx([62.5] * 3)  # 2.5 s at 25 mm/s
    rhythm = strips[-1]
    assert [s for s in strips if s.is_rhythm] == [rhythm]
    assert (rhythm.start_s, rhythm.end_s) == (0.0, 10.0)
    assert [s.start_s for s in strips[:4]] == [0.0, 2.5, 5.0, 7.5]
    assert len(list(made.pulses(0, 0, 300, 300))) == 4


def test_three_rhythm_strips_and_a_chosen_one():
    made = paper(layout="3x4+3")
    assert names(made)[12:] == ["V1", "V5", "II"]
    assert [s.name for s in made.strips() if s.is_rhythm] == ["II"]
    assert names(paper(layout="3x4+3", rhythm="V5"))[12:] == ["II", "V1", "V5"]
    assert names(paper(rhythm="aVF"))[-1] == "aVF"


def test_six_by_two_and_twelve_by_one():
    made = paper(layout="6x2")
    assert names(made)[:4] == ["I", "V1", "II", "V2"]
    assert {(s.start_s, s.end_s) for s in made.strips()} == {(0.0, 5.0), (5.0, 10.0)}
    made = paper(layout="12x1")
    assert tuple(names(made)) == LEADS
    assert {(s.start_s, s.end_s) for s in made.strips()} == {(0.0, 10.0)}


def test_a_rhythm_strip_goes_on_line_under_line():
    made = paper(layout="rhythm", duration_s=35.0, rhythm="V1")
    strips = list(made.strips())
    assert [s.name for s in strips] == ["V1"] * 4
    assert [s.start_s for s in strips] == [0.0, 10.0, 20.0, 30.0]
    assert strips[-1].end_s == 35.0
    assert np.diff([s.baseline_mm for s in strips]) == pytest.approx([made.row_mm] * 3)
    assert made.height_mm == pytest.approx(TOP_MM + BOTTOM_MM + 4 * made.row_mm)


def test_lead_order_of_the_file_does_not_matter():
    first = next(paper(tuple(reversed(LEADS))).strips())
    assert (first.name, first.lead_idx) == ("I", 11)


def test_long_record_goes_on_in_pages():
    made = paper(duration_s=25.0)
    strips = list(made.strips())
    assert {s.start_s for s in strips if s.is_rhythm} == {0.0, 10.0, 20.0}
    assert max(s.end_s for s in strips) == 25.0
    assert all(s.end_s > s.start_s for s in strips)


@pytest.mark.parametrize("layout", ["3x4+1", "rhythm"])
def test_of_a_day_only_the_pages_in_sight_are_laid_out(layout):
    made = paper(duration_s=86_400.0, layout=layout)
    place = made.place_of(40_003.0)
    strips = list(made.strips(place[0], place[1], place[0] + 100, place[1] + made.row_mm))
    assert len(strips) <= 26
    assert any(s.start_s <= 40_003.0 < s.end_s and s.is_rhythm for s in strips)


def test_a_time_is_found_again_on_the_paper():
    for layout in ("3x4+1", "3x4+3", "6x2", "12x1", "rhythm"):
        made = paper(duration_s=25.0, layout=layout)
        left, top = made.place_of(13.7)
        spot = spot_at(made, left, top + made.row_mm / 2)
        assert spot is not None, layout
        assert spot.time_s == pytest.approx(13.7, abs=1e-6)
        assert spot.level_mv == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("leads", "titles"),
    [
        (("MLII",), ["One row a lead", "Rhythm strip"]),
        (("MLII", "V1", "V5"), ["One row a lead", "Rhythm strip"]),
        (("I", "II", "V1", "V2", "V3", "V4", "V5", "V6"), ["Two columns", "One row a lead", "Rhythm strip"]),
        (tuple(f"E{n}" for n in range(40)), ["Two columns", "One row a lead", "Rhythm strip"]),
        (LEADS, ["3 × 4 + 1", "3 × 4 + 3", "6 × 2", "12 × 1", "Rhythm strip"]),
    ],
)
def test_only_layouts_that_the_leads_fill_are_offered(leads, titles):
    assert [layout_title(spec, leads) for spec in layouts_for(leads)] == titles
    for spec in layouts_for(leads):
        made = paper(leads, layout=spec.name)
        if spec.name != "rhythm":
            assert set(names(made)) == set(leads)


def test_a_layout_without_its_leads_becomes_one_row_a_lead():
    made = paper(("MLII", "V5"))
    assert made.layout == "12x1"
    assert made.width_mm == pytest.approx(LEFT_MM + 250 + 1)
    assert [s.lead_idx for s in made.strips()] == [0, 1]
    assert paper(tuple(f"E{n}" for n in range(40))).height_mm == pytest.approx(40 * 14 + TOP_MM + BOTTOM_MM)


def test_rows_share_the_room_within_limits():
    low, high = (paper(room_mm=room).height_mm for room in (10.0, 1000.0))
    limits = next(spec for spec in LAYOUTS if spec.name == "3x4+1").row_range_mm
    assert low == pytest.approx(4 * limits[0] + TOP_MM + BOTTOM_MM)
    assert high == pytest.approx(4 * limits[1] + TOP_MM + BOTTOM_MM)


def test_envelope_keeps_every_peak():
    values = np.zeros(10_000, np.float32)
    values[[137, 5000, 9999]] = (5.0, -3.0, 2.0)
    positions, drawn = envelope(values, 0, 50.0)
    assert len(drawn) < 500
    assert drawn.max() == 5.0
    assert drawn.min() == -3.0
    assert positions[np.argmax(drawn)] == pytest.approx(137, abs=50)


def test_envelope_does_not_shimmer_while_scrolled():
    values = np.random.default_rng(2).normal(size=5000)
    full_at, full = envelope(values, 0, 10.0)
    part_at, part = envelope(values[503:2503], 503, 10.0)
    inner = (part_at >= 510) & (part_at < 2490)
    whole = dict(zip(full_at[::2], full.reshape(-1, 2).tolist(), strict=True))
    for place, pair in zip(part_at[inner][::2], part[inner].reshape(-1, 2).tolist(), strict=True):
        assert whole[place] == pair


def test_few_samples_are_drawn_as_they_are():
    positions, drawn = envelope(np.arange(50.0), 7, 1.5)
    assert positions.tolist() == list(range(7, 57))
    assert drawn.tolist() == list(range(50))
