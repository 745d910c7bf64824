"""A line of plain text that is cut with an ellipsis where there is no room."""

from __future__ import annotations

import html

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel

from ui.widgets.drawing import elided


class ElidedLabel(QLabel):
    """Shows the whole text as a tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(40, super().minimumSizeHint().height())

    def set_words(self, text: str, proof: str = "") -> None:
        """Show a text; `proof` goes into the tooltip, escaped so that it is never read as markup."""
        if self.text() != text:
            self.setText(text)
            self.setToolTip(plain_tooltip(proof or text))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.palette().color(self.foregroundRole()))
        elided(painter, QRectF(self.contentsRect()), self.text(), Qt.AlignmentFlag.AlignVCenter)
        painter.end()


def plain_tooltip(text: str) -> str:
    """A tooltip that wraps; the text is escaped so that it is never read as markup."""
    return f"<qt>{html.escape(text)}</qt>".replace("\n", "<br>") if text else ""
