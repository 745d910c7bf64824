"""The case on screen."""

from __future__ import annotations

from ui.actions.spec import ActionSpec

ACTIONS = (
    ActionSpec("undo", "case", "&Undo", "Ctrl+Z", "step_back", "review.edits.undo", condition="stored"),
    ActionSpec("redo", "case", "Red&o", "Ctrl+Y", "step_forward", "review.edits.redo", condition="stored"),
    ActionSpec("run_again", "case", "&Run again", "F5", "retry", "review.cases.run_again", condition="rerun"),
    ActionSpec(
        "state_facts",
        "case",
        "&Facts about the patient…",
        "Ctrl+M",
        "facts",
        "asks.state_facts",
        condition="resumable",
        tip="Age, size and illnesses that the scores need",
    ),
    ActionSpec(
        "name_clips", "case", "&Views and sizes of the clips…", "Ctrl+I", "edited", "asks.name_clips", condition="clips"
    ),
    ActionSpec(
        "show_comparison",
        "case",
        "&Compare with another run…",
        "Ctrl+Shift+C",
        "compare",
        "asks.show_comparison",
        condition="report",
        tip="Measures with their change beside the repeat noise, and every field of both results",
    ),
    ActionSpec(
        "delete_case", "case", "&Delete this case…", "Ctrl+Del", "delete", "asks.delete_case", condition="stored"
    ),
)
