"""From the file to the stored edit: a real twelve-lead ECG is run, changed in the window, and opened again."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.data import get_testdata_file
from PySide6.QtCore import Qt

from app.composition import Engine
from pipeline.records import CardiologyRequest
from ui.window import MainWindow

pytestmark = pytest.mark.slow
KEY = Qt.Key


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> tuple[Engine, str]:
    engine = Engine(tmp_path_factory.mktemp("store") / "chordae.db")
    response = engine.run_study(CardiologyRequest(ecg_path=Path(get_testdata_file("waveform_ecg.dcm"))))
    assert response.status == "complete"
    return engine, response.run_id


def opened(qtbot, engine: Engine, run_id: str) -> MainWindow:
    window = MainWindow(engine)
    qtbot.addWidget(window)
    window.resize(1600, 1000)
    window.show()
    window.review.cases.select(run_id)
    qtbot.waitUntil(lambda: window.review.state.case.ecg_review is not None, timeout=60_000)
    return window


def finding(window: MainWindow, name: str):
    return next(row for row in window.views["findings"]._rows if row.name == name)


def test_an_edit_reaches_findings_store_and_the_next_window(qtbot, stored):
    engine, run_id = stored
    window = opened(qtbot, engine, run_id)
    before = finding(window, "qt")
    qtbot.keyClick(window, KEY.Key_B)
    panel = window.views["ecg"].median
    panel.setFocus()
    qtbot.keyClick(panel, KEY.Key_Down)
    qtbot.keyClick(panel, KEY.Key_Up)
    assert panel.chosen == "t_off"
    for _ in range(6):
        qtbot.keyClick(panel, KEY.Key_Right, Qt.KeyboardModifier.ShiftModifier)  # 30 ms at 1000 Hz
    qtbot.keyClick(panel, KEY.Key_Return)
    qtbot.waitUntil(lambda: finding(window, "qt").status == "edited", timeout=60_000)
    after = finding(window, "qt")
    assert float(after.value) - float(before.value) == pytest.approx(30.0, abs=1.0)
    assert finding(window, "qtcf").status == "edited"
    assert finding(window, "pr").status == "measured"
    window.close()

    again = opened(qtbot, engine, run_id)
    qtbot.waitUntil(lambda: finding(again, "qt").status == "edited", timeout=60_000)
    assert finding(again, "qt").value == after.value
    qtbot.keyClick(again, KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: finding(again, "qt").status == "measured", timeout=60_000)
    assert finding(again, "qt").value == before.value
    acts = engine.load_run(run_id).edits
    assert [(act.target, act.undoes) for act in acts] == [("median/t_off", None), ("median/t_off", 0)]
    again.close()


def test_a_finding_goes_to_its_beat(qtbot, stored):
    window = opened(qtbot, *stored)
    window.review.echo.choose_measure("longest_rr")
    assert (
        window.views["ecg"].paper.hand.beat
        == window.review.state.case.results.ecg_analysis.measurements[
            [m.name for m in window.review.state.case.results.ecg_analysis.measurements].index("longest_rr")
        ].source.beat_idx[0]
    )
    window.close()
