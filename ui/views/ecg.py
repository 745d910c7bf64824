"""The ECG view: the strip on paper, how it is drawn, the statements to confirm."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from pipeline.records import EcgStatement, RhythmStatement
from ui.view_state import GAINS_MM_MV, SPEEDS_MM_S, CaseView, ReviewState, absence
from ui.widgets.ecg_paper import EcgPaper
from ui.widgets.elided_label import ElidedLabel
from ui.widgets.empty_label import EmptyLabel

SWITCHES = (("grid", "Grid", "Paper grid (G)"), ("r_ticks", "R ticks", "Marks at R peaks (T)"))
CHOICES = (  # option, choices, unit, words
    ("speed_mm_s", SPEEDS_MM_S, "mm/s", "Paper speed ([ and ])"),
    ("gain_mm_mv", GAINS_MM_MV, "mm/mV", "Gain (- and +)"),
)


class EcgView(QWidget):
    """Shows the filtered ECG at true size."""

    switch_wished = Signal(str, bool)
    value_wished = Signal(str, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._case = CaseView()
        self._look: tuple[object, object] | None = None
        self._switches: dict[str, QToolButton] = {}
        self.paper = EcgPaper()
        self.empty = EmptyLabel()
        self.rhythm = ElidedLabel()
        self._choices: dict[str, QComboBox] = {}
        self.layout_switch = QToolButton()
        self._assemble()

    def _assemble(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(self._control_row())
        column.addWidget(self.paper, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(content)
        self.setMinimumHeight(120)

    def _control_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(6, 4, 6, 0)
        row.setSpacing(4)
        self.rhythm.setObjectName("title")
        self.rhythm.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.addWidget(self.rhythm, 1)
        for name, values, unit, words in CHOICES:
            choice = QComboBox()
            choice.setToolTip(words)
            choice.setAccessibleName(words)
            choice.setProperty("option", name)
            for value in values:
                choice.addItem(f"{value:g} {unit}", value)
            choice.activated.connect(self._report_choice)
            self._choices[name] = choice
            row.addWidget(choice)
        for name, text, words in SWITCHES:
            switch = self._tool_button(text, words)
            switch.setCheckable(True)
            switch.setProperty("switch", name)
            switch.clicked.connect(self._report_switch)
            self._switches[name] = switch
            row.addWidget(switch)
        self.layout_switch.setToolTip("3 × 4 with a rhythm strip, or one row a lead (L)")
        self.layout_switch.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.layout_switch.setCheckable(True)
        self.layout_switch.setText("Stacked")
        self.layout_switch.setProperty("switch", "stacked")
        self.layout_switch.clicked.connect(self._report_switch)
        self._switches["stacked"] = self.layout_switch
        row.addWidget(self.layout_switch)
        return row

    def _tool_button(self, text: str, words: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(words)
        button.setAccessibleName(words)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _report_switch(self, checked: bool) -> None:
        self.switch_wished.emit(str(self.sender().property("switch")), checked)

    def _report_choice(self, place: int) -> None:
        choice = self.sender()
        assert isinstance(choice, QComboBox)
        self.value_wished.emit(str(choice.property("option")), float(choice.itemData(place)))

    def show_state(self, state: ReviewState) -> None:
        """Draw what changed since the last snapshot."""
        before, self._case = self._case, state.case
        look = (state.ecg, state.theme)
        if look != self._look:
            self._look = look
            self.paper.set_look(state.ecg, state.theme)
            for name, switch in self._switches.items():
                switch.setChecked(getattr(state.ecg, name))
            for name, choice in self._choices.items():
                choice.setCurrentIndex(choice.findData(getattr(state.ecg, name)))
        now, then = state.case.results, before.results
        if now.ecg is not then.ecg or now.ecg_analysis is not then.ecg_analysis:
            self.paper.set_ecg(now.ecg, now.ecg_analysis)
            self.layout_switch.setVisible(now.ecg is not None and len(now.ecg.record.leads) >= 12)
            self._stack.setCurrentIndex(0 if now.ecg is None else 1)
        self._show_rhythm()
        self._show_empty_text()

    def _show_rhythm(self) -> None:
        analysis = self._case.results.ecg_analysis
        ecg = self._case.results.ecg
        shapes = () if analysis is None else tuple(s for s in analysis.statements if s.status == "suggested")
        if analysis is not None and (analysis.rhythm or shapes):
            said: tuple[RhythmStatement | EcgStatement, ...] = (*analysis.rhythm, *shapes)
            text = "To confirm: " + " · ".join(s.text.partition(";")[0].rstrip(".") for s in said)
            proof = "\n".join(f"{s.text} {s.evidence}" for s in said)
        else:
            text = "" if ecg is None else f"{len(ecg.record.leads)} leads"
            proof = ""
        self.rhythm.set_words(text, proof)

    def _show_empty_text(self) -> None:
        text = absence(self._case, "ecg")
        if self.empty.text() != text:
            self.empty.setText(text)
