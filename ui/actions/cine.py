"""Playing the clip and what is drawn over it."""

from __future__ import annotations

from ui.actions.spec import ActionSpec

ACTIONS = (
    ActionSpec("toggle_play", "cine", "&Play or pause", "Space", "play", "echo.toggle_play", condition="cine"),
    ActionSpec(
        "previous_frame", "cine", "Pre&vious frame", "Left", "step_back", "echo.previous_frame", condition="cine"
    ),
    ActionSpec("next_frame", "cine", "&Next frame", "Right", "step_forward", "echo.next_frame", condition="cine"),
    ActionSpec(
        "previous_beat", "cine", "Previous &beat", "Shift+Left", "beat_back", "echo.previous_beat", condition="cine"
    ),
    ActionSpec("next_beat", "cine", "Next b&eat", "Shift+Right", "beat_forward", "echo.next_beat", condition="cine"),
    ActionSpec("play_slower", "cine", "&Slower", ",", "slower", "echo.step_speed", (-1,), condition="cine"),
    ActionSpec("play_faster", "cine", "&Faster", ".", "faster", "echo.step_speed", (1,), condition="cine"),
    ActionSpec("show_contours", "cine", "Show &contours", "V", "contour", option="echo.contours"),
    ActionSpec("show_areas", "cine", "Show &areas", "F", "area", option="echo.areas"),
    ActionSpec("show_names", "cine", "Show na&mes", "N", "label", option="echo.names"),
)
