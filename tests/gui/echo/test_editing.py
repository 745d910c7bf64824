"""A reader edits a stored study in the window: every story on a heart of ellipses whose volumes are known."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.composition import Engine
from pipeline.reports.json_report import validate_report
from ui import dialogs
from ui.window import MainWindow

# --- the whole way -----------------------------------------------------------------------------------


def test_a_refused_clip_is_measured_from_three_clicks_and_a_stroke(
    qtbot: Any, hand: Any, ellipses: Any, tmp_path: Path
) -> None:
    ellipses.store_run(tmp_path / "refused.sqlite", ellipses.results(refused=(0,)))
    window = hand.opened(qtbot, tmp_path / "refused.sqlite", ellipses.RUN_ID)
    try:
        assert hand.measure(window, "lvef")["status"] == "withheld"
        assert "by hand" in window.views["echo"].curve._reason
        ed_idx, es_idx = 4, 16
        canvas = hand.edit_mode(qtbot, window, ed_idx)
        window.menus.actions["edit_points"].trigger()
        wall = ellipses.wall(*ellipses.sizes(ed_idx))
        for point in wall[[0, -1, 48]]:
            place = hand.on_canvas(canvas, point)[0]
            hand.mouse(canvas, hand.press, place)
            hand.mouse(canvas, hand.release, place, buttons=hand.none)
        hand.settle(qtbot, window, 1)
        assert hand.measure(window, "lvef")["status"] == "withheld"  # one frame is not enough
        window.review.echo.focus(0, es_idx)
        window.menus.actions["edit_redraw"].trigger()
        hand.sweep(canvas, ellipses.wall(*ellipses.sizes(es_idx))[::-1])  # drawn from right to left
        hand.settle(qtbot, window, 2)
        edv, esv = (ellipses.half_ellipsoid_ml(*ellipses.sizes(frame)) for frame in (ed_idx, es_idx))
        lvef = hand.measure(window, "lvef")
        assert lvef["status"] == "edited"
        assert lvef["value"] == pytest.approx(100 * (1 - esv / edv), abs=3)
        assert lvef["source"]["edited_frames"] == [ed_idx, es_idx]
    finally:
        window.close()
        window.deleteLater()


def test_open_edit_undo_redo_accept_export(
    qtbot: Any, hand: Any, window: MainWindow, ellipses: Any, tmp_path: Path
) -> None:
    ed_idx = hand.beats(window)[0].ed_idx
    canvas = hand.edit_mode(qtbot, window, ed_idx)
    usual = hand.measure(window, "lvef")["value"]
    line = ellipses.wall(*ellipses.sizes(ed_idx))
    path = line[24] + np.linspace(0, 1, 6)[:, None] * [-14.0, 0.0]
    hand.sweep(canvas, path, release=False)
    during = hand.measure(window, "lvef")
    assert during["value"] > usual + 0.5  # the number follows the hand, before anything is stored
    assert during["status"] == "edited"
    assert window.review.state.case.edits == ()
    row = next(row for row in window.views["findings"].rows if row.name == "lvef")
    assert (row.status, row.note.startswith("was ")) == ("edited", True)
    hand.mouse(canvas, hand.release, hand.on_canvas(canvas, path[-1])[0], buttons=hand.none)
    hand.settle(qtbot, window, 1)
    edited = hand.measure(window, "lvef")
    assert edited["value"] == during["value"]
    assert edited["source"]["edited_frames"] == [ed_idx]

    window.menus.actions["undo"].trigger()
    hand.settle(qtbot, window, 2)
    assert hand.measure(window, "lvef")["value"] == usual
    assert hand.measure(window, "lvef")["status"] == "measured"
    window.menus.actions["redo"].trigger()
    hand.settle(qtbot, window, 3)
    assert hand.measure(window, "lvef")["value"] == edited["value"]

    findings = window.views["findings"]
    findings.tree.setCurrentItem(
        next(item for item in findings._items if item.data(0, Qt.ItemDataRole.UserRole).name == "lvef")
    )
    assert window.review.state.chosen == "lvef"
    window.menus.actions["accept_measure"].trigger()
    hand.settle(qtbot, window, 4)
    target = tmp_path / "report.json"
    window.review.cases.export(target, "json")
    qtbot.waitUntil(target.exists, timeout=10_000)
    qtbot.waitUntil(lambda: not window.review.session._tasks)
    report = json.loads(target.read_text(encoding="utf-8"))
    validate_report(report)
    lvef = report["result"]["measurements"]["lvef"]
    assert (lvef["status"], lvef["verdict"], lvef["value"]) == ("edited", "accepted", edited["value"])
    assert lvef["before"]["value"] == usual
    assert [act["holds"] for act in report["result"]["edits"]] == [True, False, True, True]


KILLED = """
import os, signal, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from PySide6.QtWidgets import QApplication
from app.composition import Engine
from ui.window import MainWindow
app = QApplication([])
window = MainWindow(Engine(Path(sys.argv[1])))
window.show()
window.review.cases.select(sys.argv[2])
while window.review.state.case.phase != "complete":
    app.processEvents()
