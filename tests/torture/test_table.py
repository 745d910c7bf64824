"""The table of promises: each of them has a test that speaks of it, and a gap is seen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.torture import __main__ as torture
from tests.torture import page
from tests.torture.promises import Line

ROOT = Path(__file__).resolve().parents[2]
PUT_TOGETHER = ("The nth ", "E_HARD_001 (")  # beginnings that go on with a word of the test's own


def sources() -> str:
    files = {name.partition("::")[0] for _, names in (*torture.SIDE_BY_SIDE, *torture.ALONE) for name in names}
    return "\n".join((ROOT / name).read_text(encoding="utf-8") for name in sorted(files))


def test_each_promise_is_spoken_of_by_a_test_that_the_torture_runs() -> None:
    text = sources()
    for _, beginnings in page.SECTIONS:
        for beginning in beginnings:
            known = next((word for word in PUT_TOGETHER if beginning.startswith(word)), beginning)
            assert re.search(rf"""["']{re.escape(known)}""", text), beginning


def test_every_test_of_the_folders_is_run() -> None:
    named = {name.partition("::")[0] for _, names in (*torture.SIDE_BY_SIDE, *torture.ALONE) for name in names}
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").glob("[th]o[rs]t*/test_*.py")}
    assert there - named - {Path(__file__).relative_to(ROOT).as_posix()} == set()


def test_a_gap_and_a_broken_promise_are_seen() -> None:
    beginnings = [each for _, section in page.SECTIONS for each in section]
    lines = [Line(promise=f"{each} and more", figure="1 of 1", kept=each != "Mutants of") for each in beginnings]
    text = page.tables(lines)
    assert page.missing(lines) == []
    assert "| Mutants of and more | 1 of 1 | NOT KEPT |" in text
    assert "not put to the test" not in text
    assert page.missing(lines[1:]) == [beginnings[0]]
    assert f"| {beginnings[0]} … | not put to the test | |" in page.tables(lines[1:])
    assert "## Others" in page.tables([*lines, Line(promise="Something else", figure="1", kept=True)])


@pytest.mark.parametrize("share", [15, 100])
def test_the_footing_says_how_much_was_run(share: int) -> None:
    assert f"CHORDAE_TORTURE_N={share}" in page.footing(share, 30.2)
