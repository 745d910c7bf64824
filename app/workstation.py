"""`review`: open the workstation."""

from __future__ import annotations

import argparse
import importlib.util
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from app.command_line import UsageError
from app.composition import isolated_engine
from app.paths import AppPaths
from app.settings import load_settings, save_settings


def review(options: argparse.Namespace, paths: AppPaths) -> int:
    """Answer `review`."""
    return open_workstation(options.files, paths)


def open_workstation(files: Sequence[Path], paths: AppPaths) -> int:
    """Show the window, open `files`, and return its exit code when it is closed."""
    if importlib.util.find_spec("PySide6") is None:
        raise UsageError("The workstation's packages (extra 'workstation') are not installed; `run` works without.")
    from ui.application import run_workstation

    with _ended_by_interrupt(), isolated_engine(paths.store, keeps_spare=True) as engine:

        def keep_theme(name: str) -> None:
            if save_settings(paths.settings, replace(load_settings(paths.settings), theme=name)):
                engine.note_act("settings", detail=f"theme {name}")

        theme = load_settings(paths.settings).theme
        return run_workstation(engine, list(files), theme=theme, on_theme=keep_theme)


@contextmanager
def _ended_by_interrupt() -> Iterator[None]:
    """Let Ctrl+C end the program at once: Qt's loop never gives Python its turn; the store survives being cut off."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
