"""The run that goes on, and going on with one that does not."""

from __future__ import annotations

from ui.actions.spec import ActionSpec

ACTIONS = (
    ActionSpec(
        "pause", "run", "&Pause or go on", "Ctrl+Shift+P", "pause", "review.run.pause", (), "running",
        tip="Hold the run before its next state or attempt, or let it go on",
    ),
    ActionSpec(
        "clear_queue", "run", "Forget the studies that &wait", "Ctrl+Shift+.", "delete", "review.cases.clear_queue", (),
        "queue",
    ),
    ActionSpec("cancel", "run", "&Cancel the run", "Ctrl+.", "cancel", "review.cases.cancel", condition="running"),
    ActionSpec(
        "resume", "run", "R&esume from the last checkpoint", "Ctrl+R", "resume", "review.cases.resume", (), "resume"
    ),
    ActionSpec(
        "resume_here", "run", "Resume from the state &looked at", "Ctrl+Shift+E", "resume", "state.wish_resume", (),
        "case", tip="Take what is stored of the states before, and compute the chosen state and all after it",
    ),
    ActionSpec(
        "next_state", "run", "&Next state of the run", "Alt+Right", "step_forward", "window.step_state", (1,), "case"
    ),
    ActionSpec(
        "previous_state", "run", "State of the run &before", "Alt+Left", "step_back", "window.step_state", (-1,), "case"
    ),
)  # fmt: skip
