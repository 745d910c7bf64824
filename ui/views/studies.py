"""The study list: every stored run and the one that is going on."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStackedLayout,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from ui.icons import draw_icon
from ui.theme import DARK, Theme, status_colour, status_icon
from ui.view_state import CaseRow, ReviewState
from ui.widgets.drawing import elided, sized
from ui.widgets.empty_label import EmptyLabel
from ui.wording import status_word

ROW_ROLE = Qt.ItemDataRole.UserRole
ROW_HEIGHT = 3.1  # lines of text
EMPTY_TEXT = "No studies yet.\nOpen an echo cine, an ECG or both (Ctrl+O), or drop the files on the window."


class CaseDelegate(QStyledItemDelegate):
    """Paints a case: icon, number and time; status word and detail below."""

    theme: Theme = DARK

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: N802
        return QSize(120, round(option.fontMetrics.height() * ROW_HEIGHT))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row: CaseRow = index.data(ROW_ROLE)
        rect = QRectF(option.rect)
        font = option.font
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if index.data(ROW_ROLE + 1):
            painter.fillRect(rect, QColor(self.theme.raised))
            painter.fillRect(QRectF(rect.left(), rect.top(), 3, rect.height()), QColor(self.theme.accent))
        colour = status_colour(self.theme, row.status)
        draw_icon(
            painter,
            status_icon(row.status),
            QRectF(rect.left() + 10, rect.center().y() - 9, 18, 18),
            colour,
            self.theme.surface,
        )
        text = rect.adjusted(38, 6, -8, -6)
        top, bottom = QRectF(text), QRectF(text)
        top.setBottom(text.center().y())
        bottom.setTop(text.center().y())
        painter.setFont(sized(font, 0.85))
        painter.setPen(QColor(self.theme.muted))
        when_width = painter.fontMetrics().horizontalAdvance(row.when)
        painter.drawText(top, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, row.when)
        painter.setFont(sized(font, 1.0, bold=True))
        painter.setPen(QColor(self.theme.text))
        elided(painter, top.adjusted(0, 0, -when_width - 8, 0), row.title, Qt.AlignmentFlag.AlignVCenter)
        self._paint_status(painter, bottom, row, colour, option)
        painter.setPen(QColor(self.theme.border))
        painter.drawLine(QPointF(rect.left(), rect.bottom() + 0.5), QPointF(rect.right(), rect.bottom() + 0.5))
        painter.restore()

    def _paint_status(
        self, painter: QPainter, rect: QRectF, row: CaseRow, colour: str, option: QStyleOptionViewItem
    ) -> None:
        painter.setFont(sized(option.font, 0.9))
        painter.setPen(QColor(colour))
        word = status_word(row.status) + (":" if row.detail else "")
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, word)
        taken = painter.fontMetrics().horizontalAdvance(word + " ")
        painter.setPen(QColor(self.theme.muted))
        elided(painter, rect.adjusted(taken, 0, 0, 0), row.detail, Qt.AlignmentFlag.AlignVCenter)


class StudiesView(QWidget):
    """Choose a case."""

    case_wished = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[CaseRow, ...] = ()
        self._shown_key: str | None = None
        self.list = QListWidget()
        self.list.setAccessibleName("Studies")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._delegate = CaseDelegate(self.list)
        self.list.setItemDelegate(self._delegate)
        self.list.itemClicked.connect(self._wish)
        self.list.itemActivated.connect(self._wish)
        self.empty = EmptyLabel(EMPTY_TEXT)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.list)
        self.setMinimumWidth(180)

    def _wish(self, item: QListWidgetItem) -> None:
        row: CaseRow = item.data(ROW_ROLE)
        if row.key != self._shown_key:
            self.case_wished.emit(row.key)

    def show_state(self, state: ReviewState) -> None:
        """Draw what changed since the last snapshot."""
        is_same = state.cases == self._rows and state.case.key == self._shown_key
        if is_same and self._delegate.theme is state.theme:
            return
        self._delegate.theme = state.theme
        self._shown_key = state.case.key
        if state.cases != self._rows:
            self._rows = state.cases
            self.list.clear()
            for row in state.cases:
                item = QListWidgetItem()
                item.setData(ROW_ROLE, row)
                words = f"{row.title}, {status_word(row.status)}, {row.detail}, {row.when}"
                item.setData(Qt.ItemDataRole.AccessibleTextRole, words)
                self.list.addItem(item)
        for place in range(self.list.count()):
            entry = self.list.item(place)
            entry.setData(ROW_ROLE + 1, entry.data(ROW_ROLE).key == self._shown_key)
        self._stack.setCurrentIndex(1 if state.cases else 0)
        self.list.viewport().update()
