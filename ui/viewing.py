"""Tells the audit what is looked at: a case, how it hangs, an intermediate result; not every passing glance."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from ui.engine_port import Engine
from ui.view_state import ReviewState

if TYPE_CHECKING:
    from ui.review import Review

SETTLE_MS = 1500
"""What stands on screen for less is passed over, as by somebody who goes through a list."""
LIVE_KEY = "live"
Look = tuple[str, str]
"""A run, and what of it is seen: words of the window, never anything about patient or file."""


class Viewing(QObject):
    """Waits until the looks have settled, then notes those that are new."""

    def __init__(self, review: Review) -> None:
        super().__init__(review)
        self._review = review
        self._noted: tuple[Look, ...] = ()
        self._item: Look | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.flush)
        self._seen: tuple[Look, ...] = ()

    def follow(self, state: ReviewState) -> None:
        """Look at a snapshot; a changed look begins the waiting again, and a scrub or an edit changes none."""
        if self._item is not None and self._item[0] != state.case.key:
            self._item = None
        seen = tuple(self._looks(state))
        if seen != self._seen:
            self._seen = seen
            self._timer.start(SETTLE_MS)

    def see_item(self, name: str) -> None:
        """An intermediate result of the case on screen is shown; an empty name says that none is any more."""
        key = self._review.state.case.key
        self._item = None if not name or key is None else (key, f"intermediate result {name}")
        self.follow(self._review.state)

    def _looks(self, state: ReviewState) -> Iterator[Look]:
        key = state.case.key
        if key is None or key == LIVE_KEY or state.case.phase == "loading":
            return
        yield key, f"case, protocol {state.hanging}"
        if state.hanging == "prior" and state.prior.key is not None:
            yield state.prior.key, "as the prior case"
        if self._item is not None:
            yield self._item

    def flush(self) -> None:
        """Note now what is on screen and was not before."""
        self._timer.stop()
        for run_id, what in (look for look in self._seen if look not in self._noted):
            self._review.session.ask("viewing", partial(_note, run_id=run_id, what=what))
        self._noted = self._seen

    def take_viewing(self, _generation: int, _answer: object) -> None:
        """The act is in the audit, or the log says that it could not be noted."""


def _note(engine: Engine, *, run_id: str, what: str) -> object:
    return engine.note_act("view", run_id, what)
