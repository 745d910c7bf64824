"""The doctor finds what is missing or damaged and says so with exit code 1."""

from __future__ import annotations

import builtins
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

import resources
from app import doctor
from app.command_line import main
from app.paths import AppPaths
from pipeline.model_files import CHAMBERS, SHIPPED, ModelFolder


def test_a_whole_installation_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--data-dir", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    for word in ("torch", "2.13.0", "DICOM JPEG baseline", "libavcodec", "RLE", "sha256", "agrees", "SQLite"):
        assert word in said
    assert "✕" not in said


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of every shipped model."""
    shipped = resources.path("models")
    shutil.copytree(shipped, tmp_path / "models")
    monkeypatch.setattr(resources, "path", lambda name: tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("model", SHIPPED, ids=lambda model: model.noun)
def test_changed_numbers_of_any_model_are_found(models: Path, model: ModelFolder) -> None:
    (numbers,) = (models / model.place).glob("*.safetensors")
    numbers.write_bytes(numbers.read_bytes()[:-1] + b"?")
    (finding,) = [found for found in doctor.check_models(AppPaths(models)) if not found.is_ok]
    assert finding.name == f"{model.noun} model"
    assert finding.text.startswith("E_HARD_003")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"file": 1}'])
def test_a_damaged_manifest_is_found(models: Path, content: str) -> None:
    (models / CHAMBERS.place / "manifest.json").write_text(content)
    (finding,) = [found for found in doctor.check_models(AppPaths(models)) if not found.is_ok]
    assert finding.text.startswith("E_HARD_003")


def test_a_missing_model_is_found(models: Path) -> None:
    shutil.rmtree(models / CHAMBERS.place)
    (finding,) = [found for found in doctor.check_models(AppPaths(models)) if not found.is_ok]
    assert "cannot be read" in finding.text


def test_a_missing_package_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", ("no-such-package",))
    found = list(doctor.check_packages(AppPaths(tmp_path)))
    assert not found[0].is_ok
    assert all(finding.is_ok for finding in found[1:])


@pytest.mark.parametrize(("backends", "word"), [((), "without FFmpeg"), (None, "cannot be imported")])
def test_a_video_reader_that_cannot_read_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, backends: tuple[int, ...] | None, word: str
) -> None:
    if backends is None:
        monkeypatch.setitem(sys.modules, "cv2", None)
    else:
        cv2 = doctor.video_library()
        monkeypatch.setattr(cv2.videoio_registry, "getStreamBufferedBackends", lambda: backends)
    (finding,) = [found for found in doctor.check_formats(AppPaths(tmp_path)) if not found.is_ok]
    assert finding.name == "AVI and MP4"
    assert word in finding.text


def test_a_library_that_qt_lacks_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    really_import = builtins.__import__

    def fail_for_qt(name: str, *rest: Any) -> Any:
        if name == "PySide6":
            raise ImportError("libEGL.so.1: cannot open shared object file: No such file or directory")
        return really_import(name, *rest)

    monkeypatch.setattr(builtins, "__import__", fail_for_qt)
    (finding,) = doctor.check_window(AppPaths(tmp_path))
    assert finding.text == "Qt lacks libEGL.so.1"
    assert not finding.is_ok


def test_a_damaged_store_is_found(tmp_path: Path) -> None:
    paths = AppPaths(tmp_path)
    paths.store.write_bytes(b"no database at all" * 100)
    *_, finding = doctor.check_store(paths)
    assert not finding.is_ok
    assert finding.text.startswith("E_STORE_")
