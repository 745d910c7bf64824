"""Documents that must follow the code."""

from __future__ import annotations

import re
from pathlib import Path

from app.metrics_page import catalogue_page

CODE = re.compile(r"\b[EW]_[A-Z0-9]+(?:_[A-Z0-9]+)*\b")
ROW = re.compile(r"^\| `([EW]_[A-Z0-9_]+)` \| (.+) \| (.+) \|$", re.MULTILINE)


def codes_of_the_product(texts: dict[Path, str]) -> set[str]:
    """Every error and warning code that a module of the product spells as a string."""
    found = set()
    for path, text in texts.items():
        if path.suffix == ".py" and path.parts[0] in ("app", "ui", "pipeline"):
            found |= set(re.findall(r"""["']([EW]_[A-Z0-9]+(?:_[A-Z0-9]+)*)["']""", text))
    return found


def test_every_code_is_explained_and_every_explained_code_exists(texts: dict[Path, str]) -> None:
    listed = [code for code, _, _ in ROW.findall(texts[Path("docs/codes.md")])]
    used = codes_of_the_product(texts)
    assert len(listed) == len(set(listed))
    assert {"E_HARD_001", "E_HARD_002", "E_HARD_003", "E_HARD_004"} <= used
    assert sorted(used - set(listed)) == []
    assert sorted(set(listed) - used) == []


def test_documents_name_no_code_that_does_not_exist(texts: dict[Path, str]) -> None:
    used = codes_of_the_product(texts)
    for path, text in texts.items():
        if path.suffix == ".md":
            assert set(CODE.findall(text)) - used == set(), path


def test_the_metrics_page_is_current(project_root: Path) -> None:
    assert (project_root / "docs" / "metrics.md").read_text(encoding="utf-8") == catalogue_page()
