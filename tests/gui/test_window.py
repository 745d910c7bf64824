"""The window with every kind of case."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDropEvent
from PySide6.QtWidgets import QLabel, QPlainTextEdit

from pipeline.notice import NOTICE
from pipeline.records import BranchResult, StudyResults
from ui.choices import Choices
from ui.theme import LIGHT
from ui.view_state import CaseView
from ui.widgets.canvas_overlays import ruler_px

NAMES = (
    "empty", "full", "ecg_only", "echo_only", "unmeasured", "running", "loading", "error", "degraded", "interrupted",
)  # fmt: skip


def shown_text(widget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


@pytest.mark.parametrize("size", [(1600, 1000), (1280, 720)])
@pytest.mark.parametrize("name", NAMES)
def test_every_case_is_drawn_and_fits(window, qapp, cases, name, size):
    window.resize(*size)
    for theme in (window.review.state.theme, LIGHT):
        window.review.update(case=cases[name], theme=theme)
        qapp.processEvents()
        assert not window.grab().isNull()
    assert (window.width(), window.height()) == size
    for view in window.views.values():
        if view.isVisible():
            corner = view.mapTo(window, QPoint(view.width(), view.height()))
            assert corner.x() <= size[0]
            assert corner.y() <= size[1]


def test_an_ecg_alone_opens_large_and_the_echo_says_why_it_is_empty(window, qapp, cases):
    window.review.update(case=cases["full"])
    qapp.processEvents()
    together = window.views["ecg"].height()
    window.review.update(case=cases["ecg_only"])
    qapp.processEvents()
    assert window.views["ecg"].height() > 1.4 * together
    assert window.views["ecg"].height() > 2 * window.views["echo"].height()
    assert window.views["echo"].empty.isVisible()
    assert "This case has no echo." in shown_text(window)


def test_an_echo_alone_has_most_of_the_room(window, qapp, cases):
    window.review.update(case=cases["echo_only"])
    qapp.processEvents()
    assert window.views["echo"].height() > 2 * window.views["ecg"].height()


def test_failed_branch_gives_its_reason_in_the_view(window, cases):
    window.review.update(case=cases["degraded"])
    assert "The picture is black." in window.views["echo"].empty.text()


def test_caution_stands_over_everything(window, cases):
    """Two patients in one study, or a modality lost, is said before any number."""
    window.review.update(case=cases["full"])
    assert window.head.message.isVisible()
    assert window.head.message.text() == "The files name different patients."
    assert window.head.message.property("error") is True
    lost = BranchResult(branch="echo", status="failed", code="E_DETECTION", reason="No heart was found.")
    window.review.update(case=replace(cases["ecg_only"], report={}, branches=(lost,)))
    assert window.head.message.text() == "Echo left out: No heart was found. (E_DETECTION)"
    window.review.update(case=CaseView())
    assert not window.head.message.isVisible()


def test_empty_window_says_what_to_do(window):
    text = shown_text(window)
    assert "Drop the files" in text
    assert window.views["echo"].open_button.isVisible()


def test_a_clip_just_read_moves_by_itself_and_a_stored_one_waits(window, cases):
    window.review.update(case=replace(cases["full"], phase="running"))
    assert window.views["echo"].is_playing
    window.review.update(case=CaseView())
    assert not window.views["echo"].is_playing
    window.review.update(case=cases["full"])
    assert not window.views["echo"].is_playing


@pytest.mark.parametrize("name", NAMES)
def test_notice_stays(window, cases, name):
    window.review.update(case=cases[name])
    assert window.head.notice.isVisible()
    assert window.head.notice.text() == NOTICE.upper() == "RESEARCH USE ONLY - NOT FOR DIAGNOSTIC USE"
    assert window.createPopupMenu() is None


def test_no_patient_in_sight(window, kit, cases):
    """Patients' names reach neither the title nor any text of the window."""
    window.review.update(case=cases["full"])
    window.stage.docks["log"].show()
    words = [window.windowTitle(), shown_text(window)]
    words += [edit.toPlainText() for edit in window.findChildren(QPlainTextEdit)]
    words += [row.spoken + row.proof for row in window.views["findings"].rows]
    assert window.windowTitle() == "Chordae"
    assert kit.CANARY not in " ".join(words)


@pytest.mark.parametrize(
    ("name", "enabled", "disabled"),
    [
        ("empty", {"open_files"}, {"export_report", "toggle_play", "cancel", "resume", "delete_case", "run_again"}),
        ("full", {"export_report", "toggle_play", "delete_case", "run_again"}, {"cancel", "resume"}),
        ("interrupted", {"resume", "run_again"}, {"export_report", "cancel"}),
    ],
)
def test_actions_that_make_no_sense_are_off(window, cases, name, enabled, disabled):
    window.review.update(case=cases[name])
    assert all(window.menus.actions[a].isEnabled() for a in enabled)
    assert not any(window.menus.actions[a].isEnabled() for a in disabled)


def test_running_case_can_only_be_cancelled(window, cases, kit):
    window.review.update(case=cases["running"], live_key=kit.RUN_ID)
    assert window.menus.actions["cancel"].isEnabled()
    assert not any(window.menus.actions[a].isEnabled() for a in ("state_facts", "resume", "delete_case"))
    assert window.menus.actions["open_files"].isEnabled()  # studies opened now wait for their turn


def test_click_on_a_finding_goes_to_its_frame(window, qtbot, cases, kit):
    window.review.update(case=cases["full"])
    tree = window.views["findings"].tree
    lvef = tree.topLevelItem(0).child(0)
    place = tree.visualItemRect(lvef).center()
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.views["echo"].frame_idx == kit.ED_IDX
    window.views["echo"].go_to(0)
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.views["echo"].frame_idx == kit.ED_IDX  # the same wish a second time


