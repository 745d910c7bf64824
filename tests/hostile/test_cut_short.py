"""Files that end early: fewer frames or samples than declared are said, or refused; never silence."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.hostile.prober import Prober, Role
from tests.hostile.test_mutants import FORMATS, Made
from tests.torture import promises
from tests.torture.promises import scaled

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks")
SAID = {"W_FEWER_FRAMES", "W_ECG_TRUNCATED"}
DECLARE_NOTHING = ("delimited",)  # a table says nowhere how long it is meant to be


@pytest.fixture(scope="module")
def prober() -> Iterator[Prober]:
    with Prober() as started:
        yield started


def silent_losses(
    prober: Prober, folder: Path, role: Role, make: Callable[[Path], Made], n: int, seen: Counter[str]
) -> list[str]:
    """Cuts of one format after which less was read without a word; `seen` counts how all ended."""
    opened, damaged, _ = make(folder)
    whole = damaged.read_bytes()
    n_whole = prober.read(role, opened).n_read
    lost = []
    for end in np.linspace(0, len(whole) - 1, n).astype(int):
        damaged.write_bytes(whole[:end])
        verdict = prober.read(role, opened)
        is_short = verdict.outcome == "valid" and verdict.n_read < n_whole
        seen["refused" if verdict.outcome != "valid" else "warned of" if is_short else "whole"] += 1
        is_silent = is_short and not SAID & set(verdict.remarks)
        if is_silent or not verdict.is_valid_or_typed:
            lost.append(f"{damaged.name} cut at {end} of {len(whole)}: {verdict.outcome}, {verdict.n_read}/{n_whole}")
    return lost


@pytest.mark.filterwarnings("ignore")  # the writers warn of what is wrong on purpose
def test_a_file_that_ends_early_is_said(tmp_path: Path, prober: Prober) -> None:
    n, lost, seen = scaled(3, 40), [], Counter[str]()
    formats = [row for row in FORMATS if row[0] not in DECLARE_NOTHING]
    for number, (_, role, make) in enumerate(formats):
        folder = tmp_path / str(number)
        folder.mkdir()
        lost += silent_losses(prober, folder, role, make, n, seen)
    promises.record(
        "Cut short anywhere: fewer frames or samples than declared are a warning in the report or an error, never "
        "silence",
        f"{n * len(formats) - len(lost)} of {n * len(formats)} cuts of {len(formats)} formats and packings: "
        + ", ".join(f"{count} {word}" for word, count in seen.most_common())
        + (f"; {lost[:5]}" if lost else ""),
        kept=not lost and min(seen["refused"], seen["warned of"]) > 0,
    )
