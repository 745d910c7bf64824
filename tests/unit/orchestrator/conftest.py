"""A tiny study, its store, and stages replaced by stand-ins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline import orchestrator as walk
from pipeline import stage_calls
from pipeline.records import (
    CardiologyRequest,
    EchoAnalysis,
    Metadata,
    RiskReport,
)
from pipeline.store.database import Store
from tests.unit.orchestrator.stand_ins import (
    STAGES,
    Rooms,
    analysed_ecg,
    detected_echo,
    file_report,
    fused,
    prepared_ecg,
    prepared_echo,
)


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> Rooms:
    made = Rooms()
    results: dict[str, Callable[..., Any]] = {
        "validate_echo": lambda paths, *_, **__: file_report("echo", paths[0]),
        "validate_ecg": lambda path, *_, **__: file_report("ecg", path),
        "validate_metadata": lambda request, *_, **__: file_report("metadata", request.metadata_path),
        "prepare_echo": prepared_echo,
        "prepare_ecg": prepared_ecg,
        "prepare_metadata": lambda *_: Metadata(age_years=61.0),
        "detect_echo": detected_echo,
        "analyse_echo": lambda *_, **__: EchoAnalysis(measurements=(), cines=()),
        "analyse_ecg": analysed_ecg,
        "fuse_modalities": fused,
        "compute_risk": lambda *_: RiskReport(level=None, rules=(), scores=()),
        "format_result": walk.format_result,
    }
    for name in STAGES:
        home = stage_calls if hasattr(stage_calls, name) else walk
        monkeypatch.setattr(home, name, made.stage(name, results[name]))
    monkeypatch.setattr("pipeline.echo.segmentation.load_segmenter", made.stage("load_segmenter", object))
    monkeypatch.setattr("pipeline.echo.segmentation.model_sha256", lambda: "d" * 64)
    return made


@pytest.fixture
def study(tmp_path: Path) -> CardiologyRequest:
    for name in ("echo.dcm", "ecg.csv", "facts.json"):
        (tmp_path / name).write_bytes(b"content of " + name.encode())
    return CardiologyRequest(
        echo_paths=(tmp_path / "echo.dcm",), ecg_path=tmp_path / "ecg.csv", metadata_path=tmp_path / "facts.json"
    )


@pytest.fixture(autouse=True)
def any_file_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.stages.validation.check_file", lambda path, limits: path)


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "data" / "store.sqlite3") as opened:
        yield opened
