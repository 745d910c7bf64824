"""Files in, reports out."""

from __future__ import annotations

from ui.actions.spec import ActionSpec

ACTIONS = (
    ActionSpec("open_files", "file", "&Open study files…", "Ctrl+O", "open", "asks.open_files", condition="idle"),
    ActionSpec(
        "export_report", "file", "&Export report…", "Ctrl+E", "export", "asks.export_report", condition="report"
    ),
    ActionSpec("quit", "file", "&Quit", "Ctrl+Q", "quit", "window.close"),
)
