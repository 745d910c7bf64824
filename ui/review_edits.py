"""What a reader changes on the case on screen: each act goes to the store at once, and the log comes back with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from pipeline.records import Edit, EditKind, Role
from pipeline.review.log import in_force, redo_row, undo_row

if TYPE_CHECKING:
    from ui.review import Review


class EditReview(QObject):
    """Adds acts to the command log, takes back and brings back."""

    def __init__(self, review: Review) -> None:
        super().__init__(review)
        self._review = review
        self._keys: dict[int, str] = {}  # generation -> run

    @property
    def role(self) -> Role:
        """Who edits."""
        return "clinician"

    def add(self, kind: EditKind, target: str, after: Any) -> None:
        """Store a change; a value that holds already is none."""
        held = in_force(self._review.state.case.edits).get(target)
        before = None if held is None else held.after
        if before != after:
            self._store(Edit(kind=kind, target=target, before=before, after=after, role=self.role))

    def undo(self) -> None:
        """Take back the last act that holds."""
        row = undo_row(self._review.state.case.edits, self.role)
        if row is None:
            self._review.say("There is nothing to undo.")
        else:
            self._store(row)

    def redo(self) -> None:
        """Bring back what was undone last."""
        row = redo_row(self._review.state.case.edits, self.role)
        if row is None:
            self._review.say("There is nothing to redo.")
        else:
            self._store(row)

    def _store(self, edit: Edit) -> None:
        key = self._review.state.case.key
        if key is None or self._review.state.case.phase != "complete":
            self._review.say("Changes can be made when the run is complete.")
            return
        generation = self._review.session.ask("edit", lambda engine: engine.add_edit(key, edit))
        self._keys[generation] = key

    def take_edit(self, generation: int, stored: Edit) -> None:
        """An act is in the store; shown when its case is still on screen."""
        key, case = self._keys.pop(generation, None), self._review.state.case
        if key == case.key and stored.seq not in {edit.seq for edit in case.edits}:
            log = tuple(sorted((*case.edits, stored), key=lambda edit: edit.seq))
            self._review.update(case=replace(case, edits=log))
