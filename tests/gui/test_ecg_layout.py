"""Leads on paper, in millimetres."""

from __future__ import annotations

import numpy as np
import pytest

from ui.ecg_layout import LEFT_MM, ROW_RANGE_MM, Paper, envelope, lay_out

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def paper(leads=LEADS, duration_s=10.0, **more) -> Paper:
    return lay_out(leads, duration_s, **({"stacked": False, "speed_mm_s": 25.0, "gain_mm_mv": 10.0} | more))


def test_three_by_four_with_a_rhythm_strip():
    made = paper()
    assert made.is_twelve_lead
    assert [s.name for s in made.strips] == [
        "I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6", "II",
    ]  # fmt: skip
    columns = sorted({s.left_mm for s in made.strips})
    assert np.diff(columns) == pytest.approx([62.5] * 3)  # 2.5 s at 25 mm/s
    rhythm = made.strips[-1]
    assert rhythm.is_rhythm
    assert (rhythm.start_s, rhythm.end_s) == (0.0, 10.0)
    assert [s.start_s for s in made.strips[:4]] == [0.0, 2.5, 5.0, 7.5]
    assert len(made.pulses_mm) == 4


def test_lead_order_of_the_file_does_not_matter():
    made = paper(tuple(reversed(LEADS)))
    assert made.strips[0].name == "I"
    assert made.strips[0].lead_idx == 11


def test_long_record_goes_on_in_pages():
    made = paper(duration_s=25.0)
    starts = {s.start_s for s in made.strips if s.is_rhythm}
    assert starts == {0.0, 10.0, 20.0}
    assert max(s.end_s for s in made.strips) == 25.0
    assert all(s.end_s > s.start_s for s in made.strips)


def test_other_leads_are_stacked():
    made = paper(("MLII", "V5"))
    assert not made.is_twelve_lead
    assert made.width_mm == pytest.approx(LEFT_MM + 250 + 1)
    assert [s.lead_idx for s in made.strips] == [0, 1]


def test_rows_share_the_room_within_limits():
    low, high = (paper(room_mm=room).height_mm for room in (10.0, 1000.0))
    assert low == pytest.approx(4 * ROW_RANGE_MM[0] + 10)
    assert high == pytest.approx(4 * ROW_RANGE_MM[1] + 10)


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
