"""Asks which view each clip shows and how large its pixels are, where the files do not say."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QGridLayout, QLabel, QWidget

from pipeline.echo.clip_facts import PIXEL_MM
from pipeline.records import ClipFacts, EchoCine
from ui.view_state import CaseView
from ui.widgets.facts_dialog import FactsDialog, muted_label

AS_FILE = "As in the file"
VIEWS: tuple[tuple[str, str | None], ...] = (
    (AS_FILE, None),
    ("Apical four-chamber (A4C)", "A4C"),
    ("Apical two-chamber (A2C)", "A2C"),
)
HEADS = ("Clip", "In the last reading", "View", "Size of a pixel")
INTRODUCTION = "A four-chamber and a two-chamber clip of one patient together give biplane volumes."
VIEW_TIP = "The view that this clip shows. It stands above what the file says."
PIXEL_TIP = (
    "Height and width of one pixel in millimetres: the depth scale's length in mm divided by its length in pixels. "
    "Used only where the file holds no size of its own."
)
UNSET_MM = PIXEL_MM[0] - 0.001
STEP_MM = 0.01


class ClipDialog(FactsDialog):
    """One row a clip, in the order of the request; tells the facts when the reader wants the study read with them."""

    facts_chosen = Signal(tuple)

    def __init__(self, case: CaseView, parent: QWidget | None = None) -> None:
        super().__init__("Views and sizes of the clips", "Read again", parent)
        self._before = facts_of(case)
        self.views = [_view_box(number, facts.view) for number, facts in enumerate(self._before, 1)]
        self.sizes = [_size_box(number, facts.pixel_mm) for number, facts in enumerate(self._before, 1)]
        self._lay_out(last_reading(case))
        for view in self.views:
            view.currentIndexChanged.connect(self._compare)
        for size in self.sizes:
            size.valueChanged.connect(self._compare)
        self._compare()

    def _lay_out(self, seen: Sequence[str]) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(8)
        for place, head in enumerate(HEADS):
            label = QLabel(head)
            label.setObjectName("title")
            grid.addWidget(label, 0, place)
        for row, (view, size, said) in enumerate(zip(self.views, self.sizes, seen, strict=True), 1):
            words = muted_label(said)
            words.setWordWrap(False)
            for place, part in enumerate((QLabel(str(row)), words, view, size)):
                grid.addWidget(part, row, place)
        self.column.addWidget(muted_label(INTRODUCTION))
        self.column.addLayout(grid)
        self.column.addWidget(self.buttons)

    def tell(self) -> None:
        """Pass the facts on."""
        self.facts_chosen.emit(self.facts())

    def facts(self) -> tuple[ClipFacts, ...]:
        """What the fields say now, one a clip."""
        return tuple(
            ClipFacts(view=view.currentData(), pixel_mm=round(size.value(), 3) if size.value() >= PIXEL_MM[0] else None)
            for view, size in zip(self.views, self.sizes, strict=True)
        )

    def _compare(self) -> None:
        """Reading again makes sense only with other facts."""
        self.accept_button.setEnabled(self.facts() != self._before)


def facts_of(case: CaseView) -> tuple[ClipFacts, ...]:
    """What was said of each clip of the case, empty facts where nothing was."""
    if case.request is None:
        return ()
    given, n_clips = case.request.clip_facts, len(case.request.echo_paths)
    return (given + (ClipFacts(),) * n_clips)[:n_clips]


def last_reading(case: CaseView) -> tuple[str, ...]:
    """What the last reading took each clip for; no claim where clips were left out, since which ones is not told."""
    n_clips, cines = len(facts_of(case)), case.results.cines
    return tuple(_words(cine) for cine in cines) if len(cines) == n_clips else ("–",) * n_clips


def _words(cine: EchoCine) -> str:
    spacing_mm = cine.calibration.spacing_mm
    size = "not calibrated" if spacing_mm is None else f"{spacing_mm[0]:.3g} × {spacing_mm[1]:.3g} mm"
    assumed = any(remark.code == "W_VIEW_ASSUMED" for remark in cine.remarks)
    return f"{cine.view}{' (assumed)' if assumed else ''}, {len(cine.frames)} frames, {size}"


def _view_box(number: int, view: str | None) -> QComboBox:
    box = QComboBox()
    for words, value in VIEWS:
        box.addItem(words, value)
    box.setCurrentIndex(next(i for i, (_, value) in enumerate(VIEWS) if value == view))
    box.setToolTip(VIEW_TIP)
    box.setAccessibleName(f"View of clip {number}")
    return box


def _size_box(number: int, pixel_mm: float | None) -> QDoubleSpinBox:
    """The lowest value stands for "as in the file": every value above it is a plausible size."""
    box = QDoubleSpinBox()
    box.setDecimals(3)
    box.setRange(UNSET_MM, PIXEL_MM[1])
    box.setSingleStep(STEP_MM)
    box.setSuffix(" mm")
    box.setSpecialValueText(AS_FILE)
    box.setValue(UNSET_MM if pixel_mm is None else pixel_mm)
    box.setMinimumWidth(140)
    box.setToolTip(PIXEL_TIP)
    box.setAccessibleName(f"Size of a pixel of clip {number} in millimetres")
    return box
