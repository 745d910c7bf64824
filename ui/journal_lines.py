"""The journal's events as plain lines. Knows no Qt."""

from __future__ import annotations

from pipeline.records import RunEvent
from ui.wording import clock_time


def journal_line(event: RunEvent) -> str:
    """One line in columns: time, state, branch, kind, share, code, text."""
    share = "" if event.fraction is None else f" {event.fraction:4.0%}"
    code = f" [{event.code}]" if event.code else ""
    branch = event.branch or ""
    return f"{clock_time(event.time_utc)}  {event.state:<13} {branch:<8} {event.kind:<10}{share}{code} {event.text}"
