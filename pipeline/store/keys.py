"""The keys of encrypted stores: made from a passphrase once, then kept in this process's memory.

An encrypted store is a SQLCipher 4 file with that library's own defaults: AES-256, an HMAC for each page, the salt
in the first 16 bytes, the key by PBKDF2. Any SQLCipher opens it with the passphrase.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import StoreError

KDF_ITERATIONS = 256_000
"""Source: the default of SQLCipher 4 (PRAGMA kdf_iter)."""
SALT_BYTES, KEY_BYTES, PAGE_BYTES = 16, 32, 4096
MIN_CHARACTERS = 12
LOST_TEXT = "If the passphrase is lost, the data is lost. There is no way back."
CONFIRMATION = "no way back"
"""What must be typed before a store is given a passphrase."""
_PLAIN_HEADER = b"SQLite format 3\0"
_RESERVED = slice(72, 92)  # zero in every unencrypted file: https://sqlite.org/fileformat2.html, 1.3


@dataclass(frozen=True, slots=True)
class StoreKey:
    """Key and salt of one store; never shown."""

    key: bytes = field(repr=False)
    salt: bytes = field(repr=False)

    @property
    def literal(self) -> str:
        """How SQLCipher takes a key that is derived already, with the salt of the file."""
        return f"x'{self.key.hex()}{self.salt.hex()}'"


_UNLOCKED: dict[Path, StoreKey] = {}


def key_of(path: Path) -> StoreKey | None:
    """The key of a store that this process has unlocked; None for an unencrypted or a locked one."""
    return _UNLOCKED.get(path.resolve()) if _UNLOCKED else None


def is_unlocked(path: Path) -> bool:
    """Whether this process has opened the store with its passphrase."""
    return key_of(path) is not None


def is_locked(path: Path) -> bool:
    """Whether the store is encrypted and its passphrase not given yet; see `looks_encrypted`."""
    return not is_unlocked(path) and looks_encrypted(path)


def remember(path: Path, key: StoreKey | None) -> None:
    """Keep the key of a store as long as this process lives; None forgets it."""
    if key is None:
        _UNLOCKED.pop(path.resolve(), None)
    else:
        _UNLOCKED[path.resolve()] = key


def derive(passphrase: str, salt: bytes) -> StoreKey:
    """The key that a passphrase gives with a salt; takes a tenth of a second."""
    words = unicodedata.normalize("NFC", passphrase).encode()
    return StoreKey(key=hashlib.pbkdf2_hmac("sha512", words, salt, KDF_ITERATIONS, KEY_BYTES), salt=salt)


def new_key(passphrase: str) -> StoreKey:
    """A key with a new salt; raises StoreError E_STORE_PASSPHRASE for a passphrase that is too short."""
    if len(passphrase) < MIN_CHARACTERS or "\0" in passphrase:
        text = f"A passphrase needs at least {MIN_CHARACTERS} characters; several words are best."
        raise StoreError(text, code="E_STORE_PASSPHRASE")
    return derive(passphrase, secrets.token_bytes(SALT_BYTES))


def salt_of(path: Path) -> bytes:
    """The salt of an encrypted file; raises StoreError when it cannot be read."""
    return _start_of(path)[:SALT_BYTES]


def looks_encrypted(path: Path) -> bool:
    """Whether a file can be an encrypted store: whole pages, and neither header nor zeros of a plain one.

    To be asked only while this process has no connection to an unencrypted store of that place: closing the
    file would drop SQLite's locks on it.
    """
    try:
        size = path.stat().st_size
        start = _start_of(path)
    except (OSError, StoreError):
        return False
    return size > 0 and size % PAGE_BYTES == 0 and not start.startswith(_PLAIN_HEADER) and any(start[_RESERVED])


def _start_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_RESERVED.stop)
    except OSError as error:
        raise StoreError("The store cannot be read.", code="E_STORE_WRITE") from error
