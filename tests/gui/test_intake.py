"""What a request holds, in words."""

from __future__ import annotations

from pathlib import Path

from pipeline.records import CardiologyRequest
from ui.intake import describe


def test_description_names_no_file():
    clips = (Path("a.dcm"), Path("b.avi"))
    request = CardiologyRequest(echo_paths=clips, ecg_path=Path("e.dcm"), metadata_path=Path("m.json"))
    assert describe(request) == "2 echo clips + ECG + facts"
    assert describe(None) == ""
