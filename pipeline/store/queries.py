"""Researchers' view of the store: any SELECT, nothing written.

An unencrypted store opens in the `sqlite-utils` command line too; docs/researchers.md shows both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import StoreError
from pipeline.store.connection import explained, typed_errors
from pipeline.store.drivers import open_file
from pipeline.store.holds import Hold
from pipeline.store.keys import StoreKey, key_of

if TYPE_CHECKING:
    import sqlite3

    from sqlite_utils import Database


@contextmanager
def read_only(store_path: Path) -> Iterator[Database]:
    """The store as a sqlite-utils Database that refuses to write. Raises StoreError.

    sqlite-utils is imported here, not above: it brings pandas along, more than a second of start.
    """
    from sqlite_utils import Database

    if not store_path.is_file():
        raise StoreError("There is no store yet.", code="E_STORE_NOT_FOUND")
    key = key_of(store_path)
    with Hold(store_path), typed_errors(), closing(open_file(store_path, key, read_only=True)) as connection:
        _set_read_only(connection, store_path, key)
        yield Database(connection)


def _set_read_only(connection: sqlite3.Connection, path: Path, key: StoreKey | None) -> None:
    try:
        with typed_errors():
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("SELECT count(*) FROM sqlite_schema")
    except StoreError as error:
        raise explained(error, path, key) from error.__cause__
