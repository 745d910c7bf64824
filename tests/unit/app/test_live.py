"""What a run prints while it goes on."""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Iterator

import pytest

from app.interruption import cancelled_by_signals
from app.live import EventLines, Listener, LiveTable, StateLines, listener_for
from pipeline.cancellation import CancelToken
from pipeline.records import Branch, RunEvent


def event(
    kind: str,
    state: str,
    text: str = "",
    *,
    branch: Branch | None = None,
    code: str | None = None,
    fraction: float | None = None,
) -> RunEvent:
    return RunEvent(
        run_id="r1", seq=1, time_utc="2026-01-01T00:00:00.000Z", state=state, branch=branch, kind=kind,
        fraction=fraction, code=code, text=text,
    )  # fmt: skip


STORY = (
    event("state", "INIT", "request received"),
    event("state", "VALIDATION", "VALIDATION started"),
    event("branch", "VALIDATION", "running", branch="ecg"),
    event("retry", "VALIDATION", "attempt 2 of 3", branch="ecg", code="E_INPUT_UNREACHABLE"),
    event("progress", "VALIDATION", "half of it", branch="ecg", fraction=0.5),
    event("branch", "VALIDATION", "failed: the file is empty", branch="echo", code="E_INPUT_EMPTY"),
    event("state_done", "VALIDATION", "120 ms"),
    event("state", "COMPLETE", "finished"),
)


def lines_of(*events: RunEvent) -> list[str]:
    stream = io.StringIO()
    with StateLines(stream) as lines:
        for item in events:
            lines.on_event(item)
    return stream.getvalue().splitlines()


def test_a_line_for_every_state_with_its_time_and_its_notes_under_it() -> None:
    assert lines_of(*STORY) == [
        "INIT           request received",
        "VALIDATION     done     120 ms",
        "    E_INPUT_UNREACHABLE: attempt 2 of 3",
        "    echo: E_INPUT_EMPTY: failed: the file is empty",
        "COMPLETE       finished",
    ]


def test_the_state_before_an_error_is_not_called_done() -> None:
    events = (
        event("state", "RECEIPT", "RECEIPT started"),
        event("error", "RECEIPT", "There is nothing to analyse.", code="E_HARD_001"),
        event("state", "ERROR", "stopped in RECEIPT"),
    )
    assert lines_of(*events) == [
        "RECEIPT        failed",
        "    E_HARD_001: There is nothing to analyse.",
        "ERROR          stopped in RECEIPT",
    ]


def test_a_run_that_breaks_off_leaves_no_state_open() -> None:
    assert lines_of(event("state", "DETECTION", "DETECTION started")) == ["DETECTION      stopped"]


def test_a_reader_that_has_gone_does_not_stop_the_run() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with EventLines(Gone()) as lines:
        for item in STORY:
            lines.on_event(item)


def test_events_as_lines_of_json() -> None:
    stream = io.StringIO()
    with EventLines(stream) as lines:
        for item in STORY:
            lines.on_event(item)
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [item["kind"] for item in told] == [item.kind for item in STORY]
    assert told[4]["fraction"] == 0.5


def test_the_live_table_shows_state_and_branches_and_reads_no_markup() -> None:
    stream = io.StringIO()
    with LiveTable(stream) as table:
        for item in (*STORY, event("progress", "COMPLETE", "[bold]odd[/nothing]", branch="metadata")):
            table.on_event(item)
    shown = stream.getvalue()
    assert "COMPLETE" in shown
    assert "✕ failed" in shown
    assert "the file is empty" in shown
    assert "[bold]odd[/nothing]" in shown
    assert "E_INPUT_UNREACHABLE: attempt 2 of 3" in shown


def test_the_listener_fits_options_and_terminal() -> None:
    assert isinstance(listener_for(quiet=True, events=True), EventLines)
    assert type(listener_for(quiet=True, events=False)) is Listener
    assert isinstance(listener_for(quiet=False, events=False), StateLines)


@pytest.fixture
def usual_interrupt() -> Iterator[None]:
    """The handler of a program started from a terminal; a background shell starts its jobs with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("usual_interrupt")
def test_an_interrupt_cancels_once_and_then_the_default_holds() -> None:
    cancel = CancelToken()
    with cancelled_by_signals(cancel):
        os.kill(os.getpid(), signal.SIGINT)
        assert cancel.is_cancelled
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
