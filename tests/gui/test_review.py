"""Running, cancelling, resuming, choosing cases; the session behind it."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer

from pipeline.errors import StoreError
from pipeline.intake.cases import Intake
from pipeline.records import CardiologyRequest, StudyResults
from pipeline.states import State
from ui import dialogs
from ui.preview_dialog import PreviewDialog
from ui.session import PORTION

REQUEST = CardiologyRequest(echo_paths=(Path("cine.dcm"),), ecg_path=Path("ecg.dcm"))


def start(window, request: CardiologyRequest = REQUEST) -> None:
    window.review.cases.take_sort(0, Intake(requests=(request,)))


def wait_for(qtbot, window, phase: str) -> None:
    qtbot.waitUntil(lambda: window.review.state.case.phase == phase, timeout=5000)


def test_live_run_moves_the_strip_and_fills_the_views(window, qtbot, engine, full_results):
    engine.results = full_results
    seen: list[str] = []
    window.review.state_changed.connect(
        lambda state: seen.append(state.case.progress.current.name if state.case.progress.current else "")
    )
    start(window)
    assert window.review.state.case.phase == "running"
    assert window.review.state.cases[0].status == "running"
    wait_for(qtbot, window, "complete")
    state = window.review.state
    assert {step.status for step in state.case.progress.steps} == {"done"}
    assert state.case.results is full_results
    assert [lane.status for lane in state.case.progress.lanes[:2]] == ["ok", "ok"]
    assert not state.is_running
    assert window.views["findings"].rows
    assert window.views["echo"].canvas.isVisible()


def test_engine_runs_in_another_thread_and_views_in_this_one(window, qtbot, engine):
    here = threading.get_ident()
    drawn: set[int] = set()
    window.review.state_changed.connect(lambda _: drawn.add(threading.get_ident()))
    start(window)
    wait_for(qtbot, window, "complete")
    assert engine.threads != [here]
    assert drawn == {here}


def test_event_reaches_the_screen_at_once(window, qtbot, engine, kit):
    engine.script = kit.Script().walk(until=State.DETECTION).events
    engine.holds = True
    begin = time.perf_counter()
    start(window)
    qtbot.waitUntil(lambda: window.review.state.case.progress.current is not None, timeout=2000)
    assert time.perf_counter() - begin < 1.0
    assert window.review.state.case.progress.current.name == "DETECTION"
    assert window.review.state.case.key == kit.RUN_ID
    assert window.review.state.live_key == kit.RUN_ID


def test_cancel_ends_the_run(window, qtbot, engine, kit):
    engine.script = kit.Script().walk(until=State.DETECTION).events
    engine.holds = True
    start(window)
    qtbot.waitUntil(lambda: window.review.state.case.progress.current is not None, timeout=2000)
    window.views["run"].buttons["cancel"].click()
    wait_for(qtbot, window, "cancelled")
    detection = next(s for s in window.review.state.case.progress.steps if s.name == "DETECTION")
    assert detection.status == "cancelled"
    assert window.menus.actions["resume"].isEnabled()
    assert not window.menus.actions["cancel"].isEnabled()


def test_closing_the_window_cancels(window, qtbot, engine, kit):
    engine.script = kit.Script().walk(until=State.DETECTION).events
    engine.holds = True
    start(window)
    qtbot.waitUntil(lambda: window.review.state.case.progress.current is not None, timeout=2000)
    begin = time.perf_counter()
    window.close()
    assert time.perf_counter() - begin < 2.0
    assert window.is_quiet


def test_second_study_waits_for_the_first(window, qtbot, engine, kit):
    engine.holds = True
    start(window)
    others = [CardiologyRequest(ecg_path=Path(name)) for name in ("b.dcm", "c.dcm")]
    qtbot.waitUntil(lambda: len(engine.requests) == 1, timeout=2000)
    window.review.cases.take_sort(0, Intake(requests=tuple(others), notes=("One file is missing.",)))
    assert window.review.state.queue == tuple(others)
    assert window.review.state.message.text == "One file is missing."
    assert [row.status for row in window.review.state.cases][:3] == ["running", "pending", "pending"]
    assert len(engine.requests) == 1
    engine.holds = False
    window.review.cases.cancel()
    qtbot.waitUntil(lambda: len(engine.requests) == 3 and not window.review.is_running, timeout=5000)
    assert [request for request, _ in engine.requests[1:]] == others
    assert window.review.state.queue == ()


def test_the_next_study_leaves_the_screen_as_it_is(window, qtbot, engine, kit):
    engine.holds = True
    start(window)
    window.review.cases.take_sort(0, Intake(requests=(CardiologyRequest(ecg_path=Path("b.dcm")),)))
    qtbot.waitUntil(lambda: window.review.state.case.key == kit.RUN_ID, timeout=2000)
    engine.script = kit.Script("20260102T000000-ffffffff").walk(until=State.DETECTION).events
    window.review.cases.cancel()
    qtbot.waitUntil(lambda: len(engine.requests) == 2, timeout=2000)
    assert window.review.state.case.phase == "cancelled"
    assert window.review.is_running


def test_studies_that_wait_can_be_forgotten_and_closing_starts_none(window, qtbot, engine, kit):
    engine.holds = True
    start(window)
    waiting = Intake(requests=(CardiologyRequest(ecg_path=Path("b.dcm")),))
    window.review.cases.take_sort(0, waiting)
    window.trigger("clear_queue")
    assert window.review.state.queue == ()
    assert not window.menus.actions["clear_queue"].isEnabled()
    window.review.cases.take_sort(0, waiting)
    window.close()
    qtbot.wait(50)
    assert len(engine.requests) == 1


def test_facts_about_the_patient_go_on_with_the_same_run(window, qtbot, engine, kit):
    start(window)
    wait_for(qtbot, window, "complete")
    window.review.cases.run_with_metadata({"age_years": 70})
    qtbot.waitUntil(lambda: len(engine.requests) == 2, timeout=2000)
    request, resume = engine.requests[1]
    assert (request.metadata, request.metadata_path, resume) == ({"age_years": 70}, None, kit.RUN_ID)


def test_the_page_is_exported_with_the_notice_in_the_audit(window, qtbot, engine, full_results, tmp_path, kit):
    window.review.update(case=kit.case_of(full_results))
    window.review.cases.export(tmp_path / "page.pdf", "pdf")
    qtbot.waitUntil(lambda: (tmp_path / "page.pdf").exists(), timeout=5000)
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF-")
    qtbot.waitUntil(lambda: "PDF" in (window.review.state.message.text if window.review.state.message else ""))
    assert engine.noted[-1][0::2] == ("export", "pdf")


def test_windows_of_their_own_follow_the_case_and_close_with_the_window(window, qtbot, full_results, kit):
    window.review.update(case=kit.case_of(full_results))
    window.trigger("show_data")
    assert window.asks.data.chooser.topLevelItemCount() > 20
    window.review.update(case=kit.case_of(StudyResults(ecg=full_results.ecg)))
    names = list(window.asks.data._items)
    assert names
    assert not any(name.startswith("echo.") for name in names)
    window.trigger("preview_report")
    (preview,) = window.findChildren(PreviewDialog)
    assert preview.tabs.count() == 2
    assert not preview.page.pixmap().isNull()
    preview.finder.setText("lvef")
    preview.finder.returnPressed.emit()
    assert preview.text.textCursor().selectedText() == "lvef"
    preview.close()
    window.close()
    assert not window.asks.data.isVisible()


def test_flood_of_events_leaves_the_window_responsive(window, qtbot, engine, kit):
    script = kit.Script().walk(until=State.DETECTION)
    for i in range(15_000):
        script.add("DETECTION", "progress", f"frame {i}", branch="echo", fraction=i / 15_000)
    script.add("DETECTION", "branch", "ok", branch="echo")
    engine.script = script.events
    gaps: list[float] = []
    last = [time.thread_time()]  # the window's own work between ticks; a busy machine does not count

    def tick() -> None:
        now = time.thread_time()
        gaps.append(now - last[0])
        last[0] = now

    timer = QTimer()
    timer.setInterval(5)
    timer.timeout.connect(tick)
    timer.start()
    start(window)
    wait_for(qtbot, window, "complete")
    timer.stop()
    assert window.review.state.case.progress.events[-1].seq == script.events[-1].seq
    assert len(gaps) > 10
    assert sorted(gaps)[int(len(gaps) * 0.9)] < 0.1
    assert PORTION < 1000


@pytest.mark.parametrize(
    ("raised", "code"),
    [(StoreError("The store is locked.", code="E_STORE_LOCKED"), "E_STORE_LOCKED"), (KeyError("secret"), "E_WINDOW")],
)
def test_failing_engine_is_told_plainly(window, qtbot, engine, raised, code, caplog):
    engine.raises = raised
    start(window)
    wait_for(qtbot, window, "error")
    message = window.review.state.message
    assert message.is_error
    assert code in message.text
    assert "secret" not in message.text + caplog.text
    assert not window.review.state.is_running


def test_stored_cases_are_listed_and_opened(window, qtbot, engine, kit, full_results):
    engine.keep(kit.RUN_ID, "complete", full_results, kit.Script().walk().events)
    window.start_with([])
    qtbot.waitUntil(lambda: len(window.review.state.cases) == 1, timeout=2000)
    row = window.review.state.cases[0]
    assert (row.title, row.status) == ("Case 1B2C3D", "complete")
    assert kit.CANARY not in row.title + row.detail + row.when
    listed = window.views["studies"].list
    listed.itemClicked.emit(listed.item(0))
    wait_for(qtbot, window, "complete")
    assert window.review.state.case.results is full_results
    assert {step.status for step in window.review.state.case.progress.steps} == {"done"}


def test_interrupted_run_is_resumed_only_when_asked(window, qtbot, engine, kit):
    engine.keep(kit.RUN_ID, "interrupted", StudyResults(), kit.Script().walk(until=State.DETECTION).events)
    window.start_with([])
    qtbot.waitUntil(lambda: len(window.review.state.cases) == 1, timeout=2000)
    assert window.review.state.cases[0].detail == "resume?"
    window.review.cases.select(kit.RUN_ID)
    wait_for(qtbot, window, "interrupted")
    assert "Resume" in window.review.state.message.text
    assert engine.requests == []
    window.views["run"].buttons["resume"].click()
    wait_for(qtbot, window, "complete")
    assert engine.requests[0][1] == kit.RUN_ID


def test_interrupted_run_is_offered_at_the_start_and_waits_for_the_answer(window, qtbot, engine, kit):
    engine.keep(kit.RUN_ID, "interrupted", StudyResults(), kit.Script().walk(until=State.DETECTION).events)
    window.start_with([])
    qtbot.waitUntil(lambda: window.review.state.message is not None, timeout=2000)
    assert "was interrupted in COMPLETE" in window.head.message.text()  # the row's last state
    buttons = {button.text(): button for button in window.head.acts}
    assert set(buttons) == {"Resume", "Show", "Not now"}
    assert engine.requests == []
    buttons["Not now"].click()
    assert window.review.state.message is None
    assert not any(button.isVisible() for button in buttons.values())
    window.review.cases.refresh()
    qtbot.wait(50)
    assert window.review.state.message is None  # offered once
    window.act("review.run.resume_offered")
    qtbot.waitUntil(lambda: len(engine.requests) == 1, timeout=5000)
    assert engine.requests[0][1] == kit.RUN_ID


def test_run_is_paused_and_goes_on(window, qtbot, engine, kit):
    engine.script = kit.Script().walk(until=State.DETECTION).events
    engine.holds = True
    start(window)
    qtbot.waitUntil(lambda: window.review.state.case.progress.current is not None, timeout=2000)
    button = window.views["run"].buttons["pause"]
    button.click()
    assert window.review.state.is_paused
    assert button.text() == "Go on"
    assert window.review.session._cancel.is_paused
    window.menus.actions["pause"].trigger()
    assert not window.review.state.is_paused
    assert button.text() == "Pause"
    window.review.cases.cancel()
    wait_for(qtbot, window, "cancelled")
    assert not window.review.state.is_paused


def test_case_that_is_gone_says_so(window, qtbot):
    window.review.cases.select("never-there")
    wait_for(qtbot, window, "empty")
    assert "E_STORE_NOT_FOUND" in window.review.state.message.text


def test_late_answer_of_another_case_is_dropped(window, qtbot, engine, kit, full_results):
    engine.keep("first", "complete", full_results, [])
    engine.keep("second", "error", StudyResults(), [])
    window.review.cases.select("first")
    window.review.cases.select("second")
    wait_for(qtbot, window, "error")
    qtbot.wait(50)
    assert window.review.state.case.key == "second"


def test_looking_at_another_case_does_not_disturb_the_run(window, qtbot, engine, kit, full_results):
    engine.keep("stored", "complete", full_results, [])
    engine.script = kit.Script().walk(until=State.DETECTION).events
    engine.holds = True
    start(window)
    qtbot.waitUntil(lambda: window.review.state.live_key == kit.RUN_ID, timeout=2000)
    window.review.cases.select("stored")
    wait_for(qtbot, window, "complete")
    assert window.review.is_running
    window.review.cases.select(kit.RUN_ID)
    assert window.review.state.case.phase == "running"
    window.review.cases.cancel()
    wait_for(qtbot, window, "cancelled")


@pytest.mark.parametrize(("answer", "left"), [(True, 0), (False, 1)])
def test_delete_asks_first(window, qtbot, engine, kit, full_results, monkeypatch, answer, left):
    engine.keep(kit.RUN_ID, "complete", full_results, [])
    window.review.cases.select(kit.RUN_ID)
    wait_for(qtbot, window, "complete")
    monkeypatch.setattr(dialogs, "confirm_delete", lambda parent: answer)
    window.menus.actions["delete_case"].trigger()
    qtbot.waitUntil(lambda: len(engine.stored) == left, timeout=2000)
    assert window.review.state.case.phase == ("empty" if answer else "complete")


@pytest.mark.parametrize("form", ["json", "csv"])
def test_export_writes_the_report(window, qtbot, engine, full_results, tmp_path, monkeypatch, form):
    start(window)
    wait_for(qtbot, window, "complete")
    path = tmp_path / f"report.{form}"
    monkeypatch.setattr(dialogs, "ask_export", lambda parent: (path, form))
    window.menus.actions["export_report"].trigger()
    qtbot.waitUntil(lambda: window.review.state.message is not None, timeout=5000)
    assert not window.review.state.message.is_error, window.review.state.message.text
    text = path.read_text(encoding="utf-8")
    assert "not for diagnostic use" in window.review.state.message.text
    assert engine.noted[-1] == ("export", "run-0", form)
    if form == "json":
        assert json.loads(text) == json.loads(json.dumps({**engine.report, "audit": None}))
    else:
        assert "lvef" in text


def test_export_into_nowhere_is_a_plain_error(window, qtbot, tmp_path, monkeypatch):
    start(window)
    wait_for(qtbot, window, "complete")
    monkeypatch.setattr(dialogs, "ask_export", lambda parent: (tmp_path / "none" / "r.json", "json"))
    window.menus.actions["export_report"].trigger()
    qtbot.waitUntil(lambda: window.review.state.message is not None, timeout=5000)
    assert window.review.state.message.is_error
    assert str(tmp_path) not in window.review.state.message.text


def test_signals_and_repaints_lose_no_references(window, qapp, full_results, kit):
    """PySide6 6.12.0 lost one reference of None or True with every call and ended in an abort."""
    window.review.update(case=kit.case_of(full_results))
    qapp.processEvents()
    before = (sys.getrefcount(True), sys.getrefcount(None))
    for i in range(300):
        window.views["echo"].curve.frame_wished.emit(i % 24)
        window.views["echo"].canvas.repaint()
    after = (sys.getrefcount(True), sys.getrefcount(None))
    assert after[0] >= before[0] - 50
    assert after[1] >= before[1] - 50
