"""Finding a stored run by its name, and findings as lines of text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from app.composition import Engine
from app.stored_runs import find_run, findings_lines, printable
from pipeline.errors import StoreError


@dataclass(frozen=True)
class Row:
    run_id: str


class FakeEngine:
    def __init__(self, *ids: str) -> None:
        self.store_path = Path(__file__)  # any file that exists
        self._rows = tuple(Row(name) for name in ids)

    def list_runs(self) -> tuple[Row, ...]:
        return self._rows


ENGINE = cast(Engine, FakeEngine("2026b-1", "2026a-12", "2026a-1"))


@pytest.mark.parametrize(
    ("name", "run_id"), [("latest", "2026b-1"), ("2026a-1", "2026a-1"), ("2026b", "2026b-1"), ("2026a-12", "2026a-12")]
)
def test_a_run_is_found_by_id_start_or_latest(name: str, run_id: str) -> None:
    assert find_run(ENGINE, name) == run_id


@pytest.mark.parametrize("name", ["", "2026a", "x", "2026b-1 "])
def test_no_run_or_several_is_an_error(name: str) -> None:
    with pytest.raises(StoreError) as caught:
        find_run(ENGINE, name)
    assert caught.value.code == "E_STORE_NOT_FOUND"


def test_latest_of_an_empty_store_is_an_error() -> None:
    with pytest.raises(StoreError):
        find_run(cast(Engine, FakeEngine()), "latest")


def test_nothing_of_a_file_name_steers_the_terminal() -> None:
    assert printable("a\x1b[31mb\n\x00é") == "a�[31mb��é"


def test_an_error_report_shows_its_code() -> None:
    report: dict[str, Any] = {"error": {"code": "E_HARD_001", "text": "Nothing."}, "result": None}
    assert list(findings_lines(report)) == ["E_HARD_001: Nothing."]
