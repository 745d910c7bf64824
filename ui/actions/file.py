"""Files in, reports out."""

from __future__ import annotations

from ui.actions.spec import ActionSpec

ACTIONS = (
    ActionSpec("open_files", "file", "&Open study files…", "Ctrl+O", "open", "asks.open_files"),
    ActionSpec("open_folder", "file", "Open &folder…", "Ctrl+Shift+O", "folder", "asks.open_folder"),
    ActionSpec(
        "export_report", "file", "&Export report…", "Ctrl+E", "export", "asks.export_report", condition="report"
    ),
    ActionSpec(
        "preview_report", "file", "&Preview of the report…", "Ctrl+P", "page", "asks.preview_report", condition="report"
    ),
    ActionSpec(
        "protect_store",
        "file",
        "Pass&phrase of the store…",
        "Ctrl+Shift+K",
        "lock",
        "asks.protect_store",
        tip="Encrypt the stored cases, change the passphrase, or decrypt them",
    ),
    ActionSpec("quit", "file", "&Quit", "Ctrl+Q", "quit", "window.close"),
)
