"""The demo study is found in installed packages, by name and hash, without a network."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from app import demo
from pipeline.errors import InputError


def test_every_file_of_the_manifest_is_found_and_is_the_one_expected() -> None:
    request = demo.demo_request()
    assert [path.name for path in request.echo_paths] == ["color3d_jpeg_baseline.dcm"]
    assert request.ecg_path is not None
    assert request.ecg_path.name == "waveform_ecg.dcm"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sha256": "0" * 64}, "E_INPUT_CORRUPT"),
        ({"path": "data/none.dcm"}, "E_INPUT_MISSING"),
        ({"package": "no_such_package_here"}, "E_INPUT_MISSING"),
    ],
)
def test_another_file_is_refused(change: dict[str, str], code: str) -> None:
    item = replace(demo.read_manifest()[0], **change)
    with pytest.raises(InputError) as caught:
        demo.locate(item)
    assert caught.value.code == code
    assert item.path not in caught.value.text


@pytest.mark.skipif(sys.platform != "linux", reason="other platforms always have a screen")
@pytest.mark.parametrize(
    ("name", "value", "seen"), [("DISPLAY", ":0", True), ("DISPLAY", "", False), ("NONE", "x", False)]
)
def test_a_window_needs_a_display(monkeypatch: pytest.MonkeyPatch, name: str, value: str, seen: bool) -> None:
    for variable in demo.DISPLAY_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(name, value)
    assert demo.has_display() is seen
