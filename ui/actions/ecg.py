"""The ECG's paper."""

from __future__ import annotations

from ui.actions.spec import ActionSpec

ACTIONS = (
    ActionSpec("show_grid", "ecg", "Show paper &grid", "G", "grid", option="ecg.grid"),
    ActionSpec("show_r_ticks", "ecg", "Show R &ticks", "T", "ticks", option="ecg.r_ticks"),
    ActionSpec("show_stacked", "ecg", "One row a &lead", "L", "rows", option="ecg.stacked"),
    ActionSpec("ecg_more_gain", "ecg", "&More gain", "+", "taller", "review.ecg.step", ("more_gain",), "ecg"),
    ActionSpec("ecg_less_gain", "ecg", "L&ess gain", "-", "lower", "review.ecg.step", ("less_gain",), "ecg"),
    ActionSpec("ecg_faster", "ecg", "&Faster paper", "]", "wider", "review.ecg.step", ("faster",), "ecg"),
    ActionSpec("ecg_slower", "ecg", "&Slower paper", "[", "narrower", "review.ecg.step", ("slower",), "ecg"),
)
