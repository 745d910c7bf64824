"""Phantom cases, reports and journals for the window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.engine import RunRow
from pipeline.records import (
    Calibration,
    CardiologyRequest,
    CheckpointRow,
    CineAnalysis,
    Delineation,
    EcgAnalysis,
    EcgRecord,
    EchoAnalysis,
    EchoBeat,
    EchoCine,
    EchoDetection,
    Measurement,
    PatientHeader,
    PayloadRow,
    PreparedEcg,
    Remark,
    RhythmStatement,
    RunEvent,
    Source,
    StudyResults,
)
from pipeline.reports.result import measurement_body
from pipeline.states import State
from ui.view_state import CaseView

RUN_ID = "20260101T120000-0a1b2c3d"
ECHO_HASH, ECG_HASH = "e" * 64, "c" * 64
START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
ED_IDX, ES_IDX = 4, 14
CANARY = "CANARY^PATIENT"


class Script:
    """Writes the journal of a run."""

    def __init__(self, run_id: str = RUN_ID) -> None:
        self.run_id = run_id
        self.events: list[RunEvent] = []

    def add(self, state: str, kind: str, text: str = "", **more: Any) -> Script:
        number = len(self.events)
        stamp = (START + timedelta(milliseconds=100 * number)).isoformat(timespec="milliseconds")
        values = {"branch": None, "fraction": None, "code": None} | more
        self.events.append(
            RunEvent(
                run_id=self.run_id,
                seq=number,
                time_utc=stamp.replace("+00:00", "Z"),
                state=state,
                kind=kind,
                text=text,
                **values,
            )
        )
        return self

    def walk(self, *, until: State = State.COMPLETE, echo: bool = True) -> Script:
        """Every state entered and left as far as `until`, which is only entered."""
        for state in State:
            if state is State.ERROR or (state is State.DETECTION and not echo):
                continue
            self.add(state.name, "state", f"{state.name} started")
            if state is until:
                return self
            self.add(state.name, "state_done", "100 ms")
        return self


def make_cine(n_frames: int = 24, *, calibrated: bool = True) -> EchoCine:
    rng = np.random.default_rng(1)
    return EchoCine(
        file_sha256=ECHO_HASH,
        frames=rng.integers(0, 255, (n_frames, 64, 80), dtype=np.uint8),
        frame_times_s=np.arange(n_frames) / 25.0,
        calibration=Calibration(
            spacing_mm=(1.0, 0.5) if calibrated else None,
            method="ultrasound region" if calibrated else "none",
            reason=None if calibrated else "The calibrated region lies outside the image.",
        ),
        crop_px=(0, 0, 64, 80),
        original_size_px=(64, 80),
        view="A4C",
        r_wave_times_s=(),
        heart_rate_bpm=None,
        header=PatientHeader(name=CANARY, patient_id=CANARY),
        quality={},
    )


def make_detection(n_frames: int = 24) -> EchoDetection:
    angle = np.linspace(0, 2 * np.pi, 97)
    ring = np.stack((40 + 20 * np.cos(angle), 30 + 20 * np.sin(angle)), axis=-1).astype(np.float32)
    contours = np.repeat(ring[None], n_frames, axis=0)
    atrium = contours[:, :64].copy()
    atrium[::2] = np.nan  # absent in every other frame
    return EchoDetection(
        labels=np.ones((n_frames, 64, 80), np.uint8),
        lv_endocardium=contours,
        lv_epicardium=contours + 3,
        left_atrium=atrium,
        confidence=np.ones(n_frames),
        model_sha256="b" * 64,
    )


def make_measurement(name: str, value: float | None, **more: Any) -> Measurement:
    values: dict[str, Any] = {"unit": "%", "method": "discs", "reference": "Lang 2015", "source": Source()} | more
    return Measurement(
        name=name,
        label=name.upper(),
        value=value,
        status="withheld" if value is None else "measured",
        reason="The body surface is not known." if value is None else None,
        **values,
    )


def make_echo_analysis(n_frames: int = 24) -> EchoAnalysis:
    curve = 100 + 30 * np.cos(np.arange(n_frames) / 3.0)
    curve[0] = np.nan
    source = Source(file_sha256=ECHO_HASH, frame_idx=(ED_IDX, ES_IDX), contour="lv_cavity", model_sha256="b" * 64)
    beats = (
        EchoBeat(ed_idx=ED_IDX, es_idx=ES_IDX, end_idx=20, edv=120.0, esv=60.0, ef_pct=50.0),
        EchoBeat(ed_idx=20, es_idx=22, end_idx=23, edv=None, esv=None, ef_pct=None, excluded="cut by the end"),
    )
    return EchoAnalysis(
        measurements=(
            make_measurement("lvef", 50.0, source=source, interval=(43.0, 57.0), band="mildly reduced"),
            make_measurement("edv_index", None, unit="mL/m²"),
        ),
        cines=(
            CineAnalysis(
                view="A4C",
                volume_curve=curve,
                volume_unit="mL",
                smoothed_curve=curve,
                beats=beats,
                segments=(),
                heart_rate_bpm=62.0,
            ),
        ),
    )


def make_ecg(n_leads: int = 12, length_s: float = 10.0, rate_hz: float = 250.0) -> PreparedEcg:
    time_s = np.arange(round(length_s * rate_hz)) / rate_hz
    signal = np.stack([np.exp(-(((time_s % 0.8) - 0.4) ** 2) / 0.0004) * (1 + i / 12) for i in range(n_leads)])
    usable = np.ones(n_leads, bool)
    usable[-1] = False
    return PreparedEcg(
        file_sha256=ECG_HASH,
        record=EcgRecord(
            signal_mv=signal,
            sampling_rate_hz=rate_hz,
            leads=LEADS[:n_leads],
            scaling="mV",
            header=PatientHeader(name=CANARY),
        ),
        filtered_mv=signal.astype(np.float32),
        filter_text="0.5-150 Hz zero-phase",
        lead_quality=np.ones(n_leads),
        lead_usable=usable,
        remarks=(Remark(code="W_LEAD_UNUSABLE", text="V6 is left out: flat."),),
    )


def make_ecg_analysis(n_leads: int = 12) -> EcgAnalysis:
    none = np.full((n_leads, 12), np.nan)
    statement = RhythmStatement(
        code="sinus", text="Sinus rhythm is likely.", evidence="P <b>waves</b>.", start_s=0, end_s=10, reference="x"
    )
    return EcgAnalysis(
        measurements=(make_measurement("heart_rate", 75.0, unit="1/min"),),
        r_peaks_idx=np.arange(12) * 200 + 100,
        beat_classes=("N",) * 11 + ("V",),
        af_beats=np.zeros(12, bool),
        delineation=Delineation(p_on=none, p_off=none, qrs_on=none, qrs_off=none, t_on=none, t_off=none),
        rhythm=(statement,),
    )


def make_report(status: str = "complete") -> dict[str, Any]:
    """The parts of a report that the window reads."""
    score = {"name": "maggic", "label": "MAGGIC", "status": "range", "points": [12, 31], "reference": "Pocock 2013",
             "risks": {"1-year mortality": [4.8, 24.8]}, "missing": ["NYHA"], "reason": None}  # fmt: skip
    check = {"name": "same_patient", "outcome": "disagree", "text": "The files differ.", "tolerance": "exact"}
    branch = {"status": "ok", "code": None, "reason": None}
    lvef = measurement_body(make_measurement("lvef", 50.0, interval=(43.0, 57.0)), None)  # fusion withheld the band
    report: dict[str, Any] = {
        "notice": "Research use only - not for diagnostic use",
        "pipeline_execution": {
            "run_id": "run-0",
            "branches": {"echo": branch, "ecg": branch, "metadata": {"status": "skipped"}},
        },
        "result": {
            "measurements": {"lvef": lvef},
            "cross_checks": [check],
            "risk": {"level": "review", "rules": [{"text": "LVEF is reduced.", "reference": "x"}], "scores": [score]},
            "remarks": [{"code": "W_NOT_ONE_PATIENT", "text": "The files name different patients."}],
        },
    }
    if status == "error":
        report["result"] = None
        report["error"] = {"code": "E_DETECTION", "text": "No heart was found.", "state": "DETECTION"}
    return report


def make_checkpoints() -> tuple[CheckpointRow, ...]:
    """What a run of an echo has saved."""
    names = ("validation_result", "preprocessed_echo", "detection_result", "analysis_result.echo")
    payloads = tuple(
        PayloadRow(name=name, sha256=letter * 64, size_bytes=1234, cache_key="k" * 64)
        for name, letter in zip(names, "dcba", strict=True)
    )
    return tuple(
        CheckpointRow(
            state=state,
            time_utc="2026-01-01T12:00:00.000Z",
            input_hashes={"echo.0": ECHO_HASH},
            processing_times_ms={state: 100},
            memory_mb=321.0,
            payloads=payloads[:n],
        )
        for n, state in enumerate(("VALIDATION", "PREPROCESSING", "DETECTION", "ANALYSIS"), start=1)
    )


def make_row(run_id: str = RUN_ID, status: Any = "complete", **more: Any) -> RunRow:
    return RunRow(
        run_id=run_id, status=status, state="COMPLETE", started_utc="2026-01-01T12:00:00.000Z", finished_utc=None,
        inputs=(f"{CANARY}.dcm",), **more,
    )  # fmt: skip


def case_of(results: StudyResults, phase: Any = "complete", **more: Any) -> CaseView:
    values: dict[str, Any] = {"report": make_report(phase)} | more
    request = CardiologyRequest(
        echo_paths=(Path("cine.dcm"),) if results.cines else (), ecg_path=Path("e.dcm") if results.ecg else None
    )
    return CaseView(key=RUN_ID, phase=phase, request=request, results=results, **values)
