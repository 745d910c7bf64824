"""Holds the current ReviewState; its parts answer the views' wishes and listen to the session. Draws nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from pipeline.records import Role
from ui.engine_port import Engine
from ui.review_cases import CaseReview
from ui.review_ecg import EcgReview
from ui.review_echo import EchoReview
from ui.review_edits import EditReview
from ui.review_looks import LooksReview
from ui.review_run import RunReview
from ui.review_store import StoreReview
from ui.review_study import StudyReview
from ui.session import Session
from ui.theme import Theme
from ui.view_state import Message, ReviewState
from ui.viewing import Viewing


class Review(QObject):
    """The window's memory. Every part changes the one snapshot through `update`."""

    state_changed = Signal(object)

    def __init__(
        self, engine: Engine, theme: Theme, parent: QObject | None = None, *, role: Role = "clinician"
    ) -> None:
        super().__init__(parent)
        self.state = ReviewState(theme=theme, role=role)
        self.session = Session(engine, self)
        self.cases = CaseReview(self)
        self.looks = LooksReview(self)
        self.echo = EchoReview(self)
        self.ecg = EcgReview(self)
        self.edits = EditReview(self)
        self.run = RunReview(self)
        self.study = StudyReview(self)
        self.store = StoreReview(self)
        self.viewing = Viewing(self)
        self._parts = (
            *(self.cases, self.looks, self.echo, self.ecg, self.edits, self.run, self.study, self.store),
            self.viewing,
        )
        self.state_changed.connect(self.viewing.follow)
        self.session.answered.connect(self._take_answer)
        self.session.failed.connect(self._take_failure)

    def update(self, **changes: Any) -> None:
        """Replace parts of the snapshot and tell the window."""
        state = replace(self.state, generation=self.state.generation + 1, **changes)
        self.state = self.ecg.completed(self.study.completed(state))
        self.state_changed.emit(self.state)

    def say(self, text: str, *, is_error: bool = False) -> None:
        """Show a sentence under the notice."""
        self.update(message=Message(text=text, is_error=is_error))

    @property
    def is_running(self) -> bool:
        return self.session.is_running

    def _take_answer(self, topic: str, generation: int, answer: Any) -> None:
        """Pass an answer to the part whose method is named after the topic."""
        for part in self._parts:
            take = getattr(part, f"take_{topic}", None)
            if take is not None:
                take(generation, answer)
                return

    def _take_failure(self, topic: str, generation: int, code: str, text: str) -> None:
        for part in (self.cases, self.ecg, self.edits, self.study):
            part.take_failure(topic, generation)
        self.say(f"{text} ({code})", is_error=True)

    def shutdown(self) -> bool:
        """Cancel and wait briefly; False when something still runs."""
        self.cases.stop()
        self.viewing.flush()
        self.session.settle()
        self.edits.settle()
        return self.session.shutdown()
