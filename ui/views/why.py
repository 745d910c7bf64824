"""The "Why?" panel: reasons, frames, changes, cross-checks and rules of the measure that is looked at."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from ui.icons import make_icon
from ui.theme import DARK, Theme, status_colour, status_icon
from ui.view_state import ReviewState
from ui.why import Reason, Section, why
from ui.widgets.empty_label import EmptyLabel

EMPTY_TEXT = "Choose a measure in the findings: here stands why it is what it is."
ICON_PX = 14


class WhyView(QWidget):
    """Plain labels and, for frames, buttons that go there."""

    frame_wished = Signal(int, int)
    verdict_wished = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[tuple[Section, ...], Theme] = ((), DARK)
        self._state = ReviewState()
        self.empty = EmptyLabel(EMPTY_TEXT)
        self.pages = QScrollArea()
        self.pages.setWidgetResizable(True)
        self.pages.setFrameShape(QFrame.Shape.NoFrame)
        self.pages.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.buttons: list[QPushButton] = []
        self.accept = self._verdict_button("Accept", "accepted", "Accept this measure (A)")
        self.reject = self._verdict_button("Reject", "rejected", "Reject this measure (R)")
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pages, 1)
        row = QHBoxLayout()
        row.setContentsMargins(8, 0, 8, 8)
        for button in (self.accept, self.reject):
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(content)

    def _verdict_button(self, words: str, verdict: str, tip: str) -> QPushButton:
        button = QPushButton(words)
        button.setCheckable(True)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.clicked.connect(lambda _checked: self.verdict_wished.emit(verdict))
        return button

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(330, 320)

    @property
    def sections(self) -> tuple[Section, ...]:
        """What is shown."""
        return self._shown[0]

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """What was not drawn while nobody looked."""
        super().showEvent(event)
        self.show_state(self._state)

    def show_state(self, state: ReviewState) -> None:
        """Draw what changed since the last snapshot."""
        self._state = state
        found = why(state.case, state.chosen) if state.chosen is not None and self.isVisible() else ()
        verdict = state.case.changes.verdicts.get(state.chosen or "")
        self.accept.setChecked(verdict == "accepted")
        self.reject.setChecked(verdict == "rejected")
        if (found, state.theme) != self._shown:
            self._shown = (found, state.theme)
            self._fill(found, state.theme)
        self._stack.setCurrentIndex(1 if found else 0)

    def _fill(self, sections: tuple[Section, ...], theme: Theme) -> None:
        self.buttons = []
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(3)
        for number, section in enumerate(sections):
            title = _label(section.title)
            title.setObjectName("heading")
            font = title.font()
            font.setBold(True)
            title.setFont(font)
            if number:
                column.addSpacing(8)
            column.addWidget(title)
            for line in section.lines:
                column.addWidget(self._line(line, theme))
        column.addStretch(1)
        self.pages.setWidget(page)  # the page before is deleted

    def _line(self, line: Reason, theme: Theme) -> QWidget:
        if line.frame_idx is not None and line.cine_idx is not None:
            return self._frame_button(line, theme)
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        if line.status:
            icon = QLabel()
            icon.setPixmap(make_icon(status_icon(line.status), status_colour(theme, line.status)).pixmap(ICON_PX))
            icon.setFixedWidth(ICON_PX)
            layout.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(_label(line.text), 1)
        return row

    def _frame_button(self, line: Reason, theme: Theme) -> QPushButton:
        button = QPushButton(line.text)
        button.setObjectName("link")
        button.setToolTip("Show this frame")
        if line.status:
            button.setIcon(make_icon(status_icon(line.status), status_colour(theme, line.status)))
        cine_idx, frame_idx = line.cine_idx, line.frame_idx
        button.clicked.connect(lambda: self.frame_wished.emit(cine_idx, frame_idx))
        self.buttons.append(button)
        return button


def _label(text: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
