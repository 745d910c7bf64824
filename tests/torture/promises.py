"""The promises that were put to the test in this session, each with its figure."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

WHOLE = 100  # per cent
LINES_FILE = "promises.json"
Record = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One promise: what was found, and whether it was kept."""

    promise: str
    figure: str
    kept: bool


LINES: list[Line] = []


def scaled(quick: int, whole: int) -> int:
    """How often: `quick` in the default suite, `whole` (or a share of it) under `make torture`."""
    share = os.environ.get("CHORDAE_TORTURE_N")
    return quick if share is None else max(1, round(whole * int(share) / WHOLE))


def record(promise: str, figure: str, *, kept: bool) -> None:
    """Write the line down, then fail the test when the promise was not kept."""
    LINES.append(Line(promise=promise, figure=figure, kept=kept))
    if folder := os.environ.get("CHORDAE_TORTURE_TABLE"):
        write_lines(Path(folder))  # at once: a torture that is cut off keeps what it has found
    assert kept, f"{promise}: {figure}"


def write_lines(folder: Path) -> None:
    """Keep the lines of this process for `tests.torture.page`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LINES_FILE).write_text(json.dumps([asdict(line) for line in LINES], indent=1), encoding="utf-8")


def read_lines(folder: Path) -> list[Line]:
    """The lines of every process that left some below the folder."""
    found = sorted(folder.rglob(LINES_FILE))
    return [Line(**each) for path in found for each in json.loads(path.read_text(encoding="utf-8"))]
