"""The passphrase of the store: asked for at the start, and given, changed or taken away later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from pipeline.store.keys import CONFIRMATION, LOST_TEXT, MIN_CHARACTERS

Kind = Literal["encrypt", "change", "decrypt"]
TRIES = 3
WIDTH_PX = 520
UNLOCK_TEXT = "The store of this computer is encrypted. Its passphrase opens it until Chordae is closed."


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreWish:
    """What shall be done with the store; the passphrases are never shown."""

    kind: Kind
    old: str = field(default="", repr=False)
    new: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """Words and fields of one kind of wish."""

    title: str
    text: str
    button: str
    fields: tuple[str, ...]


FORMS: dict[Kind, _Form] = {
    "encrypt": _Form(
        title="Encrypt the store",
        text="All cases of this computer's store are encrypted: images, results, reports, edits. From then on Chordae "
        "asks for the passphrase at its start. Reports that were exported and the files themselves stay as they are.",
        button="Encrypt",
        fields=("new", "again", "confirmation"),
    ),
    "change": _Form(
        title="Change the passphrase",
        text="The store is encrypted anew; the old passphrase opens it no more.",
        button="Change",
        fields=("old", "new", "again", "confirmation"),
    ),
    "decrypt": _Form(
        title="Decrypt the store",
        text="Everybody who can read the disk can then read the cases.",
        button="Decrypt",
        fields=("old",),
    ),
}
LABELS = {
    "old": "Present passphrase",
    "new": "New passphrase",
    "again": "The same once more",
    "confirmation": f"Type “{CONFIRMATION}”",
}


def _hidden() -> QLineEdit:
    line = QLineEdit()
    line.setEchoMode(QLineEdit.EchoMode.Password)
    return line


def _words(text: str, name: str = "") -> QLabel:
    label = QLabel(text)
    label.setObjectName(name)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


class StoreDialog(QDialog):
    """Asks for what a conversion needs; its button works once everything fits."""

    wished = Signal(object)

    def __init__(self, *, is_encrypted: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.choice = QComboBox()
        for kind in ("change", "decrypt") if is_encrypted else ("encrypt",):
            self.choice.addItem(FORMS[kind].title, kind)
        self.choice.setVisible(is_encrypted)
        self.text, self.lost, self.problem = _words(""), _words(LOST_TEXT, "error"), _words("", "muted")
        self.lines = {name: QLineEdit() if name == "confirmation" else _hidden() for name in LABELS}
        self.form = QFormLayout()
        for name, line in self.lines.items():
            self.form.addRow(LABELS[name], line)
            line.textChanged.connect(self._compare)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.act: QPushButton = self.buttons.addButton("", QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.accepted.connect(lambda: self.wished.emit(self.wish()))
        self._lay_out()
        self.choice.currentIndexChanged.connect(self._show_kind)
        self._show_kind()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 14)
        column.setSpacing(12)
        for part in (self.choice, self.text, self.lost):
            column.addWidget(part)
        column.addLayout(self.form)
        column.addWidget(self.problem)
        column.addWidget(self.buttons)
        self.setMinimumWidth(WIDTH_PX)

    @property
    def kind(self) -> Kind:
        kind: Kind = self.choice.currentData()
        return kind

    def wish(self) -> StoreWish:
        """What the fields say now."""
        return StoreWish(kind=self.kind, old=self.lines["old"].text(), new=self.lines["new"].text())

    def _show_kind(self) -> None:
        form = FORMS[self.kind]
        self.setWindowTitle(form.title)
        self.text.setText(form.text)
        self.act.setText(form.button)
        self.lost.setVisible("new" in form.fields)
        for name, line in self.lines.items():
            self.form.setRowVisible(line, name in form.fields)
        self._compare()

    def _compare(self) -> None:
        missing = self._missing()
        self.problem.setText(missing)
        self.act.setEnabled(not missing)

    def _missing(self) -> str:
        """What still has to be typed, in a few words; empty when everything fits."""
        said, wanted = {name: line.text() for name, line in self.lines.items()}, FORMS[self.kind].fields
        if "old" in wanted and not said["old"]:
            return "The present passphrase is needed."
        if "new" in wanted and len(said["new"]) < MIN_CHARACTERS:
            return f"At least {MIN_CHARACTERS} characters; several words are best."
        if "again" in wanted and said["again"] != said["new"]:
            return "The two passphrases differ."
        if "confirmation" in wanted and said["confirmation"].strip() != CONFIRMATION:
            return f"Type “{CONFIRMATION}”, if you know what a lost passphrase means."
        return ""


class UnlockDialog(QDialog):
    """Asks for the passphrase at the start; `unlock` answers with what is wrong, or with nothing."""

    def __init__(self, unlock: Callable[[str], str | None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Chordae")
        self._unlock, self._left = unlock, TRIES
        self.line, self.problem = _hidden(), _words("", "error")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.act: QPushButton = self.buttons.addButton("Open", QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self._try)
        self.buttons.rejected.connect(self.reject)
        self.line.textChanged.connect(lambda words: self.act.setEnabled(bool(words)))
        self.act.setEnabled(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 14)
        column.setSpacing(12)
        for part in (_words(UNLOCK_TEXT), self.line, self.problem, self.buttons):
            column.addWidget(part)
        self.setMinimumWidth(WIDTH_PX)
        self.problem.hide()
        self.line.setFocus()

    def _try(self) -> None:
        wrong = self._unlock(self.line.text())
        if wrong is None:
            self.accept()
            return
        self._left -= 1
        if not self._left:
            self.reject()
            return
        self.line.clear()
        self.problem.show()
        self.problem.setText(f"{wrong} Tries left: {self._left}.")