window.review.echo.move_phase(0, 0, "es", 20)
window.review.echo.move_phase(0, 1, "es", 44)
while len(window.review.state.case.edits) < 2:
    app.processEvents()
window.menus.actions["edit_contours"].trigger()
window.review.echo.move_phase(0, 0, "ed", 6)  # under way when the end comes
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_window_that_is_killed_while_editing_loses_nothing(qtbot: Any, hand: Any, store: Path, ellipses: Any) -> None:
    root = str(Path(__file__).parents[3])
    ended = subprocess.run([sys.executable, "-c", KILLED, str(store), ellipses.RUN_ID, root], timeout=120, check=False)
    assert ended.returncode == -signal.SIGKILL
    window = hand.opened(qtbot, store, ellipses.RUN_ID)
    try:
        assert len(window.review.state.case.edits) >= 2
        hand.settle(qtbot, window, len(window.review.state.case.edits))
        assert [beat.es_idx for beat in hand.beats(window)][:2] == [20, 44]
        assert hand.measure(window, "lvef")["status"] == "edited"
    finally:
        window.close()


def test_what_was_done_last_is_stored_when_the_window_closes(qtbot: Any, hand: Any, store: Path, ellipses: Any) -> None:
    window = hand.opened(qtbot, store, ellipses.RUN_ID)
    for frame_idx in (18, 19, 20):
        window.review.echo.move_phase(0, 0, "es", frame_idx)
    window.close()  # at once: two of the three still wait for their turn
    assert [act.after for act in Engine(store).load_run(ellipses.RUN_ID).edits] == [18, 19, 20]


# --- outlines ----------------------------------------------------------------------------------------


def test_a_redrawn_part_replaces_the_wall_beside_it(qtbot: Any, hand: Any, window: MainWindow, ellipses: Any) -> None:
    ed_idx = hand.beats(window)[0].ed_idx
    canvas = hand.edit_mode(qtbot, window, ed_idx)
    window.menus.actions["edit_redraw"].trigger()
    length_mm, radius_mm = ellipses.sizes(ed_idx)
    hand.sweep(canvas, ellipses.wall(length_mm, radius_mm * 1.25)[12:40])
    hand.settle(qtbot, window, 1)
    points = np.array(window.review.state.case.edits[0].after["points"])
    assert points[:, 0].min() < ellipses.wall(length_mm, radius_mm)[:, 0].min() - 4
    assert hand.measure(window, "edv")["status"] == "edited"


def test_three_clicks_fit_the_models_outline(qtbot: Any, hand: Any, window: MainWindow, ellipses: Any) -> None:
    ed_idx = hand.beats(window)[0].ed_idx
    canvas = hand.edit_mode(qtbot, window, ed_idx)
    window.menus.actions["edit_points"].trigger()
    length_mm, radius_mm = ellipses.sizes(ed_idx)
    goal = ellipses.wall(length_mm, 1.2 * radius_mm)
    for point in (goal[0], goal[-1], goal[48]):
        hand.sweep(canvas, point)
    hand.settle(qtbot, window, 1)
    # an ellipse stretched sideways is the ellipse of 1.2 times the radius
    assert hand.beats(window)[0].edv == pytest.approx(ellipses.half_ellipsoid_ml(length_mm, 1.2 * radius_mm), rel=0.01)
    window.menus.actions["reset_contour"].trigger()
    hand.settle(qtbot, window, 2)
    assert hand.measure(window, "edv")["status"] == "measured"


