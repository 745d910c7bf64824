"""Opening the window: settings reach it, and a missing Qt is told plainly."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app.command_line import main
from app.composition import Engine, isolated_engine
from app.paths import AppPaths
from app.settings import load_settings, save_settings
from app.workstation import open_workstation
from pipeline.engine import audit_rows
from pipeline.errors import StoreError
from pipeline.store import keys, vault
from ui.choices import Choices

WORDS = ("not the right words", "words of the store")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a stand-in for the window was given."""
    calls: list[dict[str, Any]] = []

    def run_workstation(
        engine: Engine,
        files: Sequence[Path],
        *,
        choices: Choices,
        on_choices: Callable[[Choices], None],
        unlock: Callable[[str], str | None] | None,
    ) -> int:
        said = [unlock(words) for words in WORDS] if unlock is not None else []
        calls.append({"store": engine.store_path, "files": list(files), "theme": choices.theme, "unlocked": said})
        on_choices(replace(choices, theme="light"))
        return 0

    window = ModuleType("ui.application")
    window.__dict__["run_workstation"] = run_workstation
    monkeypatch.setitem(sys.modules, "ui.application", window)
    return calls


def test_files_store_and_theme_reach_the_window(opened: list[dict[str, Any]], tmp_path: Path) -> None:
    save_settings(tmp_path / "settings.json", Choices(theme="dark"))
    assert main(["--data-dir", str(tmp_path), "a.dcm", "b.hea"]) == 0
    files = [Path("a.dcm"), Path("b.hea")]
    assert opened == [{"store": tmp_path / "chordae.sqlite", "files": files, "theme": "dark", "unlocked": []}]
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


@pytest.fixture
def encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(keys, "KDF_ITERATIONS", 2)
    monkeypatch.setattr("app.workstation.forbid_core_dumps", lambda: None)
    monkeypatch.setattr("app.passphrases.forbid_core_dumps", lambda: None)
    path = tmp_path / "chordae.sqlite"
    vault.make_encrypted(path, WORDS[1])
    keys.remember(path, None)
    yield path
    keys.remember(path, None)


def test_the_window_is_given_what_unlocks_the_store(opened: list[dict[str, Any]], encrypted: Path) -> None:
    assert main(["--data-dir", str(encrypted.parent)]) == 0
    (call,) = opened
    assert [None if said is None else said[:30] for said in call["unlocked"]] == [
        "The passphrase does not open t",
        None,
    ]
    assert keys.is_unlocked(encrypted)


def test_a_passphrase_of_the_environment_spares_the_question(
    opened: list[dict[str, Any]], encrypted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHORDAE_PASSPHRASE", WORDS[1])
    assert main(["--data-dir", str(encrypted.parent)]) == 0
    assert opened[0]["unlocked"] == []
    keys.remember(encrypted, None)
    monkeypatch.setenv("CHORDAE_PASSPHRASE", WORDS[0])
    assert main(["--data-dir", str(encrypted.parent)]) == 1
    assert "E_STORE_PASSPHRASE" in capsys.readouterr().err
    assert len(opened) == 1


def test_the_engine_of_the_window_converts_the_store(encrypted: Path) -> None:
    vault.unlock(encrypted, WORDS[1])
    with isolated_engine(encrypted, starts_late=True) as engine:
        assert engine.is_encrypted
        assert engine.convert_store("change", WORDS[1], WORDS[0]) == "change"
        assert engine.executor is not None
        assert engine.convert_store("decrypt", WORDS[0], "") == "decrypt"
        assert not engine.is_encrypted
        with pytest.raises(StoreError, match="E_STORE_PASSPHRASE"):
            engine.convert_store("change", WORDS[0], WORDS[1])
        assert engine.convert_store("encrypt", "", WORDS[1]) == "encrypt"
        assert engine.list_runs() == ()
    details = [row.detail for row in audit_rows(encrypted)]
    assert details[1:] == ["passphrase of the store changed", "store decrypted", "store encrypted"]
