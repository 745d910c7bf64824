"""Open the SQLite file: permissions, pragmas, identity, migrations; the world's errors as StoreError."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.store.audit import row_hash
from pipeline.store.drivers import BUSY_TIMEOUT_MS, error_classes, open_file
from pipeline.store.keys import StoreKey, key_of, looks_encrypted

APPLICATION_ID = 0x43484452  # "CHDR"
MIGRATIONS: tuple[str, ...] = tuple(
    (Path(__file__).parent / name).read_text(encoding="utf-8")
    for name in ("schema.sql", "parts.sql", "review.sql", "audit.sql", "thumbnails.sql")
)
"""Step n leads from schema version n to n + 1."""
_PRAGMAS = (
    f"busy_timeout = {BUSY_TIMEOUT_MS}",
    "trusted_schema = OFF",
    "cell_size_check = ON",
    "mmap_size = 0",
    "foreign_keys = ON",
    "secure_delete = ON",
    "synchronous = FULL",
)
_CODES = {
    sqlite3.SQLITE_BUSY: ("E_STORE_LOCKED", "Another program holds the store; nothing was written."),
    sqlite3.SQLITE_LOCKED: ("E_STORE_LOCKED", "Another program holds the store; nothing was written."),
    sqlite3.SQLITE_FULL: ("E_STORE_WRITE", "The disk is full; the store could not be written."),
    sqlite3.SQLITE_READONLY: ("E_STORE_WRITE", "The store is read-only; it could not be written."),
    sqlite3.SQLITE_IOERR: ("E_STORE_WRITE", "The disk reported an error; the store could not be written."),
    sqlite3.SQLITE_CANTOPEN: ("E_STORE_WRITE", "The store cannot be opened in its folder."),
    sqlite3.SQLITE_PERM: ("E_STORE_WRITE", "The store's folder refuses access."),
    sqlite3.SQLITE_AUTH: ("E_STORE_WRITE", "The store's folder refuses access."),
    sqlite3.SQLITE_NOTADB: ("E_STORE_DAMAGED", "The file is not a Chordae store."),
    sqlite3.SQLITE_CORRUPT: ("E_STORE_DAMAGED", "The store is damaged."),
}


_CREATING = threading.Lock()


def _primary(error: BaseException | None) -> int:
    """SQLite's code of an error, without its refinements."""
    return int(getattr(error, "sqlite_errorcode", None) or sqlite3.SQLITE_CORRUPT) & 0xFF


def as_store_error(error: Exception) -> StoreError:
    """The typed error for one of SQLite or SQLCipher; its own text is dropped, it may hold values."""
    code, text = _CODES.get(_primary(error), ("E_STORE_DAMAGED", "The store answered with an unexpected error."))
    return StoreError(text, code=code)


@contextmanager
def typed_errors() -> Iterator[None]:
    """Turn the exceptions of SQLite and SQLCipher into StoreError."""
    try:
        yield
    except error_classes() as error:
        raise as_store_error(error) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One `BEGIN IMMEDIATE` transaction; rolled back on any exception."""
    with typed_errors():
        connection.execute("BEGIN IMMEDIATE")
    try:
        with typed_errors():
            yield
            connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.rollback()
        raise


def connect(path: Path) -> sqlite3.Connection:
    """A connection to a store of this version, created or migrated when needed; by the key that unlocked it, if any.

    Raises
    ------
    StoreError
        E_STORE_NEWER for a store of a later version (left untouched), E_STORE_DAMAGED for a file that is
        no store, E_STORE_WRITE when folder or disk refuse, E_STORE_PASSPHRASE for an encrypted one that is locked.
    """
    return connect_with(path, key_of(path))


def connect_with(path: Path, key: StoreKey | None) -> sqlite3.Connection:
    """`connect` with the key that is given; None opens an unencrypted store."""
    create_private(path)
    with typed_errors():
        connection = open_file(path, key)
    try:
        with typed_errors():
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            connection.create_function("audit_hash", 6, row_hash, deterministic=True)  # the chain of audit.sql
            _check_identity(connection)
            _migrate(connection, path, key)
    except StoreError as error:
        connection.close()
        raise explained(error, path, key) from error.__cause__
    except BaseException:
        connection.close()
        raise
    return connection


def explained(error: StoreError, path: Path, key: StoreKey | None) -> StoreError:
    """The error of opening a store; one of its own for a store whose first page says nothing without another key."""
    if _primary(error.__cause__) != sqlite3.SQLITE_NOTADB:
        return error
    if key is not None:
        text = "The passphrase does not open the store; or the store is damaged at its beginning. Nothing was changed."
        return StoreError(text, code="E_STORE_PASSPHRASE")
    if looks_encrypted(path):
        return StoreError("The store is encrypted; its passphrase is needed.", code="E_STORE_PASSPHRASE")
    return error


def create_private(path: Path) -> None:
    """Folder 0700 and file 0600 whatever the umask says.

    A file that is there is not opened: closing it would drop the locks that SQLite holds for other threads.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _CREATING, suppress(FileExistsError):
            if not path.exists():
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise StoreError("The store cannot be opened in its folder.", code="E_STORE_WRITE") from error


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _check_identity(connection: sqlite3.Connection) -> None:
    version, identity = _pragma(connection, "user_version"), _pragma(connection, "application_id")
    if identity != APPLICATION_ID and (identity or version or _has_tables(connection)):
        raise StoreError("The file is not a Chordae store.", code="E_STORE_DAMAGED")
    if version > len(MIGRATIONS):
        raise StoreError(
            "The store was written by a newer version of Chordae; it was left untouched.",
            code="E_STORE_NEWER",
        )


def _has_tables(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])


def _migrate(connection: sqlite3.Connection, path: Path, key: StoreKey | None) -> None:
    if _pragma(connection, "user_version") == len(MIGRATIONS):
        return
    connection.execute("PRAGMA journal_mode = TRUNCATE")
    with transaction(connection):
        version = _pragma(connection, "user_version")  # again: another process may have been first
        if 0 < version < len(MIGRATIONS):
            _back_up(path, version, key)
        for step in MIGRATIONS[version:]:
            for statement in _statements(step):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _back_up(path: Path, version: int, key: StoreKey | None) -> None:
    """A copy beside the store, under the same key."""
    target = path.with_name(f"{path.name}.version-{version}.backup")
    with suppress(FileExistsError):
        os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    source, copy = open_file(path, key), open_file(target, key)
    try:
        source.backup(copy)
    finally:
        source.close()
        copy.close()
    target.chmod(0o600)


def _statements(script: str) -> Iterator[str]:
    """Single statements: `executescript` would commit the open transaction."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
