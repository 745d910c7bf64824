"""The window on intermediate results: picture, plot, text, filter, wish to save."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFileDialog

from pipeline.research.probabilities import as_item
from pipeline.stage_calls import ProbabilityMaps
from ui.data_window import DataWindow
from ui.view_state import CaseView, ReviewState


@pytest.fixture
def shown(qtbot, full_results, kit):
    window = DataWindow("RESEARCH USE ONLY")
    qtbot.addWidget(window)
    case = CaseView(key=kit.RUN_ID, phase="complete", results=full_results, report=kit.make_report())
    window.show_state(ReviewState(case=case))
    window.show()
    return window


def test_everything_is_listed_and_each_kind_has_its_page(shown):
    assert shown.chooser.topLevelItemCount() == len(shown._items) > 20
    for name in shown._items:
        shown.choose(name)
        page = shown.pages.currentWidget()
        axes = shown._items[name].axes
        wanted = shown._pictures if axes[-1:] in (("column",), ("x, y",)) else shown.plot if axes else shown.text
        assert page is wanted, name
        assert shown.facts.text().startswith(name)
    assert not shown.grab().isNull()


def test_the_value_under_the_pointer_is_told(shown, full_results):
    shown.choose("echo.1.frames")
    shown.slider.setValue(3)
    rect = shown.picture.picture_rect()
    place = QPointF(rect.center())
    event = QMouseEvent(
        QEvent.Type.MouseMove, place, place, Qt.MouseButton.NoButton, Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    shown.picture.mouseMoveEvent(event)
    frames = full_results.cines[0].frames
    row, column = frames.shape[1] // 2, frames.shape[2] // 2
    assert shown.pointed.text() == f"frame 3, row {row}, column {column}: {frames[3, row, column]}"


def test_the_filter_hides_what_does_not_match(shown):
    shown.filter.setText("ecg deline")
    rows = [shown.chooser.topLevelItem(i) for i in range(shown.chooser.topLevelItemCount())]
    assert [row.data(0, Qt.ItemDataRole.UserRole) for row in rows if not row.isHidden()] == [
        name for name in shown._items if name.startswith("ecg.delineation")
    ]


@pytest.mark.parametrize(
    ("name", "typed", "chosen", "written"),
    [
        ("echo.1.labels", "x", "NumPy array (*.npy)", "x.npy"),
        ("echo.1.labels", "x.npy", "NumPy array (*.npy)", "x.npy"),
        ("ecg.rhythm", "x", "JSON (*.json)", "x.json"),
    ],
)
def test_a_result_is_saved_where_and_as_the_reader_says(shown, monkeypatch, name, typed, chosen, written):
    told = []
    shown.save_wished.connect(lambda item, path: told.append((item.name, path)))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (f"/somewhere/{typed}", chosen))
    shown.choose(name)
    shown.save_button.click()
    assert told == [(name, Path("/somewhere") / written)]


def test_maps_are_wished_of_the_frame_in_sight_and_shown(shown, full_results):
    wished = []
    shown.maps_wished.connect(lambda clip, frame: wished.append((clip, frame)))
    shown.choose("echo.1.frames")
    shown.slider.setValue(7)
    assert shown.maps_button.isVisible()
    shown.maps_button.click()
    assert wished == [(0, 7)]
    maps = np.zeros((4, *full_results.cines[0].frames.shape[1:]), np.float32)
    maps[0] = 1
    shown.show_maps(as_item(0, ProbabilityMaps(maps=maps, frame_idx=7, model_sha256="ab" * 32)))
    assert shown.title.text() == "Probability maps of frame 8"
    assert shown.slider.maximum() == 3
    assert shown.slider.value() == 1
    assert shown.picture._bytes().max() == 0
    shown.slider.setValue(0)
    assert shown.picture._bytes().min() == 255
    shown.choose("ecg.r_peaks_idx")
    assert not shown.maps_button.isVisible()


def test_without_a_case_it_says_what_to_do(qtbot):
    window = DataWindow("RESEARCH USE ONLY")
    qtbot.addWidget(window)
    window.show()
    assert window.pages.currentWidget() is window.empty
    assert "Ctrl+O" in window.empty.text()
    assert not window.save_button.isEnabled()


def test_real_numbers_are_scaled_and_gaps_are_black(qtbot, shown):
    frames = np.array([[[0.0, 1.0], [np.nan, 0.5]]])
    shown.picture.set_frames(frames)
    assert shown.picture._bytes().tolist() == [[0, 255], [0, 127]]
