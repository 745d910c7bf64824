"""`store`: encrypt the store, decrypt it, change its passphrase, ask it in SQL."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from app.command_line import EXIT_DONE, UsageError
from app.composition import Engine
from app.passphrases import (
    NEW_VARIABLE,
    VARIABLE,
    asked,
    asked_twice,
    forbid_core_dumps,
    given,
    has_content,
    unlock_store,
)
from app.paths import AppPaths
from pipeline.errors import StoreError
from pipeline.store import keys, vault


def store(options: argparse.Namespace, paths: AppPaths) -> int:
    """Answer `store encrypt`, `store decrypt`, `store passphrase` and `store query`."""
    if (options.sql is None) != (options.what != "query"):
        raise UsageError("`query`, and it alone, is followed by one SELECT in quotes")
    forbid_core_dumps()
    answers = {"encrypt": encrypt, "decrypt": decrypt, "passphrase": change_passphrase, "query": query}
    answers[options.what](options, paths)
    return EXIT_DONE


def encrypt(options: argparse.Namespace, paths: AppPaths) -> None:
    """Encrypt the store, or make a new one that is."""
    if keys.is_locked(paths.store):
        raise StoreError("The store is encrypted already.", code="E_STORE_PASSPHRASE")
    words = given(options.passphrase_file, VARIABLE)
    confirm(options)
    words = asked_twice("New passphrase: ") if words is None else words
    is_new = not has_content(paths.store)
    vault.encrypt(paths.store, words)
    done = "A new encrypted store was made." if is_new else "The store is encrypted; the file in clear was overwritten."
    sys.stdout.write(f"{done}\n")


def decrypt(options: argparse.Namespace, paths: AppPaths) -> None:
    """Decrypt the store."""
    vault.decrypt(paths.store, old_passphrase(options, paths))
    sys.stdout.write("The store is not encrypted any more.\n")


def change_passphrase(options: argparse.Namespace, paths: AppPaths) -> None:
    """Give the store another passphrase."""
    old, new = old_passphrase(options, paths), given(options.new_passphrase_file, NEW_VARIABLE)
    confirm(options)
    vault.change_passphrase(paths.store, old, asked_twice("New passphrase: ") if new is None else new)
    sys.stdout.write("The store has its new passphrase; the old one opens it no more.\n")


def old_passphrase(options: argparse.Namespace, paths: AppPaths) -> str:
    """The present passphrase, tried before anything else is asked."""
    if not keys.is_locked(paths.store):
        raise StoreError("The store is not encrypted.", code="E_STORE_PASSPHRASE")
    words = given(options.passphrase_file, VARIABLE)
    words = asked("Present passphrase: ") if words is None else words
    vault.unlock(paths.store, words)
    return words


def confirm(options: argparse.Namespace) -> None:
    """Have it typed that a lost passphrase is lost data; raises UsageError when it is not."""
    sys.stderr.write(f"{keys.LOST_TEXT}\n")
    if options.no_way_back:
        return
    if not sys.stdin.isatty():
        raise UsageError("without a terminal this needs --no-way-back")
    sys.stderr.write(f"To go on, type: {keys.CONFIRMATION}\n")
    if sys.stdin.readline().strip() != keys.CONFIRMATION:
        raise UsageError("nothing was changed")


def query(options: argparse.Namespace, paths: AppPaths) -> None:
    """Answer one SELECT as JSON or CSV; the store is opened so that nothing can be written."""
    from pipeline.store.drivers import error_classes
    from pipeline.store.queries import read_only

    unlock_store(options, paths)
    Engine(paths.store).note_act("view", detail="query of the store")
    with read_only(paths.store) as database:
        try:
            rows = [{name: _shown(value) for name, value in row.items()} for row in database.query(options.sql)]
        except ValueError:
            raise UsageError("the query returns no rows; only a SELECT is answered") from None
        except error_classes() as error:
            raise UsageError(f"the query was refused: {error}") from None
    _write_rows(rows, as_table=options.csv)


def _shown(value: Any) -> Any:
    return f"{len(value)} bytes" if isinstance(value, bytes) else value


def _write_rows(rows: Iterable[Mapping[str, Any]], *, as_table: bool) -> None:
    rows = list(rows)
    if not as_table:
        sys.stdout.write(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
        return
    table = csv.DictWriter(sys.stdout, list(rows[0]) if rows else [], lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
