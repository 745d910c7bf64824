"""The main window: assembled from two tables, VIEWS and ACTIONS; shows states, passes wishes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QIcon
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QFrame,
    QLabel,
    QMainWindow,
    QMenu,
    QMenuBar,
    QSplitter,
    QStatusBar,
    QVBoxLayout,
    QWidget,
)

from pipeline.notice import NOTICE
from ui import dialogs
from ui.actions import ACTIONS, MENUS, ActionSpec
from ui.clip_dialog import ClipDialog
from ui.engine_port import Engine
from ui.icons import make_icon
from ui.review import Review
from ui.theme import DARK, Theme, palette, style_sheet
from ui.view_state import Arrangement, ReviewState, caution, conditions
from ui.views.ecg import EcgView
from ui.views.echo import EchoView
from ui.views.findings import FindingsView
from ui.views.log import LogView
from ui.views.run_strip import RunStripView
from ui.views.studies import StudiesView

if TYPE_CHECKING:
    from ui.signals_window import SignalsWindow

TITLE = "Chordae"
MINIMUM_PX = (1120, 640)
SMALL_HEIGHT_PX = 800


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """One view: where it stands and the key that shows it."""

    name: str
    title: str
    make: Callable[[], Any]
    place: str  # "left", "right", "bottom", "foot" (always there), "centre"
    keys: str = ""
    is_open: bool = True


VIEWS = (
    ViewSpec("studies", "Studies", StudiesView, "left", "F2"),
    ViewSpec("echo", "Echo", EchoView, "centre"),
    ViewSpec("ecg", "ECG", EcgView, "centre"),
    ViewSpec("findings", "Findings", FindingsView, "right", "F3"),
    ViewSpec("log", "Log", LogView, "bottom", "F4", is_open=False),
    ViewSpec("run", "Run", RunStripView, "foot"),
)
AREAS = (
    ("left", Qt.DockWidgetArea.LeftDockWidgetArea),
    ("right", Qt.DockWidgetArea.RightDockWidgetArea),
    ("bottom", Qt.DockWidgetArea.BottomDockWidgetArea),
)


class MainWindow(QMainWindow):
    """Chordae's window; `engine` does the work, `on_theme` is told the name of a newly chosen theme."""

    def __init__(self, engine: Engine, theme: Theme = DARK, on_theme: Callable[[str], None] | None = None) -> None:
        super().__init__()
        self.setWindowTitle(TITLE)
        self.setMinimumSize(*MINIMUM_PX)
        self.setAcceptDrops(True)
        self._on_theme = on_theme
        self._shown_theme: Theme | None = None
        self._shown_layout: tuple[Any, ...] | None = None
        self.review = Review(engine, theme, self)
        self.views: dict[str, Any] = {spec.name: spec.make() for spec in VIEWS}
        self.panels: list[QFrame] = []
        self.docks: dict[str, QDockWidget] = {}
        self.actions_by_name: dict[str, QAction] = {}
        self.signals: SignalsWindow | None = None
        self.message = QLabel()
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self._assemble()
        self._connect()
        self._show_state(self.review.state)
        self.views["studies"].setFocus()

    # --- assembly -----------------------------------------------------------------------------------

    def _assemble(self) -> None:
        self._assemble_head()
        for name in (spec.name for spec in VIEWS if spec.place == "centre"):
            frame = QFrame()
            frame.setObjectName("panel")
            column = QVBoxLayout(frame)
            column.setContentsMargins(1, 1, 1, 1)
            column.addWidget(self.views[name])
            self.splitter.addWidget(frame)
            self.panels.append(frame)
        self.splitter.setChildrenCollapsible(False)
        self.setCentralWidget(self.splitter)
        self.setDockNestingEnabled(True)
        self.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.BottomDockWidgetArea)
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.BottomDockWidgetArea)
        for spec in (s for s in VIEWS if s.place in dict(AREAS)):
            self._add_dock(spec)
        foot = QStatusBar()
        foot.setSizeGripEnabled(False)
        for spec in (s for s in VIEWS if s.place == "foot"):
            foot.addWidget(self.views[spec.name], 1)
        self.setStatusBar(foot)
        self.resizeDocks([self.docks["studies"], self.docks["findings"]], [200, 350], Qt.Orientation.Horizontal)
        self._assemble_menus()

    def _assemble_head(self) -> None:
        """Menu, notice and message over the whole width; none of it can be closed."""
        head = QWidget()
        column = QVBoxLayout(head)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.menus = QMenuBar()
        notice = QLabel(NOTICE.upper())
        notice.setObjectName("notice")
        notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.message.setObjectName("message")
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setWordWrap(True)
        for part in (self.menus, notice, self.message):
            column.addWidget(part)
        self.notice = notice
        self.setMenuWidget(head)

    def _add_dock(self, spec: ViewSpec) -> None:
        dock = QDockWidget(spec.title)
        dock.setObjectName(spec.name)
        dock.setWidget(self.views[spec.name])
        features = QDockWidget.DockWidgetFeature
        dock.setFeatures(features.DockWidgetClosable | features.DockWidgetMovable)
        self.addDockWidget(dict(AREAS)[spec.place], dock)
        dock.setVisible(spec.is_open)
        self.docks[spec.name] = dock

    def _assemble_menus(self) -> None:
        handlers = self._handlers()
        menus = {name: self.menus.addMenu(title) for name, title in MENUS}
        for spec in ACTIONS:
            action = self._make_action(spec, handlers[spec.name])
            menus[spec.menu].addAction(action)
        menus["view"].addSeparator()
        for view in (v for v in VIEWS if v.keys):
            action = self.docks[view.name].toggleViewAction()
            action.setShortcut(view.keys)
            menus["view"].addAction(action)
            self.actions_by_name[f"panel_{view.name}"] = action

    def _make_action(self, spec: ActionSpec, handler: Callable[..., None]) -> QAction:
        action = QAction(spec.text, self)
        action.setShortcut(spec.keys)
        action.setCheckable(spec.option is not None)
        action.triggered.connect(handler)
        self.actions_by_name[spec.name] = action
        return action

    def createPopupMenu(self) -> QMenu | None:  # noqa: N802 - Qt's name
        """No context menu: it could hide the run strip."""
        return None

    def _handlers(self) -> dict[str, Callable[..., None]]:
        review, echo = self.review, self.views["echo"]
        return {
            "open_files": self.open_files,
            "export_report": self.export_report,
            "quit": self.quit,
            "switch_theme": review.switch_theme,
            "arrange_both": lambda: self._arrange("both"),
            "arrange_echo": lambda: self._arrange("echo"),
            "arrange_ecg": lambda: self._arrange("ecg"),
            "show_signals": self.show_signals,
            "toggle_play": echo.toggle_play,
            "previous_frame": echo.previous_frame,
            "next_frame": echo.next_frame,
            "previous_beat": echo.previous_beat,
            "next_beat": echo.next_beat,
            "play_slower": lambda: echo.step_speed(-1),
            "play_faster": lambda: echo.step_speed(1),
            "show_contours": lambda on: review.set_echo_option("contours", on),
            "show_areas": lambda on: review.set_echo_option("areas", on),
            "show_names": lambda on: review.set_echo_option("names", on),
            "show_grid": lambda on: review.set_ecg_option("grid", on),
            "show_r_ticks": lambda on: review.set_ecg_option("r_ticks", on),
            "show_stacked": lambda on: review.set_ecg_option("stacked", on),
            "ecg_more_gain": lambda: review.step_ecg("more_gain"),
            "ecg_less_gain": lambda: review.step_ecg("less_gain"),
            "ecg_faster": lambda: review.step_ecg("faster"),
            "ecg_slower": lambda: review.step_ecg("slower"),
            "run_again": review.run_again,
            "name_clips": self.name_clips,
            "cancel": review.cancel,
            "resume": review.resume,
            "delete_case": self.delete_case,
            "show_keys": self.show_keys,
            "show_about": self.show_about,
        }

    def _connect(self) -> None:
        self.review.state_changed.connect(self._show_state)
        self.views["studies"].case_wished.connect(self.review.select)
        self.views["findings"].frame_wished.connect(self.review.focus)
        self.views["echo"].open_wished.connect(self.open_files)
        self.views["echo"].switch_wished.connect(self.review.set_echo_option)
        self.views["ecg"].switch_wished.connect(self.review.set_ecg_option)
        self.views["ecg"].value_wished.connect(self.review.set_ecg_option)
        self.views["run"].action_wished.connect(self._do_wish)
        self.views["run"].state_wished.connect(self._show_journal)

    def _do_wish(self, wish: str) -> None:
        name = "panel_log" if wish == "log" else wish
        self.actions_by_name[name].trigger()

    def _show_journal(self, state_name: str) -> None:
        self.docks["log"].show()
        self.review.filter_log(state_name)

    # --- showing ------------------------------------------------------------------------------------

    def _show_state(self, state: ReviewState) -> None:
        if state.theme is not self._shown_theme:
            self._show_theme(state.theme)
        for view in self.views.values():
            view.show_state(state)
        if self.signals is not None:
            self.signals.show_state(state)
        self._show_message(state)
        self._show_actions(state)
        self._show_arrangement(state)

    def _show_theme(self, theme: Theme) -> None:
        is_change = self._shown_theme is not None
        self._shown_theme = theme
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.setPalette(palette(theme))
        self.setStyleSheet(style_sheet(theme))
        self.setWindowIcon(QIcon(make_icon("chordae", theme.accent)))
        for name in ("cancel", "resume"):
            self.views["run"].buttons[name].setIcon(make_icon(name, theme.text))
        if is_change and self._on_theme is not None:
            self._on_theme(theme.name)

    def _show_message(self, state: ReviewState) -> None:
        warned = caution(state.case)
        text = state.message.text if state.message else warned or ""
        if self.message.text() != text:
            self.message.setText(text)
        self.message.setVisible(bool(text))
        is_error = state.message.is_error if state.message else warned is not None
        kind = "error" if is_error else "message"
        if self.message.objectName() != kind:
            self.message.setObjectName(kind)
            self.message.style().unpolish(self.message)
            self.message.style().polish(self.message)

    def _show_actions(self, state: ReviewState) -> None:
        held = conditions(state)
        for spec in ACTIONS:
            action = self.actions_by_name[spec.name]
            action.setEnabled(spec.condition in held)
            if spec.option is not None:
                part, name = spec.option.split(".")
                action.setChecked(getattr(getattr(state, part), name))

    def _show_arrangement(self, state: ReviewState) -> None:
        """Give the room to what the case has, unless the reader chose otherwise."""
        case = state.case
        wanted = (state.arrangement, case.has_echo, case.has_ecg, case.request)
        if wanted == self._shown_layout:
            return
        self._shown_layout = wanted
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

    # --- actions that need the window ---------------------------------------------------------------

    def _arrange(self, arrangement: Arrangement) -> None:
        """Choosing an arrangement a second time goes back to the automatic one."""
        is_same = self.review.state.arrangement == arrangement
        self.review.arrange("auto" if is_same else arrangement)

    def start_with(self, files: Sequence[Path]) -> None:
        """List the stored cases and open files, once the event loop runs."""
        self.review.refresh_cases()
        if files:
            self.review.open_files(files)

    def open_files(self) -> None:
        self.review.open_files(dialogs.ask_files(self))

    def export_report(self) -> None:
        chosen = dialogs.ask_export(self)
        if chosen is not None:
            self.review.export(*chosen)

    def show_signals(self) -> None:
        """Open the plots of the case; what draws them takes a second to import, so it is imported now."""
        if self.signals is None:
            QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
            try:
                from ui.signals_window import SignalsWindow

                self.signals = SignalsWindow(NOTICE.upper(), self)
            finally:
                QApplication.restoreOverrideCursor()
            self.signals.values_wished.connect(self.review.save_values)
            self.signals.show_state(self.review.state)
        self.signals.show()
        self.signals.raise_()
        self.signals.activateWindow()

    def name_clips(self) -> None:
        """Ask for views and pixel sizes of the clips on screen, and read them again with the answer."""
        dialog = ClipDialog(self.review.state.case, self)
        dialog.facts_chosen.connect(self.review.run_with_facts)
        dialog.open()

    def delete_case(self) -> None:
        if dialogs.confirm_delete(self):
            self.review.delete_shown()

    def quit(self) -> None:
        self.close()

    def show_keys(self) -> None:
        panels = [(view.title, view.keys) for view in VIEWS if view.keys]
        dialogs.show_keys(self, panels)

    def show_about(self) -> None:
        dialogs.show_about(self, NOTICE.upper())

    def show_telling_frame(self) -> None:
        """Go to the first end-diastole, where there is one: what a still picture should show."""
        analysis = self.review.state.case.results.echo_analysis
        beats = analysis.cines[0].beats if analysis is not None and analysis.cines else ()
        if beats:
            self.review.focus(0, next((b.ed_idx for b in beats if b.excluded is None), beats[0].ed_idx))

    # --- the world ----------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        files = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if files:
            event.acceptProposedAction()
            self.review.open_files(files)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """A run that goes on is cancelled; it can be resumed later."""
        if self.signals is not None:
            self.signals.close()
        self.is_quiet = self.review.shutdown()
        event.accept()

    is_quiet = True  # whether nothing was left running when the window closed
