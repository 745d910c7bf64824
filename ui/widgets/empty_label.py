"""The text that stands where a view has nothing to show."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel


class EmptyLabel(QLabel):
    """Centred, wrapped, plain text; the style sheet knows it as `empty`."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.setObjectName("empty")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
