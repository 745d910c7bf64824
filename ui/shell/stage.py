"""Where the views stand: the centre, the docks, the foot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QFrame, QMainWindow, QSplitter, QStatusBar, QVBoxLayout

from ui.shell.view_table import AREAS, VIEWS, ViewSpec
from ui.view_state import ReviewState


class Stage:
    """Places the views in a window and gives the room to what the case has."""

    def __init__(self, window: QMainWindow, views: Mapping[str, Any]) -> None:
        self._window = window
        self._views = views
        self._shown: tuple[Any, ...] | None = None
        self.panels: list[QFrame] = []
        self.docks: dict[str, QDockWidget] = {}
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self._fill_centre()
        window.setDockNestingEnabled(True)
        window.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.BottomDockWidgetArea)
        window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.BottomDockWidgetArea)
        for spec in (s for s in VIEWS if s.place in dict(AREAS)):
            self._add_dock(spec)
        self._fill_foot()
        window.resizeDocks([self.docks["studies"], self.docks["findings"]], [200, 350], Qt.Orientation.Horizontal)

    def _fill_centre(self) -> None:
        for name in (spec.name for spec in VIEWS if spec.place == "centre"):
            frame = QFrame()
            frame.setObjectName("panel")
            column = QVBoxLayout(frame)
            column.setContentsMargins(1, 1, 1, 1)
            column.addWidget(self._views[name])
            self.splitter.addWidget(frame)
            self.panels.append(frame)
        self.splitter.setChildrenCollapsible(False)
        self._window.setCentralWidget(self.splitter)

    def _add_dock(self, spec: ViewSpec) -> None:
        dock = QDockWidget(spec.title)
        dock.setObjectName(spec.name)
        dock.setWidget(self._views[spec.name])
        features = QDockWidget.DockWidgetFeature
        dock.setFeatures(features.DockWidgetClosable | features.DockWidgetMovable)
        self._window.addDockWidget(dict(AREAS)[spec.place], dock)
        dock.setVisible(spec.is_open)
        self.docks[spec.name] = dock

    def _fill_foot(self) -> None:
        foot = QStatusBar()
        foot.setSizeGripEnabled(False)
        for spec in (s for s in VIEWS if s.place == "foot"):
            foot.addWidget(self._views[spec.name], 1)
        self._window.setStatusBar(foot)

    def show_state(self, state: ReviewState) -> None:
        """Give the room to what the case has, unless the reader chose otherwise."""
        case = state.case
        wanted = (state.arrangement, case.has_echo, case.has_ecg, case.request)
        if wanted == self._shown:
            return
        self._shown = wanted
        request = case.request
        auto_echo = case.has_echo or (request is not None and request.has_echo)
        auto_ecg = case.has_ecg or (request is not None and request.has_ecg)
        shown = {
            "auto": (auto_echo or not auto_ecg, auto_ecg),
            "both": (True, True),
            "echo": (True, False),
            "ecg": (False, True),
        }[state.arrangement]
        for place, is_shown in enumerate(shown):
            self.panels[place].setVisible(is_shown)
        if all(shown):
            self.splitter.setSizes([470, 500])
