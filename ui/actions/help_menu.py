"""Help."""

from __future__ import annotations

from ui.actions.spec import ActionSpec

ACTIONS = (
    ActionSpec("show_keys", "help", "&Keys", "?", "help", "asks.show_keys"),
    ActionSpec("show_about", "help", "&About Chordae", "F1", "chordae", "asks.show_about"),
)
