from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.echo import metrics
from pipeline.measurements import measured
from pipeline.records import BranchResult, Metadata, Source, StudyResults
from pipeline.reports.json_report import report_bytes
from pipeline.reports.plain import plain
from pipeline.reports.result import build_result

MakeStudy = Callable[[], StudyResults]
MakeResult = Callable[..., dict[str, Any]]


def test_a_measurement_carries_its_proof(make_study: MakeStudy, make_result: MakeResult) -> None:
    result = make_result(make_study())
    assert list(result["measurements"]) == ["lvef", "echo_heart_rate", "la_volume", "heart_rate", "qtcf", "lf_hf"]
    lvef = result["measurements"]["lvef"]
    assert (lvef["value"], lvef["unit"], lvef["interval"], lvef["status"]) == (47.12, "%", [43.0, 51.0], "measured")
    assert (lvef["label"], lvef["band"], lvef["reason"]) == ("LVEF", "mildly reduced (s)", None)
    assert lvef["loinc"] == "10230-1"
    assert lvef["source"] == {
        "file_sha256": "a" * 64,
        "frames": [1, 6],
        "contour": "lv_cavity",
        "beats": [],
        "lead": None,
        "model_sha256": "c" * 64,
        "edited_frames": [],
        "edits": [],
    }
    withheld = result["measurements"]["la_volume"]
    assert (withheld["value"], withheld["status"]) == (None, "withheld")
    assert withheld["reason"] == "The atrium is cut by the image edge."


@pytest.mark.parametrize(("way", "code"), [("biplane A4C and A2C", "79996-5"), ("single plane A4C", None)])
def test_a_code_that_names_the_biplane_method_is_for_biplane_values(
    make_study: MakeStudy, make_result: MakeResult, way: str, code: str | None
) -> None:
    study = make_study()
    edv = measured(metrics.EDV, 120.0, source=Source(), method=f"method of discs, {way}")
    analysis = dataclasses.replace(study.echo_analysis, measurements=(edv,))
    result = make_result(dataclasses.replace(study, echo_analysis=analysis))
    assert result["measurements"]["edv"]["loinc"] == code


def test_the_echo_part(make_study: MakeStudy, make_result: MakeResult) -> None:
    (cine,) = make_result(make_study())["echo"]["cines"]
    assert (cine["view"], cine["frames"], cine["size_px"]) == ("A4C", 12, [20, 30])
    assert cine["calibration"] == {"spacing_mm": [0.51, 0.51], "method": "ultrasound region", "reason": None}
    assert cine["quality"] == {"contrast": None, "mean_level": 41.234568}
    assert [b["excluded"] for b in cine["beats"]] == [None, "cut off"]
    assert (cine["beats"][0]["ed_frame"], cine["beats"][0]["es_frame"], cine["beats"][0]["edv"]) == (1, 6, 120.0)
    assert cine["segments"][0]["name"] == "basal septal"
    assert cine["volume_curve"] == {
        "unit": "mL",
        "measured_frames": 11,
        "lowest": 60.0,
        "highest": 120.0,
        "median": 90.0,
    }
    assert cine["detection"]["confidence_lowest"] == 0.5


def test_the_ecg_part(make_study: MakeStudy, make_result: MakeResult) -> None:
    ecg = make_result(make_study())["ecg"]
    assert (ecg["sampling_rate_hz"], ecg["duration_s"], ecg["filter"]) == (500.0, 10.0, "0.5-150 Hz zero-phase")
    assert ecg["leads"] == [
        {"name": "I", "quality": 0.912, "usable": True, "reason": None, "faulty_s": 0, "faults": []},
        {
            "name": "II",
            "quality": 0.2,
            "usable": False,
            "reason": "it is flat, as from a disconnected electrode",
            "faulty_s": 3,
            "faults": [{"fault": "flat", "start_s": 2, "end_s": 5}],
        },
    ]
    assert ecg["beats"] == {"by_class": {"N": 2, "V": 1}, "count": 3, "in_atrial_fibrillation": 1}
    assert ecg["rhythm"][0]["code"] == "sinus"


