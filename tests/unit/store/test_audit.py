"""The audit: written with the act, closed against change, and every tampering found."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import StoreError
from pipeline.records import CardiologyRequest, Edit
from pipeline.store import audit, connection
from pipeline.store.database import Store
from pipeline.store.drivers import error_classes, open_file
from pipeline.store.keys import key_of
from tests.torture import promises

N_TAMPERINGS = 1000
N_ROWS = 40


def verdict(after: str | None) -> Edit:
    return Edit(kind="verdict", target="measure:lvef", before=None, after=after, role="clinician")


@pytest.fixture
def store(path: Path):
    with Store.open(path) as opened:
        opened.start_run("r1", CardiologyRequest(ecg_path=Path("e.csv")), models="echo a, ECG b")
        yield opened


def acts(store: Store) -> list[str]:
    return [row.act for row in store.audit_rows()]


def test_each_act_of_the_store_has_its_row(store: Store) -> None:
    store.add_edit("r1", verdict("accepted"))
    store.add_edit("r1", verdict("rejected"))
    store.add_edit("r1", verdict(None))
    store.finish_run("r1", status="complete", state="COMPLETE", error_code=None, report_json="{}")
    store.note("export", "r1", "json")
    store.delete_run("r1")
    assert acts(store) == ["model", "run", "accept", "reject", "edit", "run", "export", "delete"]
    assert store.audit_faults() == ()


def test_a_model_is_noted_when_it_changes(store: Store) -> None:
    for name, models in (("r2", "echo a, ECG b"), ("r3", "echo c, ECG b")):
        store.start_run(name, CardiologyRequest(ecg_path=Path("e.csv")), models=models)
    assert acts(store) == ["model", "run", "run", "model", "run"]


def test_an_act_that_fails_leaves_no_row(store: Store) -> None:
    before = store.audit_rows()
    with pytest.raises(ValueError, match="JSON"):
        store.add_edit("r1", Edit(kind="note", target="x", before=None, after=float("nan"), role="clinician"))
    assert store.audit_rows() == before


def test_an_act_whose_row_fails_does_not_happen(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise sqlite3.OperationalError

    monkeypatch.setattr(audit, "append", refuse)
    store._connection.execute("UPDATE runs SET status = 'complete'")
    for act in (
        lambda: store.add_edit("r1", verdict("accepted")),
        lambda: store.delete_run("r1"),
        lambda: store.finish_run("r1", status="error", state="ERROR", error_code=None, report_json="{}"),
        lambda: store.start_run("r2", CardiologyRequest()),
    ):
        with pytest.raises(Exception, match="E_STORE"):
            act()
    assert [row.status for row in store.runs()] == ["complete"]
    assert store.edits("r1") == ()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET detail = 'x' WHERE seq = 1",
        "DELETE FROM audit WHERE seq = 2",
        "INSERT INTO audit VALUES (9, 't', 'run', NULL, '', '', '')",
        "INSERT INTO audit VALUES (3, 't', 'run', NULL, '', 'not the head', 'x')",
        "INSERT OR REPLACE INTO audit VALUES (2, 't', 'run', NULL, '', '', '')",
        "UPDATE audit_head SET n_rows = 1",
        "UPDATE audit_head SET n_rows = 3, head_hash = 'x'",
        "DELETE FROM audit_head",
        "UPDATE edits SET after_json = '1'",
    ],
)
def test_the_store_refuses_every_change(store: Store, path: Path, change: str) -> None:
    store.add_edit("r1", verdict("accepted"))
    before = store.audit_rows()
    with closing(open_file(path, key_of(path))) as other, pytest.raises(error_classes(), match=r"audit|acts"):
        other.execute(change)
    assert store.audit_rows() == before


def rewrite(connection: sqlite3.Connection, rows: list[audit.AuditRow], head: audit.AuditHead) -> None:
    """What somebody with a tool for SQLite could do: the triggers dropped, the table written anew."""
    connection.execute("BEGIN")
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("DELETE FROM audit")
    values = [(r.seq, r.time_utc, r.act, r.run_id, r.detail, r.previous_hash, r.row_hash) for r in rows]
    connection.executemany("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    connection.execute("UPDATE audit_head SET n_rows = ?, head_hash = ?", (head.n_rows, head.head_hash))
    connection.execute("COMMIT")


def tampered(rows: list[audit.AuditRow], rng: random.Random) -> tuple[str, list[audit.AuditRow]]:
    """One kind of tampering at a random place; numbers and sometimes hashes are made to look right."""
    rows, at = list(rows), rng.randrange(len(rows))
    kind = rng.choice(["edit", "edit and hash", "delete", "delete and number", "cut", "swap", "insert", "copy"])
    if kind.startswith("edit"):
        field = rng.choice(["time_utc", "act", "detail", "previous_hash", "run_id"])
        rows[at] = replace(rows[at], **{field: "2026" + rng.choice("abcdef")})
        if kind == "edit and hash" and at < len(rows) - 1:
            rows[at] = rehashed(rows[at])
    elif kind.startswith("delete"):
        del rows[at]
        if kind == "delete and number":
            rows = [replace(row, seq=n) for n, row in enumerate(rows, 1)]
    elif kind == "cut":
        del rows[max(1, at) :]
    elif kind == "swap":
        other = rng.choice([n for n in range(len(rows)) if n != at])
        rows[at], rows[other] = replace(rows[other], seq=rows[at].seq), replace(rows[at], seq=rows[other].seq)
    else:
        added = rows[at] if kind == "copy" else rehashed(replace(rows[at], detail="made up"))
        rows.insert(at + 1, added)
        rows = [replace(row, seq=n) for n, row in enumerate(rows, 1)]
    return kind, rows


def rehashed(row: audit.AuditRow) -> audit.AuditRow:
    own = audit.row_hash(row.seq, row.time_utc, row.act, row.run_id, row.detail, row.previous_hash)
    return replace(row, row_hash=own)


@pytest.mark.parametrize("path", ["plain"], indirect=True)
def test_every_tampering_is_found(store: Store, path: Path, tmp_path: Path) -> None:
    """1000 seeded edits, deletions, cuts, swaps and insertions in copies of one store."""
    for number in range(N_ROWS):
        store.note("view", "r1", f"view {number}")
    rows, head = list(store.audit_rows()), audit.read_head(store._connection)
    store.close()
    copy = tmp_path / "copy.sqlite3"
    shutil.copy(path, copy)
    rng, missed, kinds = random.Random(6), [], set()
    with Store.open(copy) as tampered_store:
        tampered_store._connection.execute("PRAGMA journal_mode = MEMORY")
        tampered_store._connection.execute("PRAGMA synchronous = OFF")
        for number in range(N_TAMPERINGS):
            kind, changed = tampered(rows, rng)
            rewrite(tampered_store._connection, changed, head)
            kinds.add(kind)
            if not tampered_store.audit_faults():
                missed.append((number, kind))
        rewrite(tampered_store._connection, rows, head)
        assert tampered_store.audit_faults() == ()
    assert len(kinds) == 8
    promises.record(
        "Tampering with the audit: seeded edits, deletions, cuts, swaps and insertions are found",
        f"{N_TAMPERINGS - len(missed)} of {N_TAMPERINGS}" + (f"; {missed[:3]}" if missed else ""),
        kept=not missed,
    )


def test_a_cut_chain_with_its_head_moved_is_found_by_an_exported_report(store: Store, tmp_path: Path) -> None:
    known = store.note("export", "r1", "json")
    store.note("view", "r1", "later")
    assert store.audit_faults(known) == ()
    rows = list(store.audit_rows())[:2]
    rewrite(store._connection, rows, audit.AuditHead(n_rows=2, head_hash=rows[-1].row_hash))
    assert store.audit_faults() == ()  # the store alone cannot know; docs/security.md says so
    assert [fault.seq for fault in store.audit_faults(known)] == [known.n_rows]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE edits SET after_json = '\"rejected\"'",
        "DELETE FROM edits WHERE seq = 0",
        "INSERT INTO edits SELECT run_id, 7, time_utc, role, kind, target, before_json, after_json, undoes FROM edits",
        "UPDATE runs SET report_json = '{\"result\":1}'",
        "UPDATE runs SET report_json = NULL",
        "DELETE FROM runs",
    ],
)
def test_changed_acts_and_reports_are_found(store: Store, path: Path, change: str) -> None:
    store.add_edit("r1", verdict("accepted"))
    store.finish_run("r1", status="complete", state="COMPLETE", error_code=None, report_json="{}")
    assert store.audit_faults() == ()
    with closing(open_file(path, key_of(path))) as other:
        other.execute("DROP TRIGGER edits_are_not_changed")
        other.execute(change)
    assert len(store.audit_faults()) >= 1


def test_a_changed_request_or_report_is_not_believed(store: Store) -> None:
    store.finish_run("r1", status="complete", state="COMPLETE", error_code=None, report_json='{"result":1}')
    assert store.report("r1") == {"result": 1}
    store._connection.execute("UPDATE runs SET request_json = '{}', report_json = '{\"result\":2}'")
    for read in (store.request, store.report):
        with pytest.raises(StoreError, match="E_STORE_DAMAGED"):
            read("r1")


def test_rows_of_an_older_store_are_chained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "chordae.sqlite3"
    with monkeypatch.context() as patch:
        patch.setattr(connection, "MIGRATIONS", connection.MIGRATIONS[:3])
        old = connection.connect(path)
        for number in range(5):
            old.execute("INSERT INTO audit VALUES (?, 't', NULL, 'delete', ?)", (number * 3 + 2, f'é "{number}"\n'))
        old.close()
    with Store.open(path) as store:
        assert [(row.seq, row.detail) for row in store.audit_rows()] == [(n + 1, f'é "{n}"\n') for n in range(5)]
        assert store.audit_faults() == ()
        store.note("view", None, "")
        assert store.audit_faults() == ()
