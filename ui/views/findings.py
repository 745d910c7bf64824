"""The findings: every number with its status, its band or the reason why it is withheld."""

from __future__ import annotations

import math

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QResizeEvent, QTextLayout
from PySide6.QtWidgets import (
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from ui.findings import GROUPS, Finding, findings_of
from ui.icons import draw_icon
from ui.theme import DARK, Theme, status_colour, status_icon
from ui.view_state import CaseView, ReviewState
from ui.widgets.drawing import elided, sized
from ui.widgets.elided_label import plain_tooltip
from ui.widgets.empty_label import EmptyLabel
from ui.wording import status_word

FINDING_ROLE = Qt.ItemDataRole.UserRole
PAD_PX = 10
ICON_PX = 14
EMPTY_TEXT = "Findings appear here, each with its unit, its interval and where it comes from."
VCENTER = Qt.AlignmentFlag.AlignVCenter


class FindingDelegate(QStyledItemDelegate):
    """Paints a group's header, or a finding: name, value, interval, status; its note below."""

    theme: Theme = DARK
    width_px: int = 300

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: N802
        font: QFont = option.font
        line = QFontMetrics(font).height()
        finding: Finding | None = index.data(FINDING_ROLE)
        if finding is None:
            return QSize(self.width_px, line + 14)
        head = line * (2 if self._is_broken(finding, font) else 1)
        return QSize(self.width_px, head + self._note_height(finding, font) + 12)

    def _is_broken(self, finding: Finding, font: QFont) -> bool:
        """Whether name and value need a line each."""
        tail = " ".join(part for part in (finding.unit, finding.interval) if part)
        name_px = QFontMetrics(font).horizontalAdvance(finding.label)
        value_px = QFontMetrics(sized(font, 1.05, bold=True)).horizontalAdvance(finding.value)
        tail_px = QFontMetrics(sized(font, 0.9)).horizontalAdvance(tail) + (5 if tail else 0)
        return bool(finding.value) and name_px + value_px + tail_px + 10 > self.width_px - 2 * PAD_PX

    def _note_height(self, finding: Finding, font: QFont) -> int:
        return math.ceil(self._note_layout(finding, font).boundingRect().height())

    def _note_layout(self, finding: Finding, font: QFont) -> QTextLayout:
        """The status word in its colour, then band or reason, wrapped."""
        words = [status_word(finding.status), finding.verdict, finding.note]
        layout = QTextLayout(" · ".join(word for word in words if word), sized(font, 0.9))
        formats, start = [], 0
        for word, status in zip(words, (finding.status, finding.verdict), strict=False):
            coloured = QTextLayout.FormatRange()
            coloured.start, coloured.length = start, len(word)
            coloured.format.setForeground(QColor(status_colour(self.theme, status)))
            formats.append(coloured)
            start += len(word) + 3 if word else 0
        layout.setFormats(formats)
        layout.beginLayout()
        y = 0.0
        while (line := layout.createLine()).isValid():
            line.setLineWidth(max(self.width_px - 2 * PAD_PX - ICON_PX - 5, 40))
            line.setPosition(QPointF(0, y))
            y += line.height()
        layout.endLayout()
        return layout

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        rect = QRectF(option.rect)
        rect.setLeft(0)
        finding: Finding | None = index.data(FINDING_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if finding is None:
            self._paint_group(painter, rect, option, str(index.data()))
        else:
            if option.state & QStyle.StateFlag.State_Selected:
                painter.fillRect(rect, QColor(self.theme.raised))
                painter.fillRect(QRectF(0, rect.top(), 3, rect.height()), QColor(self.theme.accent))
            self._paint_finding(painter, rect, option, finding)
        painter.restore()

    def _paint_group(self, painter: QPainter, rect: QRectF, option: QStyleOptionViewItem, title: str) -> None:
        painter.fillRect(rect, QColor(self.theme.raised))
        painter.setFont(sized(option.font, 0.95, bold=True))
        painter.setPen(QColor(self.theme.text))
        painter.drawText(rect.adjusted(PAD_PX, 0, -PAD_PX, 0), VCENTER, title)

    def _paint_finding(self, painter: QPainter, rect: QRectF, option: QStyleOptionViewItem, finding: Finding) -> None:
        font: QFont = option.font
        line_px = QFontMetrics(font).height()
        inner = rect.adjusted(PAD_PX, 5, -PAD_PX, -5)
        top = QRectF(inner.left(), inner.top(), inner.width(), line_px)
        is_broken = self._is_broken(finding, font)
        below = top.translated(0, line_px) if is_broken else top
        room = self._paint_value(painter, below, font, finding)
        painter.setFont(font)
        painter.setPen(QColor(self.theme.text))
        elided(painter, top if is_broken else room, finding.label, VCENTER)
        self._paint_status(painter, QPointF(inner.left(), below.bottom() + 1), font, finding)
        painter.setPen(QColor(self.theme.border))
        painter.drawLine(QPointF(inner.left(), rect.bottom() - 0.5), QPointF(inner.right(), rect.bottom() - 0.5))

    def _paint_status(self, painter: QPainter, place: QPointF, font: QFont, finding: Finding) -> None:
        colour = status_colour(self.theme, finding.status)
        icon = QRectF(place.x(), place.y() + 1, ICON_PX, ICON_PX)
        draw_icon(painter, status_icon(finding.status), icon, colour, self.theme.surface)
        painter.setPen(QColor(self.theme.muted))
        self._note_layout(finding, font).draw(painter, place + QPointF(ICON_PX + 5, 0))

    def _paint_value(self, painter: QPainter, room: QRectF, font: QFont, finding: Finding) -> QRectF:
        """Value, unit and interval; returns what is left of the line."""
        if not finding.value:
            return room
        small = sized(font, 0.9)
        tail = " ".join(part for part in (finding.unit, finding.interval) if part)
        painter.setFont(small)
        tail_width = painter.fontMetrics().horizontalAdvance(tail)
        painter.setPen(QColor(self.theme.muted))
        painter.drawText(QRectF(room.right() - tail_width, room.top(), tail_width + 2, room.height()), VCENTER, tail)
        painter.setFont(sized(font, 1.05, bold=True))
        value_width = painter.fontMetrics().horizontalAdvance(finding.value)
        left = room.right() - tail_width - (5 if tail else 0) - value_width
        painter.setPen(QColor(self.theme.text))
        painter.drawText(QRectF(left, room.top(), value_width + 2, room.height()), VCENTER, finding.value)
        return room.adjusted(0, 0, -(room.right() - left + 10), 0)


class FindingsView(QWidget):
    """Groups of findings; a click on one that has a frame asks for it."""

    frame_wished = Signal(int, int)
    measure_wished = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._case = CaseView()
        self._rows: tuple[Finding, ...] = ()
        self._items: list[QTreeWidgetItem] = []  # of the rows, in the order of the groups
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        self.tree.setRootIsDecorated(False)
        self.tree.setIndentation(0)
        self.tree.setVerticalScrollMode(QTreeWidget.ScrollMode.ScrollPerPixel)
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.tree.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.tree.setAccessibleName("Findings")
        self._delegate = FindingDelegate(self.tree)
        self.tree.setItemDelegate(self._delegate)
        self.tree.itemClicked.connect(self._wish)
        self.tree.itemActivated.connect(self._wish)
        self.tree.currentItemChanged.connect(self._choose)
        self.empty = EmptyLabel(EMPTY_TEXT)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.tree)
        self.setMinimumWidth(300)

    @property
    def rows(self) -> tuple[Finding, ...]:
        return self._rows

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        self._delegate.width_px = max(self.tree.viewport().width(), 120)
        self.tree.doItemsLayout()

    def show_state(self, state: ReviewState) -> None:
        """Draw what changed since the last snapshot."""
        before, self._case = self._case, state.case
        if self._delegate.theme is not state.theme:
            self._delegate.theme = state.theme
            self.tree.viewport().update()
        if state.case.results is before.results and state.case.report is before.report:
            return
        rows = findings_of(state.case.results, state.case.report)
        are_other = [(row.name, row.note, row.verdict) for row in rows] != [
            (row.name, row.note, row.verdict) for row in self._rows
        ]
        self._show_rows(rows)
        self._stack.setCurrentIndex(1 if rows else 0)
        if are_other:  # a number alone changes no height: laying the list out is the most of a redraw
            self._delegate.width_px = max(self.tree.viewport().width(), 120)
            self.tree.doItemsLayout()

    def _show_rows(self, rows: tuple[Finding, ...]) -> None:
        """Put new words into the rows that are there; fill the list anew only when other rows are to be shown."""
        before, self._rows = self._rows, rows
        if [(row.group, row.name) for row in rows] != [(row.group, row.name) for row in before]:
            self._fill()
            return
        for row, known, item in zip(rows, before, self._items, strict=True):
            if row != known:
                _put(item, row)

    def _fill(self) -> None:
        self._items = []
        self.tree.clear()
        for group in GROUPS:
            members = [row for row in self._rows if row.group == group]
            if not members:
                continue
            header = QTreeWidgetItem([group])
            header.setFlags(Qt.ItemFlag.ItemIsEnabled)
            self.tree.addTopLevelItem(header)
            for row in members:
                item = QTreeWidgetItem()
                _put(item, row)
                header.addChild(item)
                self._items.append(item)
            header.setExpanded(True)

    def _choose(self, item: QTreeWidgetItem | None) -> None:
        row: Finding | None = None if item is None else item.data(0, FINDING_ROLE)
        if row is not None and row.can_be_judged:
            self.measure_wished.emit(row.name)

    def _wish(self, item: QTreeWidgetItem) -> None:
        row: Finding | None = item.data(0, FINDING_ROLE)
        if row is not None and row.cine_idx is not None and row.frame_idx is not None:
            self.frame_wished.emit(row.cine_idx, row.frame_idx)


def _put(item: QTreeWidgetItem, row: Finding) -> None:
    item.setData(0, FINDING_ROLE, row)
    item.setData(0, Qt.ItemDataRole.AccessibleTextRole, row.spoken)
    hint = "\nClick to see the frame." if row.frame_idx is not None else ""
    item.setToolTip(0, plain_tooltip(row.proof + hint if row.proof else ""))
