"""A form whose answers a study is read or judged with again: its frame, its buttons, its muted words."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget


class FactsDialog(QDialog):
    """Tells its facts when they are accepted; goes when it is closed."""

    def __init__(self, title: str, accept_words: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.accept_button = self.buttons.addButton(accept_words, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.accepted.connect(self.tell)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(20, 16, 20, 14)
        self.column.setSpacing(12)

    def tell(self) -> None:
        """Pass the facts on."""
        raise NotImplementedError


def muted_label(text: str) -> QLabel:
    """Words that explain."""
    label = QLabel(text)
    label.setObjectName("muted")
    label.setWordWrap(True)
    return label
