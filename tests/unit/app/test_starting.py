"""Paths, settings and logs: private, forgiving, and silent about the patient."""

from __future__ import annotations

import logging
import stat
import sys
from pathlib import Path

import pytest

from app.logs import describe_failure, install_crash_report, start_log
from app.paths import AppPaths, default_data_folder, prepare_paths
from app.settings import load_settings, save_settings
from pipeline.errors import InputError, StoreError
from ui.choices import Choices


def test_the_data_folder_is_made_for_the_user_alone(tmp_path: Path) -> None:
    paths = prepare_paths(tmp_path / "new" / "data")
    assert stat.S_IMODE(paths.data_folder.stat().st_mode) == 0o700
    assert paths.store.parent == paths.data_folder


def test_a_folder_that_cannot_be_made_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as caught:
        prepare_paths(tmp_path / "file" / "data")
    assert caught.value.code == "E_STORE_WRITE"


def test_the_default_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_data_folder().is_relative_to(tmp_path)


def test_settings_survive(tmp_path: Path) -> None:
    chosen = Choices(theme="light", role="researcher", layouts={"clinician": "abc"}, screen_scales={"DP-1": 4.2})
    assert save_settings(tmp_path / "settings.json", chosen)
    assert (tmp_path / "settings.json").stat().st_mode & 0o777 == 0o600
    assert load_settings(tmp_path / "settings.json") == chosen


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"theme": "purple"}',
        b'{"theme": ["dark"], "other": 1}',
        b"[" * 99999,
        b'{"role": "owner", "layouts": {"clinician": 3}}',
        b'{"layouts": {"nobody": "abc"}}',
        b'{"screen_scales": {"DP-1": 1e9}}',
        b'{"screen_scales": [4.2]}',
        b" " * 1_000_001,
    ],
)
def test_a_damaged_settings_file_never_blocks(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_bytes(content)
    assert load_settings(tmp_path / "settings.json") == Choices()


def test_settings_that_cannot_be_written_are_no_obstacle(tmp_path: Path) -> None:
    assert not save_settings(tmp_path / "missing" / "settings.json", Choices())


def fail_with(text: str) -> BaseException:
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def test_the_log_holds_no_foreign_text(tmp_path: Path) -> None:
    stop = start_log(tmp_path)
    try:
        logger = logging.getLogger("pipeline.test")
        try:
            raise ValueError("CANARY-NAME /home/CANARY-FILE")
        except ValueError:
            logger.exception("a reader failed")
        logging.getLogger("pydicom").warning("CANARY-VALUE")
    finally:
        stop()
    text = (tmp_path / "chordae.log").read_text()
    assert "a reader failed" in text
    assert "ValueError at " in text
    assert "CANARY" not in text


def test_an_ended_log_is_closed(tmp_path: Path) -> None:
    start_log(tmp_path)()
    logging.getLogger("app").warning("after the end")
    assert not (tmp_path / "chordae.log").exists()


def test_a_log_folder_that_cannot_be_made_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    start_log(tmp_path / "file" / "logs")()


def test_our_own_errors_keep_their_sentence() -> None:
    assert describe_failure(InputError("The file is empty.", code="E_INPUT_EMPTY")).startswith(
        "E_INPUT_EMPTY: The file is empty."
    )


def test_the_crash_report_names_places_and_no_values(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    install_crash_report()
    error = fail_with("CANARY")
    sys.excepthook(type(error), error, error.__traceback__)
    said = capsys.readouterr().err
    assert "ValueError at tests/unit/app/test_starting.py" in said
    assert "fail_with" in said
    assert "CANARY" not in said


def test_paths_of_one_folder(tmp_path: Path) -> None:
    paths = AppPaths(tmp_path)
    assert {paths.store.parent, paths.settings.parent, paths.logs.parent} == {tmp_path}
