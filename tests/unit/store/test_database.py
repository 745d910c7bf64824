"""The store: rows, checkpoints, identity, damage, many processes."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.errors import StoreError
from pipeline.records import CardiologyRequest, FileReport, RunEvent, ValidationReport
from pipeline.states import State
from pipeline.store import connection
from pipeline.store.checkpoint import StateCheckpoint
from pipeline.store.database import Store
from pipeline.store.drivers import open_file
from pipeline.store.keys import key_of
from tests.unit.store.conftest import PASSPHRASE

REPORT = ValidationReport(
    files=(FileReport(role="ecg", index=0, format="csv", sha256="ab" * 32, size_bytes=3, summary="1 lead"),)
)


def checkpoint(payload: bytes = b"x" * 100) -> StateCheckpoint:
    return StateCheckpoint(
        state_id=3,
        state_name="PREPROCESSING",
        timestamp=datetime(2026, 1, 2, tzinfo=UTC),
        input_hashes={"ecg.0": "ab" * 32},
        validation_result=REPORT,
        preprocessed_ecg=payload,
        processing_times={"VALIDATION": 12},
        memory_usage_mb=321.5,
        cache_keys={"preprocessed_ecg": "key", "validation_result": "v"},
    )


def raw(path: Path) -> closing[sqlite3.Connection]:
    """A connection of somebody who knows the key and nothing of Chordae."""
    return closing(open_file(path, key_of(path)))


@pytest.fixture
def store(path: Path):
    with Store.open(path) as opened:
        opened.start_run("r1", CardiologyRequest(ecg_path=Path("/somewhere/e.csv"), metadata={"age_years": 60}))
        yield opened


def test_new_store_is_private(store: Store, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_checkpoint_comes_back_whole(store: Store) -> None:
    checkpoint().save(store, "r1")
    assert StateCheckpoint.load(store, "r1", State.PREPROCESSING) == checkpoint()
    assert store.checkpoint_states("r1") == (State.PREPROCESSING,)


def test_checkpoint_larger_than_a_part(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.store.database.PART_BYTES", 1000)
    big = checkpoint(os.urandom(4_500))
    big.save(store, "r1")
    assert StateCheckpoint.load(store, "r1", State.PREPROCESSING) == big


@pytest.mark.parametrize(
    ("report", "lost"),
    [
        ('{"pipeline_execution": {"branches": [{"branch": "echo", "status": "failed"}, {"status": "ok"}]}}', ("echo",)),
        ("{}", ()),
        ("damaged", ()),
    ],
)  # fmt: skip
def test_the_list_says_which_branches_a_run_lost(store: Store, report: str, lost: tuple[str, ...]) -> None:
    store.finish_run("r1", status="complete", state="COMPLETE", error_code=None, report_json=report)
    assert [row.lost for row in store.runs()] == [lost]


def test_missing_checkpoint_is_typed(store: Store) -> None:
    with pytest.raises(StoreError, match="E_STORE_NOT_FOUND"):
        StateCheckpoint.load(store, "r1", State.ANALYSIS)


def test_changed_payload_is_found(store: Store, path: Path) -> None:
    checkpoint().save(store, "r1")
    with raw(path) as other:
        other.execute("UPDATE payload_parts SET data = zeroblob(100) WHERE length(data) = 100")
    with pytest.raises(StoreError, match="E_STORE_DAMAGED"):
        store.find_result("r1", State.PREPROCESSING, "preprocessed_ecg")


def test_damaged_payload_is_replaced_by_the_next_save(store: Store, path: Path) -> None:
    checkpoint().save(store, "r1")
    with raw(path) as other:
        other.execute("UPDATE payload_parts SET data = zeroblob(100) WHERE length(data) = 100")
    checkpoint().save(store, "r1")
    assert store.find_result("r1", State.PREPROCESSING, "preprocessed_ecg") == ("key", b"x" * 100)


def test_request_comes_back(store: Store) -> None:
    request = store.request("r1")
    assert request.ecg_path == Path("/somewhere/e.csv")
    assert request.metadata == {"age_years": 60}
    assert store.run("r1").inputs == ("e.csv",)
    assert store.run("r1").modalities == ("ecg", "metadata")


def test_events_keep_their_order(store: Store) -> None:
    events = [
        RunEvent(
            run_id="r1", seq=n, time_utc="t", state="ANALYSIS", branch="ecg", kind="progress", fraction=n / 3,
            code=None, text="beat",
        )
        for n in range(3)
    ]  # fmt: skip
    store.append_events(events)
    assert store.events("r1") == tuple(events)
    assert store.run("r1").state == "ANALYSIS"


def test_run_of_a_dead_process_is_interrupted(store: Store, path: Path) -> None:
    assert store.run("r1").status == "running"
    with raw(path) as other:
        other.execute("UPDATE runs SET owner_pid = 2147483000")
    assert store.run("r1").status == "interrupted"
    asked = CardiologyRequest(ecg_path=Path("/somewhere/e.csv"), metadata={"age_years": 70})
    store.take_over("r1", asked)
    assert store.run("r1").status == "running"
    assert store.request("r1") == asked


def test_running_run_is_neither_resumed_nor_deleted(store: Store) -> None:
    with pytest.raises(StoreError, match="E_STORE_LOCKED"):
        store.take_over("r1", store.request("r1"))
    with pytest.raises(StoreError, match="E_STORE_LOCKED"):
        store.delete_run("r1")


def test_delete_takes_payloads_along(store: Store, path: Path) -> None:
    checkpoint().save(store, "r1")
    store.finish_run("r1", status="complete", state="COMPLETE", error_code=None, report_json="{}")
    store.delete_run("r1")
    with raw(path) as other:
        for table in ("runs", "events", "checkpoints", "checkpoint_results", "payload_parts", "partial_results"):
            assert other.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    assert store.audit_rows()[-1].act == "delete"


def test_newer_store_is_refused_and_untouched(store: Store, path: Path) -> None:
    store.close()
    with raw(path) as other:
        other.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="E_STORE_NEWER"):
        Store.open(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough " * 50, b"SQLite format 3\0" + b"\1" * 500]
)
def test_other_files_are_refused_and_untouched(tmp_path: Path, content: bytes) -> None:
    target = tmp_path / "x.sqlite3"
    target.write_bytes(content)
    with pytest.raises(StoreError, match="E_STORE_DAMAGED"):
        Store.open(target)
    assert target.read_bytes() == content


def test_database_of_another_program_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "x.sqlite3"
    with sqlite3.connect(target) as other:
        other.execute("CREATE TABLE mine (a)")
    other.close()
    with pytest.raises(StoreError, match="not a Chordae store"):
        Store.open(target)


def test_older_store_is_backed_up_and_migrated(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(path).close()
    monkeypatch.setattr(connection, "MIGRATIONS", (*connection.MIGRATIONS, "CREATE TABLE later (a TEXT) STRICT;\n"))
    with Store.open(path) as migrated:
        assert migrated.runs() == ()
    version = len(connection.MIGRATIONS)
    assert path.with_name(f"{path.name}.version-{version - 1}.backup").exists()
    with raw(path) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (version,)
        assert other.execute("SELECT count(*) FROM later").fetchone() == (0,)


def test_failed_migration_leaves_the_old_store(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(path).close()
    version = len(connection.MIGRATIONS)
    monkeypatch.setattr(connection, "MIGRATIONS", (*connection.MIGRATIONS, "CREATE TABLE later (a TEXT);\nNONSENSE;\n"))
    with pytest.raises(StoreError):
        Store.open(path)
    with raw(path) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (version,)
        assert other.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'later'").fetchone() == (0,)


def test_store_of_the_first_version_gains_parts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(connection, "MIGRATIONS", connection.MIGRATIONS[:1])
        path.unlink(missing_ok=True)
        old = connection.connect(path)
        old.execute(
            "INSERT INTO runs (run_id, created_utc, status, state, request_json, inputs_json)"
            " VALUES ('r1', 't', 'complete', 'COMPLETE', '{}', '[]')"
        )
        old.close()
    with Store.open(path) as migrated:
        migrated.save_part("r1", "preprocessed_ecg", 0, "k", b"first hour")
        assert migrated.parts("r1", "preprocessed_ecg", "k") == {0: b"first hour"}


def test_parts_hold_for_their_key_until_the_result_is_saved(store: Store, path: Path) -> None:
    store.save_part("r1", "preprocessed_ecg", 0, "k", b"old")
    store.save_part("r1", "preprocessed_ecg", 0, "k", b"first hour")
    store.save_part("r1", "preprocessed_ecg", 1, "k", b"second hour")
    store.save_part("r1", "analysis_result.ecg", 0, "k", b"beats")
    assert store.parts("r1", "preprocessed_ecg", "another key") == {}
    assert store.parts("r1", "preprocessed_ecg", "k") == {0: b"first hour", 1: b"second hour"}
    with raw(path) as other:
        other.execute("UPDATE partial_results SET data = ? WHERE part = 1", (b"second h0ur",))
    assert store.parts("r1", "preprocessed_ecg", "k") == {0: b"first hour"}
    checkpoint().save(store, "r1")
    assert store.parts("r1", "preprocessed_ecg", "k") == {}
    assert store.parts("r1", "analysis_result.ecg", "k") == {0: b"beats"}


def test_full_store_is_typed_and_sound(store: Store) -> None:
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="E_STORE_WRITE"):
        checkpoint(os.urandom(300_000)).save(store, "r1")
    store._connection.execute("PRAGMA max_page_count = 1000000")
    assert store.checkpoint_states("r1") == ()
    checkpoint().save(store, "r1")


OPENER = """
import sys
from pathlib import Path
from pipeline.records import CardiologyRequest
from pipeline.store import keys, vault
from pipeline.store.database import Store
if keys.is_locked(Path(sys.argv[1])):
    vault.unlock(Path(sys.argv[1]), sys.stdin.read())
with Store.open(Path(sys.argv[1])) as store:
    for n in range(5):
        store.start_run(f"{sys.argv[2]}-{n}", CardiologyRequest(ecg_path=Path("e.csv")))
"""


def test_four_processes_share_one_new_store(path: Path) -> None:
    command = [sys.executable, "-c", OPENER, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen([*command, str(n)], **pipes) for n in range(4)]
    for process in processes:
        _, errors = process.communicate(PASSPHRASE.encode(), timeout=60)
        assert process.returncode == 0, errors.decode()
    with Store.open(path) as store:
        assert len(store.runs()) == 20
        assert {row.status for row in store.runs()} == {"interrupted"}
