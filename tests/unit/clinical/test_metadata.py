from __future__ import annotations

import json
import random
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import resources
from pipeline.clinical.metadata import (
    MAX_JSON_BYTES,
    completed_years,
    du_bois_bsa_m2,
    inspect_metadata,
    normalise_metadata,
    read_metadata_file,
)
from pipeline.clinical.metadata_fields import FIELDS, metadata_schema, problems_of
from pipeline.errors import HardStopError, InputError, PipelineError, ValidationError
from pipeline.gates import Limits
from pipeline.records import Metadata, PatientHeader

CANARY = "Zyxwv"


def written(folder: Path, content: bytes | Mapping[str, Any]) -> Path:
    path = folder / "facts.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def normalised(raw: Mapping[str, Any] | None = None, **headers: PatientHeader) -> Metadata:
    return normalise_metadata(raw, {name.replace("_", " "): header for name, header in headers.items()})


# --- reading ---------------------------------------------------------------------------------------


def test_a_good_file_is_read_and_described(tmp_path: Path) -> None:
    path = written(tmp_path, {"age_years": 70, "sex": "female", "smoker": None})
    assert read_metadata_file(path, Limits()) == {"age_years": 70, "sex": "female", "smoker": None}
    report = inspect_metadata(path, Limits())
    assert (report.role, report.index, report.format, report.summary) == ("metadata", 0, "json", "2 fields")
    assert report.size_bytes == path.stat().st_size
    assert len(report.sha256) == 64


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    assert read_metadata_file(written(tmp_path, b'\xef\xbb\xbf{"nyha_class": 2.0}'), Limits()) == {"nyha_class": 2}


def test_fields_given_directly_are_described_alike() -> None:
    one = inspect_metadata({"age_years": 70, "sex": "male"}, Limits())
    assert one == inspect_metadata({"sex": "male", "age_years": 70}, Limits())
    assert one.sha256 != inspect_metadata({"sex": "male", "age_years": 71}, Limits()).sha256
    assert inspect_metadata({"sex": "male"}, Limits()).summary == "1 field"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "E_INPUT_EMPTY"),
        (b"{", "E_INPUT_CORRUPT"),
        (b"\xff\xfe{\x00}\x00", "E_INPUT_CORRUPT"),
        (b'{"age_years": NaN}', "E_INPUT_CORRUPT"),
        (b'{"age_years": -Infinity}', "E_INPUT_CORRUPT"),
        (b'{"age_years": 70, "age_years": 71}', "E_INPUT_CORRUPT"),
        (b"[" * 100_000, "E_INPUT_CORRUPT"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "E_INPUT_CORRUPT"),
        (b'{"age_years": ' + b"9" * 5000 + b"}", "E_INPUT_CORRUPT"),
        (b"[1, 2]", "E_INPUT_KIND"),
        (b"12", "E_INPUT_KIND"),
        (b" " * (MAX_JSON_BYTES - 1) + b"{}", "E_HARD_004"),
    ],
)
def test_bad_files_end_in_a_typed_error(tmp_path: Path, content: bytes, code: str) -> None:
    with pytest.raises(PipelineError) as caught:
        read_metadata_file(written(tmp_path, content), Limits())
    assert caught.value.code == code


def test_the_size_limit_itself_passes(tmp_path: Path) -> None:
    path = written(tmp_path, b"{}" + b" " * (MAX_JSON_BYTES - 2))
    assert read_metadata_file(path, Limits()) == {}
    with pytest.raises(HardStopError):
        read_metadata_file(path, Limits(max_file_bytes=MAX_JSON_BYTES - 1))


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path, code in ((tmp_path / "none.json", "E_INPUT_MISSING"), (tmp_path, "E_INPUT_KIND")):
        with pytest.raises(InputError) as caught:
            inspect_metadata(path, Limits())
        assert caught.value.code == code


def test_every_problem_is_listed_without_its_value(tmp_path: Path) -> None:
    raw = {
        "age_years": 700,
        "sex": CANARY,
        "smoker": "yes",
        CANARY: 1,
        "creatinine_umol": 90,
        "nyha_class": 2.5,
        "birth_date": "1999-02-30",
        "weight_kg": True,
    }
    with pytest.raises(ValidationError) as caught:
        inspect_metadata(written(tmp_path, raw), Limits())
    codes = [code for code, _ in caught.value.errors]
    assert codes == [
        "E_METADATA_RANGE",
        "E_METADATA_TYPE",
        "E_METADATA_TYPE",
        "E_METADATA_UNKNOWN",
        "E_METADATA_UNKNOWN",
        "E_METADATA_TYPE",
        "E_METADATA_TYPE",
        "E_METADATA_TYPE",
    ]
    text = str(caught.value)
    assert "did you mean creatinine_umol_l?" in text
    assert not any(secret in text for secret in (CANARY, "700", "1999", "yes"))


