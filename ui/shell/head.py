"""The head of the window: menus, case, role, theme, research notice, message. Nothing of it can be closed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QMenuBar, QPushButton, QToolButton, QVBoxLayout, QWidget

from pipeline.notice import NOTICE
from pipeline.records import Metadata
from ui.icons import make_icon
from ui.theme import Theme
from ui.view_state import CaseView, MessageAct, ReviewState, caution
from ui.widgets.elided_label import ElidedLabel
from ui.wording import short_case

ROLES = (("clinician", "Clinician"), ("researcher", "Researcher"))


class Head(QWidget):
    """Stands over the whole width."""

    theme_wished = Signal()
    role_wished = Signal(str)
    act_wished = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.menus = QMenuBar()
        self.facts = ElidedLabel()
        self.role_choice = QComboBox()
        self.theme_button = QToolButton()
        self.notice = QLabel(NOTICE.upper())
        self.message = QLabel()
        self._bar = QWidget()
        self.acts: list[QPushButton] = []
        self._shown_acts: tuple[MessageAct, ...] = ()
        self._assemble()

    def _assemble(self) -> None:
        self.notice.setObjectName("notice")
        self.notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.message.setObjectName("message")
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setWordWrap(True)
        self._bar.setObjectName("message_bar")
        self._bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._line = QHBoxLayout(self._bar)
        self._line.setContentsMargins(10, 4, 10, 4)
        self._line.addWidget(self.message, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._top_row())
        column.addWidget(self.notice)
        column.addWidget(self._bar)

    def _top_row(self) -> QWidget:
        top = QWidget()
        top.setObjectName("head")
        top.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(top)
        row.setContentsMargins(0, 0, 8, 0)
        row.setSpacing(8)
        row.addWidget(self.menus)
        row.addStretch(1)
        self.facts.setObjectName("title")
        row.addWidget(self.facts)
        row.addStretch(1)
        for role, words in ROLES:
            self.role_choice.addItem(words, role)
        self.role_choice.setAccessibleName("Role")
        self.role_choice.setToolTip("Clinician or researcher: docks and edits of each are kept apart (Ctrl+Shift+R)")
        self.role_choice.activated.connect(self._report_role)
        row.addWidget(self.role_choice)
        self.theme_button.setAccessibleName("Dark or light theme")
        self.theme_button.setToolTip("Dark or light theme (Ctrl+T)")
        self.theme_button.clicked.connect(self.theme_wished)
        row.addWidget(self.theme_button)
        for part in (self.role_choice, self.theme_button):
            part.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return top

    def _report_role(self, place: int) -> None:
        self.role_wished.emit(str(self.role_choice.itemData(place)))

    def _report_act(self) -> None:
        self.act_wished.emit(str(self.sender().property("does")))

    def show_theme(self, theme: Theme) -> None:
        self.theme_button.setIcon(make_icon("theme", theme.text))

    def show_state(self, state: ReviewState) -> None:
        """Show the message of the state, or else what must be known before any number of the case."""
        self.facts.set_words(case_facts(state.case))
        self.role_choice.setCurrentIndex(self.role_choice.findData(state.role))
        warned = caution(state.case)
        text = state.message.text if state.message else warned or ""
        if self.message.text() != text:
            self.message.setText(text)
        self._bar.setVisible(bool(text))
        self._show_acts(state.message.acts if state.message else ())
        is_error = state.message.is_error if state.message else warned is not None
        if self.message.property("error") != is_error:
            for part in (self.message, self._bar):
                part.setProperty("error", is_error)
                part.style().unpolish(part)
                part.style().polish(part)

    def _show_acts(self, acts: tuple[MessageAct, ...]) -> None:
        """Buttons for what can be done about the message."""
        if acts == self._shown_acts:
            return
        self._shown_acts = acts
        for button in self.acts:
            self._line.removeWidget(button)
            button.hide()  # it goes with the next turn of the loop, and would cover the message until then
            button.deleteLater()
        self.acts = []
        for act in acts:
            button = QPushButton(act.words)
            button.setProperty("does", act.does)
            button.clicked.connect(self._report_act)
            self._line.addWidget(button)
            self.acts.append(button)


def case_facts(case: CaseView) -> str:
    """The case on screen in a few words; never a name."""
    if case.key is None:
        return ""
    known = case.results.metadata or Metadata()
    age = "" if known.age_years is None else f"{known.age_years:.0f}"
    person = " ".join(part for part in (known.sex or "", age) if part)
    bsa = "" if known.bsa_m2 is None else f"BSA {known.bsa_m2:.2f} m²"
    name = "New case" if case.key == "live" else f"Case {short_case(case.key)}"
    return "  ·  ".join(part for part in (name, person, bsa) if part)
