"""The case on screen."""

from __future__ import annotations

from ui.actions.spec import ActionSpec

ACTIONS = (
    ActionSpec("run_again", "case", "&Run again", "F5", "retry", "review.cases.run_again", condition="rerun"),
    ActionSpec(
        "name_clips", "case", "&Views and sizes of the clips…", "Ctrl+I", "edited", "asks.name_clips", condition="clips"
    ),
    ActionSpec(
        "delete_case", "case", "&Delete this case…", "Ctrl+Del", "delete", "asks.delete_case", condition="stored"
    ),
)
