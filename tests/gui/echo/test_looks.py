"""Bull's-eye, reasons, and how the picture is looked at, in a window on a heart of ellipses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from ui.window import MainWindow

# --- wall, why, looks --------------------------------------------------------------------------------


def test_a_digit_scores_the_chosen_segment(qtbot: Any, hand: Any, window: MainWindow) -> None:
    wall = window.views["wall"]
    window.stage.show_dock("wall")
    wall.bulls_eye.setFocus()
    qtbot.keyClick(wall.bulls_eye, Qt.Key.Key_Right)
    name = wall.bulls_eye._current
    qtbot.keyClick(wall.bulls_eye, "3")
    hand.settle(qtbot, window, 1)
    segments = window.review.state.case.results.echo_analysis.cines[0].segments
    assert next(s.score for s in segments if s.name == name) == 3
    scores = [s.score for s in segments if s.score]
    assert hand.measure(window, "wmsi")["value"] == pytest.approx(np.mean(scores), abs=1e-4)
    assert f"{np.mean(scores):.2f}" in wall.index.text()


def test_why_lists_reasons_and_its_frames_are_links(qtbot: Any, hand: Any, window: MainWindow) -> None:
    es_idx = hand.beats(window)[0].es_idx
    window.review.echo.move_phase(0, 0, "es", es_idx + 1)
    hand.settle(qtbot, window, 1)
    window.review.echo.choose_measure("esv")
    window.menus.actions["ask_why"].trigger()
    view = window.views["why"]
    titles = [section.title for section in view.sections]
    first = ["LV end-systolic volume", "How", "From", "By the area-length method", "Changed by a reader"]
    assert titles[:5] == first
    texts = [line.text for section in view.sections for line in section.lines]
    assert any(text.startswith(f"frame {es_idx + 2} · ES of beat 1") and text.endswith(", edited") for text in texts)
    assert any(text.startswith("model SHA-256 5555") for text in texts)
    assert any(f"→ frame {es_idx + 2}" in text for text in texts)
    view.buttons[0].click()
    assert window.views["echo"].frame_idx == es_idx + 1
    window.review.echo.choose_measure("la_volume_index")
    assert view.sections[0].title


def test_the_wheel_zooms_where_it_stands_and_the_right_button_changes_grey_levels(
    qtbot: Any, hand: Any, window: MainWindow
) -> None:
    canvas = window.views["echo"].canvas
    place = hand.on_canvas(canvas, [100.0, 100.0])[0]
    at = QPointF(*place)
    wheel = QWheelEvent(
        at, canvas.mapToGlobal(at), at.toPoint() * 0, at.toPoint() * 0 + QPointF(0, 240).toPoint(),
        hand.none, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, wheel)
    assert hand.on_canvas(canvas, [100.0, 100.0])[0] == pytest.approx(place, abs=0.5)
    assert canvas._view.zoom == pytest.approx(1.44)
    hand.mouse(canvas, hand.press, place, hand.middle, hand.middle)
    hand.mouse(canvas, hand.move, place + np.array([10, 5]), hand.none, hand.middle)
    assert hand.on_canvas(canvas, [100.0, 100.0])[0] == pytest.approx(place + np.array([10, 5]), abs=0.5)
    window.menus.actions["reset_view"].trigger()
    assert canvas._view.zoom == 1.0
    hand.mouse(canvas, hand.press, place, hand.right, hand.right)
    hand.mouse(canvas, hand.move, place + np.array([-55, 20]), hand.none, hand.right)
    assert window.review.state.echo.window == pytest.approx(200.0)
    assert window.review.state.echo.level == pytest.approx(137.5)
    window.menus.actions["reset_levels"].trigger()
    assert window.review.state.echo.window == 255.0


@pytest.mark.parametrize("option", ["axis", "discs", "segments", "areas", "scale"])
def test_each_switch_changes_the_picture(qtbot: Any, hand: Any, window: MainWindow, option: str) -> None:
    canvas = window.views["echo"].canvas
    before = canvas.grab().toImage()
    window.menus.actions[f"show_{option}"].trigger()
    assert canvas.grab().toImage() != before


def test_only_the_beat_plays(qtbot: Any, hand: Any, window: MainWindow) -> None:
    beat = hand.beats(window)[1]
    view = window.views["echo"]
    window.review.echo.focus(0, beat.es_idx)
    window.menus.actions["loop_beat"].trigger()
    view.toggle_play()
    playback = view._clock.of(view.active_clip)
    now = [0.0]
    playback._now = lambda: now[0]
    playback.seek(beat.es_idx)
    playback.play()
    seen = set()
    for step in range(400):
        now[0] = step * 0.01
        seen.add(playback.frame_idx())
    assert seen == set(range(beat.ed_idx, beat.end_idx))
    view.toggle_play()


def test_the_outline_of_the_chosen_measure_is_edited_next(qtbot: Any, hand: Any, window: MainWindow) -> None:
    window.review.echo.choose_measure("la_volume")
    assert window.review.state.tool.structure == "left_atrium"
    window.review.echo.choose_measure("lvef")
    assert window.review.state.tool.structure == "lv_cavity"
    window.menus.actions["edit_contours"].trigger()
    assert window.views["echo"].hand.bar.minimumSizeHint().width() < 700  # fits a window of 1280 pixels
