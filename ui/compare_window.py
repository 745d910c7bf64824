"""Two runs side by side: the measures with their change, and every field of the two results."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from pipeline.clinical.priors import Change, changes
from pipeline.research.comparison import Difference, compare_reports
from ui.view_state import CaseRow, ReviewState
from ui.wording import number

SIZE_PX = (1000, 680)
MEASURE_HEADS = ("Measure", "Other run", "This run", "Change", "Judged")
FIELD_HEADS = ("Field", "Other run", "This run", "Change")
CHOOSE_TEXT = "Choose a run to compare this case with."
LOADING_TEXT = "Loading the other run …"
MAX_CELL = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What the two reports give; `of_keys` names the runs, so that a late answer can be told."""

    of_keys: tuple[str, str]  # this, other
    measures: tuple[Change, ...]
    fields: tuple[Difference, ...]


def compared(this_key: str, other_key: str, this: Mapping[str, Any], other: Mapping[str, Any] | None) -> Comparison:
    """The comparison of two sealed reports; an unfinished run has no fields."""
    if other is None:
        return Comparison(of_keys=(this_key, other_key), measures=(), fields=())
    fields = compare_reports(other, this)
    return Comparison(of_keys=(this_key, other_key), measures=changes(other, this), fields=fields)


class CompareWindow(QDialog):
    """Asks for the other run, then shows both; follows the case of the main window."""

    other_wished = Signal(str)

    def __init__(self, notice: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle("Compare two runs")
        self.resize(*SIZE_PX)
        self._state = ReviewState()
        self._shown: Comparison | None = None
        self._rows: tuple[CaseRow, ...] = ()
        self.choice = QComboBox()
        self.search = QLineEdit()
        self.only_changed = QCheckBox("Only differences")
        self.note = QLabel(CHOOSE_TEXT)
        self.measures = _table(MEASURE_HEADS, "Measures of both runs")
        self.fields = _table(FIELD_HEADS, "Fields of both results")
        self.tabs = QTabWidget()
        self._assemble(notice)

    def _assemble(self, notice: str) -> None:
        strip = QLabel(notice)
        strip.setObjectName("notice")
        strip.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.note.setObjectName("muted")
        self.note.setWordWrap(True)
        self.choice.setAccessibleName("The other run")
        self.choice.setMinimumWidth(260)
        self.search.setPlaceholderText("Find a field")
        self.search.setAccessibleName("Find a field")
        self.search.setClearButtonEnabled(True)
        self.only_changed.setChecked(True)
        self.choice.activated.connect(self._choose)
        self.search.textChanged.connect(self._narrow)
        self.only_changed.toggled.connect(self._narrow)
        self.tabs.addTab(self.measures, "Measures")
        self.tabs.addTab(self.fields, "Every field")
        head = QHBoxLayout()
        head.addWidget(QLabel("Compare with"))
        for widget in (self.choice, self.search, self.only_changed):
            head.addWidget(widget)
        head.addStretch(1)
        inner = QVBoxLayout()
        inner.setContentsMargins(10, 8, 10, 10)
        inner.addLayout(head)
        inner.addWidget(self.note)
        inner.addWidget(self.tabs, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(strip)
        column.addLayout(inner, 1)

    # --- showing ------------------------------------------------------------------------------------

    def show_state(self, state: ReviewState) -> None:
        """Follow the case; another case forgets the comparison."""
        is_other = state.case.key != self._state.case.key or state.case.report is not self._state.case.report
        self._state = state
        rows = tuple(r for r in state.cases if r.status in ("complete", "error") and r.key != state.case.key)
        if rows != self._rows:
            self._rows = rows
            self._fill_choice(rows)
        if is_other:
            self._shown = None
            self.choice.setCurrentIndex(-1)
            self._fill()

    def _fill_choice(self, rows: Sequence[CaseRow]) -> None:
        chosen = self.choice.currentData()
        self.choice.clear()
        for row in rows:
            self.choice.addItem(f"{row.title} · {row.detail} · {row.when}", row.key)
        self.choice.setCurrentIndex(next((i for i, row in enumerate(rows) if row.key == chosen), -1))

    def _choose(self, _place: int) -> None:
        self.note.setText(LOADING_TEXT)
        self.other_wished.emit(str(self.choice.currentData()))

    def show_comparison(self, comparison: Comparison) -> None:
        """Show an answer; dropped when another case or run was chosen meanwhile."""
        if comparison.of_keys == (self._state.case.key, self.choice.currentData()):
            self._shown = comparison
            self._fill()

    def _fill(self) -> None:
        shown = self._shown
        _fill_table(self.measures, [] if shown is None else [_measure_cells(change) for change in shown.measures])
        _fill_table(self.fields, [] if shown is None else [_field_cells(field) for field in shown.fields])
        self.note.setText(CHOOSE_TEXT if shown is None else _summary(shown))
        self._narrow()

    def _narrow(self) -> None:
        if self._shown is None:
            return
        words = self.search.text().casefold().split()
        wants_all = not self.only_changed.isChecked()
        for place, field in enumerate(self._shown.fields):
            is_found = all(word in field.path.casefold() for word in words)
            self.fields.setRowHidden(place, not (is_found and (wants_all or field.kind != "same")))
        for place, change in enumerate(self._shown.measures):
            is_found = all(word in f"{change.label} {change.name}".casefold() for word in words)
            self.measures.setRowHidden(place, not (is_found and (wants_all or change.change != 0.0)))


def _summary(shown: Comparison) -> str:
    if not shown.fields:
        return "The other run has no report."
    n_other = sum(field.kind != "same" for field in shown.fields)
    return (
        f"{n_other} of {len(shown.fields)} fields differ. Times, ids and other things of a single run are not compared."
    )


def _measure_cells(change: Change) -> tuple[str, ...]:
    before, now = number(change.before, change.digits), number(change.now, change.digits)
    moved = number(change.change, change.digits)
    sign = "+" if change.change > 0 else ""
    judged = f"{change.verdict} ({change.noise})" if change.noise else change.verdict
    return change.label, f"{before} {change.unit}", f"{now} {change.unit}", f"{sign}{moved} {change.unit}", judged


def _field_cells(field: Difference) -> tuple[str, ...]:
    first = "" if field.kind == "only second" else _short(field.first)
    second = "" if field.kind == "only first" else _short(field.second)
    moved = "" if field.change is None or field.kind == "same" else f"{field.change:+.6g}"
    return field.path, first, second, moved


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_CELL else f"{text[:MAX_CELL]}…"


def _table(heads: Sequence[str], name: str) -> QTableWidget:
    table = QTableWidget(0, len(heads))
    table.setHorizontalHeaderLabels(list(heads))
    table.setAccessibleName(name)
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
    table.verticalHeader().setVisible(False)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    table.horizontalHeader().setStretchLastSection(True)
    for place, width in enumerate((330, 190, 190, 110)[: len(heads)]):
        table.setColumnWidth(place, width)
    return table


def _fill_table(table: QTableWidget, rows: Sequence[tuple[str, ...]]) -> None:
    table.setRowCount(len(rows))
    for place, cells in enumerate(rows):
        for column, text in enumerate(cells):
            item = QTableWidgetItem(text)
            item.setToolTip(text)
            table.setItem(place, column, item)
