"""Menus as data: one module a menu; the window builds its menus, keys and help from ACTIONS."""

from __future__ import annotations

from ui.actions import case, cine, ecg, echo_edit, file, help_menu, run, view
from ui.actions.spec import ActionSpec

__all__ = ["ACTIONS", "MENUS", "ActionSpec"]

MENUS = (
    ("file", "&File"),
    ("view", "&View"),
    ("cine", "&Cine"),
    ("ecg", "&ECG"),
    ("case", "C&ase"),
    ("run", "&Run"),
    ("help", "&Help"),
)

ACTIONS = (
    *file.ACTIONS,
    *view.ACTIONS,
    *cine.ACTIONS,
    *echo_edit.ACTIONS,
    *ecg.ACTIONS,
    *case.ACTIONS,
    *run.ACTIONS,
    *help_menu.ACTIONS,
)
