"""The researcher's window on every intermediate result: as picture, plot or text, and as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontDatabase, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
    QStackedWidget,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from pipeline.records import EchoCine
from pipeline.reports.plain import plain
from pipeline.research.items import Item, items_of
from ui.data_plots import is_outline, is_picture, is_plot, plot_of
from ui.widgets.array_picture import ArrayPicture
from ui.widgets.side_window import SideWindow, column_of
from ui.widgets.signal_plot import EMPTY_PLOT, SignalPlot

NAME_ROLE = Qt.ItemDataRole.UserRole
CHOOSER_PX = 300
MAX_TEXT = 400_000
EMPTY_TEXT = (
    "No case is open. Open study files (Ctrl+O) or choose a case, then everything it was measured from is here."
)
FORMS = (("NumPy array (*.npy)", ".npy"), ("Table (*.csv)", ".csv"), ("JSON (*.json)", ".json"))


class DataWindow(SideWindow):
    """Lists the results on its left, shows the chosen one on its right; follows the case of the main window."""

    save_wished = Signal(object, object)  # an Item and where to write it
    item_seen = Signal(str)  # the name of the result that is shown now
    maps_wished = Signal(int, int)  # a clip and a frame whose probability maps are to be made

    def __init__(self, notice: str, parent: QWidget | None = None) -> None:
        super().__init__("Intermediate results", notice, parent)
        self._shown: object = None
        self._items: dict[str, Item] = {}
        self._chosen = ""
        self.filter = QLineEdit()
        self.chooser = QTreeWidget()
        self.title, self.facts, self.pointed, self.empty = QLabel(), QLabel(), QLabel(), QLabel(EMPTY_TEXT)
        self.picture, self.plot, self.text = ArrayPicture(), SignalPlot(), QPlainTextEdit()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.maps_button = QToolButton()
        self.pages = QStackedWidget()
        self.save_button = QToolButton()
        self._assemble()
        self.chooser.currentItemChanged.connect(self._choose)
        self.filter.textChanged.connect(self._filter)
        self.slider.valueChanged.connect(self.picture.set_frame)
        self.picture.value_pointed.connect(self.pointed.setText)
        self.save_button.clicked.connect(self._save)
        self.maps_button.clicked.connect(self._wish_maps)

    # --- assembly -----------------------------------------------------------------------------------

    def _assemble(self) -> None:
        self.title.setObjectName("title")
        for label in (self.facts, self.pointed, self.empty):
            label.setObjectName("muted")
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.facts.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.filter.setPlaceholderText("Filter by name")
        self.filter.setAccessibleName("Filter by name")
        self.filter.setClearButtonEnabled(True)
        self.chooser.setHeaderLabels(["Result", "Size"])
        self.chooser.setAccessibleName("Intermediate results")
        self.chooser.setRootIsDecorated(False)
        self.chooser.setMinimumWidth(CHOOSER_PX)
        self.text.setReadOnly(True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName("Result as text")
        self.slider.setAccessibleName("Frame")
        self.save_button.setText("Save…")
        self.save_button.setShortcut("Ctrl+S")
        self.save_button.setToolTip("Write this result as .npy, .csv or .json (Ctrl+S)")
        self.maps_button.setText("Probability maps")
        self.maps_button.setToolTip("What the network makes of this frame, before neighbours and clean-up")
        self.set_out(column_of(self.filter, self.chooser), self._side(), CHOOSER_PX)

    def _side(self) -> QWidget:
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.maps_button)
        head.addWidget(self.save_button)
        pictures = column_of(self.picture, self.slider, self.pointed)
        for page in (self.empty, pictures, self.plot, self.text):
            self.pages.addWidget(page)
        self._pictures = pictures
        side = QWidget()
        column = QVBoxLayout(side)
        column.addLayout(head)
        column.addWidget(self.pages, 1)
        column.addWidget(self.facts)
        return side

    # --- showing ------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        super().showEvent(event)
        self.item_seen.emit(self._chosen if self._chosen in self._items else "")

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        super().hideEvent(event)
        self.item_seen.emit("")

    def draw(self) -> None:
        """List what the case has."""
        case, theme = self._state.case, self._state.theme
        self.picture.set_theme(theme)
        wanted = (case.results, case.report, theme)
        if isinstance(self._shown, tuple) and all(a is b for a, b in zip(self._shown, wanted, strict=True)):
            return
        self._shown = wanted
        self._items = {item.name: item for item in items_of(case.results, case.report)}
        self._fill()

    def show_maps(self, item: Item) -> None:
        """Show probability maps that were asked for, and list them with the other results."""
        self._items[item.name] = item
        self._chosen = item.name
        self.slider.setValue(1)  # the cavity
        self._fill()

    def _fill(self) -> None:
        chosen = self._chosen
        self.chooser.clear()
        for name, item in self._items.items():
            row = QTreeWidgetItem([item.label if "." not in name else f"{_group(name)}  {item.label}", item.size_text])
            row.setData(0, NAME_ROLE, name)
            row.setToolTip(0, f"{name}\n{item.note}" if item.note else name)
            self.chooser.addTopLevelItem(row)
            if name == chosen:
                self.chooser.setCurrentItem(row)
        self.chooser.resizeColumnToContents(0)
        self._filter(self.filter.text())
        first = self.chooser.topLevelItem(0)
        if self.chooser.currentItem() is None and first is not None:
            self.chooser.setCurrentItem(first)
        self._show_chosen()

    def _filter(self, words: str) -> None:
        wanted = words.casefold().split()
        for place in range(self.chooser.topLevelItemCount()):
            row = self.chooser.topLevelItem(place)
            if row is not None:
                told = f"{row.text(0)} {row.data(0, NAME_ROLE)}".casefold()
                row.setHidden(not all(word in told for word in wanted))

    def _choose(self, row: QTreeWidgetItem | None, _before: Any) -> None:
        if row is not None:
            self._chosen = str(row.data(0, NAME_ROLE))
            self._show_chosen()

    def choose(self, name: str) -> None:
        """Show a result by its name."""
        for place in range(self.chooser.topLevelItemCount()):
            row = self.chooser.topLevelItem(place)
            if row is not None and row.data(0, NAME_ROLE) == name:
                self.chooser.setCurrentItem(row)

    def _show_chosen(self) -> None:
        item = self._items.get(self._chosen)
        self.save_button.setEnabled(item is not None)
        self.maps_button.setVisible(item is not None and "frame" in item.axes[:1] and item.name.startswith("echo."))
        self.title.setText(item.label if item is not None else "")
        self.facts.setText("" if item is None else _facts(item))
        self.plot.show_plot(EMPTY_PLOT, self._state.theme)
        if item is None:
            self.pages.setCurrentWidget(self.empty)
        elif is_picture(item) or is_outline(item):
            self._show_picture(item)
        elif is_plot(item):
            self.plot.show_plot(plot_of(item), self._state.theme)
            self.pages.setCurrentWidget(self.plot)
        else:
            self.text.setPlainText(_text(item))
            self.pages.setCurrentWidget(self.text)
        self.item_seen.emit("" if item is None else item.name)

    def _show_picture(self, item: Item) -> None:
        cine = self._cine(item.name)
        frames, outlines = (item.value, None) if is_picture(item) else (cine.frames, item.value)
        row_mm, column_mm = cine.calibration.spacing_mm or (1.0, 1.0)
        is_labels = item.name.endswith(".labels")
        self.picture.set_frames(frames, is_labels=is_labels, outlines=outlines, aspect=row_mm / column_mm)
        self.slider.setRange(0, max(len(frames) - 1, 0))
        self.picture.set_frame(self.slider.value())
        self.pages.setCurrentWidget(self._pictures)

    def _cine(self, name: str) -> EchoCine:
        return self._state.case.results.cines[int(name.split(".")[1]) - 1]

    # --- wishes -------------------------------------------------------------------------------------

    def _wish_maps(self) -> None:
        """Of the frame that the slider stands at."""
        self.maps_wished.emit(int(self._chosen.split(".")[1]) - 1, self.slider.value())

    def _save(self) -> None:
        item = self._items.get(self._chosen)
        if item is None:
            return
        forms = FORMS if item.is_array else FORMS[1:]
        filters = ";;".join(words for words, _ in forms)
        name, chosen = QFileDialog.getSaveFileName(self, "Save result", f"chordae-{item.name}{forms[0][1]}", filters)
        if name:
            path = Path(name)
            ending = dict(forms).get(chosen, forms[0][1])
            known = path.suffix.casefold() in [ending for _, ending in FORMS]
            self.save_wished.emit(item, path if known else path.with_name(path.name + ending))


def _group(name: str) -> str:
    parts = name.split(".")
    return {"echo": f"Echo {parts[1]}", "ecg": "ECG", "fused": "Fused"}[parts[0]]


def _facts(item: Item) -> str:
    axes = f"axes: {', '.join(item.axes)}" if item.axes else ""
    range_text = ""
    if item.is_array and item.value.size and item.value.dtype.kind in "fiu":
        finite = item.value[np.isfinite(item.value)] if item.value.dtype.kind == "f" else item.value
        range_text = f"from {finite.min():g} to {finite.max():g}" if finite.size else "no finite value"
    return " · ".join(part for part in (item.name, item.size_text, axes, item.unit, range_text, item.note) if part)


def _text(item: Item) -> str:
    text = json.dumps(plain(item.value if not item.is_array else item.value.tolist()), ensure_ascii=False, indent=1)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}\n… cut; save the result to see all of it"
