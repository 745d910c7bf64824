"""The log of acts is undo stack and record at once: undo and redo are rows of their own."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.records import Edit, Role

Log = Sequence[Edit]


def standing(log: Log) -> tuple[Edit, ...]:
    """The acts that hold, in order: those that no later row that holds takes back. Undo and redo rows are left out."""
    return tuple(act for act in holding(log) if act.undoes is None)


def in_force(log: Log) -> dict[str, Edit]:
    """The act that decides each target: the last one that holds."""
    return {act.target: act for act in standing(log)}


def undoable(log: Log) -> Edit | None:
    """The act that an undo would take back: the last one that holds."""
    return next((act for act in reversed(standing(log))), None)


def redoable(log: Log) -> Edit | None:
    """The undo row that a redo would take back: the last one since the last new act."""
    acts = {act.seq for act in log if act.undoes is None}
    newest = max(acts, default=-1)
    undone = (act for act in reversed(holding(log)) if act.undoes in acts and act.seq > newest)
    return next(undone, None)


def undo_row(log: Log, role: Role) -> Edit | None:
    """The row that undoes the last act; None when nothing is left to undo."""
    return _taken_back(undoable(log), role)


def redo_row(log: Log, role: Role) -> Edit | None:
    """The row that redoes what was undone last; None when there is nothing to redo."""
    return _taken_back(redoable(log), role)


def _taken_back(act: Edit | None, role: Role) -> Edit | None:
    if act is None:
        return None
    return Edit(kind=act.kind, target=act.target, before=act.after, after=act.before, role=role, undoes=act.seq)


def holding(log: Log) -> list[Edit]:
    """Rows that no later row that holds takes back, in order."""
    taken_back: set[int] = set()
    held = []
    for act in reversed(log):
        if act.seq not in taken_back:
            held.append(act)
            if act.undoes is not None:
                taken_back.add(act.undoes)
    return held[::-1]
