"""`review`: open the workstation."""

from __future__ import annotations

import argparse
import importlib.util
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.command_line import UsageError
from app.composition import isolated_engine
from app.passphrases import forbid_core_dumps, unlock, unlock_store
from app.paths import AppPaths
from app.settings import load_settings, save_settings
from pipeline.errors import StoreError
from pipeline.store.keys import is_locked
from ui.choices import Choices


def review(options: argparse.Namespace, paths: AppPaths) -> int:
    """Answer `review`."""
    unlock_store(options, paths, asks=False)
    return open_workstation(options.files, paths)


def open_workstation(files: Sequence[Path], paths: AppPaths) -> int:
    """Show the window, open `files`, and return its exit code when it is closed."""
    if importlib.util.find_spec("PySide6") is None:
        raise UsageError("The workstation's packages (extra 'workstation') are not installed; `run` works without.")
    from ui.application import run_workstation

    with _ended_by_interrupt(), isolated_engine(paths.store, keeps_spare=True, starts_late=True) as engine:

        def keep(choices: Choices) -> None:
            before = load_settings(paths.settings)
            if save_settings(paths.settings, choices) and (choices.theme, choices.role) != (before.theme, before.role):
                engine.note_act("settings", detail=f"theme {choices.theme}, role {choices.role}")

        unlock = _unlocker(paths.store) if is_locked(paths.store) else None
        choices = load_settings(paths.settings)
        return run_workstation(engine, list(files), choices=choices, on_choices=keep, unlock=unlock)


def _unlocker(store: Path) -> Callable[[str], str | None]:
    """Tries a passphrase, and says what is wrong with it."""
    forbid_core_dumps()

    def attempt(words: str) -> str | None:
        try:
            unlock(store, words)
        except StoreError as error:
            return error.text
        return None

    return attempt


@contextmanager
def _ended_by_interrupt() -> Iterator[None]:
    """Let Ctrl+C end the program at once: Qt's loop never gives Python its turn; the store survives being cut off."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
