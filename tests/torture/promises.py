"""The promises that were put to the test in this session, each with its figure."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

WHOLE = 100  # per cent
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
        write_table(Path(folder))  # at once: a torture that is cut off keeps what it has found
    assert kept, f"{promise}: {figure}"


def table(lines: list[Line]) -> str:
    """Markdown, one row a promise."""
    rows = [f"| {line.promise} | {line.figure} | {'kept' if line.kept else 'not kept'} |" for line in lines]
    return "\n".join(["| promise | figure | |", "|---|---|---|", *rows]) + "\n"


def write_table(folder: Path) -> None:
    """`promises.md` and `promises.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "promises.md").write_text(table(LINES), encoding="utf-8")
    (folder / "promises.json").write_text(json.dumps([asdict(line) for line in LINES], indent=1), encoding="utf-8")
