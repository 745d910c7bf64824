"""The facts about the patient as a form made from the table of fields: unit, range and use of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QLabel,
    QScrollArea,
    QWidget,
)

from pipeline.clinical.metadata_fields import ALTERNATIVES, FIELDS, Field, problems_of
from ui.view_state import CaseView
from ui.widgets.facts_dialog import FactsDialog, muted_label

UNKNOWN = "not known"
SPELLINGS = frozenset(second for _, second in ALTERNATIVES)
SHOWN: tuple[Field, ...] = tuple(f for f in FIELDS if f.name not in SPELLINGS and f.kind != "date")
"""Dates stay out of the form: age serves every score, and a birth date identifies."""
INTRODUCTION = (
    "Everything is optional; what is not known stays out of the scores, which then say what is missing. "
    "The facts are kept with the case in the store of this computer. Echo and ECG are not read again."
)
FIRST_STEP = {"number": 0.1, "integer": 1.0}
HEADER_MARK = "from the header of a file"


class MetadataDialog(FactsDialog):
    """One row a field; tells the facts when the reader wants the case judged with them."""

    facts_chosen = Signal(dict)

    def __init__(self, case: CaseView, parent: QWidget | None = None) -> None:
        super().__init__("Facts about the patient", "Use these facts", parent)
        self._before = given_facts(case)
        self.inputs: dict[str, QWidget] = {}
        self._reads: dict[str, Callable[[], Any]] = {}
        self.problem = QLabel()
        self._lay_out(header_facts(case))
        self._compare()

    def _lay_out(self, headers: Mapping[str, Any]) -> None:
        form = QWidget()
        grid = QGridLayout(form)
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(6)
        for row, field in enumerate(SHOWN):
            label = QLabel(_label_text(field))
            self._add_input(field)
            label.setBuddy(self.inputs[field.name])
            grid.addWidget(label, row, 0)
            grid.addWidget(self.inputs[field.name], row, 1)
            grid.addWidget(muted_label(_use_text(field, headers)), row, 2)
        area = QScrollArea()
        area.setWidget(form)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setMinimumWidth(form.sizeHint().width() + 24)
        self.problem.setObjectName("error")
        self.problem.setWordWrap(True)
        self.column.addWidget(muted_label(INTRODUCTION))
        self.column.addWidget(area, 1)
        self.column.addWidget(self.problem)
        self.column.addWidget(self.buttons)
        self.resize(self.sizeHint().width(), min(form.sizeHint().height() + 190, 760))

    def _add_input(self, field: Field) -> None:
        known = self._before.get(field.name)
        if field.kind in ("boolean", "choice"):
            choice = _choice(field, known)
            choice.currentIndexChanged.connect(self._compare)
            self.inputs[field.name], self._reads[field.name] = choice, choice.currentData
            return
        box = _number(field, known)
        box.valueChanged.connect(self._compare)
        self.inputs[field.name] = box
        self._reads[field.name] = lambda: _value(field, box)

    def tell(self) -> None:
        """Pass the facts on."""
        self.facts_chosen.emit(self.facts())

    def facts(self) -> dict[str, Any]:
        """What the form says now; fields that are not known are left out."""
        read = {name: reads() for name, reads in self._reads.items()}
        kept = {name: value for name, value in self._before.items() if name not in read}
        return kept | {name: value for name, value in read.items() if value is not None}

    def _compare(self) -> None:
        """Judging again makes sense only with other facts that do not contradict each other."""
        facts = self.facts()
        problems = problems_of(facts)
        self.problem.setText(" ".join(text for _, text in problems))
        self.problem.setVisible(bool(problems))
        self.accept_button.setEnabled(facts != self._before and not problems)


def given_facts(case: CaseView) -> dict[str, Any]:
    """What the reader gave before, in the form's units: by the form itself or by a file."""
    metadata = case.results.metadata
    if metadata is not None:
        facts = asdict(metadata)
        return {name: facts[name] for name, origin in metadata.origin.items() if origin == "given"}
    return dict(case.request.metadata or {}) if case.request is not None else {}


def header_facts(case: CaseView) -> dict[str, Any]:
    """What the files' headers say of the patient."""
    metadata = case.results.metadata
    if metadata is None:
        return {}
    facts = asdict(metadata)
    return {name: facts[name] for name, origin in metadata.origin.items() if origin not in ("given", "computed")}


def _label_text(field: Field) -> str:
    name = field.label[:1].upper() + field.label[1:]
    return f"{name} ({field.unit})" if field.unit else name


def _use_text(field: Field, headers: Mapping[str, Any]) -> str:
    use = f"for {field.used_by}"
    if field.name not in headers:
        return use
    value = headers[field.name]
    shown = f"{value:g}" if isinstance(value, int | float) else str(value)
    return f"{use} · {shown} {HEADER_MARK}"


def _choice(field: Field, known: object) -> QComboBox:
    box = QComboBox()
    answers = (("yes", True), ("no", False)) if field.kind == "boolean" else tuple((c, c) for c in field.choices)
    for words, value in ((UNKNOWN, None), *answers):
        box.addItem(words, value)
    box.setCurrentIndex(next((i for i in range(box.count()) if box.itemData(i) == known), 0))
    box.setAccessibleName(field.label)
    box.setToolTip(f"Used by: {field.used_by}.")
    return box


def _number(field: Field, known: object) -> QDoubleSpinBox:
    """The lowest value, a step below the range, stands for "not known": every value of the range can be given."""
    box = QDoubleSpinBox()
    step = FIRST_STEP[field.kind]
    box.setDecimals(0 if field.kind == "integer" else 1)
    box.setRange(field.low - step, field.high)
    box.setSingleStep(1.0)
    box.setSuffix(f" {field.unit}" if field.unit else "")
    box.setSpecialValueText(UNKNOWN)
    box.setValue(float(known) if isinstance(known, int | float) else box.minimum())
    unit = f" {field.unit}" if field.unit else ""
    box.setAccessibleName(f"{field.label}{f' in {field.unit}' if field.unit else ''}")
    box.setToolTip(f"{field.low:g} to {field.high:g}{unit}. Used by: {field.used_by}.")
    return box


def _value(field: Field, box: QDoubleSpinBox) -> float | int | None:
    if box.value() < field.low:
        return None
    return round(box.value()) if field.kind == "integer" else round(box.value(), box.decimals())
