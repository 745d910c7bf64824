"""Encrypted stores: what lies on the disk, wrong passphrases, damage, conversions and kills in the middle of them."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.errors import StoreError
from pipeline.records import CardiologyRequest, Edit
from pipeline.states import State
from pipeline.store import conversion, drivers, keys, vault
from pipeline.store.checkpoint import StateCheckpoint
from pipeline.store.connection import connect_with
from pipeline.store.database import Store
from tests.unit.store.conftest import PASSPHRASE, known_key

CANARY = "CANARY9c1e"
OTHER = "quite other words here"
ROOT = Path(__file__).resolve().parents[3]


def fill(path: Path) -> None:
    """A run with a patient's name in everything that holds text or bytes."""
    with Store.open(path) as store:
        store.start_run("r1", CardiologyRequest(ecg_path=Path(f"/patients/{CANARY}.csv"), metadata={"age_years": 61}))
        edit = Edit(kind="note", target="measure:lvef", before=None, after=f"{CANARY} says", role="clinician")
        store.add_edit("r1", edit)
        store.set_thumbnail("r1", CANARY.encode() * 30)
        store.save_part("r1", "preprocessed_ecg", 0, "k", CANARY.encode() * 3000)
        saved = StateCheckpoint(
            state_id=3,
            state_name="PREPROCESSING",
            timestamp=datetime(2026, 1, 2, tzinfo=UTC),
            input_hashes={},
            preprocessed_echo=CANARY.encode() * 20_000,
        )
        saved.save(store, "r1")
        report = f'{{"result": "{CANARY}"}}'
        store.finish_run("r1", status="complete", state="COMPLETE", error_code=None, report_json=report)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "chordae.sqlite3"
    fill(path)
    return path


@pytest.fixture(autouse=True)
def cheap_keys(monkeypatch: pytest.MonkeyPatch):
    """One true derivation is enough for the suite: the others take few rounds, with salts of their own."""
    derive, known = keys.derive, known_key()

    def cheap(passphrase: str, salt: bytes) -> keys.StoreKey:
        if (passphrase, salt) == (PASSPHRASE, known.salt):
            return known
        with monkeypatch.context() as patch:
            patch.setattr(keys, "KDF_ITERATIONS", 2)
            return derive(passphrase, salt)

    for module in (keys, vault):
        monkeypatch.setattr(module, "derive", cheap)
    yield
    keys._UNLOCKED.clear()