def test_a_flood_of_unknown_fields_is_counted() -> None:
    problems = problems_of({f"x{n}": n for n in range(60_000)})
    assert len(problems) == 21
    assert problems[-1][1] == "59980 further fields of the metadata are not known."


@pytest.mark.parametrize(
    "raw",
    [
        {"height_cm": 170, "height_m": 1.7},
        {"creatinine_umol_l": 90, "creatinine_mg_dl": 1.0},
        {"heart_failure_18_months": True, "heart_failure_months": 20},
        {"heart_failure": False, "heart_failure_18_months": True},
        {"heart_failure": False, "heart_failure_months": 3},
        {"birth_date": "2000-01-01", "study_date": "1999-12-31"},
    ],
)
def test_contradictions_are_refused(raw: dict[str, Any]) -> None:
    assert [code for code, _ in problems_of(raw)] == ["E_METADATA_CONFLICT"]


@pytest.mark.parametrize("field", [f for f in FIELDS if f.kind in ("number", "integer")], ids=lambda f: f.name)
def test_limits_pass_and_what_is_beyond_fails(field: Any) -> None:
    step = 1 if field.kind == "integer" else 0.01
    assert problems_of({field.name: field.low}) == ()
    assert problems_of({field.name: field.high}) == ()
    for value in (field.low - step, field.high + step, 10**400):
        assert [code for code, _ in problems_of({field.name: value})] == ["E_METADATA_RANGE"]
    assert [code for code, _ in problems_of({field.name: float("nan")})] == ["E_METADATA_TYPE"]


def test_mutants_are_valid_or_typed_errors(tmp_path: Path) -> None:
    good = json.dumps(
        {"age_years": 70, "sex": "female", "height_cm": 168.5, "smoker": False, "birth_date": "1950-01-02"}
    )
    dice = random.Random(7)
    outcomes = set()
    for _ in range(200):
        content = bytearray(good.encode())
        for _ in range(dice.randint(1, 3)):
            content[dice.randrange(len(content))] = dice.choice([dice.randrange(256), *b"0123456789"])
        content = content[: dice.choice([len(content), dice.randrange(1, len(content))])]
        try:
            normalise_metadata(read_metadata_file(written(tmp_path, bytes(content)), Limits()), {})
            outcomes.add("valid")
        except PipelineError as error:
            outcomes.add(error.code)
    assert {"valid", "E_INPUT_CORRUPT", "E_VALIDATION"} <= outcomes


# --- schema and document ---------------------------------------------------------------------------


def test_the_shipped_schema_is_the_table() -> None:
    shipped = json.loads(resources.path("metadata.schema.json").read_text(encoding="utf-8"))
    assert shipped == metadata_schema()
    jsonschema.Draft202012Validator.check_schema(shipped)


@pytest.mark.parametrize(
    "raw",
    [
        {"age_years": 70, "smoker": None, "sex": "male", "nyha_class": 3, "birth_date": "1950-01-02"},
        {"age_years": 121},
        {"sex": "m"},
        {"height_cm": 170, "height_m": 1.7},
        {"height_cm": 170, "height_m": None},
        {"unknown": 1},
        {"nyha_class": 2.5},
        {"smoker": 1},
    ],
)
def test_schema_and_code_agree(raw: dict[str, Any]) -> None:
    by_schema = jsonschema.Draft202012Validator(metadata_schema()).is_valid(raw)
    assert by_schema == (problems_of(raw) == ())


def test_the_document_names_every_field_with_unit_and_range() -> None:
    document = (Path(__file__).parents[3] / "docs" / "metadata.md").read_text(encoding="utf-8")
    for field in FIELDS:
        row = next(line for line in document.splitlines() if line.startswith(f"| `{field.name}` |"))
        assert field.used_by in row
        assert f"| {field.unit or '–'} |" in row
        if field.kind in ("number", "integer"):
            assert f"{field.low:g} to {field.high:g}" in row


# --- normalising -----------------------------------------------------------------------------------


def test_nothing_given_stays_unknown() -> None:
    assert normalised() == Metadata()


def test_units_are_brought_to_one() -> None:
    facts = normalised({"height_m": 1.8, "weight_kg": 80, "creatinine_mg_dl": 1.0, "heart_failure_months": 18})
    assert facts.height_cm == 180.0
    assert facts.creatinine_umol_l == 88.4
    assert facts.heart_failure_18_months is True
    assert facts.heart_failure is None  # nobody said so: not inferred
    assert facts.bmi_kg_m2 == pytest.approx(24.6914, abs=1e-4)
    assert facts.bsa_m2 == pytest.approx(1.9964, abs=1e-3)
    assert facts.origin["bsa_m2"] == facts.origin["bmi_kg_m2"] == "computed"
    assert facts.origin["height_cm"] == "given"


def test_du_bois_check_values() -> None:
    assert du_bois_bsa_m2(170, 70) == pytest.approx(1.81, abs=0.005)
    assert du_bois_bsa_m2(150, 50) == pytest.approx(1.43, abs=0.005)


