"""The audit: who did what and when, as a chain of hashes that only grows.

Each row holds the hash of the row before it, and its own hash over everything it says. An act and its row
are written in one transaction. What a verification can find, and what not, stands in docs/security.md.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from pipeline.records import Edit
from pipeline.store import codec

Act = Literal[
    "open",  # a stored run was opened
    "view",  # a stored run, or a view of it, was shown
    "run",  # a run began, went on or ended
    "edit",  # a reader changed something, or took a change back
    "accept",  # a reader accepted a measure
    "reject",  # a reader rejected one
    "export",  # a report left the store
    "delete",  # a run was deleted
    "settings",  # a setting was changed
    "store",  # the store was encrypted, decrypted, or given another passphrase
    "model",  # runs are made with another model from here on
    "alert",  # a hard stop that somebody should look at
]
_VERDICTS: dict[object, Act] = {"accepted": "accept", "rejected": "reject"}
REQUEST_HASH, REPORT_HASH = "request", "report"
_SEALED = f", {REPORT_HASH} sha256 "
_COLUMNS = "seq, time_utc, act, run_id, detail, previous_hash, row_hash"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One act; `detail` names no patient and no file."""

    seq: int
    time_utc: str
    act: str
    run_id: str | None
    detail: str
    previous_hash: str
    row_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditHead:
    """Where the chain ends: the number of its rows and the hash of the last one."""

    n_rows: int
    head_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFault:
    """A place where the audit does not hold; `seq` is the row's number, None for the chain as a whole."""

    seq: int | None
    text: str


def row_hash(seq: int, time_utc: str, act: str, run_id: str | None, detail: str, previous_hash: str) -> str:
    """SHA-256 of a row's canonical JSON, the hash of the row before it included."""
    row = {"seq": seq, "time_utc": time_utc, "act": act, "run_id": run_id, "detail": detail, "previous": previous_hash}
    return hashlib.sha256(codec.canonical_json(row)).hexdigest()


def append(connection: sqlite3.Connection, act: Act, run_id: str | None, detail: str, time_utc: str) -> AuditHead:
    """Add a row inside the caller's transaction; returns the new end of the chain."""
    head = read_head(connection)
    seq = head.n_rows + 1
    own_hash = row_hash(seq, time_utc, act, run_id, detail, head.head_hash)
    connection.execute(
        f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - names of columns
        (seq, time_utc, act, run_id, detail, head.head_hash, own_hash),
    )
    return AuditHead(n_rows=seq, head_hash=own_hash)


def append_start(connection: sqlite3.Connection, run_id: str, text: str, models: str, time_utc: str) -> None:
    """The row of a run's begin; before it one for the models, when they are not the ones of the last time."""
    query = "SELECT detail FROM audit WHERE act = 'model' ORDER BY seq DESC LIMIT 1"
    if models and (models,) != connection.execute(query).fetchone():
        append(connection, "model", None, models, time_utc)
    append(connection, "run", run_id, text, time_utc)


def append_end(connection: sqlite3.Connection, run_id: str, status: str, report_json: str, time_utc: str) -> None:
    """The row of a run's end: how it ended, and the hash of the report that was sealed then."""
    append(connection, "run", run_id, f"{status}{_SEALED}{text_hash(report_json)}", time_utc)


def append_edit(connection: sqlite3.Connection, run_id: str, edit: Edit) -> None:
    """The row of a stored act of a reader: what it concerns, and the hash of all it says."""
    act = _VERDICTS.get(edit.after, "edit") if edit.kind == "verdict" and isinstance(edit.after, str) else "edit"
    append(connection, act, run_id, _edit_detail(edit), edit.time_utc)


def _edit_detail(edit: Edit) -> str:
    content = hashlib.sha256(codec.canonical_json(asdict(edit))).hexdigest()
    return f"{edit.kind} act {edit.seq} sha256 {content}"


