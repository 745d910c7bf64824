"""One state of the run: its times, inputs, outputs, checkpoint and journal, and going on from there."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ui.icons import make_icon
from ui.journal_lines import journal_line
from ui.resume_plan import resume_plan
from ui.run_progress import STATE_NAMES, telling_state
from ui.state_facts import state_facts
from ui.theme import status_colour, status_icon
from ui.view_state import ReviewState
from ui.widgets.elided_label import ElidedLabel, plain_tooltip
from ui.wording import elapsed_text, status_word

NO_RUN_TEXT = "The states of a run are told here: click one in the run strip (Alt+Left, Alt+Right)."
NO_RESUME_TEXT = (
    "From here the run cannot go on: it goes on by itself, or a result that this state needs is not stored."
)
SHOWN_LINES = 400


class StateDetailView(QWidget):
    """The same for live, stored and interrupted runs."""

    resume_wished = Signal(str)
    state_wished = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = ReviewState()
        self.choice = QComboBox()
        self.words = QLabel()
        self.plan = ElidedLabel()
        self.resume = QPushButton("Resume from here")
        self.facts = QTreeWidget()
        self.lines = QPlainTextEdit()
        self._assemble()

    def _assemble(self) -> None:
        self.choice.addItems(STATE_NAMES)
        self.choice.setAccessibleName("State of the run")
        self.choice.setToolTip("State of the run (Alt+Left, Alt+Right)")
        self.choice.textActivated.connect(self.state_wished)
        self.words.setObjectName("title")
        self.plan.setObjectName("muted")
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.plan.setContentsMargins(8, 0, 8, 0)
        self.resume.setToolTip("Compute this state and all after it again (Ctrl+Shift+E)")
        self.resume.clicked.connect(self.wish_resume)
        row = QHBoxLayout()
        row.setContentsMargins(8, 6, 8, 2)
        row.addWidget(self.choice)
        row.addSpacing(6)
        row.addWidget(self.words)
        row.addStretch(1)
        row.addWidget(self.resume)
        self._assemble_lists()
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.facts)
        split.addWidget(self.lines)
        split.setChildrenCollapsible(False)
        split.setSizes([520, 520])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.plan)
        column.addWidget(split, 1)

    def _assemble_lists(self) -> None:
        self.facts.setColumnCount(2)
        self.facts.setHeaderHidden(True)
        self.facts.setRootIsDecorated(False)
        self.facts.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.facts.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.facts.setAccessibleName("What is known of the state")
        self.lines.setReadOnly(True)
        self.lines.setUndoRedoEnabled(False)
        self.lines.setMaximumBlockCount(SHOWN_LINES)
        self.lines.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.lines.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.lines.setAccessibleName("Journal of the state")
        self.setMinimumHeight(110)

    @property
    def shown_state(self) -> str:
        """The state that was chosen, else the one that tells most."""
        return self._state.log_filter or telling_state(self._state.case.progress)

    def wish_resume(self) -> None:
        """Ask to go on from the state that is shown."""
        self.resume_wished.emit(self.shown_state)

    def show_state(self, state: ReviewState) -> None:
        """Draw what changed since the last snapshot."""
        before, self._state = self._state, state
        is_same = (
            state.case is before.case
            and state.log_filter == before.log_filter
            and state.is_running == before.is_running
        )
        if (is_same and state.theme is before.theme and before.generation) or not self.isVisible():
            return
        self._draw()

    def showEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Nothing is drawn while the panel is hidden, so it is now."""
        self._draw()

    def _draw(self) -> None:
        state, name = self._state, self.shown_state
        step = next(step for step in state.case.progress.steps if step.name == name)
        self.choice.setCurrentIndex(STATE_NAMES.index(name))
        for place, each in enumerate(state.case.progress.steps):
            icon = make_icon(status_icon(each.status), status_colour(state.theme, each.status), state.theme.surface)
            self.choice.setItemIcon(place, icon)
        time_text = elapsed_text(step.elapsed_s)
        self.words.setText(" · ".join(part for part in (status_word(step.status), step.note, time_text) if part))
        plan = resume_plan(state.case, name, state.is_running)
        self.resume.setEnabled(plan is not None)
        self.plan.set_words(NO_RUN_TEXT if state.case.key is None else plan.words if plan else NO_RESUME_TEXT)
        self._draw_facts(name)
        events = [event for event in state.case.progress.events if event.state == name][-SHOWN_LINES:]
        text = "\n".join(journal_line(event) for event in events)
        if text != self.lines.toPlainText():
            self.lines.setPlainText(text)

    def _draw_facts(self, name: str) -> None:
        self.facts.clear()
        if self._state.case.key is None:
            return
        for group in state_facts(self._state.case, name):
            head = QTreeWidgetItem([group.head])
            font = head.font(0)
            font.setBold(True)
            head.setFont(0, font)
            self.facts.addTopLevelItem(head)
            head.setFirstColumnSpanned(True)
            for fact in group.facts:
                item = QTreeWidgetItem([fact.name, fact.value])
                item.setToolTip(1, plain_tooltip(fact.whole or fact.value))
                head.addChild(item)
            head.setExpanded(True)
