"""What a reader changes on the case on screen: each act goes to the store at once, and the log comes back with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from pipeline.errors import EditError
from pipeline.records import Edit, EditKind, Role
from pipeline.review.log import Log, in_force, redo_row, undo_row

if TYPE_CHECKING:
    from ui.review import Review

MOST_WAITING = 100  # acts that a closing window still stores
Make = Callable[[Log], Edit | None]


class EditReview(QObject):
    """Adds acts to the command log, takes back and brings back."""

    def __init__(self, review: Review) -> None:
        super().__init__(review)
        self._review = review
        self._going: tuple[int, str] | None = None  # generation and run of the act that is being stored
        self._waiting: deque[tuple[str, Make, str]] = deque()
        self._logs: dict[str, Log] = {}  # by run, of acts that were stored since it was shown

    @property
    def role(self) -> Role:
        """Who edits."""
        return self._review.state.role

    def add(self, kind: EditKind, target: str, after: Any) -> None:
        """Store a change; a value that holds already is none."""

        def make(log: Log) -> Edit | None:
            held = in_force(log).get(target)
            before = None if held is None else held.after
            if before == after:
                return None
            return Edit(kind=kind, target=target, before=before, after=after, role=self.role)

        self.submit(make)

    def undo(self) -> None:
        """Take back the last act that holds."""
        self.submit(lambda log: undo_row(log, self.role), "There is nothing to undo.")

    def redo(self) -> None:
        """Bring back what was undone last."""
        self.submit(lambda log: redo_row(log, self.role), "There is nothing to redo.")

    def submit(self, make: Make, nothing: str = "") -> None:
        """Store the act that `make` gives for the log of then; one act is stored after the other.

        `nothing` is said where there is no act to store. An EditError that `make` raises is said too.
        """
        case = self._review.state.case
        if case.key is None or case.phase != "complete":
            self._review.say("Changes can be made when the run is complete.")
            return
        self._waiting.append((case.key, make, nothing))
        self._next()

    def _next(self) -> None:
        while self._waiting and self._going is None:
            key, make, nothing = self._waiting.popleft()
            case = self._review.state.case
            try:
                act = make(case.edits if case.key == key else self._logs.get(key, ()))
            except EditError as error:
                self._review.study.forget_draft()
                self._review.say(error.text, is_error=True)
                continue
            if act is not None:
                self._store(key, act)
            elif nothing:
                self._review.say(nothing)

    def _store(self, key: str, act: Edit) -> None:
        self._going = (self._review.session.ask("edit", lambda engine: engine.add_edit(key, act)), key)

    def take_edit(self, generation: int, stored: Edit) -> None:
        """An act is in the store; shown when its case is still on screen."""
        key, case = self._close(generation), self._review.state.case
        known = case.edits if key == case.key else self._logs.get(key or "", ())
        if key is not None and stored.seq not in {edit.seq for edit in known}:
            log = tuple(sorted((*known, stored), key=lambda edit: edit.seq))
            self._logs = {key: log}
            if key == case.key:
                self._review.update(case=replace(case, edits=log))
        self._next()

    def take_failure(self, topic: str, generation: int) -> None:
        """An act could not be stored; those that wait rest on it and are dropped."""
        if topic == "edit":
            self._close(generation)
            self._waiting.clear()

    def _close(self, generation: int) -> str | None:
        going = self._going
        if going is None or going[0] != generation:
            return None
        self._going = None
        return going[1]

    def settle(self) -> None:
        """The window closes: see that what was done is stored."""
        for _ in range(MOST_WAITING):
            if self._going is None:
                return
            self._review.session.settle()
