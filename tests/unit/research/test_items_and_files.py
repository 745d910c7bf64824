"""Intermediate results by name and as files."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ReportError
from pipeline.notice import NOTICE
from pipeline.records import (
    Calibration,
    Delineation,
    EcgAnalysis,
    EcgRecord,
    EchoCine,
    EchoDetection,
    PatientHeader,
    PreparedEcg,
    StudyResults,
    empty_contours,
)
from pipeline.research.files import csv_bytes, json_bytes, npy_bytes, write_item
from pipeline.research.items import Item, items_of


def study() -> StudyResults:
    waves = np.full((2, 3), np.nan)
    cine = EchoCine(
        file_sha256="ab" * 32, frames=np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5),
        frame_times_s=np.arange(3) / 30, calibration=Calibration(spacing_mm=None, method="none", reason="none"),
        crop_px=(0, 0, 4, 5), original_size_px=(4, 5), view="A4C", r_wave_times_s=(), heart_rate_bpm=None,
        header=PatientHeader(name="CANARY"), quality={"contrast": 0.5},
    )  # fmt: skip
    found = EchoDetection(
        labels=np.zeros((3, 4, 5), np.uint8), lv_endocardium=empty_contours(3, 7), lv_epicardium=empty_contours(3, 7),
        left_atrium=empty_contours(3, 7), confidence=np.array([0.1, np.nan, 0.3]), model_sha256="cd" * 32,
    )  # fmt: skip
    record = EcgRecord(signal_mv=np.ones((2, 8), np.float32), sampling_rate_hz=250.0, leads=("I", "II"), scaling="mV")
    ecg = PreparedEcg(
        file_sha256="ef" * 32, record=record, filtered_mv=np.zeros((2, 8), np.float32), filter_text="0.5-150 Hz",
        lead_quality=np.ones(2), lead_usable=np.array([True, False]),
    )  # fmt: skip
    analysis = EcgAnalysis(
        measurements=(), r_peaks_idx=np.array([1, 3, 6]), beat_classes=("N", "V", "N"), af_beats=np.zeros(3, bool),
        delineation=Delineation(p_on=waves, p_off=waves, qrs_on=waves, qrs_off=waves, t_on=waves, t_off=waves),
        rhythm=(),
    )  # fmt: skip
    return StudyResults(cines=(cine,), detections=(found,), ecg=ecg, ecg_analysis=analysis)


def named(name: str) -> Item:
    report = {"result": {"measurements": {"lvef": {"value": 60.0}}, "risk": None}}
    return next(item for item in items_of(study(), report) if item.name == name)


def test_every_stage_is_there_by_name_and_nobody_is_named():
    items = items_of(study(), {"result": {"metadata": {"facts": {}}}})
    names = [item.name for item in items]
    assert len(set(names)) == len(names)
    assert {"echo.1.frames", "echo.1.labels", "ecg.filtered_mv", "ecg.delineation.p_on", "fused.metadata"} <= set(names)
    assert all(len(item.axes) == item.value.ndim for item in items if item.is_array)
    assert "CANARY" not in "".join(f"{item.label}{item.note}{item.size_text}" for item in items)


def test_npy_comes_back_and_its_companion_says_what_it_is(tmp_path: Path):
    target = tmp_path / "labels.npy"
    write_item(named("echo.1.frames"), target)
    assert np.array_equal(np.load(target, allow_pickle=False), study().cines[0].frames)
    beside = json.loads((tmp_path / "labels.npy.json").read_text())
    assert (beside["notice"], beside["axes"], beside["shape"]) == (NOTICE, ["frame", "row", "column"], [3, 4, 5])


def rows(content: bytes) -> list[list[str]]:
    text = content.decode("utf-8-sig")
    assert text.startswith(f"# {NOTICE}")
    return list(csv.reader(io.StringIO(text.split("\r\n", 1)[1])))


def test_csv_has_a_row_a_step_of_the_first_axis_and_empty_cells_for_no_value():
    table = rows(csv_bytes(named("echo.1.confidence")))
    assert table == [["frame", "value"], ["0", "0.1"], ["1", ""], ["2", "0.3"]]
    outline = rows(csv_bytes(named("echo.1.lv_endocardium")))
    assert outline[0][:3] == ["frame", "0_0 (px)", "0_1 (px)"]
    assert len(outline) == 4
    assert len(outline[1]) == 1 + 7 * 2


def test_trees_are_tables_and_json():
    assert rows(csv_bytes(named("ecg.beat_classes"))) == [["value"], ["N"], ["V"], ["N"]]
    assert rows(csv_bytes(named("fused.measurements")))[1] == ["lvef", '{"value": 60.0}']
    tree = json.loads(json_bytes(named("echo.1.confidence")))
    assert tree["value"] == [0.1, None, 0.3]
    assert tree["notice"] == NOTICE


@pytest.mark.parametrize(
    ("make", "name", "word"),
    [(csv_bytes, "echo.1.labels", "too large"), (npy_bytes, "ecg.waves", "no array")],
)
def test_a_form_that_does_not_hold_a_result_says_so(make, name, word):
    with pytest.raises(ReportError, match=word):
        make(named(name))


def test_another_ending_is_refused_and_nothing_written(tmp_path: Path):
    with pytest.raises(ReportError, match=r"\.npy, \.csv or \.json"):
        write_item(named("echo.1.labels"), tmp_path / "x.pkl")
    assert list(tmp_path.iterdir()) == []
