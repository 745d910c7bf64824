from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.clinical.cross_checks import RULES, CheckInputs, cross_check
from pipeline.records import EcgAnalysis, EchoAnalysis, Metadata, PatientHeader

A4C_HEADER = PatientHeader(patient_id="204", name="PLA", acquired_at="2016-05-03T12:15:35")
ECG_HEADER = PatientHeader(
    patient_id="642341",
    name="Anonymous",
    birth_date="1971-01-23",
    sex="female",
    age_years=42.0,
    acquired_at="2013-01-25T10:59:19",
)

Make = Callable[..., Any]


def checked(
    name: str,
    echo: EchoAnalysis | None = None,
    ecg: EcgAnalysis | None = None,
    facts: Metadata | None = None,
    *headers: PatientHeader,
) -> tuple[str, str]:
    named = {f"header {n}": h for n, h in enumerate(headers)}
    inputs = CheckInputs(echo=echo, ecg=ecg, metadata=facts or Metadata(), headers=named)
    found = {c.name: c for c in cross_check(inputs)}
    return found[name].outcome, found[name].text


def test_every_rule_answers_with_nothing_to_compare() -> None:
    found = cross_check(CheckInputs(echo=None, ecg=None, metadata=Metadata(), headers={}))
    assert [c.name for c in found] == [rule.name for rule in RULES]
    assert {c.outcome for c in found} == {"not_checked"}
    assert all(c.text.endswith(".") and c.tolerance for c in found)


def test_the_demonstration_files_are_not_of_one_patient() -> None:
    outcome, text = checked("same_patient", None, None, None, A4C_HEADER, ECG_HEADER)
    assert outcome == "disagree"
    assert "patient id" in text
    assert not any(value in text for value in ("204", "642341", "PLA", "Anonymous"))
    assert checked("study_date", None, None, None, A4C_HEADER, ECG_HEADER)[0] == "disagree"
    assert checked("same_sex", None, None, None, A4C_HEADER, ECG_HEADER)[0] == "not_checked"
    assert checked("same_birth_date", None, None, None, A4C_HEADER, ECG_HEADER)[0] == "not_checked"


def test_same_patient() -> None:
    assert checked("same_patient", None, None, None, ECG_HEADER, ECG_HEADER)[0] == "agree"
    assert checked("same_patient", None, None, None, ECG_HEADER)[0] == "not_checked"
    women = (PatientHeader(sex="female"), PatientHeader(sex="female"))
    assert checked("same_patient", None, None, None, *women)[0] == "not_checked"
    assert checked("same_sex", None, None, None, *women)[0] == "agree"


def test_physiology_is_not_compared_between_two_patients(make_number: Make, make_echo: Make, make_ecg: Make) -> None:
    echo, ecg = make_echo(make_number("echo_heart_rate", 70)), make_ecg(make_number("heart_rate", 70))
    assert checked("heart_rate", echo, ecg)[0] == "agree"
    outcome, text = checked("heart_rate", echo, ecg, None, A4C_HEADER, ECG_HEADER)
    assert outcome == "not_checked"
    assert "different patients" in text
    long = make_echo(make_number("lv_length_ed", 140))
    assert checked("lv_length_bsa", long, None, None, A4C_HEADER, ECG_HEADER)[0] == "disagree"


@pytest.mark.parametrize(
    ("echo_bpm", "ecg_bpm", "outcome"),
    [(75, 70, "agree"), (77.1, 70, "disagree"), (77, 70, "agree"), (35, 40, "agree"), (34, 40, "disagree")],
)
def test_heart_rate_tolerance(
    echo_bpm: float, ecg_bpm: float, outcome: str, make_number: Make, make_echo: Make, make_ecg: Make
) -> None:
    echo, ecg = make_echo(make_number("echo_heart_rate", echo_bpm)), make_ecg(make_number("heart_rate", ecg_bpm))
    assert checked("heart_rate", echo, ecg)[0] == outcome


def test_a_withheld_rate_is_not_compared(make_number: Make, make_absent: Make, make_echo: Make, make_ecg: Make) -> None:
    echo, ecg = make_echo(make_absent("echo_heart_rate")), make_ecg(make_number("heart_rate", 70))
    assert checked("heart_rate", echo, ecg)[0] == "not_checked"


def test_beats_are_only_counted_in_simultaneous_recordings(make_number: Make, make_echo: Make, make_ecg: Make) -> None:
    echo = make_echo(make_number("echo_heart_rate", 60), n_beats=6)
    same, half = make_ecg(make_number("heart_rate", 62)), make_ecg(make_number("heart_rate", 90))
    at = PatientHeader(acquired_at="2020-01-01T10:00:00")
    soon, late = (PatientHeader(acquired_at=f"2020-01-01T10:00:{s}") for s in ("01", "02"))
    assert checked("beat_count", echo, same)[0] == "not_checked"
    assert checked("beat_count", echo, same, None, at, late)[0] == "not_checked"
    assert checked("beat_count", echo, same, None, at, soon)[0] == "agree"
    assert checked("beat_count", echo, half, None, at, soon)[0] == "disagree"


@pytest.mark.parametrize(
    ("rhythm", "n_beats", "outcome"),
    [("sinus", 1, "agree"), ("af_suspected", 4, "disagree"), ("af_suspected", 5, "agree")],
)
def test_ejection_fraction_in_atrial_fibrillation(
    rhythm: str, n_beats: int, outcome: str, make_number: Make, make_echo: Make, make_ecg: Make
) -> None:
    echo = make_echo(make_number("lvef", 50), n_beats=n_beats, n_excluded=3)
    assert checked("af_ef_averaging", echo, make_ecg(rhythm=(rhythm,)))[0] == outcome


def test_confirmed_atrial_fibrillation_counts_without_an_ecg(make_number: Make, make_echo: Make) -> None:
    echo = make_echo(make_number("lvef", 50), n_beats=1)
    assert checked("af_ef_averaging", echo, None, Metadata(af_confirmed=True))[0] == "disagree"
    assert checked("af_ef_averaging", echo)[0] == "not_checked"


def test_wide_qrs_beside_wall_motion(make_number: Make, make_echo: Make, make_ecg: Make) -> None:
    for qrs_ms, outcome in ((119.4, "agree"), (119.5, "disagree"), (120, "disagree")):
        assert checked("wide_qrs_dyssynchrony", make_echo(), make_ecg(make_number("qrs", qrs_ms)))[0] == outcome
    without = make_echo(segments=False)
    assert checked("wide_qrs_dyssynchrony", without, make_ecg(make_number("qrs", 150)))[0] == "not_checked"


@pytest.mark.parametrize(
    ("length", "unit", "bsa_m2", "outcome"),
    [
        (85, "mm", 1.9, "agree"),
        (8.5, "cm", 1.9, "agree"),
        (49, "mm", 1.9, "disagree"),
        (126, "mm", None, "disagree"),
        (85, "mm", None, "not_checked"),
        (60, "mm", 2.2, "disagree"),
        (400, "px", 1.9, "not_checked"),
    ],
)
def test_length_of_the_ventricle(
    length: float, unit: str, bsa_m2: float | None, outcome: str, make_number: Make, make_echo: Make
) -> None:
    echo = make_echo(make_number("lv_length_ed", length, unit=unit))
    assert checked("lv_length_bsa", echo, None, Metadata(bsa_m2=bsa_m2))[0] == outcome
