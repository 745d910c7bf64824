"""What the window shows, and where."""

from __future__ import annotations

from ui.actions.spec import ActionSpec

ACTIONS = (
    ActionSpec(
        "hang_ef", "view", "&EF review", "1", "hang_ef", "review.looks.hang", ("ef",), "cine",
        tip="EF review: four- and two-chamber view at end-diastole and end-systole",
    ),
    ActionSpec(
        "hang_cines", "view", "&Cine compare", "2", "hang_cines", "review.looks.hang", ("cines",), "cine",
        tip="Cine compare: all clips play side by side",
    ),
    ActionSpec(
        "hang_ecg", "view", "ECG &only", "3", "ecg", "review.looks.hang", ("ecg",), "case",
        tip="ECG only: the ECG takes the room of the echo",
    ),
    ActionSpec(
        "hang_prior", "view", "&Prior compare", "4", "prior", "review.looks.hang", ("prior",), "case",
        tip="Prior compare: an earlier case beside this one",
    ),
    ActionSpec("grid_1x1", "view", "Grid 1 × &1", "Ctrl+1", "grid_1x1", "review.looks.set_grid", (1, 1), "cine"),
    ActionSpec("grid_1x2", "view", "Grid 1 × &2", "Ctrl+2", "grid_1x2", "review.looks.set_grid", (1, 2), "cine"),
    ActionSpec("grid_2x2", "view", "&Grid 2 × 2", "Ctrl+3", "grid_2x2", "review.looks.set_grid", (2, 2), "cine"),
    ActionSpec("show_signals", "view", "&Signals…", "Ctrl+L", "plot", "asks.show_signals"),
    ActionSpec(
        "show_data",
        "view",
        "&Intermediate results…",
        "Ctrl+Shift+L",
        "data",
        "asks.show_data",
        tip="Every array and table of the run, as picture, plot, text and file",
    ),
    ActionSpec("switch_theme", "view", "Switch dark and light &theme", "Ctrl+T", "theme", "review.looks.switch_theme"),
    ActionSpec(
        "switch_role", "view", "S&witch clinician and researcher", "Ctrl+Shift+R", "role", "review.looks.switch_role",
        tip="Clinician or researcher: each has docks of its own, and edits are stored under the role",
    ),
    ActionSpec(
        "float_panel", "view", "Pane&l in a window of its own", "Ctrl+Shift+D", "layout_both",
        "window.stage.toggle_float", tip="The panel that has the focus, for a second screen; again: back",
    ),
    ActionSpec(
        "restore_layout", "view", "&Restore layout", "Ctrl+0", "layout_both", "window.restore_layout",
        tip="Put every dock back to where it stood at first",
    ),
)  # fmt: skip
