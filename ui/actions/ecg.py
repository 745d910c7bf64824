"""The ECG's paper."""

from __future__ import annotations

from ui.actions.spec import ActionSpec

ACTIONS = (
    ActionSpec("show_grid", "ecg", "Show paper &grid", "G", "grid", option="ecg.grid", tip="Paper grid of 1 and 5 mm"),
    ActionSpec("show_r_ticks", "ecg", "Show &beats", "T", "ticks", option="ecg.r_ticks", tip="Beats and their classes"),
    ActionSpec(
        "show_marks", "ecg", "Show &marks", "M", "ecg_marks", option="ecg.marks", tip="P, QRS, T and intervals in ms"
    ),
    ActionSpec("ecg_next_layout", "ecg", "Next &layout", "L", "rows", "ecg.step_layout", (1,), "ecg"),
    ActionSpec("ecg_last_layout", "ecg", "Layout &before", "Shift+L", "rows", "ecg.step_layout", (-1,), "ecg"),
    ActionSpec("ecg_calipers", "ecg", "&Calipers", "C", "caliper", option="ecg.calipers", tip="Measure ms, bpm and mV"),
    ActionSpec(
        "ecg_march", "ecg", "March &out", "Shift+C", "march", option="ecg.march", tip="Repeat the caliper's interval"
    ),
    ActionSpec("ecg_keep_caliper", "ecg", "&Keep the caliper", "Ctrl+K", "edited", "ecg.keep_caliper", (), "ecg"),
    ActionSpec(
        "show_median",
        "ecg",
        "Me&dian beats, hours",
        "B",
        "median",
        option="ecg.median",
        tip="Median beats; of a long record its hours and episodes",
    ),
    ActionSpec("show_overlaid", "ecg", "Leads o&verlaid", "Shift+B", "overlaid", option="ecg.overlaid"),
    ActionSpec("show_course", "ecg", "Cour&se of the hours", "O", "plot", option="ecg.course"),
    ActionSpec("ecg_next_episode", "ecg", "Ne&xt episode", "J", "beat_forward", "ecg.step_episode", (1,), "ecg"),
    ActionSpec("ecg_last_episode", "ecg", "E&pisode before", "Shift+J", "beat_back", "ecg.step_episode", (-1,), "ecg"),
    ActionSpec("ecg_longest_pause", "ecg", "Longest pa&use", "U", "pause", "ecg.show_longest_pause", (), "ecg"),
    ActionSpec("ecg_more_gain", "ecg", "M&ore gain", "+", "taller", "review.ecg.step", ("more_gain",), "ecg"),
    ActionSpec("ecg_less_gain", "ecg", "L&ess gain", "-", "lower", "review.ecg.step", ("less_gain",), "ecg"),
    ActionSpec("ecg_faster", "ecg", "&Faster paper", "]", "wider", "review.ecg.step", ("faster",), "ecg"),
    ActionSpec("ecg_slower", "ecg", "Slo&wer paper", "[", "narrower", "review.ecg.step", ("slower",), "ecg"),
    ActionSpec("calibrate_screen", "ecg", "Calibrate this sc&reen…", "Ctrl+Shift+M", "wider", "asks.calibrate_screen"),
)

PAPER_KEYS = (  # what keys do while the paper, the median beat or the course has the focus
    ("Beat before, next beat", "Page up, Page down"),
    ("Class of the chosen beat", "N S V F Q"),
    ("Mark of the beat, line of the caliper", "Up, Down"),
    ("Move it by a sample, by five", "Left, Right, with Shift"),
    ("Keep what was moved", "Enter"),
    ("Let go", "Esc"),
    ("Menu of the mark or beat", "Menu key"),
    ("Course: move, zoom, show all", "Left, Right; +, -; Home"),
)
