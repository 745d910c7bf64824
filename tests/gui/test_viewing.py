"""What a reader looks at is in the audit: what stood on screen, not every passing glance."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ui.view_state import CaseView, EchoOptions


@pytest.fixture
def viewing(window, kit, full_results, monkeypatch):
    """A window on a finished case, whose looks settle when the test says so."""
    window.review.update(case=kit.case_of(full_results))
    return window.review.viewing


@pytest.fixture
def settled(window, engine, viewing):
    """Rows that settling adds to the audit."""

    def settle() -> list[tuple[str, str | None, str]]:
        before = len(engine.noted)
        viewing.flush()
        window.review.session.settle()
        return engine.noted[before:]

    return settle


def test_a_case_is_noted_once_however_much_is_moved_on_it(window, viewing, settled, kit, full_results):
    assert settled() == [("view", kit.RUN_ID, "case, protocol auto")]
    for frame in range(30):
        window.review.echo.focus(0, frame)
        window.review.update(echo=replace(EchoOptions(), contours=bool(frame % 2)))
    assert settled() == []


def test_protocols_are_noted_when_they_stand(window, settled, kit):
    settled()
    for protocol in ("ef", "cines", "ecg"):
        window.review.looks.hang(protocol)  # gone through: only the last one stands
    assert settled() == [("view", kit.RUN_ID, "case, protocol ecg")]
    window.review.looks.hang("ecg")
    assert settled() == [("view", kit.RUN_ID, "case, protocol auto")]


def test_an_intermediate_result_is_noted_by_its_name(window, qtbot, settled, kit):
    settled()
    window.asks.show_data()
    window.asks.data.choose("echo.1.labels")
    for frame in range(20):
        window.asks.data.slider.setValue(frame)
    assert settled() == [("view", kit.RUN_ID, "intermediate result echo.1.labels")]
    window.asks.data.hide()
    assert settled() == []
    window.asks.data.show()
    assert settled() == [("view", kit.RUN_ID, "intermediate result echo.1.labels")]


def test_a_case_that_is_loading_or_running_without_a_name_is_not_noted(window, settled):
    settled()
    for case in (CaseView(key="live", phase="running"), CaseView(key="x", phase="loading"), CaseView()):
        window.review.update(case=case)
        assert settled() == []


def test_what_has_settled_by_itself_is_noted_by_the_timer(window, qtbot, engine, monkeypatch, kit, full_results):
    monkeypatch.setattr("ui.viewing.SETTLE_MS", 10)
    window.review.update(case=kit.case_of(full_results))
    qtbot.waitUntil(lambda: ("view", kit.RUN_ID, "case, protocol auto") in engine.noted, timeout=20_000)


def test_what_is_on_screen_at_the_end_is_noted_before_the_window_closes(window, viewing, engine, kit):
    window.close()
    assert ("view", kit.RUN_ID, "case, protocol auto") in engine.noted
    assert not any(kit.CANARY in word for row in engine.noted for word in map(str, row))
