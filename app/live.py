"""What a run prints while it goes on: a live table on a terminal, plain lines elsewhere, or JSON lines."""

from __future__ import annotations

import json
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from pipeline.records import BRANCHES, Branch, RunEvent

if TYPE_CHECKING:
    from rich.console import RenderableType

ICONS: dict[str, str] = {
    "pending": "○",
    "running": "◐",
    "ok": "✓",
    "degraded": "◒",
    "skipped": "–",
    "failed": "✕",
    "cached": "⟳",
}
ENDED_WELL = ("ok", "cached")
SAID_KINDS = ("retry", "warning", "error")
UNTIMED_STATES = ("INIT", "COMPLETE", "ERROR")  # entered and left at once
REDRAW_S = 0.1


class Listener(AbstractContextManager["Listener"]):
    """Hears the events of a run; this one says nothing."""

    def on_event(self, event: RunEvent) -> None:
        """One event, in the order of the journal."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End whatever was shown."""


class Lines(Listener):
    """Says lines to a stream; goes silent when nobody reads it any more, because the run must go on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream

    def say(self, text: str) -> None:
        """One or more lines, seen at once."""
        if self._stream is None:
            return
        try:
            self._stream.write(text + "\n")
            self._stream.flush()
        except OSError:
            self._stream = None


class EventLines(Lines):
    """Every event as one line of JSON, for programs."""

    def on_event(self, event: RunEvent) -> None:
        self.say(json.dumps(asdict(event), allow_nan=False))


class StateLines(Lines):
    """A line per state with its time, and under it the branches' ends, warnings and errors."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._open_state = ""
        self._notes: list[str] = []

    def on_event(self, event: RunEvent) -> None:
        if event.kind == "state":
            self._end_state(self._open_state, "failed")
            self._open_state = event.state
            if event.state in UNTIMED_STATES:
                self._end_state(event.state, event.text)
        elif event.kind == "state_done":
            self._end_state(event.state, f"done {event.text:>10}")
        elif note := _note(event):
            self._notes.append(note)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_state(self._open_state, "stopped")

    def _end_state(self, state: str, text: str) -> None:
        if not self._open_state:
            return
        lines = [f"{state:<14} {text}".rstrip(), *(f"    {note}" for note in self._notes)]
        self.say("\n".join(lines))
        self._open_state, self._notes = "", []


def _note(event: RunEvent) -> str | None:
    """What deserves a line of its own under a state."""
    code = f"{event.code}: " if event.code else ""
    if event.kind == "branch" and event.text not in ("pending", "running", *ENDED_WELL):
        return f"{event.branch}: {code}{event.text}"
    if event.kind in (*SAID_KINDS, "restored"):
        return f"{code}{event.text}"
    return None


class LiveTable(Listener):
    """The state and a line per branch, redrawn in place on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(file=stream)
        self._live = Live(console=self._console, auto_refresh=False)
        self._state = "INIT"
        self._word: dict[Branch, str] = dict.fromkeys(BRANCHES, "pending")
        self._fraction: dict[Branch, float] = dict.fromkeys(BRANCHES, 0.0)
        self._text: dict[Branch, str] = dict.fromkeys(BRANCHES, "")
        self._drawn_s = 0.0

    def __enter__(self) -> LiveTable:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.update(self._table(), refresh=True)
        self._live.stop()

    def on_event(self, event: RunEvent) -> None:
        if event.kind == "state":
            self._state = event.state
            self._fraction = dict.fromkeys(BRANCHES, 0.0)
        elif event.branch is not None:
            self._note_branch(event, event.branch)
        if event.kind in SAID_KINDS:
            self._console.print(f"{event.code + ': ' if event.code else ''}{event.text}", markup=False)
        if event.kind != "progress" or time.monotonic() - self._drawn_s >= REDRAW_S:
            self._drawn_s = time.monotonic()
            self._live.update(self._table(), refresh=True)

    def _note_branch(self, event: RunEvent, branch: Branch) -> None:
        if event.kind == "branch":
            # the reason stands behind the word: "skipped: not part of this study"
            self._word[branch], _, self._text[branch] = event.text.partition(": ")
        elif event.kind in ("progress", "retry", "restored"):
            self._text[branch] = event.text
        if event.fraction is not None:
            self._fraction[branch] = event.fraction

    def _table(self) -> RenderableType:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, show_header=False, title=self._state, title_justify="left", pad_edge=False)
        for branch in BRANCHES:
            word = self._word[branch]
            fraction = 1.0 if word in ENDED_WELL else self._fraction[branch]
            bar = ProgressBar(total=1.0, completed=fraction, width=20)
            # Text, not str: nothing that an event says is read as markup
            table.add_row(branch, f"{ICONS.get(word, '·')} {word}", bar, Text(self._text[branch]))
        return table


def listener_for(*, quiet: bool, events: bool) -> Listener:
    """The listener that fits the options and the terminal."""
    if events:
        return EventLines(sys.stdout)
    if quiet:
        return Listener()
    if sys.stdout.isatty():
        return LiveTable(sys.stdout)
    return StateLines(sys.stdout)
