"""What the user chose, kept in one JSON file; a file that cannot be read never blocks a start."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, fields
from json import JSONDecodeError, dumps, loads
from pathlib import Path
from typing import Any

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """Choices that outlive a session."""

    theme: str = "dark"  # "dark" or "light"


_CHOICES: dict[str, tuple[Any, ...]] = {"theme": ("dark", "light")}


def load_settings(path: Path) -> Settings:
    """Settings of the file; the default for every one that is missing or not a known choice."""
    try:
        given = loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, JSONDecodeError, UnicodeDecodeError, RecursionError):
        _LOG.warning("the settings file cannot be read; the defaults hold")
        return Settings()
    if not isinstance(given, dict):
        return Settings()
    names = {item.name for item in fields(Settings)}
    known = {name: value for name, value in given.items() if name in names and value in _CHOICES[name]}
    return Settings(**known)


def save_settings(path: Path, settings: Settings) -> bool:
    """Write the file; False (and a line in the log) when that does not work."""
    partial = path.with_suffix(".partial")
    try:
        partial.write_text(dumps(asdict(settings), indent=1), encoding="utf-8")
        partial.replace(path)
    except OSError:
        _LOG.warning("the settings file cannot be written")
        return False
    return True
