"""A store under another key, or under none: copied into a new file, compared, and put in the old one's place.

Killed at any moment, the place holds the old store or the new one, whole. What a killed conversion leaves beside
it is cleared away by the next one, and when an encrypted store is unlocked.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import StoreError
from pipeline.store.connection import APPLICATION_ID, connect_with, typed_errors
from pipeline.store.database import Store
from pipeline.store.drivers import open_for_conversion
from pipeline.store.holds import Hold
from pipeline.store.keys import StoreKey, looks_encrypted, remember

WAIT_S = 2.0
"""How long a conversion waits for others to let the store go."""
_BLOCK_BYTES = 1 << 20
_ROOM_BYTES = 32 << 20


def convert(path: Path, old: StoreKey | None, new: StoreKey | None, act: str) -> None:
    """Give a store another key; `act` is what the audit of the new file says. Keys of None mean no encryption.

    Raises
    ------
    StoreError
        E_STORE_LOCKED when the store is in use, E_STORE_WRITE when there is no room, E_STORE_DAMAGED when the
        store is not whole, E_STORE_CIPHER without SQLCipher. The old store is then unchanged.
    """
    with Hold(path, alone=True, wait_s=WAIT_S), typed_errors():
        clear_leftovers(path)
        _require_room(path)
        with closing(Store(connect_with(path, old))) as whole:  # of this version, and known to open
            faults = whole.audit_faults()
        target = _beside(path, "converting")
        try:
            with closing(open_for_conversion(path, old)) as source:
                _copy(source, target, new)
                with closing(connect_with(target, new)) as copied:
                    _require_equal(source, copied)
                    store = Store(copied)
                    if store.audit_faults() != faults:
                        raise StoreError("The copy of the store is not the store; it was thrown away.")
                    store.note("store", None, act)
                _replace(target, path, new)
        except OSError as error:
            _wipe(target)
            raise StoreError("The store could not be replaced in its folder.", code="E_STORE_WRITE") from error
        except BaseException:
            _wipe(target)
            raise


def clear_leftovers(path: Path) -> None:
    """Remove what a killed conversion has left, and copies of an earlier version, which have the key of that time.

    To be called by whoever holds the store alone.
    """
    _wipe(_beside(path, "converting"))
    _wipe(_beside(path, "converting-journal"))
    replaced = _beside(path, "replaced")
    if replaced.exists() and path.exists() and replaced.samefile(path):
        replaced.unlink()  # killed before the new file came: this is the store itself by a second name
    _wipe(replaced)
    if looks_encrypted(path):
        for copy in path.parent.glob(f"{path.name}.version-*.backup"):
            if not looks_encrypted(copy):
                _wipe(copy)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}.{ending}")


def _require_room(path: Path) -> None:
    if shutil.disk_usage(path.parent).free < path.stat().st_size + _ROOM_BYTES:
        text = "There is not enough room on the disk for a second copy of the store; nothing was changed."
        raise StoreError(text, code="E_STORE_WRITE")


def _copy(source: sqlite3.Connection, target: Path, key: StoreKey | None) -> None:
    """Everything into a new file; `source` then lets nobody else, other programs included, use the store."""
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    source.execute("PRAGMA journal_mode = DELETE")  # somebody's tool may have left the store in another mode
    source.execute("ATTACH DATABASE ? AS target KEY ?", (str(target), "" if key is None else key.literal))
    source.execute("PRAGMA target.journal_mode = MEMORY")  # no page of it lies anywhere else
    source.execute("PRAGMA target.synchronous = OFF")  # it is synchronised as a whole, before it takes its place
    source.execute("BEGIN EXCLUSIVE")
    version = source.execute("PRAGMA main.user_version").fetchone()[0]
    source.execute("SELECT sqlcipher_export('target')")
    source.execute(f"PRAGMA target.user_version = {int(version)}")
    source.execute(f"PRAGMA target.application_id = {APPLICATION_ID}")
    source.execute("COMMIT")
    source.execute("DETACH DATABASE target")
    source.execute("BEGIN EXCLUSIVE")


def _require_equal(source: sqlite3.Connection, copied: sqlite3.Connection) -> None:
    """Schema, number and content of all rows; and the copy's own soundness."""
    sound = [row[0] for row in copied.execute("PRAGMA integrity_check")] == ["ok"]
    broken = copied.execute("PRAGMA cipher_integrity_check").fetchall()  # says nothing for an unencrypted file
    if not sound or broken or fingerprint(source) != fingerprint(copied):
        raise StoreError("The copy of the store is not the store; it was thrown away.")


def fingerprint(connection: sqlite3.Connection) -> dict[str, tuple[int, str]]:
    """For each table, and the schema, the number of rows and a SHA-256 over all of their values."""
    named = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    tables = [row[0] for row in connection.execute(named)]
    schema = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"
    found = {"": _digest(connection, schema)}
    return found | {name: _digest(connection, f'SELECT * FROM "{name}"') for name in tables}  # noqa: S608 - own names


def _digest(connection: sqlite3.Connection, query: str) -> tuple[int, str]:
    total, n_rows = hashlib.sha256(), 0
    for row in connection.execute(query):
        n_rows += 1
        for value in row:
            content = value if isinstance(value, bytes) else repr(value).encode("utf-8", "surrogatepass")
            total.update(f"{type(value).__name__} {len(content)} ".encode())
            total.update(content)
    return n_rows, total.hexdigest()


def _replace(target: Path, path: Path, key: StoreKey | None) -> None:
    """Put the new file in place and overwrite the old one."""
    with target.open("r+b") as file:
        os.fsync(file.fileno())
    with path.open("r+b") as old:
        replaced = _beside(path, "replaced")
        with suppress(OSError):  # a drive without second names: a kill right here leaves the old bytes on free blocks
            os.link(path, replaced)
        target.replace(path)
        remember(path, key)
        _sync_folder(path.parent)
        _overwrite(old)
        replaced.unlink(missing_ok=True)
        for copy in path.parent.glob(f"{path.name}.version-*.backup"):
            _wipe(copy)
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # Windows has no descriptor of a folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _wipe(path: Path) -> None:
    """Overwrite a file and remove it."""
    with suppress(FileNotFoundError):
        with path.open("r+b") as file:
            _overwrite(file)
        path.unlink()


def _overwrite(file: BinaryIO) -> None:
    """Zeros over a whole file, unless it has a second name that somebody else gave it."""
    if os.fstat(file.fileno()).st_nlink > 1:
        return
    left = os.fstat(file.fileno()).st_size
    file.seek(0)
    while left > 0:
        left -= file.write(bytes(min(left, _BLOCK_BYTES)))
    file.flush()
    os.fsync(file.fileno())
