"""The numbers of an earlier case beside those of this one."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QStackedLayout,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from pipeline.clinical.priors import REPEAT_NOISE
from ui.prior_rows import PriorRow, prior_rows
from ui.view_state import ReviewState
from ui.widgets.empty_label import EmptyLabel

CHANGE_COLUMN = 3
ASK_TEXT = "Prior compare (4) puts an earlier case beside the one on screen."
NOTHING_TEXT = "The two cases have no measurement in common."
HEADS = (("Measure", ""), ("Prior", ""), ("Now", ""), ("Change", "Now less prior, in the unit of the measure"))


class PriorView(QWidget):
    """A table: measure, prior, now, change."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = ReviewState()
        self.note = QLabel()
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setWordWrap(True)
        self.note.setObjectName("muted")
        self.note.setContentsMargins(8, 6, 8, 6)
        self.table = QTableWidget(0, len(HEADS))
        self.table.setAccessibleName("Prior and now")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        for column, (words, tip) in enumerate(HEADS):
            head = QTableWidgetItem(words)
            head.setToolTip(tip)
            self.table.setHorizontalHeaderItem(column, head)
        modes = QHeaderView.ResizeMode
        for column in range(len(HEADS)):
            mode = modes.Stretch if column == 0 else modes.ResizeToContents
            self.table.horizontalHeader().setSectionResizeMode(column, mode)
        content = QWidget()
        column_box = QVBoxLayout(content)
        column_box.setContentsMargins(0, 0, 0, 0)
        column_box.setSpacing(0)
        column_box.addWidget(self.note)
        column_box.addWidget(self.table, 1)
        self.empty = EmptyLabel(ASK_TEXT)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(content)

    def show_state(self, state: ReviewState) -> None:
        """Draw what changed since the last snapshot."""
        before, self._state = self._state, state
        is_same = state.case is before.case and state.prior is before.prior and state.prior_note == before.prior_note
        if is_same and before.generation:
            return
        rows = prior_rows(state.case, state.prior) if state.prior.key is not None else ()
        self._fill(rows)
        noise = REPEAT_NOISE["lvef"][2]
        self.note.setText(f"{state.prior_note} EF {noise}." if rows and state.prior_note else state.prior_note)
        self.empty.setText(state.prior_note or ASK_TEXT if state.prior.key is None else NOTHING_TEXT)
        self._stack.setCurrentIndex(1 if rows else 0)

    def _fill(self, rows: tuple[PriorRow, ...]) -> None:
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        self.table.setRowCount(len(rows))
        for place, row in enumerate(rows):
            verdict = row.judged.partition(" (")[0]
            change = f"{row.change}\n{verdict}" if verdict else row.change
            for column, text in enumerate((row.label, row.prior, row.now, change)):
                item = QTableWidgetItem(text)
                item.setToolTip(f"{row.change} {row.judged}".strip() if column == CHANGE_COLUMN else text)
                if column:
                    item.setTextAlignment(right)
                self.table.setItem(place, column, item)
        self.table.resizeRowsToContents()
