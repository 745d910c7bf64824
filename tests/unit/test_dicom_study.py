"""The study of a DICOM file by its first bytes, against pydicom on every file that it ships."""

from __future__ import annotations

import random
import warnings
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from pipeline.dicom_kind import study_uid
from pipeline.intake.dicom_studies import HEADER_BYTES

FOLDER = Path(get_testdata_file("examples_ybr_color.dcm")).parent


def by_pydicom(path: Path) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
            if dataset.file_meta.TransferSyntaxUID.is_deflated:
                return None
            return str(dataset.get("StudyInstanceUID", "") or "")
        except Exception:  # noqa: BLE001 - some of the files are broken on purpose
            return None


def test_it_is_what_pydicom_reads():
    told = {path: by_pydicom(path) for path in sorted(FOLDER.glob("*.dcm"))}
    known = {path: uid for path, uid in told.items() if uid is not None and path.read_bytes()[128:132] == b"DICM"}
    assert len(known) > 40
    found = {path: study_uid(path.read_bytes()[:HEADER_BYTES]) for path in known}
    assert [path.name for path, uid in known.items() if found[path] not in (uid, "")] == []
    untold = [path.name for path, uid in known.items() if uid and not found[path]]
    assert untold == ["SC_rgb_jpeg.dcm"]  # its data set is written in another form than its header says


@pytest.mark.parametrize("seed", range(3))
def test_damaged_bytes_never_raise(seed):
    whole = bytearray((FOLDER / "examples_ybr_color.dcm").read_bytes()[:4000])
    chance = random.Random(seed)
    for _ in range(300):
        head = bytearray(whole)
        for _ in range(chance.randint(1, 30)):
            head[chance.randrange(132, len(head))] = chance.randrange(256)
        assert isinstance(study_uid(bytes(head[: chance.randrange(len(head))])), str)
