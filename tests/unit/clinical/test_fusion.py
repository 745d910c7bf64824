from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.clinical.fusion import check_outcome, fuse
from pipeline.errors import FusionError
from pipeline.records import Metadata, PatientHeader

Make = Callable[..., Any]
BAND = "mildly reduced (ASE/EACVI 2015, men)"


def test_both_modalities_stand_side_by_side(make_number: Make, make_echo: Make, make_ecg: Make) -> None:
    echo, ecg = make_echo(make_number("lvef", 47, band=BAND)), make_ecg(make_number("qtcf", 441))
    fused = fuse(echo, ecg, Metadata(), {})
    assert [m.name for m in fused.measurements] == ["lvef", "qtcf"]
    assert fused.measurements[0].band == BAND
    assert [s.code for s in fused.rhythm] == ["sinus"]
    assert fused.remarks == ()


@pytest.mark.parametrize("branch", ["echo", "ecg", "none"])
def test_a_missing_branch_is_no_error(branch: str, make_number: Make, make_echo: Make, make_ecg: Make) -> None:
    echo = make_echo(make_number("lvef", 47)) if branch == "echo" else None
    ecg = make_ecg(make_number("qtcf", 441)) if branch == "ecg" else None
    fused = fuse(echo, ecg, Metadata(), {})
    assert len(fused.measurements) == (branch != "none")
    assert check_outcome(fused, "heart_rate") == "not_checked"


def test_atrial_fibrillation_withholds_the_class_over_few_beats(
    make_number: Make, make_echo: Make, make_ecg: Make
) -> None:
    lvef, edv = make_number("lvef", 47, band=BAND), make_number("edv", 100, band="normal")
    ecg = make_ecg(rhythm=("af_suspected",))
    few = fuse(make_echo(lvef, edv, n_beats=4), ecg, Metadata(), {})
    assert [(m.value, m.band) for m in few.measurements] == [(47.0, None), (100.0, "normal")]
    assert [r.code for r in few.remarks] == ["W_AF_EF_BEATS"]
    many = fuse(make_echo(lvef, edv, n_beats=5), ecg, Metadata(), {})
    assert many.measurements[0].band == BAND
    assert many.remarks == ()


def test_an_ecg_of_another_patient_does_not_touch_the_echo(make_number: Make, make_echo: Make, make_ecg: Make) -> None:
    headers = {"echo header 1": PatientHeader(patient_id="1"), "ecg header": PatientHeader(patient_id="2")}
    echo = make_echo(make_number("lvef", 47, band=BAND), n_beats=1)
    fused = fuse(echo, make_ecg(rhythm=("af_suspected",)), Metadata(), headers)
    assert fused.measurements[0].band == BAND
    assert [r.code for r in fused.remarks] == ["W_NOT_ONE_PATIENT"]


def test_disagreements_become_remarks(make_number: Make, make_echo: Make, make_ecg: Make) -> None:
    echo, ecg = make_echo(make_number("echo_heart_rate", 50)), make_ecg(make_number("heart_rate", 90))
    assert [r.code for r in fuse(echo, ecg, Metadata(), {}).remarks] == ["W_HEART_RATES_DIFFER"]


def test_inner_contradictions_raise(make_number: Make, make_echo: Make) -> None:
    lvef = make_number("lvef", 47)
    broken = (
        (lvef, lvef),
        (dataclasses.replace(lvef, value=None),),
        (dataclasses.replace(lvef, value=float("nan")),),
        (dataclasses.replace(lvef, status="withheld", reason="r"),),
        (dataclasses.replace(lvef, status="withheld", value=None),),
    )
    for measurements in broken:
        with pytest.raises(FusionError):
            fuse(make_echo(*measurements), None, Metadata(), {})
