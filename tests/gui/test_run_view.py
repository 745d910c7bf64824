"""The run strip and the panel of one state."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt

from pipeline.states import State


def test_error_says_where_it_came_from(window, cases):
    window.review.update(case=cases["error"])
    label = window.views["run"].error
    assert label.isVisible()
    cause, dragged = label.text().splitlines()
    assert cause == "ERROR from DETECTION · E_DETECTION: No heart was found."
    assert dragged == "Not reached because of it: ANALYSIS, FUSION, SCORING, FORMATTING, COMPLETE."
    window.review.update(case=cases["full"])
    assert not label.isVisible()


def test_click_on_a_state_shows_what_is_known_of_it(window, qtbot, cases, kit):
    rows = kit.make_checkpoints()
    window.review.update(case=replace(cases["full"], checkpoints=rows))
    chips, view = window.views["run"].chips, window.views["state"]
    box = next(box for step, box in chips._boxes() if step.name == "ANALYSIS")
    qtbot.mouseClick(chips, Qt.MouseButton.LeftButton, pos=box.center().toPoint())
    assert view.isVisible()
    lines = view.lines.toPlainText().splitlines()
    assert len(lines) == 2
    assert all("ANALYSIS" in line for line in lines)
    told = {}
    for place in range(view.facts.topLevelItemCount()):
        head = view.facts.topLevelItem(place)
        told[head.text(0)] = {head.child(i).text(0): head.child(i).text(1) for i in range(head.childCount())}
    assert set(told["Inputs"]) == {"Validated files", "Prepared clips", "Outlines"}
    assert told["Outputs"]["Echo measurements"].startswith("1.2 kB, SHA-256 aaaaaaaaaaaa")
    assert told["Checkpoint"]["Memory then"] == "321 MB"
    assert "100 ms" in told["Timing"]["Elapsed"]
    window.menus.actions["previous_state"].trigger()
    assert view.choice.currentText() == "DETECTION"
    assert "DETECTION" in view.lines.toPlainText()


def test_resume_from_a_state_says_what_is_reused(window, qtbot, cases, engine, kit):
    stopped = replace(cases["interrupted"], checkpoints=kit.make_checkpoints()[:1])
    window.review.update(case=stopped)
    window.show_run_state("PREPROCESSING")
    view = window.views["state"]
    assert view.resume.isEnabled()
    assert "Taken from checkpoints: VALIDATION." in view.plan.text()
    assert "in this run: PREPROCESSING, DETECTION, ANALYSIS, FUSION, SCORING and FORMATTING" in view.plan.text()
    window.review.looks.choose_state("ANALYSIS")  # its outlines are not stored
    assert not view.resume.isEnabled()
    window.review.looks.choose_state("PREPROCESSING")
    view.resume.click()
    qtbot.waitUntil(lambda: len(engine.requests) == 1 and not window.review.is_running, timeout=5000)
    assert engine.requests[0][1] == kit.RUN_ID
    assert engine.reused[0].rerun_from is State.PREPROCESSING


def test_complete_run_is_rerun_as_a_new_one(window, qtbot, cases, engine, kit):
    window.review.update(case=replace(cases["full"], checkpoints=kit.make_checkpoints()))
    window.show_run_state("ANALYSIS")
    assert "a new run; this one stays as it is" in window.views["state"].plan.text()
    window.menus.actions["resume_here"].trigger()
    qtbot.waitUntil(lambda: len(engine.requests) == 1 and not window.review.is_running, timeout=5000)
    assert engine.requests[0][1] is None
    assert engine.reused[0].run_id == kit.RUN_ID