def test_a_press_beside_the_line_changes_nothing(qtbot: Any, hand: Any, window: MainWindow) -> None:
    canvas = hand.edit_mode(qtbot, window, hand.beats(window)[0].ed_idx)
    hand.sweep(canvas, [[130.0, 130.0], [140.0, 130.0]])
    assert window.review.state.case.edits == ()
    assert window.review.state.case.results is window.review.state.case.own_results


def test_escape_lays_the_tool_down(qtbot: Any, hand: Any, window: MainWindow) -> None:
    hand.edit_mode(qtbot, window, 3)
    assert window.views["echo"].hand.bar.editing.isVisible()
    window.menus.actions["lay_down_tool"].trigger()
    assert window.review.state.tool.name == "look"
    assert not window.views["echo"].hand.bar.editing.isVisible()


# --- phases, calipers, calibration -------------------------------------------------------------------


def test_s_sets_end_systole_and_the_mark_can_be_dragged(qtbot: Any, hand: Any, window: MainWindow) -> None:
    beat = hand.beats(window)[1]
    window.review.echo.focus(0, beat.es_idx + 2)
    window.menus.actions["set_es"].trigger()
    hand.settle(qtbot, window, 1)
    assert hand.beats(window)[1].es_idx == beat.es_idx + 2
    curve = window.views["echo"].curve
    at = (curve._x(curve._times_s[beat.es_idx + 2]), curve._y(curve._curve())[beat.es_idx + 2])
    goal = curve._x(curve._times_s[beat.es_idx - 1])
    hand.mouse(curve, hand.press, at)
    hand.mouse(curve, hand.move, (goal, at[1]), hand.none)
    hand.mouse(curve, hand.release, (goal, at[1]), buttons=hand.none)
    hand.settle(qtbot, window, 2)
    assert hand.beats(window)[1].es_idx == beat.es_idx - 1


def test_a_length_is_measured_in_millimetres(qtbot: Any, hand: Any, window: MainWindow) -> None:
    window.menus.actions["measure_length"].trigger()
    canvas = window.views["echo"].canvas
    hand.sweep(canvas, [[50.0, 50.0], [50.0, 90.0], [50.0, 150.0]])
    hand.settle(qtbot, window, 1)
    found = window.review.state.case.changes.calipers[0, canvas.frame_idx]
    assert (found[0].value, found[0].unit) == (pytest.approx(50.0, abs=0.3), "mm")
    assert hand.measure(window, "lvef")["status"] == "measured"


def test_a_drawn_length_makes_volumes(
    qtbot: Any, hand: Any, tmp_path: Path, ellipses: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "chordae.sqlite"
    ellipses.store_run(store, ellipses.results(ellipses.cine(calibrated=False)))
    window = hand.opened(qtbot, store, ellipses.RUN_ID)
    try:
        monkeypatch.setattr(dialogs, "ask_length", lambda parent: 50.0)
        assert hand.measure(window, "edv")["status"] == "withheld"
        window.menus.actions["calibrate_clip"].trigger()
        hand.sweep(window.views["echo"].canvas, [[50.0, 20.0], [50.0, 60.0], [50.0, 120.0]])
        hand.settle(qtbot, window, 1)
        assert hand.measure(window, "edv")["status"] == "edited"
        assert hand.measure(window, "edv")["value"] == pytest.approx(ellipses.half_ellipsoid_ml(90, 25), rel=0.03)
        assert "drawn length of 50 mm" in hand.measure(window, "edv")["method"]
    finally:
        window.close()


def test_editing_holds_a_playing_clip(qtbot: Any, hand: Any, window: MainWindow) -> None:
    view = window.views["echo"]
    view.toggle_play()
    assert view.is_playing
    window.menus.actions["edit_contours"].trigger()
    assert not view.is_playing