def test_click_on_a_withheld_finding_moves_nothing(window, qtbot, cases):
    window.review.update(case=cases["full"])
    tree = window.views["findings"].tree
    place = tree.visualItemRect(tree.topLevelItem(0).child(1)).center()
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.views["echo"].frame_idx == 0


def test_keys_step_and_play(window, qtbot, cases, kit):
    window.review.update(case=cases["full"])
    echo = window.views["echo"]
    qtbot.keyClick(window, Qt.Key.Key_Right)
    assert echo.frame_idx == 1
    qtbot.keyClick(window, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert echo.frame_idx == kit.ED_IDX
    qtbot.keyClick(window, Qt.Key.Key_Left)
    assert echo.frame_idx == kit.ED_IDX - 1
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert echo.is_playing
    qtbot.waitUntil(lambda: echo.frame_idx != kit.ED_IDX - 1, timeout=2000)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert not echo.is_playing


def test_switches_reach_menu_button_and_picture(window, qtbot, cases):
    window.review.update(case=cases["full"])
    before = window.views["ecg"].paper.grab().toImage()
    qtbot.keyClick(window, Qt.Key.Key_G)
    assert not window.review.state.ecg.grid
    assert not window.menus.actions["show_grid"].isChecked()
    assert window.views["ecg"].paper.grab().toImage() != before


def test_escape_does_no_harm(window, qtbot, cases):
    window.review.update(case=cases["full"])
    state = window.review.state
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.isVisible()
    assert window.review.state is state


def test_theme_and_role_are_switched_and_told(qtbot, engine):
    from ui.window import MainWindow

    told: list[Choices] = []
    made = MainWindow(engine, on_choices=told.append)
    qtbot.addWidget(made)
    made.menus.actions["switch_theme"].trigger()
    made.menus.actions["switch_theme"].trigger()
    made.menus.actions["switch_role"].trigger()
    assert [(c.theme, c.role) for c in told] == [("light", "clinician"), ("dark", "clinician"), ("dark", "researcher")]


def test_dropped_files_become_a_study(window, qtbot, engine, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.gates.sniff", lambda path: {"a": "avi", "b": "edf"}[path.stem])
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in ("b.edf", "a.avi")])
    event = QDropEvent(
        QPointF(50, 50), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    window.dropEvent(event)
    qtbot.waitUntil(lambda: window.review.state.case.phase == "complete", timeout=5000)
    request, resume = engine.requests[0]
    assert (request.echo_paths, request.ecg_path, resume) == ((tmp_path / "a.avi",), tmp_path / "b.edf", None)


def test_uncalibrated_picture_says_pixels_only(window, qapp, kit, full_results):
    """The ruler is there only where millimetres are known; the warning's colour is where they are not."""
    canvas = window.views["echo"].canvas
    seen = {}
    for calibrated in (True, False):
        cine = kit.make_cine(calibrated=calibrated)
        window.review.update(case=kit.case_of(StudyResults(cines=(cine,))))
        qapp.processEvents()
        picture = canvas.grab().toImage()
        rule = picture.width() - ruler_px(canvas.font()) + 4
        column = [picture.pixelColor(rule, y).lightness() for y in range(20, picture.height() - 20)]
        foot = {
            picture.pixelColor(x, y).name()
            for x in range(8, 150)
            for y in range(picture.height() - 24, picture.height() - 4)
        }
        seen[calibrated] = (max(column) > 200, QColor("#f2b632").name() in foot)
    assert seen == {True: (True, False), False: (False, True)}


def test_unequal_pixels_are_put_right(window, kit):
    canvas = window.views["echo"].canvas
    canvas.set_clip(kit.make_cine(), None)
    rect = canvas.image_rect()
    assert rect.width() / rect.height() == pytest.approx(80 * 0.5 / (64 * 1.0))
    canvas.set_clip(kit.make_cine(calibrated=False), None)
    assert canvas.image_rect().width() / canvas.image_rect().height() == pytest.approx(80 / 64)


def test_ecg_paper_is_true_to_size(window, cases):
    window.review.update(case=cases["full"])
    paper = window.views["ecg"].paper
    dpi = window.screen().physicalDotsPerInch()
    assert paper.px_per_mm() == pytest.approx(dpi / 25.4)
    assert paper.paper.page_strips[1].left_mm - paper.paper.page_strips[0].left_mm == pytest.approx(62.5)


def test_long_ecg_scrolls_without_delay(window, qapp, kit):
    import time

    ecg = kit.make_ecg(3, 3600.0)
    window.review.update(case=kit.case_of(StudyResults(ecg=ecg, ecg_analysis=kit.make_ecg_analysis(3))))
    qapp.processEvents()
    bar = window.views["ecg"].paper.horizontalScrollBar()
    assert bar.maximum() > 3600 * 25
    spent = []
    for place in range(0, bar.maximum(), bar.maximum() // 20):
        begin = time.process_time()  # what others do on the machine does not count
        bar.setValue(place)
        window.views["ecg"].paper.viewport().repaint()
        spent.append(time.process_time() - begin)
    assert sorted(spent)[len(spent) // 2] < 0.033


def test_markup_in_texts_is_shown_as_it_stands(window, cases):
    window.review.update(case=cases["full"])
    tip = window.views["ecg"].rhythm.toolTip()
    assert "&lt;b&gt;" in tip
    assert "<b>" not in tip
