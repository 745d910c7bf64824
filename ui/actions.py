"""Menus as data: what each action is called, its key, and when it makes sense."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action; `name` is also the window's method that does it."""

    name: str
    menu: str
    text: str
    keys: str
    condition: str = "always"
    option: str | None = None  # "echo.contours": a switch that shows this part of the state


MENUS = (("file", "&File"), ("view", "&View"), ("cine", "&Cine"), ("ecg", "&ECG"), ("case", "C&ase"), ("help", "&Help"))

ACTIONS = (
    ActionSpec("open_files", "file", "&Open study files…", "Ctrl+O", "idle"),
    ActionSpec("export_report", "file", "&Export report…", "Ctrl+E", "report"),
    ActionSpec("quit", "file", "&Quit", "Ctrl+Q"),
    ActionSpec("switch_theme", "view", "Switch dark and light &theme", "Ctrl+T"),
    ActionSpec("arrange_both", "view", "Echo &and ECG", "1"),
    ActionSpec("arrange_echo", "view", "&Echo alone", "2"),
    ActionSpec("arrange_ecg", "view", "E&CG alone", "3"),
    ActionSpec("show_signals", "view", "&Signals…", "Ctrl+L"),
    ActionSpec("toggle_play", "cine", "&Play or pause", "Space", "cine"),
    ActionSpec("previous_frame", "cine", "Pre&vious frame", "Left", "cine"),
    ActionSpec("next_frame", "cine", "&Next frame", "Right", "cine"),
    ActionSpec("previous_beat", "cine", "Previous &beat", "Shift+Left", "cine"),
    ActionSpec("next_beat", "cine", "Next b&eat", "Shift+Right", "cine"),
    ActionSpec("play_slower", "cine", "&Slower", ",", "cine"),
    ActionSpec("play_faster", "cine", "&Faster", ".", "cine"),
    ActionSpec("show_contours", "cine", "Show &contours", "V", option="echo.contours"),
    ActionSpec("show_areas", "cine", "Show &areas", "F", option="echo.areas"),
    ActionSpec("show_names", "cine", "Show na&mes", "N", option="echo.names"),
    ActionSpec("show_grid", "ecg", "Show paper &grid", "G", option="ecg.grid"),
    ActionSpec("show_r_ticks", "ecg", "Show R &ticks", "T", option="ecg.r_ticks"),
    ActionSpec("show_stacked", "ecg", "One row a &lead", "L", option="ecg.stacked"),
    ActionSpec("ecg_more_gain", "ecg", "&More gain", "+", "ecg"),
    ActionSpec("ecg_less_gain", "ecg", "L&ess gain", "-", "ecg"),
    ActionSpec("ecg_faster", "ecg", "&Faster paper", "]", "ecg"),
    ActionSpec("ecg_slower", "ecg", "&Slower paper", "[", "ecg"),
    ActionSpec("run_again", "case", "&Run again", "F5", "rerun"),
    ActionSpec("name_clips", "case", "&Views and sizes of the clips…", "Ctrl+I", "clips"),
    ActionSpec("cancel", "case", "&Cancel the run", "Ctrl+.", "running"),
    ActionSpec("resume", "case", "R&esume from the last checkpoint", "Ctrl+R", "resume"),
    ActionSpec("delete_case", "case", "&Delete this case…", "Ctrl+Del", "stored"),
    ActionSpec("show_keys", "help", "&Keys", "?"),
    ActionSpec("show_about", "help", "&About Chordae", "F1"),
)