@given(st.floats(50, 220), st.floats(5, 200))
def test_body_surface_grows_with_height_and_weight(height_cm: float, weight_kg: float) -> None:
    here = du_bois_bsa_m2(height_cm, weight_kg)
    assert du_bois_bsa_m2(height_cm + 1, weight_kg) > here
    assert du_bois_bsa_m2(height_cm, weight_kg + 1) > here


def test_body_surface_needs_both() -> None:
    assert normalised({"height_cm": 170}).bsa_m2 is None


@pytest.mark.parametrize(
    ("birth", "day", "years"),
    [("1950-06-15", "2020-06-14", 69), ("1950-06-15", "2020-06-15", 70), ("1952-02-29", "2021-02-28", 68)],
)
def test_age_is_in_completed_years(birth: str, day: str, years: int) -> None:
    assert completed_years(date.fromisoformat(birth), date.fromisoformat(day)) == years
    facts = normalised({"birth_date": birth, "study_date": day})
    assert facts.age_years == years


def test_age_from_given_birth_date_and_the_day_in_a_header() -> None:
    header = PatientHeader(acquired_at="2020-06-15T10:00:00")
    assert normalised({"birth_date": "1950-06-15"}, ecg_header=header).age_years == 70
    assert normalised({"birth_date": "1950-06-15"}).age_years is None


def test_headers_fill_what_nobody_gave() -> None:
    echo = PatientHeader(patient_id="7", height_cm=181.0, weight_kg=82.0)
    ecg = PatientHeader(patient_id="7", birth_date="1971-01-23", sex="female", acquired_at="2013-01-25T10:59:19")
    facts = normalised({"smoker": True}, echo_header_1=echo, ecg_header=ecg)
    assert (facts.age_years, facts.sex, facts.height_cm, facts.smoker) == (42.0, "female", 181.0, True)
    assert facts.origin["age_years"] == facts.origin["sex"] == "ecg header"
    assert facts.origin["height_cm"] == "echo header"
    assert facts.remarks == ()


def test_headers_of_two_patients_fill_nothing() -> None:
    echo, ecg = PatientHeader(patient_id="204"), PatientHeader(patient_id="642341", sex="female", age_years=42.0)
    facts = normalised({}, echo_header_1=echo, ecg_header=ecg)
    assert (facts.sex, facts.age_years) == (None, None)
    assert [r.code for r in facts.remarks] == ["W_HEADERS_NOT_USED"]


def test_what_was_given_wins_and_the_contradiction_is_remarked_without_values() -> None:
    header = PatientHeader(sex="female", age_years=42.0, weight_kg=61.0, birth_date="1971-01-23")
    raw = {"sex": "male", "age_years": 44, "weight_kg": 65, "birth_date": "1971-01-24"}
    facts = normalised(raw, ecg_header=header)
    assert (facts.sex, facts.age_years, facts.weight_kg) == ("male", 44, 65)
    assert [r.code for r in facts.remarks] == ["W_METADATA_CONFLICT"] * 3  # 4 kg are within the tolerance
    text = " ".join(r.text for r in facts.remarks)
    assert all(word in text for word in ("age", "sex", "birth date", "ECG header"))
    assert not any(secret in text for secret in ("42", "44", "1971", "female"))


def test_a_given_age_that_does_not_fit_the_birth_date_is_remarked() -> None:
    raw = {"age_years": 60, "birth_date": "1950-01-01", "study_date": "2020-01-01"}
    facts = normalised(raw)
    assert facts.age_years == 60
    assert [r.code for r in facts.remarks] == ["W_METADATA_CONFLICT"]
    assert normalised(raw | {"age_years": 70}).remarks == ()


def test_headers_that_disagree_on_a_fact_leave_it_unknown() -> None:
    one, two = PatientHeader(patient_id="7", weight_kg=60.0), PatientHeader(patient_id="7", weight_kg=80.0)
    facts = normalised({}, echo_header_1=one, echo_header_2=two)
    assert facts.weight_kg is None
    assert [r.code for r in facts.remarks] == ["W_HEADERS_CONFLICT"]
    near = normalised({}, echo_header_1=one, echo_header_2=PatientHeader(patient_id="7", weight_kg=63.0))
    assert (near.weight_kg, near.remarks) == (60.0, ())


def test_an_implausible_header_is_passed_over() -> None:
    header = PatientHeader(height_cm=1.7, weight_kg=70.0, birth_date="1850-01-01", acquired_at="2020-01-01")
    facts = normalised({}, echo_header_1=header)
    assert (facts.height_cm, facts.weight_kg, facts.age_years) == (None, 70.0, None)
    assert [r.code for r in facts.remarks] == ["W_HEADER_IMPLAUSIBLE"]


def test_bad_fields_are_refused_here_too() -> None:
    with pytest.raises(ValidationError):
        normalised({"age_years": "70"})
