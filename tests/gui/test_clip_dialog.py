"""Naming views and sizes of clips in the window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from pipeline.intake.cases import Intake
from pipeline.records import CardiologyRequest, ClipFacts
from ui.clip_dialog import AS_FILE, ClipDialog, facts_of, last_reading
from ui.view_state import CaseView

PATHS = (Path("one.dcm"), Path("two.avi"))


def case(*facts: ClipFacts) -> CaseView:
    return CaseView(request=CardiologyRequest(echo_paths=PATHS, clip_facts=facts), phase="complete")


def opened(qtbot, shown: CaseView) -> ClipDialog:
    dialog = ClipDialog(shown)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_the_fields_show_what_was_said_before(qtbot):
    dialog = opened(qtbot, case(ClipFacts(view="A2C", pixel_mm=0.31)))
    assert dialog.views[0].currentData() == "A2C"
    assert dialog.sizes[0].value() == pytest.approx(0.31)
    assert (dialog.views[1].currentText(), dialog.sizes[1].text()) == (AS_FILE, AS_FILE)
    assert dialog.facts() == (ClipFacts(view="A2C", pixel_mm=0.31), ClipFacts())
    assert not dialog.accept_button.isEnabled()


def test_every_field_can_be_set_by_keys_and_tells_its_unit(qtbot):
    dialog = opened(qtbot, case())
    qtbot.keyClick(dialog.views[1], Qt.Key.Key_Down)
    qtbot.keyClick(dialog.views[1], Qt.Key.Key_Down)
    dialog.sizes[0].selectAll()
    qtbot.keyClicks(dialog.sizes[0], dialog.locale().toString(0.425))
    assert dialog.facts() == (ClipFacts(pixel_mm=0.425), ClipFacts(view="A2C"))
    assert dialog.accept_button.isEnabled()
    for size in dialog.sizes:
        assert "millimetres" in size.toolTip()
        assert "millimetres" in size.accessibleName()
    assert all(view.toolTip() and view.accessibleName() for view in dialog.views)


def test_no_size_that_is_refused_later_can_be_entered(qtbot):
    dialog = opened(qtbot, case())
    dialog.sizes[0].setValue(80.0)
    assert dialog.facts()[0].pixel_mm == pytest.approx(5.0)
    dialog.sizes[0].setValue(0.0)
    assert dialog.facts()[0].pixel_mm is None


def test_leaving_tells_nothing(qtbot):
    dialog = opened(qtbot, case())
    told: list[object] = []
    dialog.facts_chosen.connect(told.append)
    dialog.views[0].setCurrentIndex(1)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert told == []


def test_facts_of_fewer_or_more_clips_than_were_given():
    one = ClipFacts(view="A4C")
    assert facts_of(case(one)) == (one, ClipFacts())
    assert facts_of(case(one, one, one)) == (one, one)
    assert facts_of(CaseView()) == ()


def test_the_last_reading_is_told_only_where_it_is_known_which_clip_it_was(full_results):
    single = CaseView(request=CardiologyRequest(echo_paths=PATHS[:1]), results=full_results)
    cine = full_results.cines[0]
    assert last_reading(single)[0].startswith(f"{cine.view}, {len(cine.frames)} frames")
    assert last_reading(replace(single, request=CardiologyRequest(echo_paths=PATHS))) == ("–", "–")


def test_the_study_is_read_again_with_the_facts_and_keeps_them(window, qtbot, engine):
    request = CardiologyRequest(echo_paths=PATHS)
    assert not window.menus.actions["name_clips"].isEnabled()
    window.review.cases.take_sort(0, Intake(requests=(request,)))
    qtbot.waitUntil(lambda: window.review.state.case.phase == "complete", timeout=5000)
    window.menus.actions["name_clips"].trigger()
    dialog = window.findChild(ClipDialog)
    dialog.views[1].setCurrentIndex(2)
    qtbot.mouseClick(dialog.accept_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(engine.requests) == 2 and not window.review.is_running, timeout=5000)
    wanted = (ClipFacts(), ClipFacts(view="A2C"))
    assert engine.requests[1][0] == replace(request, clip_facts=wanted)
    window.review.cases.run_again()
    qtbot.waitUntil(lambda: len(engine.requests) == 3 and not window.review.is_running, timeout=5000)
    assert engine.requests[2][0].clip_facts == wanted


def test_a_case_without_an_echo_has_no_clips_to_name(window, qtbot):
    window.review.cases.take_sort(0, Intake(requests=(CardiologyRequest(ecg_path=Path("e.dcm")),)))
    qtbot.waitUntil(lambda: window.review.state.case.phase == "complete", timeout=5000)
    assert not window.menus.actions["name_clips"].isEnabled()
