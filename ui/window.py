"""The main window: shows states, passes wishes on. What it is assembled from stands in ui.shell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QIcon, QShowEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu

from ui.choices import DEFAULTS, Choices
from ui.engine_port import Engine
from ui.icons import make_icon
from ui.review import Review
from ui.shell.asks import Asks
from ui.shell.head import Head
from ui.shell.menus import Menus
from ui.shell.stage import Stage
from ui.shell.view_table import VIEWS
from ui.shell.wishes import connect_wishes, find
from ui.theme import Theme, palette, style_sheet, theme_named
from ui.view_state import ReviewState

TITLE = "Chordae"
MINIMUM_PX = (1120, 640)


class MainWindow(QMainWindow):
    """Chordae's window; `engine` does the work, `on_choices` is told what the reader chooses for next time."""

    is_quiet = True  # whether nothing was left running when the window closed

    def __init__(
        self, engine: Engine, choices: Choices = DEFAULTS, on_choices: Callable[[Choices], None] | None = None
    ) -> None:
        super().__init__()
        self.setWindowTitle(TITLE)
        self.setMinimumSize(*MINIMUM_PX)
        self.setAcceptDrops(True)
        self._choices = choices
        self._on_choices = on_choices
        self._shown_theme: Theme | None = None
        self.review = Review(engine, theme_named(choices.theme), self, role=choices.role)
        self.views: dict[str, Any] = {spec.name: spec.make() for spec in VIEWS}
        self.head = Head()
        self.setMenuWidget(self.head)
        self.stage = Stage(self, self.views)
        self.asks = Asks(self, self.review)
        roots = {**self.views, "review": self.review, "asks": self.asks, "window": self}
        self.menus = Menus(self, self.head.menus, roots)
        self._add_panel_switches()
        self._roots = roots
        connect_wishes(roots)
        self.head.theme_wished.connect(self.review.looks.switch_theme)
        self.head.role_wished.connect(self.review.looks.set_role)
        self.head.act_wished.connect(self.act)
        self.review.ecg.set_option("screen_scales", tuple(sorted(choices.screen_scales.items())))
        self.review.state_changed.connect(self._show_state)
        self._show_state(self.review.state)
        self.stage.restore(choices.layouts.get(choices.role, ""), choices.role)
        self.views["studies"].setFocus()

    def _add_panel_switches(self) -> None:
        self.menus.menus["view"].addSeparator()
        for view in (v for v in VIEWS if v.keys):
            switch = self.stage.docks[view.name].toggleViewAction()
            self.menus.add("view", f"panel_{view.name}", switch, view.keys)

    def createPopupMenu(self) -> QMenu | None:  # noqa: N802 - Qt's name
        """No context menu: it could hide the run strip."""
        return None

    # --- showing ------------------------------------------------------------------------------------

    def _show_state(self, state: ReviewState) -> None:
        if state.theme is not self._shown_theme:
            self._show_theme(state.theme)
        for view in self.views.values():
            view.show_state(state)
        for part in (self.asks, self.head, self.menus, self.stage):
            part.show_state(state)
        self._keep_choices(state)

    def _keep_choices(self, state: ReviewState) -> None:
        """Tell what was chosen; a role that comes brings its docks."""
        before = self._choices
        scales = dict(state.ecg.screen_scales)
        if (state.theme.name, state.role, scales) == (before.theme, before.role, before.screen_scales):
            return
        layouts = {**before.layouts, before.role: self.stage.layout_text()}
        if state.role != before.role:
            self.stage.restore(layouts.get(state.role, ""), state.role)
        self._tell(Choices(theme=state.theme.name, role=state.role, layouts=layouts, screen_scales=scales))

    def _tell(self, choices: Choices) -> None:
        self._choices = choices
        if self._on_choices is not None:
            self._on_choices(choices)

    def _show_theme(self, theme: Theme) -> None:
        self._shown_theme = theme
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.setPalette(palette(theme))
        self.setStyleSheet(style_sheet(theme))
        self.setWindowIcon(QIcon(make_icon("chordae", theme.accent)))
        self.menus.show_theme(theme)
        self.head.show_theme(theme)

    # --- acts of the window itself ------------------------------------------------------------------

    def act(self, does: str) -> None:
        """Do what a button beside a message stands for."""
        find(self._roots, does)()

    def trigger(self, name: str) -> None:
        """Do an action by its name, as its menu entry would."""
        self.menus.actions[name].trigger()

    def show_run_state(self, state_name: str) -> None:
        """Show what is known of one state of the run, and its lines of the journal."""
        self.stage.show_dock("state")
        self.review.looks.filter_log(state_name)

    def step_state(self, by: int) -> None:
        """Look at the state of the run before or after."""
        self.stage.show_dock("state")
        self.review.looks.step_state(by)

    def restore_layout(self) -> None:
        """Put every dock back to where it stood at first."""
        self.stage.set_out(self.review.state.role)

    def start_with(self, files: Sequence[Path]) -> None:
        """List the stored cases, have the workers started and open files, once the window is painted."""
        self.review.cases.refresh()
        self.review.cases.get_ready()
        if files:
            self.review.cases.open_files(files)

    def show_telling_frame(self) -> None:
        """Go to the first end-diastole, where there is one: what a still picture should show."""
        for cine_idx, analysis in enumerate(self.review.state.case.results.clip_analyses):
            if analysis is not None and analysis.beats:
                beats = analysis.beats
                counted = next((b for b in beats if b.excluded is None), beats[0])
                self.review.echo.focus(cine_idx, counted.ed_idx)
                return

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        super().showEvent(event)
        self.stage.come_up()

    # --- the world ----------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        files = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if files:
            event.acceptProposedAction()
            self.review.cases.open_files(files)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """A run that goes on is cancelled; it can be resumed later."""
        layouts = {**self._choices.layouts, self._choices.role: self.stage.layout_text()}
        if layouts != self._choices.layouts:
            self._tell(replace(self._choices, layouts=layouts))
        self.asks.close()
        self.is_quiet = self.review.shutdown()
        event.accept()
