"""The wall: bull's-eye with scores, their index, and the strain curves of a clip."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QStackedLayout, QVBoxLayout, QWidget

from ui.bulls_eye_map import Seen, seen_segments
from ui.view_state import CaseView, ReviewState
from ui.widgets.bulls_eye import BullsEye
from ui.widgets.empty_label import EmptyLabel
from ui.widgets.strain_curves import StrainCurves
from ui.wording import value_text

EMPTY_TEXT = "The wall's segments appear here when an apical clip was measured."
HINT = "Click a segment, or choose it with the arrows, and score it: 1 normal … 4 dyskinetic, 0 not seen."


class WallView(QWidget):
    """Scores are suggestions until a reader sets them."""

    score_wished = Signal(int, str, int)
    frame_wished = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._case = CaseView()
        self._state = ReviewState()
        self._cine_idx = 0
        self.index = QLabel()
        self.index.setTextFormat(Qt.TextFormat.PlainText)
        self.index.setWordWrap(True)
        self.index.setToolTip(HINT)
        self.bulls_eye = BullsEye()
        self.clip_choice = QComboBox()
        self.clip_choice.setAccessibleName("Clip of the strain curves")
        self.curves = StrainCurves()
        self.empty = EmptyLabel(EMPTY_TEXT)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(8, 6, 8, 6)
        column.addWidget(self.index)
        column.addWidget(self.bulls_eye, 3)
        column.addWidget(self.clip_choice)
        column.addWidget(self.curves, 2)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(content)
        self.bulls_eye.score_wished.connect(self.score_wished)
        self.curves.frame_wished.connect(self._wish_frame)
        self.clip_choice.activated.connect(self._choose)

    def show_state(self, state: ReviewState) -> None:
        """Draw what changed since the last snapshot."""
        before, self._case = self._case, state.case
        is_new = state.case.results is not before.results or state.case.edits is not before.edits
        if not is_new and state.theme is self._state.theme:
            self._state = state
            return
        self._state = state
        seen = seen_segments(state.case.results.clip_analyses, frozenset(state.case.changes.scores))
        self.bulls_eye.set_segments(seen, state.theme)
        self.index.setText(self._index_words(tuple(seen.values())))
        self._fill_choice()
        self._show_curves()
        self._stack.setCurrentIndex(1 if seen else 0)

    def _index_words(self, seen: tuple[Seen, ...]) -> str:
        analysis = self._case.results.echo_analysis
        found = next((m for m in analysis.measurements if m.name == "wmsi"), None) if analysis else None
        if found is None or found.value is None:
            return f"Wall motion score index withheld: {found.reason}" if found else ""
        n_seen, n_scored = len(seen), sum(1 for each in seen if each.segment.score)
        n_by_hand = sum(1 for each in seen if each.is_edited)
        by = f"{n_by_hand} by a reader" if n_by_hand else "suggested"
        value = value_text(found.value, found.digits)
        return f"Wall motion score index {value} · {n_scored} of {n_seen} segments scored, {by}"

    def _fill_choice(self) -> None:
        names = [f"Clip {i + 1} · {cine.view}" for i, cine in enumerate(self._case.results.cines)]
        if names != [self.clip_choice.itemText(i) for i in range(self.clip_choice.count())]:
            self.clip_choice.clear()
            self.clip_choice.addItems(names)
        self._cine_idx = min(self._cine_idx, max(len(names) - 1, 0))
        self.clip_choice.setCurrentIndex(self._cine_idx if names else -1)
        self.clip_choice.setVisible(len(names) > 1)

    def _show_curves(self) -> None:
        results = self._case.results
        is_there = self._cine_idx < len(results.cines)
        analysis = results.clip_analyses[self._cine_idx] if is_there else None
        times_s = results.cines[self._cine_idx].frame_times_s if is_there else np.zeros(0)
        self.curves.set_curves(times_s, analysis, self._state.theme)

    def _choose(self, place: int) -> None:
        self._cine_idx = place
        self._show_curves()

    def _wish_frame(self, frame_idx: int) -> None:
        self.frame_wished.emit(self._cine_idx, frame_idx)