def test_checks_risk_and_branches(make_study: MakeStudy, make_result: MakeResult) -> None:
    result = make_result(make_study())
    outcomes = {c["name"]: c["outcome"] for c in result["cross_checks"]}
    assert (outcomes["same_patient"], outcomes["heart_rate"]) == ("agree", "agree")
    assert [s["name"] for s in result["risk"]["scores"]] == ["maggic", "cha2ds2_va", "cha2ds2_vasc"]
    assert result["risk"]["level"] == "review"
    assert result["modalities"] == ["echo", "ecg"]
    assert [b["status"] for b in result["branches"]] == ["ok"] * 3


def test_each_remark_appears_once(make_study: MakeStudy, make_result: MakeResult) -> None:
    remarks = make_result(make_study())["remarks"]
    assert [r["code"] for r in remarks].count("W_DARK") == 1
    assert remarks[-1] == {"code": "W_LATE", "text": "Late."}


def test_nothing_names_the_patient(make_study: MakeStudy, make_result: MakeResult, canaries: tuple[str, ...]) -> None:
    text = report_bytes(make_result(make_study())).decode()
    assert not [canary for canary in canaries if canary in text]
    assert "93" not in json.dumps(make_result(make_study())["metadata"])


@pytest.mark.parametrize(("age", "given_as"), [(89.9, 89.9), (90.0, ">=90"), (104.0, ">=90")])
def test_the_highest_ages_are_not_told_apart(
    age: float, given_as: Any, make_study: MakeStudy, make_result: MakeResult
) -> None:
    study = dataclasses.replace(make_study(), metadata=Metadata(age_years=age))
    assert make_result(study)["metadata"]["facts"] == {"age_years": given_as}


def test_two_builds_are_byte_identical(make_study: MakeStudy, make_result: MakeResult) -> None:
    one, two = make_study(), make_study()
    facts = dataclasses.replace(two.metadata or Metadata(), origin={"age_years": "given", "sex": "echo header"})
    two = dataclasses.replace(two, metadata=facts)
    assert report_bytes(make_result(one)) == report_bytes(make_result(two))


def test_a_restored_branch_reads_like_a_computed_one(make_study: MakeStudy, make_result: MakeResult) -> None:
    computed = make_result(make_study(), (BranchResult(branch="echo", status="ok"),))
    restored = make_result(make_study(), (BranchResult(branch="echo", status="cached"),))
    assert computed == restored


def test_without_fusion_the_modalities_speak_for_themselves(make_study: MakeStudy) -> None:
    result = build_result(make_study(), None, None, (), ())
    assert set(result["measurements"]) == {"lvef", "echo_heart_rate", "la_volume", "heart_rate", "qtcf", "lf_hf"}
    assert (result["cross_checks"], result["risk"]) == ([], None)


def test_a_study_that_came_to_nothing() -> None:
    result = build_result(StudyResults(), None, None, (), ())
    assert (result["echo"], result["ecg"], result["measurements"], result["modalities"]) == (None, None, {}, [])


def test_a_clip_that_was_not_detected_is_still_listed(make_study: MakeStudy, make_result: MakeResult) -> None:
    study = dataclasses.replace(make_study(), detections=(), echo_analysis=None)
    result = make_result(study)
    (cine,) = result["echo"]["cines"]
    assert (cine["detection"], cine["volume_curve"], cine["beats"]) == (None, None, [])
    assert result["modalities"] == ["ecg"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(VALUES)
def test_plain_values_are_json_and_stay_as_they_are(value: Any) -> None:
    once = plain(value)
    json.dumps(once, allow_nan=False)
    assert plain(once) == once


def test_plain_takes_numpy_apart() -> None:
    raw = {"b": np.array([1.0, np.nan]), "a": (np.int64(2), np.bool_(True), np.float32(0.5)), "z": -0.0}
    assert json.dumps(plain(raw)) == '{"a": [2, true, 0.5], "b": [1.0, null], "z": 0.0}'
