"""The journal of the case on screen, as plain lines."""

from __future__ import annotations

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from ui.journal_lines import journal_line
from ui.view_state import ReviewState
from ui.wording import counted

SHOWN_LINES = 2000


class LogView(QWidget):
    """Appends what is new; starts over when the case or the filter changes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source: tuple[str | None, str | None] = (None, None)
        self._last_seq = -1
        self._first_seq: int | None = None
        self.head = QLabel("The journal of a run appears here.")
        self.head.setObjectName("muted")
        self.lines = QPlainTextEdit()
        self.lines.setReadOnly(True)
        self.lines.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.lines.setUndoRedoEnabled(False)
        self.lines.setMaximumBlockCount(SHOWN_LINES)
        self.lines.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.lines.setAccessibleName("Journal of the run")
        row = QHBoxLayout()
        row.setContentsMargins(8, 4, 8, 0)
        row.addWidget(self.head, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.lines, 1)
        self.setMinimumHeight(90)

    def show_state(self, state: ReviewState) -> None:
        """Draw what changed since the last snapshot."""
        events = state.case.progress.events
        source = (state.case.key, state.log_filter)
        first = events[0].seq if events else None
        was_named = self._source[0] == "live" and source[0] is not None and source[1] == self._source[1]
        if (source != self._source and not was_named) or first != self._first_seq:
            self.lines.clear()
            self._last_seq = -1
        self._source, self._first_seq = source, first
        fresh = [event for event in events[-SHOWN_LINES:] if event.seq > self._last_seq]
        if fresh:
            self._last_seq = fresh[-1].seq
            shown = [journal_line(e) for e in fresh if state.log_filter in (None, e.state)]
            if shown:
                self.lines.appendPlainText("\n".join(shown))
        self._show_head(state, len(events))

    def _show_head(self, state: ReviewState, n_events: int) -> None:
        text = counted(n_events, "line") if n_events else "The journal of a run appears here."
        if state.log_filter:
            text += f" · only {state.log_filter}: click the state again to see all"
        if self.head.text() != text:
            self.head.setText(text)
