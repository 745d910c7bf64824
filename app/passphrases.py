"""Where the passphrase of an encrypted store comes from: a file, the environment, or the terminal.

Never the command line: every user of the machine can read that of every process.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
from getpass import getpass
from pathlib import Path

from app.command_line import UsageError
from app.paths import AppPaths
from pipeline.errors import StoreError
from pipeline.store.keys import is_locked

VARIABLE, NEW_VARIABLE = "CHORDAE_PASSPHRASE", "CHORDAE_NEW_PASSPHRASE"
MAX_BYTES = 4096
TRIES = 3


def unlock_store(options: argparse.Namespace, paths: AppPaths, *, asks: bool = True) -> None:
    """Unlock the store for this process; a store that is not there yet is made encrypted where a passphrase is given.

    Raises
    ------
    StoreError
        E_STORE_PASSPHRASE for a wrong or missing passphrase; nothing is changed.
    UsageError
        For a passphrase file that others may read.
    """
    words = given(options.passphrase_file, VARIABLE)
    if words is None and not asks:
        return
    if is_locked(paths.store):
        forbid_core_dumps()
        if words is None:
            _ask_and_unlock(paths.store)
        else:
            unlock(paths.store, words)
    elif words is not None and not has_content(paths.store):
        forbid_core_dumps()
        from pipeline.store import vault

        vault.make_encrypted(paths.store, words)
    elif words is not None:
        sys.stderr.write("The store is not encrypted; the passphrase was not used. `store encrypt` encrypts it.\n")


def unlock(store: Path, words: str) -> None:
    """Open an encrypted store; what does so is imported when it is wanted: a first window shall not wait for it."""
    from pipeline.store import vault

    vault.unlock(store, words)


def _ask_and_unlock(store: Path) -> None:
    for last in (*[False] * (TRIES - 1), True):
        try:
            unlock(store, asked("Passphrase of the store: "))
            return
        except StoreError as error:
            if last or error.code != "E_STORE_PASSPHRASE" or not sys.stdin.isatty():
                raise
            sys.stderr.write(f"{error.text}\n")


def has_content(store: Path) -> bool:
    """Whether there is a store, and not only a place for one."""
    return store.is_file() and store.stat().st_size > 0


def asked(prompt: str) -> str:
    """What is typed on the terminal, unseen; raises StoreError where there is none."""
    if sys.stdin.isatty():
        try:
            return getpass(prompt)
        except EOFError:
            sys.stderr.write("\n")
    text = f"The store is encrypted; give its passphrase by --passphrase-file or {VARIABLE}."
    raise StoreError(text, code="E_STORE_PASSPHRASE")


def asked_twice(prompt: str) -> str:
    """A new passphrase from the terminal; raises UsageError when the two differ."""
    first = asked(prompt)
    if asked("The same once more: ") != first:
        raise UsageError("The two passphrases differ; nothing was changed.")
    return first


def given(file: Path | None, variable: str) -> str | None:
    """The passphrase of a file or the environment, from which it is taken away: no child process shall have it."""
    words = os.environ.pop(variable, None)
    return words if file is None else _of_file(file)


def _of_file(path: Path) -> str:
    """The first line of a file that its owner alone may read, or of a pipe; raises UsageError."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        raise UsageError("--passphrase-file cannot be read") from None
    try:
        _require_private(os.fstat(descriptor))
        content = os.read(descriptor, MAX_BYTES)
    finally:
        os.close(descriptor)
    try:
        return content.decode().partition("\n")[0].removesuffix("\r")
    except UnicodeDecodeError:
        raise UsageError("--passphrase-file must be text in UTF-8") from None


def _require_private(found: os.stat_result) -> None:
    is_ours = sys.platform == "win32" or (found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077)
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISFIFO(found.st_mode)) or not is_ours:
        raise UsageError("--passphrase-file must be a file of yours, readable by you alone (chmod 600), or a pipe")


def forbid_core_dumps() -> None:
    """A dump of this process would hold the key."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