def read_head(connection: sqlite3.Connection) -> AuditHead:
    """The end of the chain as the store holds it apart from the rows."""
    found = connection.execute("SELECT n_rows, head_hash FROM audit_head WHERE id = 1").fetchone()
    return AuditHead(n_rows=found[0], head_hash=found[1]) if found else AuditHead(n_rows=0, head_hash="")


def read_rows(connection: sqlite3.Connection) -> tuple[AuditRow, ...]:
    """Every row, oldest first."""
    query = f"SELECT {_COLUMNS} FROM audit ORDER BY seq"  # noqa: S608 - names of columns
    names = _COLUMNS.split(", ")
    return tuple(AuditRow(**dict(zip(names, row, strict=True))) for row in connection.execute(query))


def text_hash(text: str) -> str:
    """SHA-256 of a stored request or report: the row of the run's begin or end says it."""
    return hashlib.sha256(text.encode()).hexdigest()


def noted_hash(connection: sqlite3.Connection, run_id: str, kind: str) -> str | None:
    """The newest hash of a run's request or report, None where the audit names none."""
    query = "SELECT detail FROM audit WHERE run_id = ? AND act = 'run' AND detail LIKE ? ORDER BY seq DESC LIMIT 1"
    found = connection.execute(query, (run_id, f"%, {kind} sha256 %")).fetchone()
    return None if found is None else str(found[0]).rpartition(" ")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedStore:
    """The chain, and what the store holds of the acts that it names."""

    rows: tuple[AuditRow, ...]
    head: AuditHead
    edits: tuple[tuple[str, Edit], ...]  # run and act
    reports: tuple[tuple[str, str], ...]  # run and hash of its report


def faults(stored: AuditedStore, known: AuditHead | None = None) -> Iterator[AuditFault]:
    """Every place where the audit does not hold.

    Parameters
    ----------
    stored
        What the store says.
    known
        An end of the chain that was seen before, of an exported report: it must lie on the chain.
    """
    previous = ""
    for number, row in enumerate(stored.rows, 1):
        if row.seq != number:
            yield AuditFault(seq=row.seq, text="its number does not follow the one before")
        if row.previous_hash != previous:
            yield AuditFault(seq=row.seq, text="it does not follow the row before it")
        own = row_hash(row.seq, row.time_utc, row.act, row.run_id, row.detail, row.previous_hash)
        if own != row.row_hash:
            yield AuditFault(seq=row.seq, text="what it says does not match its hash")
        previous = row.row_hash
    if (stored.head.n_rows, stored.head.head_hash) != (len(stored.rows), previous):
        yield AuditFault(seq=None, text="the chain does not end where the store says that it ends")
    if known is not None and not any((row.seq, row.row_hash) == (known.n_rows, known.head_hash) for row in stored.rows):
        yield AuditFault(seq=known.n_rows, text="the chain does not pass the head that the report holds")
    yield from _content_faults(stored)


def _content_faults(stored: AuditedStore) -> Iterator[AuditFault]:
    """What the store holds must be what the audit names, but for runs that were deleted."""
    deleted = {row.run_id for row in stored.rows if row.act == "delete"}
    named = {(row.run_id, row.detail) for row in stored.rows if row.act in ("edit", "accept", "reject")}
    held = {(run_id, _edit_detail(edit)) for run_id, edit in stored.edits}
    if any(run_id not in deleted for run_id, _ in named - held):
        yield AuditFault(seq=None, text="an act of a reader that the audit names is missing or changed")
    if held - named:
        yield AuditFault(seq=None, text="a stored act of a reader is not one that the audit names")
    ends = (row for row in stored.rows if row.act == "run" and _SEALED in row.detail)
    sealed = {row.run_id: row.detail.partition(_SEALED)[2] for row in ends}
    if any(sealed.get(run_id, sha256) != sha256 for run_id, sha256 in stored.reports):
        yield AuditFault(seq=None, text="a stored report is not the one that its run ended with")
    if set(sealed) - deleted - {run_id for run_id, _ in stored.reports}:
        yield AuditFault(seq=None, text="a run that the audit names is missing, or its report is")
