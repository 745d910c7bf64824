"""Menus and keys, built from ACTIONS."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from ui.actions import ACTIONS, MENUS, ActionSpec
from ui.icons import make_icon
from ui.shell.wishes import bound, find, switched
from ui.theme import Theme
from ui.view_state import ReviewState, conditions


class Menus:
    """The actions of the window by name; on, off and checked as the state says."""

    def __init__(self, window: QWidget, bar: QMenuBar, roots: Mapping[str, Any]) -> None:
        self.actions: dict[str, QAction] = {}
        self.menus: dict[str, QMenu] = {name: bar.addMenu(title) for name, title in MENUS}
        self._roots = roots
        self._theme: Theme | None = None
        self._drawn: dict[str, Theme] = {}  # the theme that the icons of each menu were drawn for
        for spec in ACTIONS:
            action = self._make(spec, window)
            self.actions[spec.name] = action
            self.menus[spec.menu].addAction(action)
        for name, menu in self.menus.items():
            menu.aboutToShow.connect(partial(self._draw_icons, name))

    def _make(self, spec: ActionSpec, window: QWidget) -> QAction:
        action = QAction(spec.text, window)
        action.setShortcut(spec.keys)
        action.setToolTip(spec.hint)
        action.setStatusTip("")
        action.setCheckable(spec.option is not None)
        if spec.option is not None and not spec.does:
            action.triggered.connect(switched(self._roots, spec.option))
        else:
            action.triggered.connect(bound(self._roots, spec.does, spec.arguments))
        return action

    def add(self, menu: str, name: str, action: QAction, keys: str) -> None:
        """Add what is not in the table: the switch of a dock."""
        action.setShortcut(keys)
        self.menus[menu].addAction(action)
        self.actions[name] = action

    def show_theme(self, theme: Theme) -> None:
        """The icons of a menu follow when it opens: all of them would hold up the first window."""
        self._theme = theme

    def _draw_icons(self, menu: str) -> None:
        theme = self._theme
        if theme is None or self._drawn.get(menu) is theme:
            return
        self._drawn[menu] = theme
        for spec in (spec for spec in ACTIONS if spec.menu == menu):
            self.actions[spec.name].setIcon(make_icon(spec.icon, theme.text))

    def show_state(self, state: ReviewState) -> None:
        held = conditions(state)
        for spec in ACTIONS:
            action = self.actions[spec.name]
            action.setEnabled(spec.condition in held)
            if spec.option is not None:
                action.setChecked(bool(find({"state": state}, f"state.{spec.option}")))
