"""The head of the window: menus, research notice, message. Nothing of it can be closed."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QMenuBar, QVBoxLayout, QWidget

from pipeline.notice import NOTICE
from ui.view_state import ReviewState, caution


class Head(QWidget):
    """Stands over the whole width."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.menus = QMenuBar()
        self.notice = QLabel(NOTICE.upper())
        self.message = QLabel()
        self.notice.setObjectName("notice")
        self.notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.message.setObjectName("message")
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.menus, self.notice, self.message):
            column.addWidget(part)

    def show_state(self, state: ReviewState) -> None:
        """Show the message of the state, or else what must be known before any number of the case."""
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
