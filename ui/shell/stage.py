"""Where the views stand: the centre, the docks, the foot; kept for each role, given back on wish."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import QByteArray, QRect, Qt, QTimer
from PySide6.QtGui import QFontMetrics, QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QFrame,
    QMainWindow,
    QStatusBar,
    QTabBar,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from ui.shell.view_table import AREAS, VIEWS, ViewSpec
from ui.view_state import CaseView, ReviewState

TIDY_MS = 30
USUAL_LINE_PX = 15.0  # of the font that SIDE_PX fits
HELD_PX = (80, 24)  # of a floating dock's title that must be on a screen
TAB_HINT = "Double-click: a window of its own (Ctrl+Shift+D)"
LAYOUT_VERSION = 1  # grows when docks come or go; layouts of another version are ignored
FIRST = ("studies", "findings", "ecg")  # of each area: the dock that the others are tabs of
AREA_NAMES = tuple(name for name, _ in AREAS)
PLACES = tuple((spec.name, spec.place) for spec in VIEWS)
SIDE_PX = (("studies", 252), ("findings", 350))
ECG_SHARES = (  # what the case has and how it is hung -> share of the height that the ECG takes under the echo
    ("both", 0.5),
    ("ecg", 0.84),
    ("echo", 0.16),
    ("none", 0.16),
    ("hung", 0.38),
)


class Stage:
    """Places the views in a window and gives the room to what the case has."""

    def __init__(self, window: QMainWindow, views: Mapping[str, Any]) -> None:
        self._window = window
        self._views = views
        self._kind = ""
        self._waiting: list[str] = []  # docks to be shown once the window is
        self._tidy_soon = QTimer(window)  # Qt places tab bars in the next turns of the loop
        self._tidy_soon.setSingleShot(True)
        self._tidy_soon.setInterval(TIDY_MS)
        self._tidy_soon.timeout.connect(self.tidy_tabs)
        self._bring_back_soon = QTimer(window)  # Qt moves windows itself first
        self._bring_back_soon.setSingleShot(True)
        self._bring_back_soon.setInterval(TIDY_MS)
        self._bring_back_soon.timeout.connect(self.bring_back)
        self.centre = QFrame()
        self.docks: dict[str, QDockWidget] = {}
        self._bare: dict[str, QWidget] = {}  # in place of the title of a dock among tabs
        self._fill_centre()
        window.setDockNestingEnabled(True)
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        for corner, area in (
            (Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea),
            (Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea),
        ):
            window.setCorner(corner, area)  # the ECG stands under the echo, not under the lists
        for spec in (s for s in VIEWS if s.place in dict(AREAS)):
            dock = self.docks[spec.name] = _make_dock(spec, views[spec.name])
            for changed in (dock.topLevelChanged, dock.dockLocationChanged, dock.visibilityChanged):
                changed.connect(self._tidy_soon.start)
        application = QGuiApplication.instance()
        if isinstance(application, QGuiApplication):
            application.screenRemoved.connect(self._bring_back_soon.start)
        self._fill_foot()
        self.set_out("clinician")

    def _fill_centre(self) -> None:
        self.centre.setObjectName("panel")
        column = QVBoxLayout(self.centre)
        column.setContentsMargins(1, 1, 1, 1)
        for spec in (s for s in VIEWS if s.place == "centre"):
            column.addWidget(self._views[spec.name])
        self._window.setCentralWidget(self.centre)

    def _fill_foot(self) -> None:
        foot = QStatusBar()
        foot.setSizeGripEnabled(False)
        for spec in (s for s in VIEWS if s.place == "foot"):
            foot.addWidget(self._views[spec.name], 1)
        self._window.setStatusBar(foot)

    # --- layouts ------------------------------------------------------------------------------------

    def set_out(self, role: str) -> None:
        """Put every dock to where it stands at first for a role."""
        for dock in self.docks.values():
            dock.setFloating(False)
            self._window.removeDockWidget(dock)  # out of its tabs; a hidden dock in them would leave a stray tab bar
        for spec in (s for s in VIEWS if s.name in self.docks):
            dock = self.docks[spec.name]
            self._window.addDockWidget(dict(AREAS)[spec.place], dock)
            dock.setVisible(False)
        wanted = [s.name for s in VIEWS if s.name in self.docks and role in s.open_for]
        # tabs made in a window that is not shown yet leave a stray tab bar: they wait for `come_up`
        now = wanted if self._window.isVisible() else [name for name in wanted if name in FIRST]
        self._waiting = [name for name in wanted if name not in now]
        for name in now:
            self.show_dock(name)
        self._raise_first()
        sides = [self.docks[name] for name, _ in SIDE_PX]
        widths = [self._side_px(width_px) for _, width_px in SIDE_PX]
        self._window.resizeDocks(sides, widths, Qt.Orientation.Horizontal)
        self._share_height()
        self._tidy_soon.start()

    def _side_px(self, width_px: int) -> int:
        """As wide as the reader's font needs, but never a third of the window."""
        larger = QFontMetrics(self._window.font()).height() / USUAL_LINE_PX
        return round(min(width_px * max(larger, 1.0), max(0.28 * self._window.width(), width_px)))

    def come_up(self) -> None:
        """The window is on screen: add the docks that are tabs of others."""
        waiting, self._waiting = self._waiting, []
        for name in waiting:
            self.show_dock(name)
        if waiting:
            self._raise_first()

    def _raise_first(self) -> None:
        for name in FIRST:
            self.docks[name].raise_()

    def show_dock(self, name: str) -> None:
        """Show a dock, as a tab of the first one of its area, and bring it to the front."""
        dock = self.docks[name]
        if dock.isHidden():
            first = self.docks[FIRST[AREA_NAMES.index(dict(PLACES)[name])]]
            area = self._window.dockWidgetArea(dock)
            has_company = (
                first is not dock and not first.isHidden() and not first.isFloating() and not dock.isFloating()
            )
            if has_company and self._window.dockWidgetArea(first) == area:
                self._window.tabifyDockWidget(first, dock)  # a hidden dock in a tab would leave a stray tab bar
            dock.show()
        dock.raise_()
        self._tidy_soon.start()

    def tidy_tabs(self) -> None:
        """Hide the tab bars that Qt leaves behind when tabbed docks are placed anew: one bar a group stays."""
        groups = [self._group_of(dock) for dock in self.docks.values() if dock.isVisible() and not dock.isFloating()]
        wanted = {group for group in groups if len(group) > 1}
        for bar in reversed(self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)):
            group = frozenset(bar.tabText(place) for place in range(bar.count()))
            bar.setVisible(group in wanted)
            wanted.discard(group)
            if bar.toolTip() != TAB_HINT:  # a bar that is new here
                bar.setToolTip(TAB_HINT)
                bar.setElideMode(Qt.TextElideMode.ElideNone)
                bar.setUsesScrollButtons(True)
                bar.tabBarDoubleClicked.connect(partial(self._float_tab, bar))
        for name, dock in self.docks.items():
            is_tab = dock.isVisible() and not dock.isFloating() and len(self._group_of(dock)) > 1
            self._show_title(name, dock, is_tab=is_tab)

    def _show_title(self, name: str, dock: QDockWidget, *, is_tab: bool) -> None:
        """A dock among tabs has its name on its tab; a title of its own would say it twice."""
        if is_tab and name not in self._bare:
            self._bare[name] = QWidget(dock)
            dock.setTitleBarWidget(self._bare[name])
        elif not is_tab and name in self._bare:
            dock.setTitleBarWidget(None)  # type: ignore[arg-type]  # Qt's own title again
            self._bare.pop(name).deleteLater()

    def _float_tab(self, bar: QTabBar, place: int) -> None:
        title = bar.tabText(place)
        for dock in self.docks.values():
            if dock.windowTitle() == title:
                dock.setFloating(True)

    def toggle_float(self) -> None:
        """Put the panel that has the focus, else the findings, into a window of its own, or back."""
        focus = QApplication.focusWidget() or self._window.focusWidget()
        held = next((dock for dock in self.docks.values() if focus is not None and dock.isAncestorOf(focus)), None)
        dock = held or self.docks["findings"]
        dock.setFloating(not dock.isFloating())
        dock.show()

    def _group_of(self, dock: QDockWidget) -> frozenset[str]:
        """Titles of a dock and of those in tabs with it."""
        others = [other for other in self._window.tabifiedDockWidgets(dock) if not other.isHidden()]
        return frozenset(each.windowTitle() for each in (dock, *others))

    def layout_text(self) -> str:
        """The layout as text with a check sum."""
        state = self._window.saveState(LAYOUT_VERSION).toBase64().toStdString()
        return f"{_sum_of(state)}:{state}"

    def restore(self, text: str, role: str) -> None:
        """Put the docks to where they were kept; a text that is damaged or of another version sets them out anew."""
        kept, _, state = text.partition(":")
        try:
            is_whole = bool(state) and kept == _sum_of(state)
            data = base64.b64decode(state, validate=True) if is_whole else b""
        except (binascii.Error, ValueError):
            data = b""
        self._waiting = []
        if not data or not self._window.restoreState(QByteArray(data), LAYOUT_VERSION):
            self.set_out(role)
        self.bring_back()
        self._tidy_soon.start()

    def bring_back(self) -> None:
        """A dock that floats where no screen is any more, so that it could not be taken hold of, comes back."""
        screens = [screen.availableGeometry() for screen in self._window.screen().virtualSiblings()]
        for dock in self.docks.values():
            if dock.isFloating() and not any(_can_be_held(dock.frameGeometry(), screen) for screen in screens):
                dock.setFloating(False)

    # --- room ---------------------------------------------------------------------------------------

    def show_state(self, state: ReviewState) -> None:
        """Give the room to what the case has and to how it is hung; only when that changes."""
        is_ecg_alone = state.hanging == "ecg"
        kind = "ecg alone" if is_ecg_alone else "hung" if state.hanging != "auto" else _kind_of(state.case)
        if kind == self._kind:
            return
        self._kind = kind
        self.centre.setVisible(not is_ecg_alone)
        if is_ecg_alone or kind == "ecg":
            self.show_dock("ecg")
        if state.hanging == "prior":
            self.show_dock("prior")
        self._share_height()

    def _share_height(self) -> None:
        dock = self.docks["ecg"]
        share = dict(ECG_SHARES).get(self._kind)
        if share is None or dock.isFloating() or self._window.dockWidgetArea(dock) != dict(AREAS)["under"]:
            return
        room_px = self.centre.height() + dock.height()
        self._window.resizeDocks([dock], [round(room_px * share)], Qt.Orientation.Vertical)


def _make_dock(spec: ViewSpec, view: Any) -> QDockWidget:
    dock = QDockWidget(spec.title)
    dock.setObjectName(spec.name)
    dock.setWidget(view)
    dock.setAccessibleName(spec.title)
    return dock


def _can_be_held(frame: QRect, screen: QRect) -> bool:
    """Whether enough of a window's title lies on a screen to take hold of it."""
    title = QRect(frame.left(), frame.top(), frame.width(), HELD_PX[1])
    seen = title & screen
    return seen.width() >= min(HELD_PX[0], frame.width()) and seen.height() >= HELD_PX[1] // 2


def _sum_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _kind_of(case: CaseView) -> str:
    """What there is, or will be, to look at."""
    request = case.request
    echo = case.has_echo or (request is not None and request.has_echo)
    ecg = case.has_ecg or (request is not None and request.has_ecg)
    return {(True, True): "both", (True, False): "echo", (False, True): "ecg"}.get((echo, ecg), "none")
