"""Flipped bits in the store and in stored results: what changed is found and computed again, or refused."""

from __future__ import annotations

import random
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.torture.promises import Record, scaled
from tests.torture.study import Study
from tests.torture.zygote import Zygote

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks")
Studies = Callable[[str], Study]


def test_flipped_bits_in_stored_results(tmp_path: Path, zygote: Zygote, study: Studies, promise: Record) -> None:
    """One bit of one payload; the resume makes exactly that result anew (and those that depend on changed bytes)."""
    n, rng, given = scaled(4, 400), random.Random(4), study("ecg")
    path, run_id = stored_run(tmp_path, zygote, given)
    wrong = []
    for number in range(n):
        copy = tmp_path / "copy" / "data" / "chordae.sqlite"
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
        flip_payload(copy, rng)
        outcome = zygote.run(copy, given.files, resume=run_id)
        execution = outcome.report.get("pipeline_execution", {})
        anew = outcome.result == given.result and execution["checkpoints_restored"] < len(given.states)
        if not anew:
            wrong.append((number, outcome.status, outcome.code, outcome.text[-300:]))
    promise(
        "One flipped bit in a stored result: found, computed again, the same result",
        f"{n - len(wrong)} of {n}" + (f"; {wrong[:2]}" if wrong else ""),
        kept=not wrong,
    )


def test_flipped_bits_in_the_store(tmp_path: Path, zygote: Zygote, study: Studies, promise: Record) -> None:
    """One bit anywhere in the file, the stored request used for the resume."""
    n, rng, given = scaled(8, 400), random.Random(5), study("ecg")
    path, run_id = stored_run(tmp_path, zygote, given)
    whole = path.read_bytes()
    wrong, refused, found_by_sqlite = [], 0, 0
    for number in range(n):
        copy = tmp_path / "copy" / "data" / "chordae.sqlite"
        copy.parent.mkdir(parents=True, exist_ok=True)
        content = bytearray(whole)
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        copy.write_bytes(bytes(content))
        found_by_sqlite += not is_whole(copy)
        outcome = zygote.run(copy, None, resume=run_id)
        refused += outcome.status == "refused"
        if outcome.result != given.result and not (outcome.code or "").startswith("E_"):
            wrong.append((number, outcome.status, outcome.code, outcome.text[-300:]))
    promise(
        "One flipped bit anywhere in the store: the same result, or a typed refusal, never another result",
        f"{n - len(wrong)} of {n} ({refused} refused; SQLite's own check found {found_by_sqlite})"
        + (f"; {wrong[:2]}" if wrong else ""),
        kept=not wrong,
    )


def stored_run(folder: Path, zygote: Zygote, given: Study) -> tuple[Path, str]:
    path = folder / "original" / "data" / "chordae.sqlite"
    return path, zygote.run(path, given.files).run_id


def flip_payload(path: Path, rng: random.Random) -> None:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT rowid, data FROM payload_parts").fetchall()
        row, data = rng.choice(rows)
        damaged = bytearray(data)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        connection.execute("UPDATE payload_parts SET data = ? WHERE rowid = ?", (bytes(damaged), row))
    connection.close()


def is_whole(path: Path) -> bool:
    connection = sqlite3.connect(path)
    try:
        return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))
    except sqlite3.Error:
        return False
    finally:
        connection.close()
