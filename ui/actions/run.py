"""The run that goes on, and going on with one that does not."""

from __future__ import annotations

from ui.actions.spec import ActionSpec

ACTIONS = (
    ActionSpec(
        "clear_queue",
        "run",
        "Forget the studies that &wait",
        "Ctrl+Shift+.",
        "delete",
        "review.cases.clear_queue",
        condition="queue",
    ),
    ActionSpec("cancel", "run", "&Cancel the run", "Ctrl+.", "cancel", "review.cases.cancel", condition="running"),
    ActionSpec(
        "resume",
        "run",
        "R&esume from the last checkpoint",
        "Ctrl+R",
        "resume",
        "review.cases.resume",
        condition="resume",
    ),
)
