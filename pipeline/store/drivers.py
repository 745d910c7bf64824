"""The two libraries that open a store: Python's sqlite3, and SQLCipher's twin of it for an encrypted one.

SQLCipher's connections have the methods of sqlite3's, but classes of their own for connections and exceptions.
Nothing outside this module and its callers in `pipeline.store` need know which of the two is at work.
"""

from __future__ import annotations

import sqlite3
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from pipeline.errors import StoreError
from pipeline.store.keys import StoreKey

BUSY_TIMEOUT_MS = 20_000
_CIPHER_MODULE = "sqlcipher3.dbapi2"


def open_file(path: Path, key: StoreKey | None, *, read_only: bool = False) -> sqlite3.Connection:
    """A bare connection: by sqlite3, or by SQLCipher where there is a key. Raises the library's own errors."""
    return _opened(sqlite3 if key is None else _cipher(), path, key, read_only=read_only)


def open_for_conversion(path: Path, key: StoreKey | None) -> sqlite3.Connection:
    """A connection by SQLCipher, which copies between encrypted and unencrypted files; `key` is None for the latter."""
    return _opened(_cipher(), path, key, read_only=False)


def _opened(module: Any, path: Path, key: StoreKey | None, *, read_only: bool) -> sqlite3.Connection:
    target = f"{path.resolve().as_uri()}?mode=ro" if read_only else str(path)
    connection = module.connect(target, uri=read_only, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000)
    if module is not sqlite3:
        connection.execute("PRAGMA cipher_log_level = NONE")  # it would write to standard error
    if key is not None:
        connection.set_key(key.literal)  # a call and no SQL: no statement holds the key
        connection.execute("PRAGMA temp_store = MEMORY")
    return cast("sqlite3.Connection", connection)


def error_classes() -> tuple[type[Exception], ...]:
    """The classes of errors that connections raise; SQLCipher's only once it is loaded."""
    loaded = sys.modules.get(_CIPHER_MODULE)
    return (sqlite3.Error,) if loaded is None else (sqlite3.Error, loaded.Error)


def can_encrypt() -> bool:
    """Whether the package for encrypted stores is installed."""
    return find_spec("sqlcipher3") is not None


def cipher_version() -> str:
    """Version of SQLCipher, and of the SQLite in it; raises StoreError E_STORE_CIPHER."""
    connection = _cipher().connect(":memory:")
    try:
        (version,) = connection.execute("PRAGMA cipher_version").fetchone()
        return f"SQLCipher {version}, SQLite {_cipher().sqlite_version}"
    finally:
        connection.close()


def _cipher() -> Any:
    try:
        from sqlcipher3 import dbapi2
    except ImportError as error:
        text = "The package for encrypted stores (sqlcipher3) is not installed here."
        raise StoreError(text, code="E_STORE_CIPHER") from error
    return dbapi2
