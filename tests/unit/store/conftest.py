"""A place for a store: unencrypted, or encrypted under a key that is derived once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from pipeline.store import keys
from pipeline.store.connection import connect_with

PASSPHRASE = "four plain words, known"


@cache
def known_key() -> keys.StoreKey:
    return keys.derive(PASSPHRASE, b"sixteen bytes: s")


def lay_out(path: Path) -> Path:
    """An empty encrypted store that this process has unlocked."""
    connect_with(path, known_key()).close()
    keys.remember(path, known_key())
    return path


@pytest.fixture(params=["plain", "encrypted"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Where a store is, or will be."""
    place = tmp_path / "data" / "chordae.sqlite3"
    if request.param == "encrypted":
        lay_out(place)
    yield place
    keys.remember(place, None)


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[Path]:
    """An encrypted store that is unlocked."""
    yield lay_out(tmp_path / "data" / "chordae.sqlite3")
    keys.remember(tmp_path / "data" / "chordae.sqlite3", None)
