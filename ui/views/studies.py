"""The study list: every stored run and the one that is going on."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPixmap, QPixmapCache
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStackedLayout,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from ui.icons import draw_icon
from ui.theme import DARK, Theme, status_colour, status_icon
from ui.view_state import CaseRow, ReviewState
from ui.widgets.drawing import elided, sized
from ui.widgets.empty_label import EmptyLabel
from ui.wording import status_word

ROW_ROLE = Qt.ItemDataRole.UserRole
THUMBNAIL_PX = 44
ROW_HEIGHT = 3.1  # lines of text
STATUS_FILTERS = (
    ("All", ()),
    ("Done", ("complete", "degraded")),
    ("To resume", ("interrupted", "cancelled")),
    ("Failed", ("error",)),
    ("Running", ("running", "pending")),
)
NO_MATCH_TEXT = "No case matches. Clear the search, or choose All."
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
        title_px = QFontMetrics(sized(font, 1.0, bold=True)).horizontalAdvance(row.title)
        room_px = rect.width() - 46 - title_px
        has_picture = room_px >= THUMBNAIL_PX + 6  # the number of the case goes before its picture
        picture_px = self._paint_thumbnail(painter, rect, row) if has_picture else 0.0
        text = rect.adjusted(38 + picture_px, 6, -8, -6)
        top, bottom = QRectF(text), QRectF(text)
        top.setBottom(text.center().y())
        bottom.setTop(text.center().y())
        painter.setFont(sized(font, 0.85))
        painter.setPen(QColor(self.theme.muted))
        when_width = painter.fontMetrics().horizontalAdvance(row.when)
        if when_width + 8 <= room_px - picture_px:
            painter.drawText(top, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, row.when)
        else:
            when_width = -8
        shrink = min(1.0, max((rect.width() - 48) / max(title_px, 1), 0.6))
        painter.setFont(sized(font, shrink, bold=True))
        painter.setPen(QColor(self.theme.text))
        elided(painter, top.adjusted(0, 0, -when_width - 8, 0), row.title, Qt.AlignmentFlag.AlignVCenter)
        self._paint_status(painter, bottom, row, colour, option)
        painter.setPen(QColor(self.theme.border))
        painter.drawLine(QPointF(rect.left(), rect.bottom() + 0.5), QPointF(rect.right(), rect.bottom() + 0.5))
        painter.restore()

    def _paint_thumbnail(self, painter: QPainter, rect: QRectF, row: CaseRow) -> float:
        """The small picture right of the icon; returns the room that it takes."""
        picture = _pixmap(row)
        if picture is None:
            return 0.0
        height = min(THUMBNAIL_PX * picture.height() / picture.width(), rect.height() - 10)
        width = height * picture.width() / picture.height()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(
            QRectF(rect.left() + 36, rect.center().y() - height / 2, width, height), picture, QRectF(picture.rect())
        )
        return width + 6

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


def _pixmap(row: CaseRow) -> QPixmap | None:
    """The decoded thumbnail, kept by Qt while there is room; None where there is none or it is damaged."""
    if row.thumbnail is None:
        return None
    kept = QPixmap()
    if not QPixmapCache.find(row.key, kept):
        kept.loadFromData(row.thumbnail, "PNG")
        QPixmapCache.insert(row.key, kept)
    return None if kept.isNull() else kept


class StudiesView(QWidget):
    """Choose a case; the field above narrows the list by words, the choice beside it by status."""

    case_wished = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[CaseRow, ...] = ()
        self._shown_key: str | None = None
        self.search = QLineEdit()
        self.status = QComboBox()
        self.list = QListWidget()
        self.list.setAccessibleName("Studies")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._delegate = CaseDelegate(self.list)
        self.list.setItemDelegate(self._delegate)
        self.list.itemClicked.connect(self._wish)
        self.list.itemActivated.connect(self._wish)
        self.empty = EmptyLabel(EMPTY_TEXT)
        self.nothing = EmptyLabel(NO_MATCH_TEXT)
        self._stack = QStackedLayout()
        for page in (self.empty, self.list, self.nothing):
            self._stack.addWidget(page)
        self._assemble()

    def _assemble(self) -> None:
        self.search.setPlaceholderText("Search")
        self.search.setToolTip("Narrow the list: part of a case's number, of what it holds, a code, a status")
        self.search.setAccessibleName("Search the cases")
        self.search.setClearButtonEnabled(True)
        self.status.setToolTip("Show cases of one status only")
        self.status.setAccessibleName("Status of the cases shown")
        for words, statuses in STATUS_FILTERS:
            self.status.addItem(words, statuses)
        self.search.textChanged.connect(self._narrow)
        self.status.currentIndexChanged.connect(self._narrow)
        head = QHBoxLayout()
        head.setContentsMargins(6, 4, 6, 4)
        head.addWidget(self.search, 1)
        head.addWidget(self.status)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addLayout(self._stack, 1)
        self.setMinimumWidth(200)

    def _narrow(self) -> None:
        """Hide the rows that do not hold every word, or are of another status."""
        words = self.search.text().casefold().split()
        statuses = self.status.currentData()
        n_shown = 0
        for place in range(self.list.count()):
            entry = self.list.item(place)
            row: CaseRow = entry.data(ROW_ROLE)
            told = f"{row.title} {status_word(row.status)} {row.detail} {row.when}".casefold()
            is_shown = all(word in told for word in words) and (not statuses or row.status in statuses)
            entry.setHidden(not is_shown)
            n_shown += is_shown
        has_any = self.list.count() > 0
        self._stack.setCurrentIndex(1 if n_shown else 2 if has_any else 0)

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
        self._narrow()
        self.list.viewport().update()
