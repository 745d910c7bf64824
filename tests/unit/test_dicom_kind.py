"""Which DICOM object a file holds, against pydicom on every file that it ships, and on bytes that lie."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.data.data_manager import DATA_ROOT
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pipeline.dicom_kind import ECG_CLASSES, ULTRASOUND_CLASSES, format_of

SHIPPED = sorted(Path(DATA_ROOT, "test_files").glob("*.dcm"))


def expected(path: Path) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = dcmread(path, stop_before_pixels=True, force=True)
    sop_class = str(dataset.file_meta.get("MediaStorageSOPClassUID", ""))
    if sop_class in ULTRASOUND_CLASSES:
        return "dicom-us"
    if sop_class in ECG_CLASSES:
        return "dicom-ecg"
    return {"US": "dicom-us", "ECG": "dicom-ecg"}.get(str(dataset.get("Modality", "")))


def test_agrees_with_pydicom_on_its_own_files() -> None:
    heads = {path: path.read_bytes()[: 1 << 16] for path in SHIPPED}
    whole = {path: head for path, head in heads.items() if head[128:132] == b"DICM"}
    assert len(whole) > 30
    assert {path.name: format_of(head) for path, head in whole.items()} == {p.name: expected(p) for p in whole}


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize(("modality", "found"), [("US", "dicom-us"), ("ECG", "dicom-ecg"), ("CT", None), (None, None)])
def test_modality_decides_where_the_class_says_nothing(syntax: str, modality: str | None, found: str | None) -> None:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.StudyDate = "20260101"
    if modality:
        dataset.Modality = modality
    dataset.PatientName = "US"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.3"
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    dataset.file_meta.TransferSyntaxUID = syntax
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    assert format_of(stream.getvalue()) == found


def test_mutants_answer_at_once() -> None:
    chance = random.Random(5)
    head = Path(str(get_testdata_file("waveform_ecg.dcm", download=False))).read_bytes()[:4096]
    for _ in range(3000):
        data = bytearray(head[: chance.randrange(len(head))] if chance.random() < 0.2 else head)
        for _ in range(chance.randint(1, 8)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        assert format_of(bytes(data)) in ("dicom-us", "dicom-ecg", None)


def test_a_look_at_a_file_imports_no_parser() -> None:
    path = get_testdata_file("waveform_ecg.dcm", download=False)
    code = (
        "import sys; from pathlib import Path; from pipeline.gates import sniff;"
        "print(sniff(Path(sys.argv[1])), 'pydicom' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["dicom-ecg", "False"]
