"""What is said of a wall segment: its score with the classes it may be, and an interval beside each number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt

from pipeline.echo.peak_time import NO_CLOCK
from pipeline.records import WallSegment
from ui.bulls_eye_map import Seen, score_text
from ui.findings import WALL, findings_of
from ui.plots import entries_of
from ui.theme import DARK
from ui.widgets.bulls_eye import BullsEye

SEGMENT = WallSegment(
    name="mid inferoseptal",
    radial_excursion_pct=15.2,
    longitudinal_strain_pct=-12.4,
    radial_interval_pct=(-3.9, 34.3),
    strain_interval_pct=(-19.8, -5.0),
    time_to_peak_ms=333.3,
    time_to_peak_interval_ms=(266.7, 433.3),
    time_to_peak_pct=41.7,
    time_to_peak_interval_pct=(33.3, 54.2),
    score=2,
    score_range=(1, 3),
)


def test_a_score_stands_with_its_range() -> None:
    assert score_text(SEGMENT) == "2 (1–3)"
    assert score_text(replace(SEGMENT, score_range=(2, 2))) == "2"
    assert score_text(replace(SEGMENT, score=None)) == "– (1–3)"
    assert score_text(replace(SEGMENT, score_range=None)) == "2"


def test_every_number_of_a_segment_has_its_interval() -> None:
    assert Seen(0, SEGMENT).words.split("\n") == [
        "Mid inferoseptal: 2 hypokinetic (1–3), suggested",
        "inward motion 15 % [−4 to 34]",
        "longitudinal strain −12 % [−20 to −5]",
        "time to peak 333 ms [267–433]",
    ]


def test_a_withheld_time_says_why() -> None:
    late = replace(SEGMENT, time_to_peak_ms=None, time_to_peak_interval_ms=None, time_to_peak_reason=NO_CLOCK)
    assert f"time to peak withheld: {NO_CLOCK}" in Seen(0, late).words


def test_the_chosen_segment_is_told_to_a_screen_reader(qtbot: Any) -> None:
    bulls_eye = BullsEye()
    qtbot.addWidget(bulls_eye)
    bulls_eye.set_segments({SEGMENT.name: Seen(0, SEGMENT)}, DARK)
    qtbot.keyClick(bulls_eye, Qt.Key.Key_Right)
    assert "2 hypokinetic (1–3)" in bulls_eye.accessibleDescription()


def test_the_findings_list_each_score_with_its_range(full_results: Any) -> None:
    analysis = full_results.echo_analysis
    unsure = replace(SEGMENT, name="apical septal", score=None, score_reason="Too uncertain.")
    cine = replace(analysis.cines[0], segments=(SEGMENT, unsure))
    rows = findings_of(replace(full_results, echo_analysis=replace(analysis, cines=(cine,))), None)
    scored, withheld = (row for row in rows if row.group == WALL)
    assert (scored.label, scored.value, scored.status) == ("Mid inferoseptal", "2 (1–3)", "measured")
    assert "longitudinal strain −12 % [−20 to −5]" in scored.proof
    assert scored.frame_idx == next(beat.es_idx for beat in cine.beats if beat.excluded is None)
    assert (withheld.value, withheld.status, withheld.note) == ("– (1–3)", "withheld", "Too uncertain.")


def test_the_plot_of_the_segments_tells_the_scores(full_results: Any) -> None:
    analysis = full_results.echo_analysis
    cine = replace(analysis.cines[0], segments=(SEGMENT,))
    results = replace(full_results, echo_analysis=replace(analysis, cines=(cine,)))
    entry = next(each for each in entries_of(results) if each.key == "segments:0")
    found = entry.make(results, entry.place)
    assert found.note == "Scores, and the classes that the interval reaches: mid inferoseptal 2 (1–3)."
