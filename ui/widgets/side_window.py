"""A window of its own beside the main one: a list on its left, what is chosen on its right. It follows the case."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QLabel, QSplitter, QVBoxLayout, QWidget

from ui.view_state import ReviewState

SIZE_PX = (1180, 720)


class SideWindow(QDialog):
    """What such windows share: the notice, the two sides, and that nothing is drawn while they are hidden."""

    def __init__(self, title: str, notice: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle(title)
        self.resize(*SIZE_PX)
        self._state = ReviewState()
        self.notice = QLabel(notice)
        self.notice.setObjectName("notice")
        self.notice.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def set_out(self, left: QWidget, right: QWidget, left_px: int, *above: QWidget) -> None:
        """Place both sides under the notice and what else stands over them."""
        parts = QSplitter(Qt.Orientation.Horizontal)
        parts.addWidget(left)
        parts.addWidget(right)
        parts.setChildrenCollapsible(False)
        parts.setStretchFactor(1, 1)
        parts.setSizes([left_px, SIZE_PX[0] - left_px])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (self.notice, *above):
            column.addWidget(widget)
        column.addWidget(parts, 1)

    def show_state(self, state: ReviewState) -> None:
        """Follow the case."""
        self._state = state
        if self.isVisible():
            self.draw()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        super().showEvent(event)
        self.draw()

    def draw(self) -> None:
        """Show the state; the window is on screen."""
        raise NotImplementedError


def column_of(*widgets: QWidget) -> QWidget:
    """Widgets under each other."""
    made = QWidget()
    layout = QVBoxLayout(made)
    layout.setContentsMargins(8, 8, 8, 8)
    for widget in widgets:
        layout.addWidget(widget)
    return made
