"""What the window shows, and where."""

from __future__ import annotations

from ui.actions.spec import ActionSpec

ACTIONS = (
    ActionSpec("switch_theme", "view", "Switch dark and light &theme", "Ctrl+T", "theme", "review.looks.switch_theme"),
    ActionSpec("arrange_both", "view", "Echo &and ECG", "1", "layout_both", "review.looks.arrange", ("both",)),
    ActionSpec("arrange_echo", "view", "&Echo alone", "2", "echo", "review.looks.arrange", ("echo",)),
    ActionSpec("arrange_ecg", "view", "E&CG alone", "3", "ecg", "review.looks.arrange", ("ecg",)),
    ActionSpec("show_signals", "view", "&Signals…", "Ctrl+L", "plot", "asks.show_signals"),
)
