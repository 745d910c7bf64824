"""The row over the ECG: what to confirm, layout, speed, gain, and what is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QComboBox, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from ui.ecg_layout import chosen_layout, layout_title, layouts_for, rhythm_lead
from ui.icons import make_icon
from ui.theme import Theme
from ui.view_state import GAINS_MM_MV, SPEEDS_MM_S, EcgOptions
from ui.widgets.drawing import sized
from ui.widgets.elided_label import ElidedLabel

SWITCHES = (  # option, icon, words
    ("grid", "grid", "Paper grid of 1 and 5 mm (G)"),
    ("r_ticks", "ticks", "Beats with their classes (T)"),
    ("marks", "ecg_marks", "Marks of P, QRS and T, and intervals in ms (M)"),
    ("calipers", "caliper", "Caliper: ms, bpm and mV (C)"),
    ("march", "march", "March the caliper's interval out over the strip (Shift+C)"),
    ("median", "median", "Median beats; of a long record hours and episodes (B)"),
    ("overlaid", "overlaid", "Median beats of all leads over each other (Shift+B)"),
)
CHOICES = (  # option, choices, unit, words
    ("speed_mm_s", SPEEDS_MM_S, "mm/s", "Paper speed, mm/s ([ and ])"),
    ("gain_mm_mv", GAINS_MM_MV, "mm/mV", "Gain, mm/mV (- and +)"),
)
LAYOUT_WORDS = "Layout of the leads (L)"
ONE_ROW_PX = 820
LEAST_CHOICE_PX = 56
RHYTHM_WORDS = "Lead of the rhythm strip"


class EcgControls(QWidget):
    """Emits the name of an option and its new value."""

    switch_wished = Signal(str, bool)
    value_wished = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rhythm = ElidedLabel()
        self.choices: dict[str, QComboBox] = {}
        self.switches: dict[str, QToolButton] = {}
        self._leads: tuple[str, ...] | None = None
        self._theme: Theme | None = None
        self._assemble()

    def _assemble(self) -> None:
        self._rows = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._rows.setContentsMargins(6, 4, 6, 0)
        self._rows.setSpacing(4)
        self.rhythm.setObjectName("title")
        self.rhythm.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout()
        row.setSpacing(4)
        self._rows.addWidget(self.rhythm, 1)
        self._rows.addLayout(row)
        self._add_choice(row, "layout", LAYOUT_WORDS)
        self._add_choice(row, "rhythm_lead", RHYTHM_WORDS)
        for name, values, unit, words in CHOICES:
            choice = self._add_choice(row, name, words)
            for value in values:
                choice.addItem(f"{value:g} {unit}", value)
        for name, _, words in SWITCHES:
            button = QToolButton()
            button.setToolTip(words)
            button.setAccessibleName(words)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setProperty("option", name)
            button.clicked.connect(self._report_switch)
            self.switches[name] = button
            row.addWidget(button)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """In a narrow room what is to be confirmed stands over the choices: it must be read whole."""
        super().resizeEvent(event)
        directions = QBoxLayout.Direction
        self._rows.setDirection(directions.LeftToRight if self.width() >= ONE_ROW_PX else directions.TopToBottom)
        self._fit_choices()

    def _fit_choices(self) -> None:
        """In a narrow room the choices are written smaller, so that no unit is cut off."""
        shown = [choice for choice in self.choices.values() if not choice.isHidden()]
        for choice in shown:
            choice.setFont(self.font())
        switches_px = sum(b.sizeHint().width() + 4 for b in self.switches.values() if not b.isHidden())
        need_px = sum(choice.sizeHint().width() + 4 for choice in shown)
        room_px = self.width() - switches_px - 12
        if need_px > room_px > 0:
            for choice in shown:
                choice.setFont(sized(self.font(), max(0.9 * room_px / need_px, 0.5)))

    def _add_choice(self, row: QHBoxLayout, name: str, words: str) -> QComboBox:
        choice = QComboBox()
        choice.setToolTip(words)
        choice.setAccessibleName(words)
        choice.setProperty("option", name)
        choice.activated.connect(self._report_choice)
        choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        choice.setMinimumWidth(LEAST_CHOICE_PX)  # a large font may not push the neighbours out of the window
        choice.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.choices[name] = choice
        row.addWidget(choice)
        return choice

    def _report_switch(self, checked: bool) -> None:
        self.switch_wished.emit(str(self.sender().property("option")), checked)

    def _report_choice(self, place: int) -> None:
        choice = self.sender()
        assert isinstance(choice, QComboBox)
        self.value_wished.emit(str(choice.property("option")), choice.itemData(place))

    def step_layout(self, by: int) -> None:
        """Wish the next layout, or the one before."""
        choice = self.choices["layout"]
        if choice.count():
            self.value_wished.emit("layout", choice.itemData((choice.currentIndex() + by) % choice.count()))

    def show_options(self, options: EcgOptions, theme: Theme, leads: Sequence[str]) -> None:
        """Show what holds; layouts and leads are those that the record has."""
        if theme is not self._theme:
            self._theme = theme
            for name, icon, _ in SWITCHES:
                self.switches[name].setIcon(make_icon(icon, theme.text))
        if tuple(leads) != self._leads:
            self._leads = tuple(leads)
            self._fill(leads)
        for name, button in self.switches.items():
            button.setChecked(bool(getattr(options, name)))
        self.switches["march"].setVisible(options.calipers)
        self.switches["overlaid"].setVisible(options.median)
        if not leads:
            return
        values: dict[str, Any] = {
            "layout": chosen_layout(options.layout, leads).name,
            "rhythm_lead": leads[rhythm_lead(leads, options.rhythm_lead)],
            "speed_mm_s": options.speed_mm_s,
            "gain_mm_mv": options.gain_mm_mv,
        }
        for name, value in values.items():
            self.choices[name].setCurrentIndex(self.choices[name].findData(value))
        has_rhythm = values["layout"] in ("3x4+1", "3x4+3", "rhythm")
        self.choices["rhythm_lead"].setVisible(has_rhythm and len(leads) > 1)

    def _fill(self, leads: Sequence[str]) -> None:
        layouts, names = self.choices["layout"], self.choices["rhythm_lead"]
        layouts.clear()
        names.clear()
        for spec in layouts_for(leads) if leads else ():
            layouts.addItem(layout_title(spec, leads), spec.name)
            layouts.setItemData(layouts.count() - 1, spec.words, Qt.ItemDataRole.ToolTipRole)
        for name in dict.fromkeys(leads):
            names.addItem(name, name)
