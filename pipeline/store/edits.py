"""The command log of a run in the store: rows are added and read, never changed."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

from pipeline.records import Edit
from pipeline.store import codec

_COLUMNS = "seq, time_utc, role, kind, target, before_json, after_json, undoes"


def insert_edit(connection: sqlite3.Connection, run_id: str, edit: Edit, time_utc: str) -> Edit:
    """Add an act inside the caller's transaction; returns it with its number and time."""
    (seq,) = connection.execute("SELECT coalesce(max(seq), -1) + 1 FROM edits WHERE run_id = ?", (run_id,)).fetchone()
    connection.execute(
        f"INSERT INTO edits (run_id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - names of columns
        (
            run_id,
            seq,
            time_utc,
            edit.role,
            edit.kind,
            edit.target,
            codec.canonical_json(edit.before).decode(),
            codec.canonical_json(edit.after).decode(),
            edit.undoes,
        ),
    )
    return replace(edit, seq=seq, time_utc=time_utc)


def select_edits(connection: sqlite3.Connection, run_id: str) -> tuple[Edit, ...]:
    """All acts on a run, in order."""
    query = f"SELECT {_COLUMNS} FROM edits WHERE run_id = ? ORDER BY seq"  # noqa: S608 - names of columns
    return tuple(_edit(row) for row in connection.execute(query, (run_id,)))


def _edit(row: tuple[object, ...]) -> Edit:
    seq, time_utc, role, kind, target, before, after, undoes = row
    return Edit(
        seq=seq,  # type: ignore[arg-type]
        time_utc=time_utc,  # type: ignore[arg-type]
        role=role,  # type: ignore[arg-type]
        kind=kind,  # type: ignore[arg-type]
        target=target,  # type: ignore[arg-type]
        before=json.loads(str(before)),
        after=json.loads(str(after)),
        undoes=undoes,  # type: ignore[arg-type]
    )
