"""Marks, classes and calipers on the paper: what a reader moves is stored at once and measured again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QMenu

from pipeline.records import Delineation, StudyResults
from pipeline.review.ecg_targets import ABSENT, Caliper
from ui.ecg_calipers import caliper_text, marched_ms
from ui.ecg_pick import missing_marks
from ui.view_state import EcgOptions

RATE_HZ, N_BEATS = 250.0, 12
OFFSETS = {"p_on": -40, "p_off": -20, "qrs_on": -10, "qrs_off": 12, "t_on": 50, "t_off": 90}  # samples around R
KEY = Qt.Key


@pytest.fixture
def results(kit) -> StudyResults:
    """Twelve leads with the same boundaries everywhere: PR 120, QRS 88, QT 400 ms."""
    analysis = kit.make_ecg_analysis()
    peaks = analysis.r_peaks_idx.astype(float)
    bounds = {name: np.tile(peaks + offset, (12, 1)) for name, offset in OFFSETS.items()}
    return StudyResults(ecg=kit.make_ecg(), ecg_analysis=replace(analysis, delineation=Delineation(**bounds)))


@pytest.fixture
def ecg_view(window, qtbot, kit, results):
    report = kit.make_report()
    report["result"] |= {"modalities": ["ecg"], "branches": []}
    case = kit.case_of(results, report=report)
    window.review.update(case=case, ecg=replace(EcgOptions(), marks=True, layout="12x1"))
    reviewed(window, qtbot)
    return window.views["ecg"]


def reviewed(window, qtbot, n_edits=0):
    """Wait until the review of so many acts is there."""

    def is_there():
        case = window.review.state.case
        return len(case.edits) == n_edits and case.ecg_review is not None and window.review.ecg.is_settled

    qtbot.waitUntil(is_there, timeout=60_000)
    return window.review.state.case.ecg_review


def values(review):
    return {m.name: m.value for m in review.analysis.measurements}


def place_of(paper, lead: int, time_s: float) -> QPoint:
    """A point of the viewport on the baseline of a lead."""
    strip = next(s for s in paper.paper.strips() if s.lead_idx == lead)
    seen, scale = paper.seen_mm(), paper.px_per_mm()
    x = (strip.left_mm + (time_s - strip.start_s) * paper.paper.speed_mm_s - seen.left()) * scale
    return QPoint(round(x), round((strip.baseline_mm - seen.top()) * scale))


def drag(qtbot, paper, start: QPoint, end: QPoint) -> None:
    qtbot.mousePress(paper.viewport(), Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(paper.viewport(), end)
    paper.hand.move(end.toPointF(), is_down=True)
    qtbot.mouseRelease(paper.viewport(), Qt.MouseButton.LeftButton, pos=end)


def hold(window, qtbot, paper, name: str = "t_off", by_s: float = 0.1) -> QPoint:
    """Take a mark of the second beat and pull it, the button still down."""
    window.review.study.prepare()
    qtbot.waitUntil(lambda: window.review.study.can_draft, timeout=60_000)
    at_s = (OFFSETS[name] + 300) / RATE_HZ
    start, end = place_of(paper, 1, at_s), place_of(paper, 1, at_s + by_s)
    qtbot.mousePress(paper.viewport(), Qt.MouseButton.LeftButton, pos=start)
    paper.hand.move(end.toPointF(), is_down=True)
    return end


def test_numbers_follow_a_mark_while_it_is_in_the_hand(window, qtbot, ecg_view, engine, kit):
    paper, before = ecg_view.paper, window.review.state.case
    end = hold(window, qtbot, paper)
    during = window.review.state.case
    assert kit.RUN_ID not in engine.acts  # nothing is stored yet
    assert during.ecg_review.edited_marks == {"beat:1/lead:II/t_off"}
    assert during.results is not before.results
    held = {m.name: m for m in during.results.ecg_analysis.measurements}
    assert held["qt"].interval[1] > 400.0  # the other beats agree on 400 ms
    assert paper.hand.mark.time_s == pytest.approx(during.ecg_review.analysis.delineation.t_off[1, 1] / RATE_HZ)
    qtbot.mouseRelease(paper.viewport(), Qt.MouseButton.LeftButton, pos=end)
    kept = reviewed(window, qtbot, 1)
    assert values(kept)["qt"] == held["qt"].value
    assert [act.kind for act in engine.acts[kit.RUN_ID]] == ["ecg_mark"]


def test_a_mark_that_is_let_go_of_leaves_the_numbers_as_they_were(window, qtbot, ecg_view, engine, kit):
    paper, before = ecg_view.paper, window.review.state.case
    hold(window, qtbot, paper)
    assert window.review.state.case.ecg_review is not before.ecg_review
    qtbot.keyClick(paper, Qt.Key.Key_Escape)
    after = window.review.state.case
    assert after.ecg_review is before.ecg_review
    assert after.results is before.results
    assert kit.RUN_ID not in engine.acts


def test_a_mark_moved_by_keys_shows_its_numbers_and_is_kept_by_enter(window, qtbot, ecg_view, engine, kit):
    paper = ecg_view.paper
    hold(window, qtbot, paper, by_s=0.0)
    qtbot.mouseRelease(paper.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(0, 0))
    start_s = paper.hand.mark.time_s
    for _ in range(3):
        qtbot.keyClick(paper, Qt.Key.Key_Right)
    assert window.review.state.case.ecg_review.edited_marks
    assert paper.hand.mark.time_s == pytest.approx(start_s + 3 / RATE_HZ)
    qtbot.keyClick(paper, Qt.Key.Key_Return)
    reviewed(window, qtbot, 1)
    assert engine.acts[kit.RUN_ID][0].after == pytest.approx(1000 * (start_s + 3 / RATE_HZ))


def test_a_boundary_of_the_median_beat_is_followed_too(window, qtbot, ecg_view, engine, kit):
    window.review.ecg.set_option("median", True)
    window.review.study.prepare()
    qtbot.waitUntil(lambda: window.review.study.can_draft, timeout=60_000)
    panel, before = ecg_view.median, window.review.state.case
    panel.chosen = "t_off"
    qtbot.keyClick(panel, Qt.Key.Key_Right)
    qtbot.keyClick(panel, Qt.Key.Key_Right)
    held = {m.name: m.value for m in window.review.state.case.results.ecg_analysis.measurements}
    assert held["qt"] == pytest.approx(400.0 + 2000 / RATE_HZ)
    qtbot.keyClick(panel, Qt.Key.Key_Escape)
    assert window.review.state.case.ecg_review is before.ecg_review
    assert panel.places_ms["t_off"] == pytest.approx(1000 * OFFSETS["t_off"] / RATE_HZ)


def test_a_dragged_mark_is_stored_at_once_and_undone(window, qtbot, ecg_view, engine, kit):
    paper = ecg_view.paper
    t_off_s = (OFFSETS["t_off"] + 300) / RATE_HZ  # of the second beat
    drag(qtbot, paper, place_of(paper, 1, t_off_s), place_of(paper, 1, t_off_s + 0.1))
    review = reviewed(window, qtbot, 1)
    (stored,) = engine.acts[kit.RUN_ID]
    assert (stored.kind, stored.target, stored.before) == ("ecg_mark", "beat:1/lead:II/t_off", None)
    assert stored.after == pytest.approx(1000 * (t_off_s + 0.1), abs=12)
    moved_idx = review.analysis.delineation.t_off[1, 1]
    assert moved_idx == pytest.approx(stored.after * RATE_HZ / 1000)
    assert review.edited_marks == {stored.target}
    qtbot.keyClick(window, KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    review = reviewed(window, qtbot, 2)
    assert engine.acts[kit.RUN_ID][1].undoes == 0
    assert review.analysis.delineation.t_off[1, 1] == 300 + OFFSETS["t_off"]
    qtbot.keyClick(window, KEY.Key_Y, Qt.KeyboardModifier.ControlModifier)
    review = reviewed(window, qtbot, 3)
    assert review.analysis.delineation.t_off[1, 1] == moved_idx


def test_a_mark_stays_between_its_neighbours(window, qtbot, ecg_view):
    paper = ecg_view.paper
    qrs_off_s = (300 + OFFSETS["qrs_off"]) / RATE_HZ
    drag(qtbot, paper, place_of(paper, 0, qrs_off_s), place_of(paper, 0, qrs_off_s + 1.0))
    review = reviewed(window, qtbot, 1)
    assert review.analysis.delineation.qrs_off[0, 1] == 300 + OFFSETS["t_on"] - 1


def test_a_click_without_a_move_changes_nothing(window, qtbot, ecg_view, engine):
    place = place_of(ecg_view.paper, 0, (300 + OFFSETS["t_off"]) / RATE_HZ)
    qtbot.mouseClick(ecg_view.paper.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert ecg_view.paper.hand.mark.name == "t_off"
    assert engine.acts == {}


def test_marks_are_moved_with_keys_alone(window, qtbot, ecg_view, engine, kit):
    paper = ecg_view.paper
    paper.setFocus()
    qtbot.keyClick(paper, KEY.Key_PageDown)
    assert paper.hand.beat == 0
    qtbot.keyClick(paper, KEY.Key_Up)
    qtbot.keyClick(paper, KEY.Key_Up)
    assert paper.hand.mark.name == "t_off"  # round to the last one
    qtbot.keyClick(paper, KEY.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(paper, KEY.Key_Left)
    assert engine.acts == {}  # nothing is stored before Enter
    qtbot.keyClick(paper, KEY.Key_Return)
    review = reviewed(window, qtbot, 1)
    row = kit.LEADS.index(paper.hand.mark.target.split("lead:")[1].partition("/")[0])
    assert review.analysis.delineation.t_off[row, 0] == 100 + OFFSETS["t_off"] + 4
    qtbot.keyClick(paper, KEY.Key_Escape)
    qtbot.keyClick(paper, KEY.Key_Escape)
    assert paper.hand.beat is None


def test_a_class_is_changed_by_key_and_the_counts_follow(window, qtbot, ecg_view, engine, kit):
    paper, before = ecg_view.paper, window.review.state.echo
    assert values(window.review.state.case.ecg_review).get("pvc_count") is None  # the phantom's analysis counts none
    paper.setFocus()
    qtbot.keyClick(paper, KEY.Key_PageDown)
    qtbot.keyClick(paper, KEY.Key_V)
    review = reviewed(window, qtbot, 1)
    assert review.analysis.beat_classes[0] == "V"
    assert values(review)["pvc_count"] == 2.0
    assert [(a.kind, a.target, a.after) for a in engine.acts[kit.RUN_ID]] == [("beat_class", "beat:0/class", "V")]
    assert window.review.state.echo == before  # V is also the key of the contours


def test_the_menu_of_a_letter_offers_the_classes(window, qtbot, ecg_view):
    paper = ecg_view.paper
    strip = next(s for s in paper.paper.strips() if s.is_rhythm)
    paper.verticalScrollBar().setValue(paper.verticalScrollBar().maximum())
    place = place_of(paper, strip.lead_idx, 100 / RATE_HZ)
    place.setY(round((strip.letters_mm + 2 - paper.seen_mm().top()) * paper.px_per_mm()))
    qtbot.mouseClick(paper.viewport(), Qt.MouseButton.LeftButton, pos=place)
    menu = next(m for m in paper.findChildren(QMenu))
    letters = {action.text()[:1]: action for action in menu.actions() if action.isCheckable()}
    assert list(letters) == ["N", "S", "V", "F", "Q"]
    assert letters["N"].isChecked()
    letters["S"].trigger()
    menu.close()
    assert reviewed(window, qtbot, 1).analysis.beat_classes[0] == "S"


def right_click(paper, place: QPoint) -> dict:
    """The menu that opens, its actions by their words."""
    reason = QContextMenuEvent.Reason.Mouse
    paper.hand.open_menu(QContextMenuEvent(reason, place, paper.viewport().mapToGlobal(place)))
    menu = paper.findChildren(QMenu)[-1]
    found = {action.text(): action for action in menu.actions() if action.text()}
    menu.close()
    return found


def test_a_wave_is_taken_away_and_given_back(window, qtbot, ecg_view):
    paper, place = ecg_view.paper, place_of(ecg_view.paper, 1, (300 + OFFSETS["p_on"]) / RATE_HZ)
    right_click(paper, place)["There is no P wave here: take this mark away"].trigger()
    review = reviewed(window, qtbot, 1)
    assert np.isnan(review.analysis.delineation.p_on[1, 1])
    again = right_click(paper, place_of(paper, 1, (300 + OFFSETS["p_on"] - 12) / RATE_HZ))
    again["Set P onset at 992 ms"].trigger()
    assert reviewed(window, qtbot, 2).analysis.delineation.p_on[1, 1] == pytest.approx(248)
    moved = right_click(paper, place_of(paper, 1, 248 / RATE_HZ))
    moved["P onset: back to the pipeline's"].trigger()
    review = reviewed(window, qtbot, 3)
    assert review.analysis.delineation.p_on[1, 1] == 300 + OFFSETS["p_on"]
    assert not review.edited_marks


def test_marks_that_are_missing_are_offered_only_where_they_may_stand(ecg_view, window, qtbot):
    paper = ecg_view.paper
    marks = paper.marks
    assert missing_marks(marks, 0, 1, 1.2, 10.0, RATE_HZ) == []
    edit = ("ecg_mark", "beat:1/lead:I/t_off", ABSENT)
    ecg_view.edit_wished.emit(*edit)
    reviewed(window, qtbot, 1)
    assert missing_marks(paper.marks, 0, 1, 1.2, 10.0, RATE_HZ) == []  # on the R peak
    proposed = missing_marks(paper.marks, 0, 1, None, 10.0, RATE_HZ)
    assert [mark.name for mark in proposed] == ["t_peak", "t_off"]  # the peak lies between two boundaries
    assert proposed[1].time_s == pytest.approx(1.2 + 0.36)


def test_a_damaged_log_is_told_by_code(window, qtbot, kit, results, ecg_view):
    from pipeline.records import Edit

    edit = Edit(kind="ecg_mark", target="beat:99/lead:I/t_off", before=None, after=1.0, role="clinician", seq=0)
    window.review.update(case=kit.case_of(results, edits=(edit,)))
    qtbot.waitUntil(lambda: window.review.state.message is not None, timeout=60_000)
    assert "E_INPUT_CORRUPT" in window.review.state.message.text


# --- calipers ----------------------------------------------------------------------------------------


def test_the_caliper_begins_from_r_to_r(window, qtbot, ecg_view):
    qtbot.keyClick(window, KEY.Key_C)
    caliper = ecg_view.paper.hand.caliper
    assert caliper_text(caliper).line == "800 ms · 75 bpm · +1.00 mV"
    qtbot.keyClick(window, KEY.Key_C)
    assert ecg_view.paper.hand.caliper is None


def test_a_caliper_is_moved_by_keys_and_kept(window, qtbot, ecg_view, engine, kit):
    paper = ecg_view.paper
    qtbot.keyClick(window, KEY.Key_C)
    paper.setFocus()
    qtbot.keyClick(paper, KEY.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert paper.hand.caliper.end_ms - paper.hand.caliper.start_ms == pytest.approx(820.0)
    qtbot.keyClick(paper, KEY.Key_Up)
    qtbot.keyClick(paper, KEY.Key_Left)
    assert paper.hand.caliper.end_ms - paper.hand.caliper.start_ms == pytest.approx(824.0)
    qtbot.keyClick(window, KEY.Key_K, Qt.KeyboardModifier.ControlModifier)
    ((target, kept),) = reviewed(window, qtbot, 1).calipers
    assert (target, kept) == ("ecg/caliper:0", paper.hand.caliper)
    qtbot.keyClick(window, KEY.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert [target for target, _ in reviewed(window, qtbot, 2).calipers] == ["ecg/caliper:0", "ecg/caliper:1"]


def test_a_kept_caliper_is_taken_away(window, qtbot, ecg_view):
    paper = ecg_view.paper
    qtbot.keyClick(window, KEY.Key_C)
    drag(qtbot, paper, place_of(paper, 0, 1.5), place_of(paper, 0, 2.0))
    qtbot.keyClick(window, KEY.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert len(reviewed(window, qtbot, 1).calipers) == 1
    right_click(paper, place_of(paper, 0, 2.0))["Take this caliper away"].trigger()
    assert reviewed(window, qtbot, 2).calipers == ()


def test_a_caliper_is_drawn_by_dragging(window, qtbot, ecg_view):
    paper = ecg_view.paper
    qtbot.keyClick(window, KEY.Key_C)
    drag(qtbot, paper, place_of(paper, 2, 1.5), place_of(paper, 2, 2.0))
    assert paper.hand.caliper.lead == "III"
    assert paper.hand.caliper.end_ms - paper.hand.caliper.start_ms == pytest.approx(500.0, abs=15)
    drag(qtbot, paper, place_of(paper, 2, 2.0), place_of(paper, 2, 2.5))  # its second line
    assert paper.hand.caliper.start_ms == pytest.approx(1500.0, abs=15)
    assert paper.hand.caliper.end_ms == pytest.approx(2500.0, abs=15)


def test_marching_out_repeats_the_interval_over_the_strip(window, qtbot, ecg_view):
    caliper = Caliper(lead="II", start_ms=1000.0, end_ms=1800.0, low_mv=0.0, high_mv=1.0)
    assert marched_ms(caliper, 0.0, 4300.0).tolist() == [200.0, 2600.0, 3400.0, 4200.0]
    assert marched_ms(replace(caliper, end_ms=1010.0), 0.0, 4000.0).size == 0
    backwards = replace(caliper, start_ms=1800.0, end_ms=1000.0)
    assert marched_ms(backwards, 0.0, 4300.0).tolist() == [200.0, 2600.0, 3400.0, 4200.0]
    qtbot.keyClick(window, KEY.Key_C)
    before = ecg_view.paper.grab().toImage()
    qtbot.keyClick(window, KEY.Key_C, Qt.KeyboardModifier.ShiftModifier)
    assert ecg_view.paper.grab().toImage() != before


def test_rate_of_an_interval_is_left_out_where_it_means_nothing():
    tiny = Caliper(lead="II", start_ms=0.0, end_ms=5.0, low_mv=0.2, high_mv=-0.3)
    assert caliper_text(tiny).line == "5 ms · -0.50 mV"
