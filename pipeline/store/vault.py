"""Encrypted stores: unlocked, made, turned into unencrypted ones and back, given another passphrase.

If the passphrase is lost, the data is lost: there is no second key. What this protects, and what not, stands in
docs/security.md.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.store.connection import connect_with, create_private
from pipeline.store.conversion import clear_leftovers, convert
from pipeline.store.database import Store
from pipeline.store.holds import Hold
from pipeline.store.keys import derive, is_unlocked, key_of, looks_encrypted, new_key, remember, salt_of


def unlock(path: Path, passphrase: str) -> None:
    """Open an encrypted store for this process; raises StoreError E_STORE_PASSPHRASE for the wrong passphrase."""
    key = derive(passphrase, salt_of(path))
    connect_with(path, key).close()
    remember(path, key)
    try:
        with Hold(path, alone=True, wait_s=0.0):
            clear_leftovers(path)
    except StoreError:
        return  # in use by others: the next one clears up


def make_encrypted(path: Path, passphrase: str) -> None:
    """A new store that is encrypted from its first byte on; raises StoreError when one is there already."""
    key = new_key(passphrase)
    create_private(path)
    with Hold(path, alone=True):
        if path.stat().st_size:
            raise StoreError("There is a store already; nothing was changed.", code="E_STORE_LOCKED")
        with closing(Store(connect_with(path, key))) as store:
            store.note("store", None, "store made encrypted")
        remember(path, key)


def encrypt(path: Path, passphrase: str) -> None:
    """Turn an unencrypted store into an encrypted one, or make a new one; see `conversion.convert` for the errors."""
    if is_unlocked(path):
        raise StoreError("The store is encrypted already.", code="E_STORE_PASSPHRASE")
    if not path.exists() or not path.stat().st_size:
        make_encrypted(path, passphrase)
        return
    convert(path, None, new_key(passphrase), "store encrypted")


def decrypt(path: Path, passphrase: str) -> None:
    """Turn an encrypted store into an unencrypted one; raises StoreError."""
    _require(path, passphrase)
    convert(path, key_of(path), None, "store decrypted")


def change_passphrase(path: Path, passphrase: str, new_passphrase: str) -> None:
    """Give an encrypted store another passphrase, and another key with it; raises StoreError."""
    _require(path, passphrase)
    convert(path, key_of(path), new_key(new_passphrase), "passphrase of the store changed")


def _require(path: Path, passphrase: str) -> None:
    """The passphrase must be the store's own, whether it is unlocked or not."""
    key = key_of(path)
    if key is None and not looks_encrypted(path):
        raise StoreError("The store is not encrypted.", code="E_STORE_PASSPHRASE")
    if key is None:
        unlock(path, passphrase)
    elif derive(passphrase, key.salt) != key:
        raise StoreError("The passphrase is not the one of this store. Nothing was changed.", code="E_STORE_PASSPHRASE")
