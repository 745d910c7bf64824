"""Two runs side by side in their window."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from ui.compare_window import CompareWindow, compared
from ui.view_state import CaseRow, CaseView, ReviewState


def row(key: str, status: str = "complete") -> CaseRow:
    return CaseRow(key=key, title=f"Case {key}", status=status, detail="Echo", when="12:00")


@pytest.fixture
def reports(kit):
    this = kit.make_report()
    other = copy.deepcopy(this)
    measure = other["result"]["measurements"]["lvef"]
    measure["value"] = this["result"]["measurements"]["lvef"]["value"] - 12.0
    return this, other


@pytest.fixture
def shown(qtbot, reports, full_results):
    window = CompareWindow("RESEARCH USE ONLY")
    qtbot.addWidget(window)
    case = CaseView(key="this", phase="complete", results=full_results, report=reports[0])
    window.show_state(ReviewState(case=case, cases=(row("this"), row("other"), row("running", "running"))))
    window.show()
    return window


def visible(table) -> list[list[str]]:
    rows = [place for place in range(table.rowCount()) if not table.isRowHidden(place)]
    return [[table.item(place, column).text() for column in range(table.columnCount())] for place in rows]


def choose(window, reports, key="other"):
    wished = []
    window.other_wished.connect(wished.append)
    window.choice.setCurrentIndex(window.choice.findData(key))
    window.choice.activated.emit(window.choice.currentIndex())
    assert wished == [key]
    window.show_comparison(compared("this", key, reports[0], reports[1]))


def test_only_finished_other_runs_can_be_chosen(shown):
    assert [shown.choice.itemData(place) for place in range(shown.choice.count())] == ["other"]
    assert "Choose a run" in shown.note.text()


def test_a_change_stands_beside_its_repeat_noise(shown, reports):
    choose(shown, reports)
    ((label, _, _, change, judged),) = visible(shown.measures)
    assert label == reports[0]["result"]["measurements"]["lvef"]["label"]
    assert change.startswith("+12 ")
    assert "beyond repeat noise" in judged
    assert "±7" in judged


def test_equal_fields_are_hidden_until_wanted_and_words_narrow(shown, reports):
    choose(shown, reports)
    changed = visible(shown.fields)
    assert [cells[0] for cells in changed] == ["measurements/lvef/value"]
    shown.only_changed.setChecked(False)
    assert len(visible(shown.fields)) == shown.fields.rowCount() > 5
    shown.search.setText("cross_checks outcome")
    assert all("cross_checks" in cells[0] and "outcome" in cells[0] for cells in visible(shown.fields))


def test_a_late_answer_for_another_run_is_dropped(shown, reports):
    shown.choice.setCurrentIndex(0)
    shown.show_comparison(compared("this", "somebody else", *reports))
    assert shown.fields.rowCount() == 0


def test_another_case_forgets_the_comparison(shown, reports):
    choose(shown, reports)
    state = shown._state
    shown.show_state(replace(state, case=replace(state.case, key="next")))
    assert shown.fields.rowCount() == 0
    assert shown.choice.currentIndex() == -1


def test_a_run_without_a_report_says_so(shown, reports):
    choose(shown, (reports[0], None))
    assert shown.note.text() == "The other run has no report."


def test_the_window_asks_the_engine_and_shows_the_answer(window, qtbot, engine, full_results, kit):
    engine.keep("other-run", "complete", full_results, kit.Script("other-run").walk().events)
    window.review.cases.refresh()
    window.review.update(case=kit.case_of(full_results))
    window.trigger("show_comparison")
    shown = window.asks.compare
    qtbot.waitUntil(lambda: shown.choice.findData("other-run") >= 0, timeout=2000)
    shown.choice.setCurrentIndex(shown.choice.findData("other-run"))
    shown.choice.activated.emit(shown.choice.currentIndex())
    qtbot.waitUntil(lambda: shown.fields.rowCount() > 0, timeout=2000)
    assert shown.note.text().startswith("0 of")
