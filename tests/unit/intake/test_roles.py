"""Sorting files that were opened together into a study."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.intake.cases import sort_files
from pipeline.records import CardiologyRequest

KINDS = {"a.dcm": "dicom-us", "b.avi": "avi", "e.dcm": "dicom-ecg", "r.hea": "wfdb", "r.dat": "wfdb", "m.json": "json"}


def sniff(path: Path) -> str | None:
    return KINDS.get(path.name)


def sort(*names: str):
    return sort_files([Path(name) for name in names], sniff)


def test_each_role_finds_its_place():
    (request,) = sort("m.json", "b.avi", "a.dcm", "e.dcm").requests
    assert request == CardiologyRequest(
        echo_paths=(Path("b.avi"), Path("a.dcm")), ecg_path=Path("e.dcm"), metadata_path=Path("m.json")
    )


def test_wfdb_signal_file_beside_its_header_is_one_record():
    assert sort("r.dat", "r.hea").requests == (CardiologyRequest(ecg_path=Path("r.hea")),)


@pytest.mark.parametrize(("names", "word"), [(("e.dcm", "r.hea"), "one ECG"), (("m.json", "n.json"), "one metadata")])
def test_two_of_what_there_may_be_one(names, word):
    intake = sort(*names)
    assert intake.requests == ()
    assert word in (intake.problem or "")


@pytest.mark.parametrize(("name", "role"), [("x.edf", "ecg"), ("x.json", "metadata"), ("x.dcm", "echo"), ("x", "echo")])
def test_unknown_file_is_never_dropped(name, role):
    (request,) = sort(name).requests
    assert (request.has_echo, request.has_ecg, request.has_metadata) == (
        role == "echo", role == "ecg", role == "metadata",
    )  # fmt: skip


def test_same_file_twice_is_one():
    assert sort("a.dcm", "a.dcm").requests == (CardiologyRequest(echo_paths=(Path("a.dcm"),)),)


def test_nothing_opened_is_said():
    assert sort().problem == "No file was opened."