def canaries(folder: Path) -> list[str]:
    """Files whose bytes hold the canary or are those of an unencrypted database."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [f.name for f in files if CANARY.encode() in f.read_bytes() or b"SQLite format 3" in f.read_bytes()]


def content(path: Path) -> dict[str, tuple[int, str]]:
    with closing(connect_with(path, keys.key_of(path))) as connection:
        found = conversion.fingerprint(connection)
    del found["audit"], found["audit_head"]  # the conversion itself is an act
    return found


# --- what lies on the disk ----------------------------------------------------------------------------


def test_nothing_of_an_encrypted_store_is_in_clear(encrypted: Path) -> None:
    fill(encrypted)
    assert canaries(encrypted.parent) == []
    with Store.open(encrypted) as store, closing(drivers.open_file(encrypted, known_key())) as other:
        other.execute("BEGIN IMMEDIATE")  # a journal lies beside the store in the middle of a transaction
        other.execute("UPDATE runs SET report_json = report_json || ' '")
        other.execute("PRAGMA cache_spill = 1")
        assert encrypted.with_name(f"{encrypted.name}-journal").stat().st_size > 0
        assert canaries(encrypted.parent) == []
        other.execute("ROLLBACK")
        assert store.audit_faults() == ()


def test_the_canary_is_found_in_a_plain_store(plain: Path) -> None:
    assert canaries(plain.parent) == [plain.name]


def test_any_sqlcipher_opens_the_store_with_the_passphrase(encrypted: Path) -> None:
    """No format of our own: the key is the one that SQLCipher derives with its defaults."""
    fill(encrypted)
    from sqlcipher3 import dbapi2

    with closing(dbapi2.connect(str(encrypted))) as other:
        other.execute(f"PRAGMA key = '{PASSPHRASE}'")
        assert other.execute("SELECT run_id FROM runs").fetchall() == [("r1",)]


def test_wal_is_encrypted_too(encrypted: Path) -> None:
    with closing(drivers.open_file(encrypted, known_key())) as other:
        assert other.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        other.execute("SELECT count(*) FROM runs").fetchall()
        fill(encrypted)
        assert encrypted.with_name(f"{encrypted.name}-wal").stat().st_size > 0
        assert canaries(encrypted.parent) == []


# --- passphrases --------------------------------------------------------------------------------------


def test_a_locked_store_is_told_from_a_damaged_one(encrypted: Path, tmp_path: Path) -> None:
    keys.remember(encrypted, None)
    assert keys.is_locked(encrypted)
    with pytest.raises(StoreError, match="E_STORE_PASSPHRASE"):
        Store.open(encrypted)
    damaged = tmp_path / "damaged.sqlite3"
    Store.open(damaged).close()
    damaged.write_bytes(b"T" + damaged.read_bytes()[1:])
    assert not keys.is_locked(damaged)
    with pytest.raises(StoreError, match="E_STORE_DAMAGED"):
        Store.open(damaged)


def test_a_wrong_passphrase_changes_nothing(encrypted: Path) -> None:
    fill(encrypted)
    keys.remember(encrypted, None)
    before = encrypted.read_bytes()
    for wrong in (OTHER, "", PASSPHRASE.upper(), PASSPHRASE + "\0"):
        with pytest.raises(StoreError, match="E_STORE_PASSPHRASE"):
            vault.unlock(encrypted, wrong)
        assert keys.is_locked(encrypted)
    assert encrypted.read_bytes() == before
    vault.unlock(encrypted, PASSPHRASE)
    with Store.open(encrypted) as store:
        assert [row.run_id for row in store.runs()] == ["r1"]


def test_a_composed_letter_is_the_same_passphrase() -> None:
    derived = [keys.derive(words, b"s" * 16) for words in ("Käse Brot Wein", "Ka\u0308se Brot Wein")]
    assert derived[0] == derived[1]


@pytest.mark.parametrize("weak", ["", "short", "eleven char", "twelve chars\0"])
def test_a_weak_passphrase_is_refused(plain: Path, weak: str) -> None:
    before = plain.read_bytes()
    with pytest.raises(StoreError, match="12 characters"):
        vault.encrypt(plain, weak)
    assert plain.read_bytes() == before


def test_keys_are_not_shown() -> None:
    assert known_key().key.hex() not in repr(known_key())
    assert repr(known_key()) == "StoreKey()"


def test_without_the_package_the_sentence_says_so(encrypted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sqlcipher3", "sqlcipher3.dbapi2"):
        monkeypatch.setitem(sys.modules, name, None)
    keys.remember(encrypted, None)
    with pytest.raises(StoreError, match="E_STORE_PASSPHRASE"):
        Store.open(encrypted)
    with pytest.raises(StoreError, match="E_STORE_CIPHER"):
        vault.unlock(encrypted, PASSPHRASE)
    with Store.open(encrypted.with_name("plain.sqlite3")) as store:
        assert store.runs() == ()


# --- damage -------------------------------------------------------------------------------------------


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 4
    path.write_bytes(content)


def read_all(path: Path) -> None:
    with Store.open(path) as store:
        store.audit_faults()
        store.find_result("r1", State.PREPROCESSING, "preprocessed_echo")
        store.run("r1")
        store.parts("r1", "preprocessed_ecg", "k")


@pytest.mark.parametrize("at", [16, 100, 4095, 4096 + 7, 40_000, -5])
def test_a_damaged_page_is_found(encrypted: Path, at: int) -> None:
    """Each page has its own HMAC: one bit is enough, and the error is typed."""
    fill(encrypted)
    read_all(encrypted)
    flip(encrypted, at)
    with pytest.raises(StoreError, match=r"E_STORE_(DAMAGED|PASSPHRASE)"):
        read_all(encrypted)


def test_a_damaged_salt_does_not_open(encrypted: Path) -> None:
    flip(encrypted, 0)
    keys.remember(encrypted, None)
    with pytest.raises(StoreError, match="E_STORE_PASSPHRASE"):
        vault.unlock(encrypted, PASSPHRASE)


# --- conversions --------------------------------------------------------------------------------------


def test_a_store_is_encrypted_and_decrypted_again(plain: Path) -> None:
    backup = plain.with_name(f"{plain.name}.version-4.backup")
    backup.write_bytes(plain.read_bytes())
    before = content(plain)
    vault.encrypt(plain, PASSPHRASE)
    assert canaries(plain.parent) == []
    assert content(plain) == before
    assert not backup.exists()
    assert stat.S_IMODE(plain.stat().st_mode) == 0o600
    with Store.open(plain) as store:
        assert (store.audit_rows()[-1].act, store.audit_rows()[-1].detail) == ("store", "store encrypted")
        assert store.audit_faults() == ()
    with pytest.raises(StoreError, match="not the one of this store"):
        vault.decrypt(plain, OTHER)
    vault.decrypt(plain, PASSPHRASE)
    assert content(plain) == before
    with closing(sqlite3.connect(plain)) as other:
        assert other.execute("SELECT detail FROM audit ORDER BY seq DESC LIMIT 1").fetchone() == ("store decrypted",)


def test_a_passphrase_is_changed(encrypted: Path) -> None:
    fill(encrypted)
    before, salt = content(encrypted), encrypted.read_bytes()[:16]
    vault.change_passphrase(encrypted, PASSPHRASE, OTHER)
    assert content(encrypted) == before
    assert encrypted.read_bytes()[:16] != salt
    keys.remember(encrypted, None)
    with pytest.raises(StoreError, match="E_STORE_PASSPHRASE"):
        vault.unlock(encrypted, PASSPHRASE)
    vault.unlock(encrypted, OTHER)
    with Store.open(encrypted) as store:
        assert store.audit_rows()[-1].detail == "passphrase of the store changed"
        assert store.audit_faults() == ()


def test_a_new_store_can_be_encrypted_from_the_start(tmp_path: Path) -> None:
    path = tmp_path / "data" / "chordae.sqlite"
    vault.make_encrypted(path, PASSPHRASE)
    fill(path)
    assert canaries(path.parent) == []
    with pytest.raises(StoreError, match="There is a store already"):
        vault.make_encrypted(path, PASSPHRASE)


def test_a_store_in_use_is_not_converted(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "WAIT_S", 0.1)
    with Store.open(plain) as store:
        before = plain.read_bytes()
        with pytest.raises(StoreError, match="E_STORE_LOCKED"):
            vault.encrypt(plain, PASSPHRASE)
        assert plain.read_bytes() == before
        assert [row.run_id for row in store.runs()] == ["r1"]
    vault.encrypt(plain, PASSPHRASE)


def test_faults_of_the_audit_are_not_washed_away(plain: Path) -> None:
    with closing(sqlite3.connect(plain)) as other:
        other.execute("DROP TRIGGER audit_is_not_changed")
        other.execute("UPDATE audit SET detail = 'another' WHERE seq = 1")
        other.commit()
    with Store.open(plain) as store:
        found = store.audit_faults()
    assert found
    vault.encrypt(plain, PASSPHRASE)
    with Store.open(plain) as store:
        assert store.audit_faults() == found


def test_a_copy_that_differs_is_thrown_away(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, copy = plain.read_bytes(), conversion._copy

    def losing(source: sqlite3.Connection, target: Path, key: keys.StoreKey | None) -> None:
        copy(source, target, key)
        with closing(drivers.open_file(target, key)) as other:
            other.execute("DELETE FROM thumbnails")

    monkeypatch.setattr(conversion, "_copy", losing)
    with pytest.raises(StoreError, match="thrown away"):
        vault.encrypt(plain, PASSPHRASE)
    assert plain.read_bytes() == before
    assert [path.name for path in plain.parent.iterdir() if path.stat().st_size] == [plain.name]


def test_a_full_disk_leaves_the_old_store(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = plain.read_bytes()
    monkeypatch.setattr(conversion, "_ROOM_BYTES", 1 << 60)
    with pytest.raises(StoreError, match="E_STORE_WRITE"):
        vault.encrypt(plain, PASSPHRASE)
    assert plain.read_bytes() == before


def test_a_second_name_of_the_store_is_not_overwritten(plain: Path) -> None:
    """Somebody's own backup by a hard link is his."""
    mine, before = plain.with_name("mine"), plain.read_bytes()
    os.link(plain, mine)
    vault.encrypt(plain, PASSPHRASE)
    assert mine.read_bytes() == before


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline.states import State
from pipeline.store import conversion, keys, vault
keys.KDF_ITERATIONS = 2
path, wanted, n = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
count = 0

