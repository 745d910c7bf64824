"""Opening the window: settings reach it, and a missing Qt is told plainly."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app.command_line import main
from app.composition import Engine
from app.paths import AppPaths
from app.settings import load_settings, save_settings
from app.workstation import open_workstation
from ui.choices import Choices


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a stand-in for the window was given."""
    calls: list[dict[str, Any]] = []

    def run_workstation(
        engine: Engine, files: Sequence[Path], *, choices: Choices, on_choices: Callable[[Choices], None]
    ) -> int:
        calls.append({"store": engine.store_path, "files": list(files), "theme": choices.theme})
        on_choices(replace(choices, theme="light"))
        return 0

    window = ModuleType("ui.application")
    window.__dict__["run_workstation"] = run_workstation
    monkeypatch.setitem(sys.modules, "ui.application", window)
    return calls


def test_files_store_and_theme_reach_the_window(opened: list[dict[str, Any]], tmp_path: Path) -> None:
    save_settings(tmp_path / "settings.json", Choices(theme="dark"))
    assert main(["--data-dir", str(tmp_path), "a.dcm", "b.hea"]) == 0
    assert opened == [{"store": tmp_path / "chordae.sqlite", "files": [Path("a.dcm"), Path("b.hea")], "theme": "dark"}]
    assert load_settings(tmp_path / "settings.json").theme == "light"


def test_without_qt_the_window_is_wrong_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "PySide6" else found(name))
    assert main(["--data-dir", str(tmp_path)]) == 2
    assert "workstation" in capsys.readouterr().err


def test_a_settings_file_that_cannot_be_written_is_no_obstacle(opened: list[dict[str, Any]], tmp_path: Path) -> None:
    assert open_workstation([], AppPaths(tmp_path / "missing")) == 0
