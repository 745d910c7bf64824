"""The ECG view: layouts, screen scale, median beats, a long record, the cursor of the echo."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QComboBox, QDialogButtonBox, QToolButton

from pipeline.records import Delineation, StudyResults
from ui.choices import Choices
from ui.ecg_median import cells_of, fiducial_limits_ms, px_per_s
from ui.scale_dialog import ScaleDialog
from ui.screen_scale import possible_scales, px_per_mm
from ui.theme import DARK
from ui.view_state import EcgOptions
from ui.window import MainWindow

KEY, RATE_HZ = Qt.Key, 250.0
OFFSETS = {"p_on": -40, "p_off": -20, "qrs_on": -10, "qrs_off": 12, "t_on": 50, "t_off": 90}


def wait_for(qtbot, done) -> None:
    qtbot.waitUntil(done, timeout=60_000)


# --- layouts and scale -------------------------------------------------------------------------------


def test_layouts_are_chosen_by_key_and_by_list(window, qtbot, kit, full_results):
    window.review.update(case=kit.case_of(full_results))
    view, seen = window.views["ecg"], []
    for _ in range(5):
        qtbot.keyClick(window, KEY.Key_L)
        seen.append(view.paper.paper.layout)
    assert seen == ["3x4+3", "6x2", "12x1", "rhythm", "3x4+1"]
    qtbot.keyClick(window, KEY.Key_L, Qt.KeyboardModifier.ShiftModifier)
    assert view.paper.paper.layout == "rhythm"
    leads = view.controls.choices["rhythm_lead"]
    leads.setCurrentIndex(leads.findData("V5"))
    leads.activated.emit(leads.currentIndex())
    assert next(view.paper.paper.strips()).name == "V5"


@pytest.mark.parametrize("n_leads", [1, 3, 8])
def test_few_leads_are_shown_whole(window, kit, n_leads):
    window.review.update(case=kit.case_of(StudyResults(ecg=kit.make_ecg(n_leads))))
    view = window.views["ecg"]
    assert [s.lead_idx for s in view.paper.paper.strips()] == list(range(n_leads))
    titles = [view.controls.choices["layout"].itemText(n) for n in range(view.controls.choices["layout"].count())]
    assert "One row a lead" in titles
    assert "3 × 4 + 1" not in titles


def test_every_control_has_a_name_and_a_tip(window, kit, full_results):
    window.review.update(case=kit.case_of(full_results))
    controls = window.views["ecg"].controls
    for part in (*controls.findChildren(QToolButton), *controls.findChildren(QComboBox)):
        assert part.accessibleName()
        assert part.toolTip()
    view = window.views["ecg"]
    for part in (view.paper, view.median, view.course, view.hours, view.hours.hours, view.hours.episodes):
        assert part.accessibleName()


def test_settings_stand_on_the_strip_in_every_layout(window, kit, full_results, monkeypatch):
    printed = []
    monkeypatch.setattr("ui.widgets.ecg_paper.paint_settings", lambda ink, ecg, *rest: printed.append(ecg.filter_text))
    window.review.update(case=kit.case_of(full_results))
    for layout in ("3x4+1", "3x4+3", "6x2", "12x1", "rhythm"):
        printed.clear()
        window.review.ecg.set_option("layout", layout)
        window.views["ecg"].paper.grab()
        assert "0.5-150 Hz zero-phase" in printed


def test_a_short_record_leaves_room_for_the_settings(window, kit):
    """The paper goes on to the edge, so that speed, gain and filter are not cut off with a strip of two seconds."""
    window.review.update(case=kit.case_of(StudyResults(ecg=kit.make_ecg(1, 2.0))))
    paper = window.views["ecg"].paper
    window.review.ecg.set_option("grid", False)
    picture = paper.viewport().grab().toImage()
    end_px = round(paper.paper.width_mm * paper.px_per_mm())
    words = picture.copy(end_px, 3, paper.viewport().width() - end_px, 22)
    colours = {words.pixelColor(x, y).name() for x in range(words.width()) for y in range(words.height())}
    assert DARK.paper in colours
    assert DARK.window not in colours
    assert len(colours) > 2  # the words go on there


def test_a_calibrated_screen_makes_true_millimetres(window, kit, full_results):
    window.review.update(case=kit.case_of(full_results))
    paper, name = window.views["ecg"].paper, window.screen().name()
    window.menus.actions["calibrate_screen"].trigger()
    dialog = window.findChild(ScaleDialog)
    dialog.bar.set_length(85.6 * 5.0)
    dialog.buttons.button(QDialogButtonBox.StandardButton.Save).click()
    assert paper.px_per_mm() == pytest.approx(5.0)
    assert dict(window.review.state.ecg.screen_scales) == {name: pytest.approx(5.0)}
    window.review.ecg.set_scale(name, 0.0)
    assert paper.px_per_mm() == pytest.approx(window.screen().physicalDotsPerInch() / 25.4)


def test_a_calibration_is_kept_for_the_next_time(qtbot, engine, window):
    told: list[Choices] = []
    made = MainWindow(engine, Choices(screen_scales={"another": 4.5}), told.append)
    qtbot.addWidget(made)
    assert dict(made.review.state.ecg.screen_scales) == {"another": 4.5}
    made.review.ecg.set_scale("this", 5.25)
    assert told[-1].screen_scales == {"another": 4.5, "this": 5.25}


def test_the_bar_is_dragged_or_moved_by_keys(qtbot):
    dialog = ScaleDialog(4.0, DARK)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.px_per_mm == pytest.approx(4.0)
    qtbot.keyClick(dialog.bar, KEY.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert dialog.bar.length_px == pytest.approx(85.6 * 4 + 5)
    qtbot.mousePress(dialog.bar, Qt.MouseButton.LeftButton, pos=QPoint(12 + 428, 40))
    assert dialog.px_per_mm == pytest.approx(5.0)
    dialog.object_choice.setCurrentIndex(2)  # 50 mm
    assert dialog.px_per_mm == pytest.approx(4.0)
    dialog.bar.set_length(50.0)
    assert not dialog.buttons.button(QDialogButtonBox.StandardButton.Save).isEnabled()


def test_a_screen_that_does_not_know_its_size_uses_the_logical_resolution():
    assert px_per_mm(9999.0, 96.0) == pytest.approx(96 / 25.4)
    assert px_per_mm(110.0, 96.0) == pytest.approx(110 / 25.4)
    assert px_per_mm(110.0, 96.0, 5.5) == 5.5
    assert px_per_mm(110.0, 96.0, 0.001) == pytest.approx(110 / 25.4)
    assert possible_scales({"a": 4.0, "b": 1e9, "c": "x", "d": True}) == {"a": 4.0}
    assert possible_scales(["a"]) == {}


# --- median beats ------------------------------------------------------------------------------------


@pytest.fixture
def with_waves(kit) -> StudyResults:
    analysis = kit.make_ecg_analysis()
    peaks = analysis.r_peaks_idx.astype(float)
    bounds = {name: np.tile(peaks + offset, (12, 1)) for name, offset in OFFSETS.items()}
    return StudyResults(ecg=kit.make_ecg(), ecg_analysis=replace(analysis, delineation=Delineation(**bounds)))


def test_a_boundary_of_the_median_beat_moves_qt(window, qtbot, kit, with_waves):
    report = kit.make_report()
    report["result"] |= {"modalities": ["ecg"], "branches": []}
    window.review.update(case=kit.case_of(with_waves, report=report), ecg=replace(EcgOptions(), median=True))
    wait_for(qtbot, lambda: window.review.state.case.ecg_review is not None)
    panel = window.views["ecg"].median
    assert panel.isVisible()
    assert panel.places_ms["t_off"] == pytest.approx(1000 * OFFSETS["t_off"] / RATE_HZ)
    panel.setFocus()
    qtbot.keyClick(panel, KEY.Key_Down)
    qtbot.keyClick(panel, KEY.Key_Up)
    assert panel.chosen == "t_off"
    for _ in range(3):
        qtbot.keyClick(panel, KEY.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(panel, KEY.Key_Return)
    wait_for(qtbot, lambda: len(window.review.state.case.edits) == 1 and window.review.ecg.is_settled)
    found = {m.name: m for m in window.review.state.case.ecg_review.analysis.measurements}
    assert (found["qt"].value, found["qt"].status) == (pytest.approx(400 + 60), "edited")
    assert panel.places_ms["t_off"] == pytest.approx(360 + 60)


def test_median_beats_are_grabbed_overlaid_and_apart(window, qtbot, kit, with_waves):
    window.review.update(case=kit.case_of(with_waves), ecg=replace(EcgOptions(), median=True))
    wait_for(qtbot, lambda: window.review.state.case.ecg_review is not None)
    panel = window.views["ecg"].median
    apart = panel.grab().toImage()
    qtbot.keyClick(window, KEY.Key_B, Qt.KeyboardModifier.ShiftModifier)
    assert panel.grab().toImage() != apart


def test_panels_of_the_median_beat(kit):
    cells = cells_of(kit.LEADS, [True] * 12, overlaid=False)
    assert [(c.lead_idx, c.row, c.column) for c in cells[:2]] == [((0,), 0, 0), ((3,), 0, 1)]
    assert len(cells_of(kit.LEADS, [True] * 11 + [False], overlaid=False)) == 11
    assert cells_of(("II", "V1"), [True, True], overlaid=True)[0].lead_idx == (0, 1)
    assert cells_of(("II",), [False], overlaid=True) == ()
    assert px_per_s(880.0, 1e9, 1.0) == pytest.approx(1000.0)
    assert px_per_s(1e9, 400.0, 1.0) == pytest.approx(1000.0)  # 1 mV is as high as 0.4 s is wide
    assert fiducial_limits_ms({"qrs_on": -40.0, "qrs_off": 50.0, "t_off": 360.0}, "qrs_off") == (-39.0, 359.0)


# --- the cursor of the echo --------------------------------------------------------------------------


def test_files_of_different_times_are_not_locked_and_it_says_so(window, qtbot, kit, full_results):
    window.review.update(case=kit.case_of(full_results))
    wait_for(qtbot, lambda: bool(window.review.state.case.time_locks))
    assert window.views["ecg"].paper.note.startswith("Not time-locked")


def test_the_cursor_follows_the_frame_where_time_is_shared(window, qtbot, kit, full_results):
    at = "2026-01-01T12:00:00"
    ecg, peaks = full_results.ecg, np.array([100, 290, 520, 700, 990, 1180, 1350, 1640, 1800, 2050, 2230, 2400])
    header = replace(ecg.record.header, acquired_at=at)
    clip = replace(
        full_results.cines[0], header=replace(full_results.cines[0].header, acquired_at=at, patient_id=None),
        r_wave_times_s=tuple(((peaks[1:5] - 200) / RATE_HZ).tolist()),
    )  # fmt: skip
    results = replace(
        full_results,
        cines=(clip,),
        ecg=replace(ecg, record=replace(ecg.record, header=header)),
        ecg_analysis=replace(full_results.ecg_analysis, r_peaks_idx=peaks),
    )
    window.review.update(case=kit.case_of(results))
    wait_for(qtbot, lambda: bool(window.review.state.case.time_locks))
    assert window.review.state.case.time_locks[0].offset_s == pytest.approx(0.8, abs=0.01)
    view = window.views["ecg"]
    before = view.paper.grab().toImage()
    window.views["echo"].go_to(10)
    assert view.paper.grab().toImage() != before
    assert view.paper.note.startswith("Time-locked")


def test_in_a_narrow_room_what_is_to_be_confirmed_stands_over_the_choices(qtbot):
    from ui.widgets.ecg_controls import ONE_ROW_PX, EcgControls

    controls = EcgControls()
    qtbot.addWidget(controls)
    controls.rhythm.setText("To confirm: Sinus rhythm is likely")
    controls.show()
    layout = controls.choices["layout"]
    for width, is_over in ((ONE_ROW_PX + 10, False), (ONE_ROW_PX - 10, True)):
        controls.resize(width, controls.sizeHint().height())
        qtbot.wait(1)
        assert (controls.rhythm.geometry().bottom() < layout.geometry().top()) == is_over