def step(name, function):
    def stepped(*given, **named):
        global count
        for moment in ("before", "after"):
            count += 1
            if count == n:
                os.kill(os.getpid(), signal.SIGKILL)
            if moment == "before":
                result = function(*given, **named)
        return result
    return stepped

for home, names in ((conversion, ("_copy", "_require_equal", "_overwrite", "_sync_folder", "_wipe", "remember")),
                    (os, ("link", "fsync")), (Path, ("replace",))):
    for name in names:
        setattr(home, name, step(name, getattr(home, name)))
if wanted == "encrypt":
    vault.encrypt(path, sys.argv[4])
else:
    vault.decrypt(path, sys.argv[4])
sys.stdout.write(str(count))
"""


MOMENTS = {"encrypt": 30, "decrypt": 36}


def killed_at(path: Path, wanted: str, n: int) -> tuple[int, str]:
    command = [sys.executable, "-c", KILLED, str(path), wanted, str(n), OTHER]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def after_a_kill(path: Path, wanted: str, n: int) -> bool:
    """Kill a conversion at its nth moment; whether the old store or the new one is there, whole, and nothing else."""
    before = content(path)
    if wanted == "decrypt":
        vault.encrypt(path, OTHER)
        keys.remember(path, None)
    code, said = killed_at(path, wanted, n)
    is_killed = code == -signal.SIGKILL
    if not is_killed and (code, said, n) != (0, str(MOMENTS[wanted]), MOMENTS[wanted] + 1):
        return False  # a moment was left out
    if keys.is_locked(path):
        vault.unlock(path, OTHER)
        if canaries(path.parent):  # what was left beside it has been cleared away
            return False
    is_whole = content(path) == before
    with Store.open(path) as store:
        is_whole = is_whole and store.audit_faults() == ()
    if not keys.is_unlocked(path):
        vault.encrypt(path, PASSPHRASE)
    left = [each.name for each in path.parent.iterdir() if not each.name.endswith("-journal")]
    return is_whole and canaries(path.parent) == [] and content(path) == before and left == [path.name]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a POSIX signal")
@pytest.mark.parametrize(("wanted", "n"), [("encrypt", 20), ("decrypt", 31)])
def test_a_killed_conversion_leaves_the_old_or_the_new(plain: Path, wanted: str, n: int) -> None:
    """The torture does so at every moment."""
    assert after_a_kill(plain, wanted, n)
