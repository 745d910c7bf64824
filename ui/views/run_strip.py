"""The run strip: states, branches, what went wrong, and how to go on."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ui.icons import make_icon
from ui.run_progress import RunError, RunProgress, dragged_along
from ui.view_state import BRANCH_NAMES, CaseView, ReviewState, conditions
from ui.widgets.branch_lanes import BranchLanes
from ui.widgets.state_chips import StateChips

CLOCK_MS = 200  # how often the time of the running state is redrawn
BUTTONS = (  # wish, icon, words, condition, hint
    ("pause", "pause", "Pause", "running", "Hold the run before its next state or attempt (Ctrl+Shift+P)"),
    ("cancel", "cancel", "Cancel", "running", "Cancel the run; it can be resumed (Ctrl+.)"),
    ("resume", "resume", "Resume", "resume", "Resume from the last checkpoint (Ctrl+R)"),
    ("log", "rows", "Log", "always", "Journal of the run (F4)"),
)


class RunStripView(QWidget):
    """The same strip for live and stored runs."""

    action_wished = Signal(str)
    state_wished = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = ReviewState()
        self.chips = StateChips()
        self.lanes = BranchLanes()
        self.error = QLabel()
        self.buttons: dict[str, QPushButton] = {}
        self._clock = QTimer(self)
        self._clock.setInterval(CLOCK_MS)
        self._clock.timeout.connect(self.chips.update)
        self._clock.timeout.connect(self.lanes.update)
        self._assemble()

    def _assemble(self) -> None:
        self.error.setObjectName("error")
        self.error.setTextFormat(Qt.TextFormat.PlainText)
        self.error.setWordWrap(True)
        self.error.hide()
        self.chips.state_wished.connect(self.state_wished)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.lanes, 1)
        for wish, _, words, _, hint in BUTTONS:
            button = QPushButton(words)
            button.setToolTip(hint)
            button.setProperty("wish", wish)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(self._report)
            self.buttons[wish] = button
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 4)
        column.setSpacing(5)
        column.addWidget(self.chips)
        column.addWidget(self.error)
        column.addLayout(row)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        self._fit_height()

    def _fit_height(self) -> None:
        """As high as its rows need at this width, so that the views above keep the rest."""
        column = self.layout()
        if column is not None:
            wraps = column.hasHeightForWidth()
            needed_px = column.heightForWidth(self.width()) if wraps else column.sizeHint().height()
            self.setFixedHeight(needed_px)

    def _report(self) -> None:
        self.action_wished.emit(str(self.sender().property("wish")))

    def show_state(self, state: ReviewState) -> None:
        """Draw what changed since the last snapshot."""
        before, self._state = self._state, state
        is_first = not before.generation
        is_same = state.case.progress is before.case.progress and state.log_filter == before.log_filter
        if not is_same or state.theme is not before.theme or is_first:
            self.chips.set_progress(state.case.progress, state.log_filter, state.theme)
            self.lanes.set_progress(state.case.progress, state.theme)
        if state.theme is not before.theme or state.is_paused != before.is_paused or is_first:
            self._show_buttons(state)
        self._show_error(state.case)
        held = conditions(state)
        for wish, _, _, condition, _ in BUTTONS:
            self.buttons[wish].setEnabled(condition in held)
        if state.case.phase == "running" and not self._clock.isActive():
            self._clock.start()
        elif state.case.phase != "running":
            self._clock.stop()

    def _show_buttons(self, state: ReviewState) -> None:
        for wish, icon, words, _, _ in BUTTONS:
            is_on = wish == "pause" and state.is_paused
            self.buttons[wish].setText("Go on" if is_on else words)
            self.buttons[wish].setIcon(make_icon("play" if is_on else icon, state.theme.text))

    def _show_error(self, case: CaseView) -> None:
        text = trouble_text(case)
        if self.error.text() != text:
            self.error.setText(text)
            self.error.setVisible(bool(text))
            self._fit_height()


def trouble_text(case: CaseView) -> str:
    """What went wrong first, and apart from it what only came after; empty where nothing did."""
    error = _error_of(case)
    cause = case.progress.cause or error
    if cause is None:
        return ""
    if error is not None and cause.branch is None:
        cause = error
    where = f"{BRANCH_NAMES[cause.branch]} in {cause.state}" if cause.branch else cause.state
    head = "ERROR from" if error is not None else "Root cause:"
    dragged = dragged_along(_with_error(case.progress, error))
    return f"{head} {where} · {cause.code}: {cause.text}" + (f"\n{dragged}" if dragged else "")


def _with_error(progress: RunProgress, error: RunError | None) -> RunProgress:
    return replace(progress, error=error, cause=progress.cause or error)


def _error_of(case: CaseView) -> RunError | None:
    """What ended the run; a report's own word wins over the journal's."""
    if case.phase != "error":
        return case.progress.error if case.phase == "running" else None
    told = (case.report or {}).get("error")
    if isinstance(told, dict) and told.get("code"):
        return RunError(state=str(told.get("state", "")), code=str(told["code"]), text=str(told.get("text", "")))
    return case.progress.error
