"""What the user chose, kept in one JSON file; a file that cannot be read never blocks a start."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from json import JSONDecodeError, dumps, loads
from pathlib import Path
from typing import Any

from ui.choices import Choices
from ui.screen_scale import possible_scales

MAX_BYTES = 1_000_000
MAX_LAYOUT_CHARS = 60_000
ROLES = ("clinician", "researcher")
_LOG = logging.getLogger(__name__)


def _is_layouts(value: Any) -> bool:
    """Whether this is a text for some of the roles."""
    return isinstance(value, Mapping) and all(
        role in ROLES and isinstance(text, str) and len(text) <= MAX_LAYOUT_CHARS for role, text in value.items()
    )


_KNOWN: dict[str, Callable[[Any], bool]] = {
    "theme": lambda value: value in ("dark", "light"),
    "role": lambda value: value in ROLES,
    "layouts": _is_layouts,
    "screen_scales": lambda value: isinstance(value, Mapping) and possible_scales(value) == dict(value),
}


def load_settings(path: Path) -> Choices:
    """Choices of the file; the default for every one that is missing or not a known choice."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise OSError("too large")
        given = loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Choices()
    except (OSError, JSONDecodeError, UnicodeDecodeError, RecursionError):
        _LOG.warning("the settings file cannot be read; the defaults hold")
        return Choices()
    if not isinstance(given, dict):
        return Choices()
    names = {item.name for item in fields(Choices)}
    return Choices(**{name: value for name, value in given.items() if name in names and _KNOWN[name](value)})


def save_settings(path: Path, choices: Choices) -> bool:
    """Write the file; False (and a line in the log) when that does not work."""
    partial = path.with_suffix(".partial")
    try:
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        partial.write_text(dumps(asdict(choices), indent=1), encoding="utf-8")
        partial.replace(path)
    except OSError:
        _LOG.warning("the settings file cannot be written")
        return False
    return True
