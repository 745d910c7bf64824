"""Every key of the window, by group, over the window; Esc, ? or a click closes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QMainWindow, QScrollArea, QVBoxLayout, QWidget

SHADE_ALPHA = 190
MARGIN_PX = 28
N_COLUMNS = 4
HEAD_ROWS = 2  # what the head of a group takes, in rows
CLOSE_TEXT = "Esc closes this"


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """One menu: its name, and what each key does."""

    title: str
    rows: tuple[tuple[str, str], ...]  # words, keys

    @property
    def height_rows(self) -> int:
        return len(self.rows) + HEAD_ROWS


def spread(groups: Sequence[KeyGroup], n_columns: int) -> list[list[KeyGroup]]:
    """Groups in their order over columns, so that the longest column is as short as can be."""
    low, high = max(group.height_rows for group in groups), sum(group.height_rows for group in groups)
    while low < high:
        limit = (low + high) // 2
        low, high = (low, limit) if len(_filled(groups, limit)) <= n_columns else (limit + 1, high)
    return _filled(groups, low)


def _filled(groups: Sequence[KeyGroup], limit: int) -> list[list[KeyGroup]]:
    columns: list[list[KeyGroup]] = [[]]
    for group in groups:
        if columns[-1] and sum(g.height_rows for g in columns[-1]) + group.height_rows > limit:
            columns.append([])
        columns[-1].append(group)
    return columns


class HelpOverlay(QWidget):
    """Covers its window while it is open."""

    def __init__(self, window: QMainWindow, groups: Sequence[KeyGroup]) -> None:
        super().__init__(window)
        self._window = window
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Keys")
        panel = QFrame()
        panel.setObjectName("panel")
        column = QVBoxLayout(panel)
        column.setContentsMargins(20, 14, 20, 14)
        column.addLayout(_head())
        column.addWidget(_scrolled(groups), 1)
        around = QVBoxLayout(self)
        around.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        around.addWidget(panel)
        window.installEventFilter(self)
        self._cover()
        self.show()
        self.raise_()
        self.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Stay as large as the window."""
        if event.type() == QEvent.Type.Resize and watched is self._window:
            self._cover()
        return super().eventFilter(watched, event)

    def _cover(self) -> None:
        """Everything but the head: the research notice stays in sight."""
        head = self._window.menuWidget()
        self.setGeometry(self._window.rect().adjusted(0, head.height() if head is not None else 0, 0, 0))

    def event(self, event: QEvent) -> bool:
        """While it is open the keys belong to it: none of them acts on the case beneath."""
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Question, Qt.Key.Key_Return, Qt.Key.Key_Space):
            self.close()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        event.accept()
        self.close()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        shade = self.palette().window().color()
        shade.setAlpha(SHADE_ALPHA)
        painter.fillRect(self.rect(), shade)
        painter.end()


def _head() -> QHBoxLayout:
    row = QHBoxLayout()
    title = QLabel("Keys")
    title.setObjectName("title")
    note = QLabel(CLOSE_TEXT)
    note.setObjectName("muted")
    row.addWidget(title)
    row.addStretch(1)
    row.addWidget(note)
    return row


def _scrolled(groups: Sequence[KeyGroup]) -> QScrollArea:
    content = QWidget()
    content.setObjectName("clear")
    columns = QHBoxLayout(content)
    columns.setContentsMargins(0, 0, 8, 0)
    columns.setSpacing(34)
    for column in spread(groups, N_COLUMNS):
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(1, 1)
        for group in column:
            _add_group(grid, group)
        grid.setRowStretch(grid.rowCount(), 1)
        columns.addLayout(grid, 1)
    area = QScrollArea()
    area.setObjectName("clear")
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area


def _add_group(grid: QGridLayout, group: KeyGroup) -> None:
    head = QLabel(group.title)
    head.setObjectName("title")
    head.setContentsMargins(0, 10 if grid.count() else 0, 0, 0)
    grid.addWidget(head, grid.rowCount(), 0, 1, 2)
    for words, keys in group.rows:
        place = grid.rowCount()
        key = QLabel(keys)
        key.setObjectName("key")
        text = QLabel(words)
        text.setObjectName("muted")
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setWordWrap(True)
        grid.addWidget(key, place, 0, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(text, place, 1)
