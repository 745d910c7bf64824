"""Model weights and cards, report schema, icons, style sheets, demo manifest."""

from __future__ import annotations

from pathlib import Path


def path(name: str) -> Path:
    """Absolute path of a shipped file; raises FileNotFoundError when it is not there."""
    found = Path(__file__).parent / name
    if not found.exists():
        raise FileNotFoundError(f"resource {name} is missing from this installation")
    return found
