"""Folders and DICOMDIR directories: which studies they hold, and what is passed over."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.fileset import FileSet
from pydicom.uid import generate_uid

from pipeline.cancellation import CancelToken
from pipeline.errors import RunCancelledError
from pipeline.gates import sniff
from pipeline.intake.cases import sort_places
from pipeline.records import CardiologyRequest

HEADER = "{name} 1 250 4\n{name}.dat 16 200 16 0 0 0 0 II\n"


@pytest.fixture(scope="module")
def clip() -> pydicom.Dataset:
    return pydicom.dcmread(get_testdata_file("examples_ybr_color.dcm"))


def write_clip(clip: pydicom.Dataset, path: Path, study: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    clip.StudyInstanceUID = study
    clip.SeriesInstanceUID, clip.SOPInstanceUID = generate_uid(), generate_uid()
    clip.file_meta.MediaStorageSOPInstanceUID = clip.SOPInstanceUID
    clip.save_as(path)
    return path


def write_record(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.dat").write_bytes(bytes(8))
    header = folder / f"{name}.hea"
    header.write_text(HEADER.format(name=name))
    return header


def sort(*places: Path):
    return sort_places(places, sniff)


def test_a_folder_of_one_visit_is_one_study(clip, tmp_path):
    first = write_clip(clip, tmp_path / "a.dcm", "1.2.3")
    second = write_clip(clip, tmp_path / "b.dcm", "1.2.3")
    ecg = write_record(tmp_path, "rest")
    facts = tmp_path / "patient.json"
    facts.write_text(json.dumps({"age_years": 60}))
    (tmp_path / "RECORDS").write_text("100\n101\n")
    (tmp_path / ".hidden.dcm").write_bytes(first.read_bytes())
    intake = sort(tmp_path)
    assert intake.requests == (CardiologyRequest(echo_paths=(first, second), ecg_path=ecg, metadata_path=facts),)
    assert (intake.problem, intake.notes) == (None, ())


def test_studies_of_a_flat_folder_are_told_apart_and_joined_over_folders(clip, tmp_path):
    one = [write_clip(clip, tmp_path / name, "1.2.3") for name in ("x/1.dcm", "y/2.dcm")]
    two = write_clip(clip, tmp_path / "x/3.dcm", "1.2.4")
    intake = sort(tmp_path)
    assert {request.echo_paths for request in intake.requests} == {tuple(one), (two,)}


def test_a_data_base_of_ecgs_is_a_study_a_record(tmp_path):
    headers = [write_record(tmp_path / "db", name) for name in ("100", "101", "102")]
    facts = tmp_path / "db" / "101.json"
    facts.write_text("{}")
    intake = sort(tmp_path)
    assert [request.ecg_path for request in intake.requests] == headers
    assert [request.metadata_path for request in intake.requests] == [None, facts, None]


def test_files_and_folders_opened_together_are_all_taken(tmp_path):
    alone = write_record(tmp_path / "a", "one")
    inside = write_record(tmp_path / "b", "two")
    assert [r.ecg_path for r in sort(alone, tmp_path / "b").requests] == [alone, inside]


def test_a_folder_without_a_study_says_so(tmp_path):
    (tmp_path / "letter.docx").write_bytes(b"PK\x03\x04 not a study")
    intake = sort(tmp_path)
    assert intake.requests == ()
    assert "can be read" in (intake.problem or "")


def test_links_are_not_followed(tmp_path):
    inside = write_record(tmp_path / "b", "two")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "link.hea").symlink_to(inside)
    (tmp_path / "a" / "folder").symlink_to(tmp_path / "b")
    assert sort(tmp_path / "a").requests == ()


def test_the_search_can_be_cancelled(tmp_path):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(RunCancelledError):
        sort_places([tmp_path], sniff, cancel=cancel)


@pytest.fixture
def disc(clip, tmp_path) -> Path:
    files = FileSet()
    for study in ("1.2.3", "1.2.3", "1.2.4"):
        files.add(pydicom.dcmread(write_clip(clip, tmp_path / "source.dcm", study)))
    files.write(tmp_path / "disc")
    files._stage["t"].cleanup()  # it would be cleaned with a warning later
    return tmp_path / "disc"


def test_a_dicomdir_lists_its_studies(disc):
    intake = sort(disc / "DICOMDIR")
    assert sorted(len(request.echo_paths) for request in intake.requests) == [1, 2]
    assert all(path.is_relative_to(disc) for request in intake.requests for path in request.echo_paths)


def test_missing_files_of_a_dicomdir_are_counted(disc):
    victim = next(path for path in disc.rglob("*") if path.is_file() and path.name != "DICOMDIR")
    victim.unlink()
    assert sort(disc / "DICOMDIR").notes == ("1 of the files that the DICOMDIR lists are not there.",)


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
@pytest.mark.parametrize("parts", [["..", "secret"], ["/etc", "passwd"], ["a/../..", "secret"], [".", "x"]])
def test_a_dicomdir_cannot_lead_out_of_its_folder(disc, tmp_path, parts):
    shutil.copy(disc.parent / "source.dcm", tmp_path / "secret")
    listing = pydicom.dcmread(disc / "DICOMDIR")
    for record in listing.DirectoryRecordSequence:
        if "ReferencedFileID" in record:
            record.ReferencedFileID = parts
    listing.save_as(disc / "DICOMDIR")
    intake = sort(disc / "DICOMDIR")
    assert intake.requests == ()
    assert any("leads out of its folder" in note for note in intake.notes)


def test_a_damaged_dicomdir_is_said(disc):
    whole = (disc / "DICOMDIR").read_bytes()
    (disc / "DICOMDIR").write_bytes(whole[: len(whole) // 2])
    intake = sort(disc / "DICOMDIR")
    assert intake.notes or intake.requests
