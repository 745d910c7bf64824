"""The table of promises as the torture prints it, and docs/reliability.md made of it.

`python -m tests.torture.page` writes the document from the lines of the last `make torture`.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.torture.promises import Line, read_lines

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "torture"
DOCUMENT = ROOT / "docs" / "reliability.md"
# section -> how its promises begin; each of these must have been put to the test
SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Files are hostile",
        (
            "The gates in their order",
            "Every attack of the named list",
            "Mutants of",
            "Cut short",
            "Every attack opened in the window",
            "A file that ends its reader",
        ),
    ),
    (
        "Nothing is lost",
        (
            "Killed at a named point",
            "Killed at a random moment",
            "The resume is killed as well",
            "A worker killed",
            "A dead worker is replaced",
            "The nth commit",
            "The nth write",
            "The nth sync",
            "The nth decode",
            "The nth model",
            "The disk is full",
            "A file system of",
            "Store file or folder read-only",
            "One flipped bit in a stored result",
            "One flipped bit anywhere in the store",
            "A run on an encrypted store",
            "One flipped bit anywhere in an encrypted store",
            "A conversion of the store is killed",
            "A migration is killed",
            "A store of a newer version",
            "4 processes on one new store",
            "A second window",
            "One byte of input",
        ),
    ),
    (
        "Hard stops",
        (
            "E_HARD_001 (none)",
            "E_HARD_001 (metadata only)",
            "E_HARD_001 (missing)",
            "E_HARD_001 (unreadable)",
            "E_HARD_002",
            "E_HARD_003",
            "E_HARD_004",
        ),
    ),
    (
        "The audit and privacy",
        (
            "Tampering with the audit",
            "Every export carries the notice and the head",
            "Nothing forbidden happens",
            "A run needs no network",
            "Canaries",
            "Names of patients and files in the window",
            "Files of the data folder that others may read",
            "Nothing of a run lies in clear",
        ),
    ),
    (
        "Time and memory",
        (
            "Cancel ends a run",
            "The window during a run",
            "A progress event",
            "The demo study: memory",
            "Runs in one session",
            "The demo with worker processes",
        ),
    ),
)
HEAD = """# Promises

`make torture` puts every promise to the test on a small real study (16 frames of a clip and an ECG that installed
packages ship) and prints these tables; `python -m tests.torture.page` writes them here. CHORDAE_TORTURE_N=30 takes 30 %
of the numbers; the default suite runs a small part of everything. The threats behind them: [security.md](security.md).
How workers are shut in: [isolation.md](isolation.md). The frozen application has a test of its own:
[packaging.md](packaging.md).

"""


def tables(lines: Sequence[Line]) -> str:
    """Markdown: a table for each section, its promises in the order of SECTIONS; what was not tested says so."""
    left, texts = list(lines), []
    for title, beginnings in SECTIONS:
        rows = []
        for beginning in beginnings:
            found = [line for line in left if line.promise.startswith(beginning)]
            left = [line for line in left if line not in found]
            rows += [_row(line) for line in found] or [f"| {beginning} … | not put to the test | |"]
        texts.append("\n".join([f"## {title}", "", "| promise | figure | |", "|---|---|---|", *rows]))
    if left:
        texts.append("\n".join(["## Others", "", "| promise | figure | |", "|---|---|---|", *map(_row, left)]))
    return "\n\n".join(texts) + "\n"


def _row(line: Line) -> str:
    figure = " ".join(line.figure.split()).replace("|", "/")
    return f"| {line.promise} | {figure} | {'kept' if line.kept else 'NOT KEPT'} |"


def missing(lines: Sequence[Line]) -> list[str]:
    """Beginnings of promises that no line speaks of."""
    return [
        beginning
        for _, beginnings in SECTIONS
        for beginning in beginnings
        if not any(line.promise.startswith(beginning) for line in lines)
    ]


def footing(per_cent: int, minutes: float) -> str:
    """How much was run, where and how long."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"\nCHORDAE_TORTURE_N={per_cent}: {per_cent} % of the promised numbers, in {minutes:.0f} minutes on {cores} "
        f"cores, {platform.system()}, Python {platform.python_version()}.\n"
    )


def main() -> int:
    """Write the document; 1 when there is no table, or one with a gap."""
    table = FOLDER / "promises.md"
    if not table.is_file() or missing(read_lines(FOLDER)):
        sys.stderr.write("no whole table: run `make torture` first\n")
        return 1
    DOCUMENT.write_text(HEAD + table.read_text(encoding="utf-8"), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
