from __future__ import annotations

import pytest

from pipeline.clinical.identity import compare_headers, differing_fields, within_a_day
from pipeline.records import PatientHeader


def headers(*each: PatientHeader) -> dict[str, PatientHeader]:
    return {f"echo header {n + 1}": header for n, header in enumerate(each)}


def outcomes(*each: PatientHeader) -> dict[str, str]:
    return {c.field: c.outcome for c in compare_headers(headers(*each))}


def test_all_fields_agree() -> None:
    one = PatientHeader(patient_id="007", name="Doe^Jane^^Dr", birth_date="1950-01-02", sex="female")
    two = PatientHeader(patient_id="7", name="jane doe", birth_date="1950-01-02", sex="female")
    assert set(outcomes(one, two).values()) == {"agree"}


@pytest.mark.parametrize(
    ("field", "one", "two"),
    [
        ("patient id", PatientHeader(patient_id="204"), PatientHeader(patient_id="642341")),
        ("name", PatientHeader(name="Doe^Jane"), PatientHeader(name="Doe^John")),
        ("birth date", PatientHeader(birth_date="1950-01-02"), PatientHeader(birth_date="1950-02-01")),
        ("sex", PatientHeader(sex="male"), PatientHeader(sex="female")),
    ],
)
def test_each_field_can_differ(field: str, one: PatientHeader, two: PatientHeader) -> None:
    assert differing_fields(headers(one, two)) == (field,)


def test_absent_fields_and_placeholders_are_not_compared() -> None:
    one = PatientHeader(patient_id="204", name="PLA")
    two = PatientHeader(patient_id=None, name="Anonymous", sex="female")
    assert set(outcomes(one, two).values()) == {"absent"}
    assert differing_fields(headers(one, PatientHeader(patient_id="000", name="^^"))) == ()


def test_a_third_file_is_compared_with_both() -> None:
    three = [PatientHeader(name="Smith"), PatientHeader(name="Smith^Ann"), PatientHeader(name="Smith^Eve")]
    assert differing_fields(headers(*three[:2])) == ()
    assert differing_fields(headers(*three)) == ("name",)


@pytest.mark.parametrize(
    ("one", "two", "near"),
    [
        ("2016-05-03T12:15:35", "2016-05-04T12:15:35", True),
        ("2016-05-03T12:15:35", "2016-05-04T12:15:36", False),
        ("2016-05-03", "2016-05-04T23:00:00", True),
        ("2016-05-03", "2016-05-05", False),
        ("2016-05-03T12:15:35.250000", "2016-05-03T12:15:35", True),
        ("2016-05-03", None, None),
        ("2016-05-03", "not a time", None),
    ],
)
def test_recorded_within_a_day(one: str | None, two: str | None, near: bool | None) -> None:
    assert within_a_day(headers(PatientHeader(acquired_at=one), PatientHeader(acquired_at=two))) is near
