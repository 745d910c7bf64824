"""Stores of other versions, migrations that are cut off, and many processes on one new store."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import StoreError
from pipeline.records import CardiologyRequest
from pipeline.store import connection
from pipeline.store.database import Store
from tests.torture.promises import Record, scaled

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
NOW = len(connection.MIGRATIONS)
N_RUNS = 3000  # makes a migration last long enough to be hit

CHAINED = 4  # the version whose audit became a chain
OPEN = "import sys; from pathlib import Path; from pipeline.store.database import Store; Store.open(Path(sys.argv[1]))"
KILL_IN_MIGRATION = """
import os, signal, sys
from pathlib import Path
from pipeline.store import connection
def kill_at(steps, n):
    for number, statement in enumerate(statements(steps)):
        if number == n:
            os.kill(os.getpid(), signal.SIGKILL)
        yield statement
statements, n = connection._statements, int(sys.argv[2])
connection._statements = lambda step: kill_at(step, n) if "audit_unchained" in step else statements(step)
connection.connect(Path(sys.argv[1]))
"""
WRITER = """
import sys
from pathlib import Path
from pipeline.records import CardiologyRequest
from pipeline.store.database import Store
print("ready", flush=True)
sys.stdin.readline()
with Store.open(Path(sys.argv[1])) as store:
    for n in range(5):
        store.start_run(f"{sys.argv[2]}-{n}", CardiologyRequest(ecg_path=Path("e.csv")))
        store.note("view", f"{sys.argv[2]}-{n}", "")
"""


def older_store(path: Path, version: int) -> int:
    """A store as that version left it, with runs in it; returns how many acts its audit holds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if version >= CHAINED:
        return chained_store(path, version)
    made = sqlite3.connect(path)
    for step in connection.MIGRATIONS[:version]:
        made.executescript(step)
    made.execute(f"PRAGMA application_id = {connection.APPLICATION_ID}")
    made.execute(f"PRAGMA user_version = {version}")
    rows = [(f"r{n}", "2026", "complete", "COMPLETE", '{"ecg_path":"e.csv"}', "[]") for n in range(N_RUNS)]
    columns = "run_id, created_utc, status, state, request_json, inputs_json"
    made.executemany(f"INSERT INTO runs ({columns}) VALUES (?, ?, ?, ?, ?, ?)", rows)
    acts = [("2026", f"r{n}", "delete", "run deleted") for n in range(N_RUNS)]
    made.executemany("INSERT INTO audit (time_utc, run_id, act, detail) VALUES (?, ?, ?, ?)", acts)
    made.commit()
    made.close()
    return N_RUNS


def chained_store(path: Path, version: int) -> int:
    """The same of a version whose audit is a chain, which only the store itself can write."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "MIGRATIONS", connection.MIGRATIONS[:version])
        with Store.open(path) as store:
            for n in range(N_RUNS):
                store.start_run(f"r{n}", CardiologyRequest(ecg_path=Path("e.csv")))
            return len(store.audit_rows())


def state_of(path: Path) -> tuple[int, int, bool]:
    """(version, runs, whether the chained audit is there), read past the product."""
    read = sqlite3.connect(path)
    version = read.execute("PRAGMA user_version").fetchone()[0]
    n_runs = read.execute("SELECT count(*) FROM runs").fetchone()[0]
    chained = read.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'audit_head'").fetchone()[0]
    read.close()
    return version, n_runs, bool(chained)


def test_a_killed_migration_leaves_old_or_new(tmp_path: Path, promise: Record) -> None:
    n, rng = scaled(2, 20), random.Random(7)
    n_statements = len(list(connection._statements(connection.MIGRATIONS[3])))
    wrong, cut = [], 0
    for number in range(n):
        path = tmp_path / str(number) / "chordae.sqlite"
        older_store(path, 3)
        if number % 2:
            command = [sys.executable, "-c", KILL_IN_MIGRATION, str(path), str(rng.randrange(n_statements))]
            process = subprocess.run(command, check=False, stderr=subprocess.PIPE)
            code = process.returncode
        else:
            running = subprocess.Popen([sys.executable, "-c", OPEN, str(path)], stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.2, 0.8))
            running.kill()
            code = running.wait()
        cut += code == -signal.SIGKILL
        found = state_of(path)
        with Store.open(path) as store:
            healed = len(store.runs()) == N_RUNS and store.audit_faults() == ()
        if found not in ((3, N_RUNS, False), (NOW, N_RUNS, True)) or not healed:
            wrong.append((number, found))
    promise(
        "A migration is killed: the store is of the old version or of the new one, never between, and opens",
        f"{n - len(wrong)} of {n} ({cut} cut off)" + (f"; {wrong}" if wrong else ""),
        kept=not wrong,
    )


@pytest.mark.parametrize("version", range(1, NOW))
def test_every_older_version_is_migrated_with_a_backup(tmp_path: Path, version: int) -> None:
    path = tmp_path / "chordae.sqlite"
    n_acts = older_store(path, version)
    assert n_acts >= N_RUNS
    with Store.open(path) as store:
        assert len(store.runs()) == N_RUNS
        assert len(store.audit_rows()) == n_acts
        assert store.audit_faults() == ()
    assert state_of(path.with_name(f"chordae.sqlite.version-{version}.backup"))[:2] == (version, N_RUNS)


def test_a_newer_store_is_refused_and_unchanged(tmp_path: Path, promise: Record) -> None:
    path = tmp_path / "chordae.sqlite"
    Store.open(path).close()
    with sqlite3.connect(path) as other:
        other.execute(f"PRAGMA user_version = {NOW + 1}")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError) as refused:
        Store.open(path)
    is_unchanged = path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["chordae.sqlite"]
    promise("A store of a newer version is refused and unchanged", refused.value.code,
            kept=is_unchanged and refused.value.code == "E_STORE_NEWER")  # fmt: skip


def test_four_processes_on_one_new_store(tmp_path: Path, promise: Record) -> None:
    n, wrong = scaled(1, 12), []
    for number in range(n):
        path = tmp_path / str(number) / "chordae.sqlite"
        command = [sys.executable, "-c", WRITER, str(path)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        processes = [subprocess.Popen([*command, str(each)], **pipes) for each in range(4)]  # type: ignore[call-overload]
        for process in processes:
            process.stdout.readline()
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [process.communicate(timeout=120)[1] for process in processes]
        with Store.open(path) as store:
            whole = len(store.runs()) == 20 and store.audit_faults() == ()
        if any(said) or not whole:
            wrong.append((number, [text[-200:] for text in said if text]))
    promise('4 processes on one new store: no "locked", no "already exists", every row there, the audit whole',
            f"{n - len(wrong)} of {n} rounds" + (f"; {wrong[:1]}" if wrong else ""), kept=not wrong)  # fmt: skip


def test_a_second_window_is_told_at_once(tmp_path: Path, promise: Record) -> None:
    """A run that goes on in one process cannot be taken over or deleted by another, which hears so within a second."""
    path = tmp_path / "chordae.sqlite"
    with Store.open(path) as first, Store.open(path) as second:
        first.start_run("r1", CardiologyRequest(ecg_path=Path("e.csv")))
        spent = []
        for act in (lambda: second.take_over("r1", second.request("r1")), lambda: second.delete_run("r1")):
            started = time.perf_counter()
            with pytest.raises(StoreError, match="E_STORE_LOCKED"):
                act()
            spent.append(time.perf_counter() - started)
    promise("A second window on the same store is told within 1 s", f"{max(spent):.2f} s", kept=max(spent) < 1.0)
