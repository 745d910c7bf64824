"""One tile of the echo grid: a clip, and whether it plays or is held at end-diastole or end-systole."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from ui.hanging import TileSpec
from ui.widgets.cine_canvas import CineCanvas


class EchoTile(QFrame):
    """A canvas in a frame that shows which tile the keys go to."""

    chosen = Signal(int)

    def __init__(self, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._number = number
        self.spec: TileSpec | None = None
        self.canvas = CineCanvas()
        self.canvas.installEventFilter(self)
        self.setObjectName("tile")
        self.setAccessibleName(f"Tile {number + 1}")
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 2, 2, 2)
        column.addWidget(self.canvas)

    def set_active(self, is_active: bool) -> None:
        """Mark the tile that bar, curve and keys belong to."""
        if self.property("active") != is_active:
            self.setProperty("active", is_active)
            self.style().unpolish(self)
            self.style().polish(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """A press anywhere on the picture chooses the tile; the picture gets the press too."""
        if event.type() == QEvent.Type.MouseButtonPress:
            self.chosen.emit(self._number)
        return super().eventFilter(watched, event)
