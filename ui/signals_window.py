"""The researcher's window: plots of a case's intermediate results, and their values as a table."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QStackedWidget,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ui import dialogs
from ui.plot_values import cut
from ui.plots import Plot, PlotEntry, entries_of
from ui.view_state import CaseView, absence
from ui.widgets.drawing import sized
from ui.widgets.side_window import SideWindow, column_of
from ui.widgets.signal_plot import EMPTY_PLOT, SignalPlot

ENTRY_ROLE = Qt.ItemDataRole.UserRole
CHOOSER_PX = 210
CHOOSER_STYLE = """
QTreeWidget::item {{ padding: 3px; }}
QTreeWidget::item:selected {{ background: {accent}; color: {on_accent}; }}
"""
NO_CASE_TEXT = "No case is open. Open study files (Ctrl+O) or choose a case in the list, then its signals appear here."


class SignalsWindow(SideWindow):
    """Plots what the chooser on its left names; follows the case of the main window."""

    values_wished = Signal(object, object)  # a Plot and where to write its values

    def __init__(self, notice: str, parent: QWidget | None = None) -> None:
        super().__init__("Signals", notice, parent)
        self._shown: tuple[object, ...] | None = None
        self._entries: tuple[PlotEntry, ...] = ()
        self._items: dict[str, QTreeWidgetItem] = {}
        self._chosen = ""
        self._made: Plot = EMPTY_PLOT
        self.chooser = QTreeWidget()
        self.absent = QLabel()
        self.title = QLabel()
        self.note = QLabel()
        self.message = QLabel()
        self.empty = QLabel(NO_CASE_TEXT)
        self.plot = SignalPlot()
        self.pages = QStackedWidget()
        self.reset_button = QToolButton()
        self.save_button = QToolButton()
        self._assemble()
        self.chooser.currentItemChanged.connect(self._choose)

    # --- assembly -----------------------------------------------------------------------------------

    def _assemble(self) -> None:
        for label, name in (
            (self.absent, "muted"), (self.note, "muted"), (self.empty, "empty"), (self.title, "title"),
            (self.message, "message"),
        ):  # fmt: skip
            label.setObjectName(name)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(label is not self.title)
        self.title.setMinimumWidth(1)  # a long name of a lead does not widen the window
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.chooser.setHeaderHidden(True)
        self.chooser.setRootIsDecorated(False)
        self.chooser.setIndentation(10)
        self.chooser.setAccessibleName("Signals of this case")
        self.pages.addWidget(self.empty)
        self.pages.addWidget(self.plot)
        self.set_out(column_of(self.chooser, self.absent), self._plot_side(), CHOOSER_PX, self.message)

    def _plot_side(self) -> QWidget:
        row = QHBoxLayout()
        row.addWidget(self.title, 1)
        buttons = (
            (self.reset_button, "Reset view", "Home", "Show everything again", self.plot.reset_view),
            (self.save_button, "Save values…", "Ctrl+S", "Write what is in sight as a CSV table", self._save),
        )
        for button, text, keys, words, slot in buttons:
            button.setText(text)
            button.setToolTip(f"{words} ({keys})")
            button.setShortcut(keys)
            button.clicked.connect(slot)
            row.addWidget(button)
        side = column_of(self.pages, self.note)
        layout = side.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertLayout(0, row)
        return side

    # --- showing ------------------------------------------------------------------------------------

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """A closed window holds no signals; a minimised one keeps its place."""
        super().hideEvent(event)
        if not event.spontaneous():
            self._shown, self._made = None, EMPTY_PLOT
            self.plot.show_plot(EMPTY_PLOT, self._state.theme)

    def draw(self) -> None:
        """List the plots of the case and draw the chosen one."""
        case = self._state.case
        said = self._state.message.text if self._state.message else ""
        self.message.setText(said)
        self.message.setVisible(bool(said))
        self._show_absent(case)
        wanted = (case.key, case.phase, case.results, self._state.theme)
        if self._shown is not None and all(a is b for a, b in zip(self._shown, wanted, strict=True)):
            return
        is_other = self._shown is None or self._shown[0] != case.key or self._shown[2] is not case.results
        self._shown = wanted
        theme = self._state.theme
        self.chooser.setStyleSheet(CHOOSER_STYLE.format(accent=theme.accent, on_accent=theme.on_accent))
        if is_other:
            self._fill_chooser(entries_of(case.results))
        self._show_chosen(is_other=is_other)

    def _show_absent(self, case: CaseView) -> None:
        has_any = case.has_echo or case.has_ecg  # where there is nothing, the page itself says so
        words = ["" if case.has_echo else absence(case, "echo"), "" if case.has_ecg else absence(case, "ecg")]
        words = [text for text in dict.fromkeys(words) if text and has_any]
        self.absent.setText("\n\n".join(words))
        self.absent.setVisible(bool(words))

    def _fill_chooser(self, entries: tuple[PlotEntry, ...]) -> None:
        """The plots of the case; what was chosen before is chosen again where there is such a plot."""
        before = self._chosen
        self._entries, self._items = (), {}
        self.chooser.clear()
        for group in dict.fromkeys(entry.group for entry in entries):
            head = QTreeWidgetItem([group])
            head.setFlags(Qt.ItemFlag.ItemIsEnabled)
            head.setFont(0, sized(self.font(), 1.0, bold=True))
            self.chooser.addTopLevelItem(head)
            for entry in (e for e in entries if e.group == group):
                item = QTreeWidgetItem([entry.label])
                item.setData(0, ENTRY_ROLE, entry.key)
                head.addChild(item)
                self._items[entry.key] = item
            head.setExpanded(True)
        self._entries = entries
        keys = [entry.key for entry in entries]
        self.choose(before if before in keys else keys[0] if keys else "")

    def choose(self, key: str) -> None:
        """Mark a plot in the chooser; it is shown with the rest of the state."""
        self._chosen = key
        if key in self._items:
            self.chooser.setCurrentItem(self._items[key])

    def _choose(self, item: QTreeWidgetItem | None, _before: Any) -> None:
        key = item.data(0, ENTRY_ROLE) if item is not None else None
        if key is not None and self._entries and key != self._chosen:
            self._chosen = key
            self._show_chosen(is_other=True)

    def _show_chosen(self, *, is_other: bool) -> None:
        entry = next((e for e in self._entries if e.key == self._chosen), None)
        if entry is None:
            self._made = Plot(title="", missing=self._nothing_text())
        elif is_other:
            self._made = entry.make(self._state.case.results, entry.place)
        made = self._made
        self.title.setText(" ".join(made.title.split()))
        self.note.setText(made.note)
        self.note.setVisible(bool(made.note))
        self.empty.setText(made.missing or "")
        self.plot.show_plot(made if made.missing is None else EMPTY_PLOT, self._state.theme)
        self.pages.setCurrentIndex(0 if made.missing else 1)
        for button in (self.reset_button, self.save_button):
            button.setEnabled(made.missing is None)

    def _nothing_text(self) -> str:
        case = self._state.case
        if case.phase == "empty":
            return NO_CASE_TEXT
        return "\n\n".join(dict.fromkeys((absence(case, "echo"), absence(case, "ecg"))))

    # --- wishes -------------------------------------------------------------------------------------

    def _save(self) -> None:
        path = dialogs.ask_values(self)
        if path is not None:
            self.values_wished.emit(cut(self.plot.plot, *self.plot.x_range(), self.plot.hidden), path)
