"""Tiny stand-ins for the stage functions: they count their calls and fail on demand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.orchestrator import PipelineOrchestrator
from pipeline.records import (
    Calibration,
    CardiologyRequest,
    CardiologyResponse,
    CrossCheck,
    Delineation,
    DetectedEcho,
    EcgAnalysis,
    EcgRecord,
    EchoCine,
    EchoDetection,
    FileReport,
    FusedFindings,
    PatientHeader,
    PreparedEcg,
    PreparedEcho,
    empty_contours,
)
from pipeline.reports.json_report import validate_report
from pipeline.store.database import Store

STAGES = ("validate_echo", "validate_ecg", "validate_metadata", "prepare_echo", "prepare_ecg", "prepare_metadata",
          "detect_echo", "analyse_echo", "analyse_ecg", "fuse_modalities", "compute_risk", "format_result")  # fmt: skip
ALL_STATES = ["RECEIPT", "VALIDATION", "PREPROCESSING", "DETECTION", "ANALYSIS", "FUSION", "SCORING", "FORMATTING",
              "COMPLETE"]  # fmt: skip


def file_report(role: Any, path: Path) -> tuple[FileReport, ...]:
    import hashlib

    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return (FileReport(role=role, index=0, format="csv", sha256=digest, size_bytes=len(data), summary="tiny"),)


def prepared_echo(*_: Any, **__: Any) -> PreparedEcho:
    cine = EchoCine(
        file_sha256="e" * 64,
        frames=np.arange(5 * 8 * 8, dtype=np.uint8).reshape(5, 8, 8),
        frame_times_s=np.arange(5) / 30,
        calibration=Calibration(spacing_mm=(0.5, 0.5), method="ultrasound region"),
        crop_px=(0, 0, 8, 8),
        original_size_px=(8, 8),
        view="A4C",
        r_wave_times_s=(),
        heart_rate_bpm=None,
        header=PatientHeader(),
        quality={"contrast": 0.5},
    )
    return PreparedEcho(cines=(cine,))


def prepared_ecg(*_: Any, **__: Any) -> PreparedEcg:
    record = EcgRecord(signal_mv=np.zeros((1, 50)), sampling_rate_hz=100.0, leads=("II",), scaling="as stored")
    return PreparedEcg(
        file_sha256="c" * 64,
        record=record,
        filtered_mv=np.zeros((1, 50), np.float32),
        filter_text="none",
        lead_quality=np.ones(1),
        lead_usable=np.ones(1, bool),
    )


def detected_echo(*_: Any, **__: Any) -> DetectedEcho:
    found = EchoDetection(
        labels=np.zeros((5, 8, 8), np.uint8),
        lv_endocardium=empty_contours(5, 9),
        lv_epicardium=empty_contours(5, 9),
        left_atrium=empty_contours(5, 9),
        confidence=np.ones(5),
        model_sha256="d" * 64,
    )
    return DetectedEcho(kept=(0,), detections=(found,))


def analysed_ecg(*_: Any, **__: Any) -> EcgAnalysis:
    waves = np.full((1, 1), np.nan)
    return EcgAnalysis(
        measurements=(),
        r_peaks_idx=np.array([10]),
        beat_classes=("N",),
        af_beats=np.zeros(1, bool),
        delineation=Delineation(p_on=waves, p_off=waves, qrs_on=waves, qrs_off=waves, t_on=waves, t_off=waves),
        rhythm=(),
    )


def fused(*args: Any, **_: Any) -> FusedFindings:
    check = CrossCheck(name="same_patient", outcome="not_checked", text="Nothing to compare.", tolerance="equal")
    return FusedFindings(measurements=(), cross_checks=(check,), rhythm=(), metadata=args[2])


@dataclass
class Rooms:
    """Stand-ins for the stage functions; counts calls, fails on demand."""

    calls: Counter[str] = field(default_factory=Counter)
    failures: dict[str, list[BaseException]] = field(default_factory=dict)
    before: dict[str, Callable[..., None]] = field(default_factory=dict)
    batch_sizes: list[int] = field(default_factory=list)

    def stage(self, name: str, result: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            self.calls[name] += 1
            if name == "detect_echo":
                self.batch_sizes.append(kwargs["batch_size"])
            if name in self.before:
                self.before[name](**kwargs)
            if self.failures.get(name):
                raise self.failures[name].pop(0)
            return result(*args, **kwargs)

        return run


def execute(store: Store | None, request: CardiologyRequest, **more: Any) -> CardiologyResponse:
    asked = {name: more.pop(name, None) for name in ("resume", "cancel", "reuse")}
    made = PipelineOrchestrator(store, sleep=lambda _: None, **more)
    response = made.execute(request, **asked)
    validate_report(response.report)
    return response


def result_bytes(response: CardiologyResponse) -> bytes:
    return json.dumps(response.report["result"], sort_keys=True).encode()


def status(response: CardiologyResponse) -> dict[str, str]:
    return {b.branch: b.status for b in response.branches}
