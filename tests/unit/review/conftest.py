"""A study whose outlines are ellipses: every volume, and what an edit makes of it, is known beforehand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.cache_keys import RESULTS
from pipeline.clinical.fusion import fuse
from pipeline.clinical.risk import score_risk
from pipeline.echo.analysis import analyse_echo
from pipeline.echo.contours import APEX_IDX, N_ATRIUM_POINTS, N_WALL_POINTS
from pipeline.records import (
    BranchResult,
    Calibration,
    CardiologyRequest,
    DetectedEcho,
    EchoCine,
    EchoDetection,
    Edit,
    FileReport,
    Metadata,
    PatientHeader,
    PreparedEcho,
    StudyResults,
    ValidationReport,
)
from pipeline.reports.envelope import Execution, seal
from pipeline.reports.json_report import report_bytes
from pipeline.reports.result import build_result
from pipeline.results import study_results
from pipeline.store.codec import encode
from pipeline.store.database import Store

SPACING_MM = 0.5
SHAPE = (300, 260)
BASE_PX = (130.0, 216.0)
N_FRAMES, RATE_HZ, PERIOD = 75, 30.0, 25  # three beats of 25 frames
RUN_ID = "20260101T120000-0a1b2c3d"
EXECUTION = Execution(
    run_id=RUN_ID,
    status="complete",
    states_traversed=("RECEIPT", "COMPLETE"),
    states_entered=("INIT", "RECEIPT", "COMPLETE"),
    branches=(),
    checkpoints_saved=1,
    checkpoints_restored=0,
    retries_performed=0,
    total_time_ms=1000,
    stage_timings={"RECEIPT": 5},
    memory_usage_mb=100.0,
    started_utc="2026-01-02T03:04:05.678Z",
    finished_utc="2026-01-02T03:04:06.678Z",
)


def wall(length_mm: float, radius_mm: float, pixel_mm: float = SPACING_MM) -> np.ndarray:
    """Half an ellipse over its base, 97 points from left to right with the apex in the middle."""
    angle = np.linspace(math.pi, 0.0, N_WALL_POINTS)
    x, y = radius_mm * np.cos(angle), length_mm * np.sin(angle)
    line = np.stack([BASE_PX[0] + x / pixel_mm, BASE_PX[1] - y / pixel_mm], -1)
    assert line[APEX_IDX, 0] == pytest.approx(BASE_PX[0])
    return line


def half_ellipsoid_ml(length_mm: float, radius_mm: float) -> float:
    return 2 / 3 * math.pi * length_mm * radius_mm**2 / 1000


def atrium(radius_mm: float, depth_mm: float = 34.0) -> np.ndarray:
    angle = np.linspace(math.pi, 2 * math.pi, N_ATRIUM_POINTS)
    x, y = radius_mm * np.cos(angle), -depth_mm * np.sin(angle)
    return np.stack([BASE_PX[0] + x / SPACING_MM, BASE_PX[1] + y / SPACING_MM], -1)


def sizes(frame_idx: int) -> tuple[float, float]:
    """Length and radius in mm: 90 x 25 at end-diastole, 75 x 18 at end-systole, a cosine in between."""
    s = 0.5 - 0.5 * math.cos(2 * math.pi * ((frame_idx - 4) % PERIOD) / PERIOD)
    return 90 - 15 * s, 25 - 7 * s


def cine(*, calibrated: bool = True, view: str = "A4C", sha: str = "a") -> EchoCine:
    calibration = (
        Calibration(spacing_mm=(SPACING_MM, SPACING_MM), method="ultrasound region")
        if calibrated
        else Calibration(spacing_mm=None, method="none", reason="The file states no pixel size.")
    )
    return EchoCine(
        file_sha256=sha * 64,
        frames=np.full((N_FRAMES, *SHAPE), 40, np.uint8),
        frame_times_s=np.arange(N_FRAMES) / RATE_HZ,
        calibration=calibration,
        crop_px=(0, 0, *SHAPE),
        original_size_px=SHAPE,
        view=view,
        r_wave_times_s=(),
        heart_rate_bpm=None,
        header=PatientHeader(),
        quality={},
    )


def detection() -> EchoDetection:
    walls = [wall(*sizes(i)) for i in range(N_FRAMES)]
    outer = [wall(sizes(i)[0] + 9, sizes(i)[1] + 9) for i in range(N_FRAMES)]
    return EchoDetection(
        labels=np.zeros((N_FRAMES, *SHAPE), np.uint8),
        lv_endocardium=np.asarray(walls, np.float32),
        lv_epicardium=np.asarray(outer, np.float32),
        left_atrium=np.asarray([atrium(sizes(i)[1]) for i in range(N_FRAMES)], np.float32),
        confidence=np.ones(N_FRAMES),
        model_sha256="5" * 64,
        certainty=np.full(N_FRAMES, 0.94),
    )


REFUSED = "The chambers were found only with low confidence."


def results(*cines: EchoCine, metadata: Metadata | None = None, refused: tuple[int, ...] = ()) -> StudyResults:
    """Clips of ellipses; those that are `refused` by their place show the chambers too poorly."""
    given = cines or (cine(),)
    facts = metadata or Metadata(sex="male", age_years=60.0, bsa_m2=1.9)
    detections = tuple(
        replace(detection(), low_confidence_reason=REFUSED if place in refused else None) for place in range(len(given))
    )
    return study_results(
        {
            "validation_result": ValidationReport(
                files=tuple(
                    FileReport(
                        role="echo", index=n, format="dicom-us", sha256=c.file_sha256, size_bytes=9, summary="75 frames"
                    )
                    for n, c in enumerate(given)
                )
            ),
            "preprocessed_echo": PreparedEcho(cines=given),
            "preprocessed_metadata": facts,
            "detection_result": DetectedEcho(kept=tuple(range(len(given))), detections=detections),
            "analysis_result.echo": analyse_echo(given, detections, facts),
        }
    )


def report_of(study: StudyResults) -> dict[str, Any]:
    fused = fuse(study.echo_analysis, study.ecg_analysis, study.metadata or Metadata(), study.headers)
    branches = (BranchResult(branch="echo", status="ok"),)
    return seal(build_result(study, fused, score_risk(fused), branches, ()), EXECUTION)


def store_run(path: Path, study: StudyResults) -> None:
    """A finished run in a store, as the pipeline leaves it."""
    from datetime import UTC, datetime

    from pipeline.store.checkpoint import StateCheckpoint

    records = {
        "preprocessed_echo": PreparedEcho(cines=study.cines),
        "preprocessed_metadata": study.metadata,
        "detection_result": DetectedEcho(kept=tuple(range(len(study.cines))), detections=study.detections),
    }
    state = RESULTS["analysis_result.echo"][0]
    with Store.open(path) as store:
        store.start_run(RUN_ID, CardiologyRequest(echo_paths=(Path("cine.dcm"),)))
        for at in sorted({RESULTS[name][0] for name in (*records, "validation_result")} | {state}):
            store.save_checkpoint(
                RUN_ID,
                StateCheckpoint(
                    state_id=int(at),
                    state_name=at.name,
                    timestamp=datetime.now(UTC),
                    input_hashes={},
                    validation_result=study.validation,
                    analysis_result={"echo": encode(study.echo_analysis)} if at == state else None,
                    processing_times={},
                    memory_usage_mb=1.0,
                    cache_keys={},
                    **{name: encode(record) if RESULTS[name][0] <= at else None for name, record in records.items()},
                ),
            )
        text = report_bytes(report_of(study)).decode()
        store.finish_run(RUN_ID, status="complete", state="COMPLETE", error_code=None, report_json=text)


class Reader:
    """Keeps a log as the store does."""

    def __init__(self) -> None:
        self.log: list[Edit] = []

    def add(self, act: Edit | None) -> Edit:
        assert act is not None
        self.log.append(replace(act, seq=len(self.log), time_utc=f"2026-01-01T12:00:{len(self.log):02}.000Z"))
        return self.log[-1]


@pytest.fixture(scope="session")
def ellipses() -> SimpleNamespace:
    """What the tests of this folder share."""
    return SimpleNamespace(
        wall=wall,
        atrium=atrium,
        volume_ml=half_ellipsoid_ml,
        sizes=sizes,
        cine=cine,
        results=results,
        report_of=report_of,
        store_run=store_run,
        shape=SHAPE,
        run_id=RUN_ID,
    )


@pytest.fixture(scope="session")
def study() -> StudyResults:
    """One calibrated four-chamber clip of three beats."""
    return results()


@pytest.fixture
def reader() -> Reader:
    return Reader()
