"""Researchers' view of the store: any SELECT, nothing written.

The same file opens in the `sqlite-utils` command line; docs/researchers.md shows both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import StoreError
from pipeline.store.connection import typed_errors

if TYPE_CHECKING:
    from sqlite_utils import Database


@contextmanager
def read_only(store_path: Path) -> Iterator[Database]:
    """The store as a sqlite-utils Database that refuses to write. Raises StoreError.

    sqlite-utils is imported here, not above: it brings pandas along, more than a second of start.
    """
    from sqlite_utils import Database

    if not store_path.is_file():
        raise StoreError("There is no store yet.", code="E_STORE_NOT_FOUND")
    with typed_errors(), closing(sqlite3.connect(f"{store_path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        yield Database(connection)
