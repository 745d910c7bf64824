"""Editing and measuring on the echo, and how its picture is drawn."""

from __future__ import annotations

from typing import Any

from ui.actions.spec import ActionSpec


def _edit(name: str, text: str, keys: str, icon: str, does: str, *arguments: Any, tip: str = "") -> ActionSpec:
    """An act on a finished case."""
    return ActionSpec(name, "cine", text, keys, icon, does, arguments, "edit", tip=tip)


def _verdict(name: str, text: str, keys: str, icon: str, verdict: str) -> ActionSpec:
    return ActionSpec(name, "case", text, keys, icon, "review.echo.judge", (verdict,), "edit")


def _look(name: str, text: str, keys: str, icon: str, does: str, *arguments: Any, tip: str = "") -> ActionSpec:
    return ActionSpec(name, "cine", text, keys, icon, does, arguments, "cine", tip=tip)


ACTIONS = (
    _edit("edit_contours", "&Edit outlines", "E", "edited", "review.echo.take_tool", "pull"),
    _edit("edit_structure", "Next outl&ine", "Shift+E", "contour", "review.echo.step_structure"),
    _edit("edit_pull", "P&ull a point", "Shift+P", "edited", "review.echo.choose_tool", "pull"),
    _edit("edit_redraw", "Re&draw a part", "Shift+D", "edited", "review.echo.choose_tool", "redraw"),
    _edit(
        "edit_points",
        "Three &points",
        "Shift+T",
        "edited",
        "review.echo.choose_tool",
        "points",
        tip="Click the annulus left, right and the apex: the model's outline is fitted",
    ),
    _edit("reset_contour", "&Reset to the model's", "Ctrl+Backspace", "retry", "echo.hand.reset_contour"),
    _edit("set_ed", "This is end-di&astole", "D", "ed_mark", "echo.hand.mark_phase", "ed"),
    _edit("set_es", "This is end-s&ystole", "S", "es_mark", "echo.hand.mark_phase", "es"),
    _edit("measure_length", "Measure &length", "X", "caliper", "review.echo.take_tool", "length"),
    _edit("measure_area", "Measure a&rea", "Shift+X", "area", "review.echo.take_tool", "area"),
    _edit(
        "calibrate_clip",
        "Calibrate by a length…",
        "Ctrl+Shift+X",
        "ruler",
        "review.echo.take_tool",
        "calibrate",
        tip="Draw a known length in a clip without calibration",
    ),
    _edit("lay_down_tool", "No &tool", "Esc", "cancel", "review.echo.lay_down"),
    ActionSpec("show_axis", "cine", "Show long a&xis", "I", "axis", option="echo.axis"),
    ActionSpec("show_discs", "cine", "Show &discs", "Y", "discs", option="echo.discs"),
    ActionSpec("show_segments", "cine", "Show wall se&gments", "K", "segments", option="echo.segments"),
    ActionSpec("show_scale", "cine", "Show &millimetres", "Shift+M", "ruler", option="echo.scale"),
    ActionSpec("show_calipers", "cine", "Show cali&pers", "Q", "caliper", option="echo.calipers"),
    ActionSpec("loop_beat", "cine", "&Loop one beat", "H", "beat_loop", option="echo.loop_beat"),
    _look("zoom_in", "&Zoom in", "Ctrl++", "zoom_in", "echo.hand.zoom", 1),
    _look("zoom_out", "Zoom &out", "Ctrl+-", "zoom_out", "echo.hand.zoom", -1),
    _look("reset_view", "&Whole frame", "0", "echo", "echo.hand.reset_view"),
    _look("gain_up", "Mo&re gain", "Shift+Up", "taller", "review.echo.step_gain", 1),
    _look("gain_down", "Less gai&n", "Shift+Down", "lower", "review.echo.step_gain", -1),
    _look(
        "reset_levels",
        "Grey levels as recorded",
        "Shift+0",
        "retry",
        "review.echo.reset_levels",
        tip="Window, level and gain as recorded; drag with the right button to change them",
    ),
    ActionSpec("ask_why", "case", "&Why?", "W", "why", "window.stage.show_dock", ("why",), "case"),
    _verdict("accept_measure", "&Accept the measure", "A", "done", "accepted"),
    _verdict("reject_measure", "Re&ject the measure", "R", "failed", "rejected"),
)
