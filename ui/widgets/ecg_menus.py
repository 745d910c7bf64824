"""What can be done with a mark, a beat or a kept caliper, as menus of the ECG paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu

from pipeline.review.ecg_targets import ABSENT, CLASSES
from ui.ecg_marks import MARK_NAMES, Mark

if TYPE_CHECKING:
    from ui.widgets.ecg_paper import EcgPaper

CLASS_NAMES = {
    "N": "Normal",
    "S": "Supraventricular",
    "V": "Ventricular",
    "F": "Fusion",
    "Q": "Not classifiable",
}


def open_mark_menu(paper: EcgPaper, mark: Mark, place: QPoint) -> None:
    """Give a mark back, or say that there is no such wave."""
    menu = _menu(paper)
    wave = "R" if mark.name == "r_peak" else mark.name.partition("_")[0].upper()
    back = menu.addAction(f"{MARK_NAMES[mark.name]}: back to the pipeline's")
    back.setEnabled(mark.is_edited)
    back.triggered.connect(lambda: paper.mark_wished.emit(mark.target, None))
    what = "beat" if mark.name == "r_peak" else f"{wave} wave"
    none = menu.addAction(f"There is no {what} here: take {'it' if mark.name == 'r_peak' else 'this mark'} away")
    none.triggered.connect(lambda: paper.mark_wished.emit(mark.target, ABSENT))
    menu.popup(place)


def open_beat_menu(paper: EcgPaper, beat: int, missing: list[Mark], place: QPoint) -> None:
    """Class a beat; set marks that it has not, each where it is proposed."""
    assert paper.marks is not None
    menu = _menu(paper)
    menu.addSection(f"Class of beat {beat + 1}")
    for letter in CLASSES:
        action = menu.addAction(f"{letter}   {CLASS_NAMES[letter]}")
        action.setCheckable(True)
        action.setChecked(letter == paper.marks.letter(beat))
        action.triggered.connect(lambda _=False, letter=letter: paper.class_wished.emit(beat, letter))
    if missing:
        menu.addSection("Marks that this lead lacks")
    for mark in missing:
        action = menu.addAction(f"Set {MARK_NAMES[mark.name]} at {1000.0 * mark.time_s:.0f} ms")
        value = round(1000.0 * mark.time_s, 3)
        action.triggered.connect(lambda _=False, mark=mark, value=value: paper.mark_wished.emit(mark.target, value))
    menu.popup(place)


def open_place_menu(paper: EcgPaper, target: str, ms: float, place: QPoint) -> None:
    """Add a beat where there is none."""
    menu = _menu(paper)
    action = menu.addAction(f"Add a beat here, R peak at {ms:.0f} ms")
    action.triggered.connect(lambda: paper.mark_wished.emit(target, ms))
    menu.popup(place)


def open_caliper_menu(paper: EcgPaper, target: str, place: QPoint) -> None:
    """Take a kept caliper away."""
    menu = _menu(paper)
    action = menu.addAction("Take this caliper away")
    action.triggered.connect(lambda: paper.caliper_dropped.emit(target))
    menu.popup(place)


def _menu(paper: EcgPaper) -> QMenu:
    menu = QMenu(paper)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return menu
