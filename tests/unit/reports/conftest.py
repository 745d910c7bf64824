"""A study made by hand: every kind of record that a report can hold, with canaries in the headers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline.clinical.fusion import fuse
from pipeline.clinical.risk import score_risk
from pipeline.ecg.metrics import ECG_METRICS
from pipeline.echo.metrics import ECHO_METRICS
from pipeline.measurements import measured, withheld
from pipeline.records import (
    BranchResult,
    Calibration,
    CineAnalysis,
    Delineation,
    EcgAnalysis,
    EcgQuality,
    EcgRecord,
    EchoAnalysis,
    EchoBeat,
    EchoCine,
    EchoDetection,
    FileReport,
    Metadata,
    PatientHeader,
    PreparedEcg,
    Remark,
    RhythmStatement,
    Source,
    StudyResults,
    ValidationReport,
    WallSegment,
    empty_contours,
)
from pipeline.reports.envelope import Execution, seal
from pipeline.reports.result import build_result

CANARIES = ("Canaryname", "CANARY-ID-77", "1931-04-05", "2020-02-03T04:05:06")
HEADER = PatientHeader(
    patient_id=CANARIES[1], name=CANARIES[0], birth_date=CANARIES[2], sex="female", acquired_at=CANARIES[3]
)
ECHO_SHA, ECG_SHA, MODEL_SHA, FACTS_SHA = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)
N_FRAMES = 12


def cine() -> EchoCine:
    return EchoCine(
        file_sha256=ECHO_SHA,
        frames=np.zeros((N_FRAMES, 20, 30), np.uint8),
        frame_times_s=np.arange(N_FRAMES) / 30,
        calibration=Calibration(spacing_mm=(0.51, 0.51), method="ultrasound region"),
        crop_px=(1, 2, 21, 32),
        original_size_px=(48, 64),
        view="A4C",
        r_wave_times_s=(),
        heart_rate_bpm=None,
        header=HEADER,
        quality={"mean_level": 41.23456789, "contrast": float("nan")},
        remarks=(Remark(code="W_DARK", text="The clip is dark."),),
    )


def detection() -> EchoDetection:
    return EchoDetection(
        labels=np.zeros((N_FRAMES, 20, 30), np.uint8),
        lv_endocardium=empty_contours(N_FRAMES, 97),
        lv_epicardium=empty_contours(N_FRAMES, 97),
        left_atrium=empty_contours(N_FRAMES, 64),
        confidence=np.linspace(0.5, 1.0, N_FRAMES),
        model_sha256=MODEL_SHA,
    )


def echo_analysis() -> EchoAnalysis:
    by_name = {m.name: m for m in ECHO_METRICS}
    source = Source(file_sha256=ECHO_SHA, frame_idx=(1, 6), contour="lv_cavity", model_sha256=MODEL_SHA)
    curve = np.append(np.linspace(60, 120, N_FRAMES - 1), np.nan)
    return EchoAnalysis(
        measurements=(
            measured(by_name["lvef"], 47.123, source=source, interval=(43.0, 51.0), band="mildly reduced (s)"),
            measured(by_name["echo_heart_rate"], 71.0, source=source),
            withheld(by_name["la_volume"], "The atrium is cut by the image edge."),
        ),
        cines=(
            CineAnalysis(
                view="A4C",
                volume_curve=curve,
                volume_unit="mL",
                smoothed_curve=curve,
                beats=(
                    EchoBeat(ed_idx=1, es_idx=6, end_idx=11, edv=120.0, esv=60.0, ef_pct=50.0),
                    EchoBeat(ed_idx=0, es_idx=1, end_idx=1, edv=None, esv=None, ef_pct=None, excluded="cut off"),
                ),
                segments=(WallSegment(name="basal septal", radial_excursion_pct=21.0, longitudinal_strain_pct=None),),
                heart_rate_bpm=71.0,
            ),
        ),
    )


def prepared_ecg() -> PreparedEcg:
    signal = np.zeros((2, 5000), np.float32)
    return PreparedEcg(
        file_sha256=ECG_SHA,
        record=EcgRecord(
            signal_mv=signal, sampling_rate_hz=500.0, leads=("I", "II"), scaling="1 µV a step", header=HEADER
        ),
        filtered_mv=signal,
        filter_text="0.5-150 Hz zero-phase",
        lead_quality=np.array([0.91234, 0.2]),
        lead_usable=np.array([True, False]),
        quality=EcgQuality(
            quality=np.zeros((2, 10), np.float32),
            fault=np.array([[0] * 10, [0, 0, 2, 2, 2, 0, 0, 0, 0, 0]], np.uint8),
            reasons=(None, "it is flat, as from a disconnected electrode"),
        ),
    )


def ecg_analysis() -> EcgAnalysis:
    by_name = {m.name: m for m in ECG_METRICS}
    waves = np.full((2, 3), np.nan)
    source = Source(file_sha256=ECG_SHA, beat_idx=(0, 1, 2))
    return EcgAnalysis(
        measurements=(
            measured(by_name["heart_rate"], 72.0, source=source),
            measured(by_name["qtcf"], 441.0, source=source, interval=(430.0, 452.0)),
            withheld(by_name["lf_hf"], "10 s is too short."),
        ),
        r_peaks_idx=np.array([100, 500, 900]),
        beat_classes=("N", "V", "N"),
        af_beats=np.array([False, False, True]),
        delineation=Delineation(p_on=waves, p_off=waves, qrs_on=waves, qrs_off=waves, t_on=waves, t_off=waves),
        rhythm=(
            RhythmStatement(code="sinus", text="Sinus rhythm.", evidence="P", start_s=0.0, end_s=10.0, reference="r"),
        ),
    )


FACTS = Metadata(
    age_years=93.0,
    sex="female",
    systolic_bp_mmhg=125.0,
    bmi_kg_m2=24.0,
    creatinine_umol_l=100.0,
    nyha_class=2,
    heart_failure=True,
    origin={"sex": "echo header", "age_years": "given"},
)


def study() -> StudyResults:
    files = (
        FileReport(role="echo", index=0, format="dicom-us", sha256=ECHO_SHA, size_bytes=9, summary="12 frames"),
        FileReport(role="ecg", index=0, format="dicom-ecg", sha256=ECG_SHA, size_bytes=9, summary="2 leads"),
        FileReport(
            role="metadata",
            index=0,
            format="json",
            sha256=FACTS_SHA,
            size_bytes=9,
            summary="7 fields",
            remarks=(Remark(code="W_DARK", text="The clip is dark."),),
        ),
    )
    return StudyResults(
        validation=ValidationReport(files=files),
        cines=(cine(),),
        ecg=prepared_ecg(),
        metadata=FACTS,
        detections=(detection(),),
        echo_analysis=echo_analysis(),
        ecg_analysis=ecg_analysis(),
    )


BRANCHES = tuple(BranchResult(branch=b, status="ok") for b in ("echo", "ecg", "metadata"))


def result_of(given: StudyResults, branches: tuple[BranchResult, ...] = BRANCHES) -> dict[str, Any]:
    headers = {"echo header 1": HEADER, "ecg header": HEADER}
    fused = fuse(given.echo_analysis, given.ecg_analysis, given.metadata or Metadata(), headers)
    return build_result(given, fused, score_risk(fused), branches, (Remark(code="W_LATE", text="Late."),))


def execution_of(**changes: Any) -> Execution:
    usual: dict[str, Any] = {
        "run_id": "20200101T000000-abcd",
        "status": "complete",
        "states_traversed": ("RECEIPT", "VALIDATION", "COMPLETE"),
        "states_entered": ("INIT", "RECEIPT", "VALIDATION", "COMPLETE"),
        "branches": BRANCHES,
        "checkpoints_saved": 4,
        "checkpoints_restored": 0,
        "retries_performed": 0,
        "total_time_ms": 1000,
        "stage_timings": {"RECEIPT": 5, "VALIDATION": 120},
        "memory_usage_mb": 512.25,
        "started_utc": "2026-01-02T03:04:05.678Z",
        "finished_utc": "2026-01-02T03:04:06.678Z",
    }
    return Execution(**(usual | changes))


@pytest.fixture
def make_study() -> Callable[[], StudyResults]:
    return study


@pytest.fixture
def make_result() -> Callable[..., dict[str, Any]]:
    return result_of


@pytest.fixture
def make_execution() -> Callable[..., Execution]:
    return execution_of


@pytest.fixture
def report() -> dict[str, Any]:
    return seal(result_of(study()), execution_of())


@pytest.fixture
def error_report() -> dict[str, Any]:
    error = {"code": "E_VALIDATION", "text": "Not valid.", "state": "VALIDATION", "details": {"1. E_X": "Bad."}}
    return seal(None, execution_of(status="error", states_entered=("INIT", "RECEIPT", "ERROR"), error=error))


@pytest.fixture
def canaries() -> tuple[str, ...]:
    return CANARIES
