"""The plot window: follows the case, shows what the chooser names, saves what is in sight."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel

from pipeline.notice import NOTICE
from pipeline.records import BranchResult, StudyResults, WallSegment
from ui import dialogs
from ui.run_progress import settle
from ui.theme import DARK, LIGHT
from ui.view_state import NO_PROGRESS, CaseView
from ui.window import MainWindow


@pytest.fixture
def signals(window, qtbot, full_results, kit) -> Iterator[object]:
    """The open plot window on a full case."""
    segments = (WallSegment(name="basal septal", radial_excursion_pct=20.0, longitudinal_strain_pct=None),)
    analysis = full_results.echo_analysis
    cine = replace(analysis.cines[0], segments=segments)
    results = replace(full_results, echo_analysis=replace(analysis, cines=(cine,)))
    window.review.update(case=kit.case_of(results))
    window.menus.actions["show_signals"].trigger()
    qtbot.waitExposed(window.asks.signals)
    return window.asks.signals


def colours(widget) -> set[str]:
    picture = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    words = np.unique(np.frombuffer(picture.constBits(), np.uint32))
    return {f"#{word & 0xFFFFFF:06x}" for word in words.tolist()}


def pick(signals, key: str) -> None:
    signals.chooser.setCurrentItem(signals._items[key])
    QApplication.processEvents()


def test_start_of_the_application_imports_no_plotting(tmp_path):
    root = Path(__file__).resolve().parents[2]
    lines = "import sys, ui.application, ui.window; sys.exit('pyqtgraph' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", lines], cwd=root, check=False)
    assert done.returncode == 0


def test_every_plot_is_drawn_in_both_themes(window, signals):
    drawn = {}
    for theme in (DARK, LIGHT):
        window.review.update(theme=theme)
        for key in signals._items:
            pick(signals, key)
            assert signals.plot.isVisible(), key
            if key in ("volume:0", "segments:0", "lead:1"):
                drawn[key] = colours(signals.plot.canvas)
                assert QColor(theme.surface).name() in drawn[key]
                assert QColor(theme.accent).name() in drawn[key]
    assert len(drawn) == 3


def test_axes_have_names_and_units(signals):
    for key, left, bottom in (
        ("volume:0", "Volume (mL)", "Time (s)"),
        ("confidence:0", "Confidence, 0 to 1", "Frame"),
        ("segments:0", "Inward motion, end-diastole to end-systole (%)", "Segment"),
        ("rr", "RR interval (ms)", "Time (s)"),
        ("lead:0", "Voltage (mV)", "Time (s)"),
    ):
        pick(signals, key)
        item = signals.plot.canvas.getPlotItem()
        assert (item.getAxis("left").labelText, item.getAxis("bottom").labelText) == (left, bottom)


def test_notice_stays_and_no_patient_in_sight(signals, kit):
    assert signals.notice.isVisible()
    assert signals.notice.text() == NOTICE.upper()
    words = [signals.windowTitle(), *(label.text() for label in signals.findChildren(QLabel))]
    assert kit.CANARY not in " ".join(words)


def test_zoom_changes_what_is_drawn_and_reset_brings_it_back(signals):
    pick(signals, "lead:0")
    whole = signals.plot.x_range()
    n_whole = len(signals.plot._drawn[1][1].getData()[0])
    signals.plot._view.scaleBy((0.1, 0.1))
    assert signals.plot.x_range()[1] - signals.plot.x_range()[0] == pytest.approx((whole[1] - whole[0]) / 10)
    assert 2 < len(signals.plot._drawn[1][1].getData()[0]) < n_whole
    signals.reset_button.click()
    assert signals.plot.x_range() == pytest.approx(whole)


def test_wheel_zooms_and_drag_moves(signals, qtbot):
    pick(signals, "lead:0")
    canvas, plot = signals.plot.canvas, signals.plot
    centre = canvas.mapFromScene(plot._view.sceneBoundingRect().center())
    before = plot.x_range()
    wheel = QWheelEvent(
        QPointF(centre), QPointF(canvas.mapToGlobal(centre)), QPoint(), QPoint(0, 600), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas.viewport(), wheel)
    zoomed = plot.x_range()
    assert zoomed[1] - zoomed[0] < 0.9 * (before[1] - before[0])
    qtbot.mousePress(canvas.viewport(), Qt.MouseButton.LeftButton, pos=centre)
    for step in (20, 60, 100):
        qtbot.mouseMove(canvas.viewport(), pos=centre + QPoint(step, 0))
        qtbot.wait(30)
    qtbot.mouseRelease(canvas.viewport(), Qt.MouseButton.LeftButton, pos=centre + QPoint(100, 0))
    moved = plot.x_range()
    assert moved[0] < zoomed[0]
    assert moved[1] - moved[0] == pytest.approx(zoomed[1] - zoomed[0])


def test_theme_keeps_the_place(window, signals):
    pick(signals, "lead:0")
    signals.plot._view.setXRange(2.0, 3.0, padding=0)
    window.review.update(theme=LIGHT)
    assert signals.plot.x_range() == pytest.approx((2.0, 3.0))


def test_crosshair_reads_values_and_goes_away(signals):
    pick(signals, "lead:1")
    plot = signals.plot
    plot._point(plot._view.mapViewToScene(QPointF(0.4, 1.0)))
    assert plot.readout.text().startswith("Time 0.400 s   Raw 1.083 mV   Filtered 1.083 mV   R peaks")
    assert all(line.isVisible() for line in plot._cross)
    QApplication.sendEvent(plot, QEvent(QEvent.Type.Leave))
    assert not any(line.isVisible() for line in plot._cross)
    assert "Time" not in plot.readout.text()


def test_switched_off_curve_leaves_picture_and_table(signals, tmp_path, monkeypatch, qtbot):
    pick(signals, "lead:1")
    box = next(b for b in signals.plot._boxes if b.text() == "Filtered")
    box.click()
    assert not signals.plot._drawn[1][1].isVisible()
    assert signals.plot._drawn[0][1].isVisible()
    pick(signals, "lead:2")
    assert not signals.plot._drawn[1][1].isVisible()  # the choice goes with the reader
    monkeypatch.setattr(dialogs, "ask_values", lambda parent: tmp_path / "v.csv")
    signals.save_button.click()
    qtbot.waitUntil(lambda: "written as CSV" in signals.message.text(), timeout=5000)
    lines = (tmp_path / "v.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "# Research use only - not for diagnostic use"
    assert "Lead III, Raw (mV)" in lines[1]
    assert "Filtered" not in lines[1]


def test_values_into_nowhere_are_a_plain_error(signals, tmp_path, monkeypatch, qtbot):
    monkeypatch.setattr(dialogs, "ask_values", lambda parent: tmp_path / "none" / "v.csv")
    signals.save_button.click()
    qtbot.waitUntil(lambda: "E_REPORT_WRITE" in signals.message.text(), timeout=5000)
    assert signals.message.isVisible()
    assert str(tmp_path) not in signals.message.text()


def test_no_answer_saves_nothing(signals, monkeypatch):
    monkeypatch.setattr(dialogs, "ask_values", lambda parent: None)
    wished = []
    signals.values_wished.connect(lambda *given: wished.append(given))
    signals.save_button.click()
    assert wished == []


def test_missing_parts_are_named(window, signals, kit, full_results):
    echo = replace(full_results, ecg=None, ecg_analysis=None, echo_analysis=None)
    window.review.update(case=kit.case_of(echo))
    pick(signals, "volume:0")
    assert signals.empty.isVisible()
    assert signals.empty.text() == "The chambers of this clip were not measured."
    assert signals.absent.text() == "This case has no ECG."
    assert not signals.save_button.isEnabled()
    window.review.update(theme=LIGHT)
    assert signals.empty.isVisible()
    assert signals.title.text() == "LV volume"
    pick(signals, "confidence:0")
    assert signals.plot.isVisible()
    assert signals.save_button.isEnabled()


def test_stopped_and_empty_cases_say_so(window, signals, kit, full_results):
    stopped = settle(
        NO_PROGRESS, "cancelled", (BranchResult(branch="ecg", status="skipped", reason="the run stopped"),)
    )
    request = kit.case_of(full_results).request
    case = replace(kit.case_of(StudyResults(), "cancelled", progress=stopped), request=request)
    window.review.update(case=case)
    assert "The echo was not read to its end." in signals.empty.text()
    assert "The ECG was not read to its end: the run stopped." in signals.empty.text()
    assert "The ECG was not read to its end: the run stopped." in window.views["ecg"].empty.text()
    assert signals.chooser.topLevelItemCount() == 0
    window.review.update(case=CaseView())
    assert "Ctrl+O" in signals.empty.text()


def test_choice_survives_another_case(window, signals, kit, full_results):
    pick(signals, "lead:2")
    window.review.update(case=kit.case_of(replace(full_results, cines=(), detections=(), echo_analysis=None)))
    assert signals.title.text() == "Lead III"
    assert signals.chooser.currentItem().text(0) == "Lead III"


def test_hidden_window_draws_nothing_and_catches_up(window, signals, kit, full_results, monkeypatch):
    signals.close()
    drawn = []
    monkeypatch.setattr(signals, "_show_chosen", lambda *, is_other: drawn.append(is_other))
    window.review.update(case=kit.case_of(replace(full_results, cines=())))
    assert drawn == []
    window.menus.actions["show_signals"].trigger()
    assert drawn == [True]


def test_closed_window_holds_no_signals(signals):
    pick(signals, "lead:0")
    assert signals.plot.plot.curves
    signals.close()
    assert signals.plot.plot.curves == ()
    signals.show()
    assert signals.title.text() == "Lead I"
    assert signals.plot.plot.curves


def test_escape_closes_it_and_so_does_the_main_window(window, signals, qtbot):
    qtbot.keyClick(signals, Qt.Key.Key_Escape)
    assert not signals.isVisible()
    window.asks.show_signals()
    assert signals.isVisible()
    window.close()
    assert not signals.isVisible()


def test_long_record_moves_without_delay(window, signals, kit):
    ecg = kit.make_ecg(2, 4 * 3600.0)
    window.review.update(case=kit.case_of(StudyResults(ecg=ecg, ecg_analysis=kit.make_ecg_analysis(2))))
    pick(signals, "lead:0")
    spent = []
    for width_s in (14_400, 7_000, 1_000, 100, 10, 1) * 3:
        begin = time.thread_time()  # of this thread alone, so that a busy machine does not decide
        signals.plot._view.setXRange(7_200 - width_s / 2, 7_200 + width_s / 2, padding=0)
        signals.plot.canvas.viewport().repaint()
        spent.append(time.thread_time() - begin)
    assert sorted(spent)[len(spent) // 2] < 0.05


def test_opening_and_leaving_leaks_no_widget(qtbot, engine, full_results, kit):
    counts = []
    for _ in range(3):
        made = MainWindow(engine)
        made.show()
        made.review.update(case=kit.case_of(full_results))
        made.asks.show_signals()
        QApplication.processEvents()
        made.close()
        made.deleteLater()
        del made
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
        import gc

        gc.collect()
        counts.append(len(QApplication.allWidgets()))
    assert counts[2] <= counts[1] <= counts[0]
