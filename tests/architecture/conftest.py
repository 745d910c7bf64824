"""The project's own text, read once."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("app", "ui", "pipeline", "resources")
TEXT_SUFFIXES = {".py", ".md", ".toml", ".txt", ".json", ".sql", ".qss", ".svg", ".in", ".lock", ".cfg", ".ini", ""}


def tracked_files() -> list[Path]:
    """Every file that git knows, or every file of an unpacked copy."""
    if (ROOT / ".git").exists():
        command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
        return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    hidden = {".venv", "__pycache__", "demo-output"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not hidden & set(path.parts)]


@pytest.fixture(scope="session")
def project_root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def texts() -> dict[Path, str]:
    """Every tracked text file by its path under the root."""
    found = {}
    for path in tracked_files():
        if path.suffix in TEXT_SUFFIXES:
            found[path.relative_to(ROOT)] = path.read_text(encoding="utf-8")
    return found


@pytest.fixture(scope="session")
def product_trees() -> dict[Path, ast.Module]:
    """The syntax tree of every module of the product."""
    paths = [path for package in PRODUCT for path in sorted((ROOT / package).rglob("*.py"))]
    return {path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8")) for path in paths}
