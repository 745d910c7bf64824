"""The patient and the time of acquisition out of DICOM headers, whole and damaged."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from pipeline.dicom_patient import patient_header
from pipeline.records import PatientHeader


def dataset(**elements: str) -> Dataset:
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def test_everything_is_read_in_our_units() -> None:
    found = patient_header(
        dataset(
            PatientID=" 7 ",
            PatientName="Doe^Jo",
            PatientBirthDate="19590131",
            PatientSex="F",
            PatientAge="018M",
            PatientSize="1.72",
            PatientWeight="70.5",
            AcquisitionDateTime="20240203112233.123456",
            StudyDate="20230101",
        )
    )
    assert found == PatientHeader(
        patient_id="7",
        name="Doe^Jo",
        birth_date="1959-01-31",
        sex="female",
        age_years=1.5,
        height_cm=172.0,
        weight_kg=70.5,
        acquired_at="2024-02-03T11:22:33",
    )


def test_empty_header_says_nothing() -> None:
    assert patient_header(Dataset()) == PatientHeader()


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"StudyDate": "20230101", "ContentDate": "20230102", "ContentTime": "093000.5"}, "2023-01-02T09:30:00"),
        ({"StudyDate": "20230101"}, "2023-01-01T00:00:00"),
        ({"AcquisitionDateTime": "2024", "StudyDate": "20230101"}, "2023-01-01T00:00:00"),
        ({"ContentTime": "093000"}, None),
    ],
)
def test_time_nearest_to_the_recording_wins(elements: dict[str, str], expected: str | None) -> None:
    assert patient_header(dataset(**elements)).acquired_at == expected


@pytest.mark.parametrize("value", ["0", "17.2", "-1"])
def test_implausible_height_is_absent(value: str) -> None:
    assert patient_header(dataset(PatientSize=value)).height_cm is None
