"""What fails where: hard stops, degradations, retries, deadlines."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipeline import branch_work, stage_calls
from pipeline.errors import (
    DetectionError,
    FusionError,
    HardStopError,
    InputError,
    ModelError,
    PipelineError,
    QualityError,
    StageTimeoutError,
    TransientReadError,
    ValidationError,
)
from pipeline.records import (
    CardiologyRequest,
    Remark,
)
from pipeline.states import State
from pipeline.store.database import Store
from tests.unit.orchestrator.stand_ins import Rooms, execute, prepared_ecg, status


@pytest.mark.parametrize("fields", [(), ("metadata_path",)])
def test_no_modality_stops_at_once(rooms: Rooms, study: CardiologyRequest, fields: tuple[str, ...]) -> None:
    request = CardiologyRequest(**{name: getattr(study, name) for name in fields})
    response = execute(None, request)
    assert response.error_code == "E_HARD_001"
    assert response.report["error"]["state"] == "RECEIPT"
    assert not rooms.calls


def test_invalid_file_ends_the_run(rooms: Rooms, study: CardiologyRequest) -> None:
    rooms.failures["validate_ecg"] = [
        ValidationError([("E_INPUT_TRUNCATED", "ECG file: cut.")], code="E_INPUT_TRUNCATED")
    ]
    response = execute(None, study)
    assert (response.status, response.error_code) == ("error", "E_INPUT_TRUNCATED")
    assert rooms.calls["prepare_echo"] == 0


def test_only_unreadable_files_are_no_modality(rooms: Rooms, study: CardiologyRequest) -> None:
    rooms.failures["validate_echo"] = [InputError("Missing.", code="E_INPUT_MISSING")]
    response = execute(None, CardiologyRequest(echo_paths=study.echo_paths, metadata_path=study.metadata_path))
    assert response.error_code == "E_HARD_001"
    assert "E_INPUT_MISSING" in response.report["error"]["details"]


@pytest.mark.parametrize(
    ("stage", "error", "branch", "failed_in"),
    [
        ("prepare_echo", QualityError("Black.", code="E_QUALITY_ECHO"), "echo", "PREPROCESSING"),
        ("prepare_ecg", QualityError("Flat.", code="E_QUALITY_ECG"), "ecg", "PREPROCESSING"),
        ("detect_echo", DetectionError("No heart."), "echo", "DETECTION"),
        ("analyse_ecg", PipelineError("No beats.", code="E_ANALYSIS"), "ecg", "ANALYSIS"),
        ("analyse_echo", RuntimeError("patient Doe"), "echo", "ANALYSIS"),
    ],
)
def test_one_branch_fails_the_other_goes_on(
    rooms: Rooms, study: CardiologyRequest, stage: str, error: Exception, branch: str, failed_in: str
) -> None:
    rooms.failures[stage] = [error]
    response = execute(None, study)
    assert response.status == "complete"
    failed = next(b for b in response.branches if b.branch == branch)
    assert (failed.status, failed.failed_in) == ("failed", failed_in)
    assert failed.code == getattr(error, "code", "E_INTERNAL")
    assert "Doe" not in json.dumps(response.report)


@pytest.mark.parametrize("stage", ["prepare_echo", "detect_echo", "analyse_echo"])
def test_last_modality_failing_is_an_error(rooms: Rooms, study: CardiologyRequest, stage: str) -> None:
    rooms.failures[stage] = [DetectionError("No heart.")]
    response = execute(None, CardiologyRequest(echo_paths=study.echo_paths))
    assert (response.status, response.error_code) == ("error", "E_DETECTION")
    assert response.report["result"] is None


def test_fusion_failure_returns_individual_results(rooms: Rooms, study: CardiologyRequest) -> None:
    rooms.failures["fuse_modalities"] = [FusionError("They contradict each other.")]
    response = execute(None, study)
    assert response.status == "complete"
    assert rooms.calls["compute_risk"] == 0
    assert any(r["code"] == "E_FUSION" for r in response.report["result"]["remarks"])


def test_damaged_model_stops_everything_and_is_audited(rooms: Rooms, study: CardiologyRequest, store: Store) -> None:
    rooms.failures["load_segmenter"] = [HardStopError("Model file is damaged.", code="E_HARD_003")]
    response = execute(store, study)
    assert (response.status, response.error_code) == ("error", "E_HARD_003")
    assert rooms.calls["analyse_ecg"] == 0
    assert [row.act for row in store.audit_rows()] == ["model", "run", "alert", "run"]


def test_model_is_loaded_again_once(rooms: Rooms, study: CardiologyRequest) -> None:
    rooms.failures["load_segmenter"] = [ModelError("Not now.")]
    response = execute(None, study)
    assert status(response)["echo"] == "ok"
    assert rooms.calls["load_segmenter"] == 2
    assert response.report["pipeline_execution"]["retries_performed"] == 1


def test_model_that_cannot_be_read_leaves_the_ecg(
    rooms: Rooms, study: CardiologyRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable() -> str:
        raise ModelError("The model cannot be read now.")

    monkeypatch.setattr("pipeline.echo.segmentation.model_sha256", unreadable)
    rooms.failures["load_segmenter"] = [ModelError("The model cannot be read now.") for _ in range(9)]
    response = execute(None, study)
    assert (response.status, status(response)["echo"], status(response)["ecg"]) == ("complete", "failed", "ok")
    assert rooms.calls["load_segmenter"] == 2


def test_shortened_recording_degrades_its_branch(
    rooms: Rooms, study: CardiologyRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = Remark(code="W_ECG_TRUNCATED", text="The file holds 3 s of the 10 s that it declares.")
    monkeypatch.setattr(stage_calls, "prepare_ecg", lambda *_, **__: replace(prepared_ecg(), remarks=(short,)))
    response = execute(None, study)
    ecg = next(b for b in response.branches if b.branch == "ecg")
    assert (ecg.status, ecg.reason) == ("degraded", short.text)
    assert status(response)["echo"] == "ok"


def test_memory_error_halves_the_batch_then_stops(rooms: Rooms, study: CardiologyRequest) -> None:
    rooms.failures["detect_echo"] = [MemoryError(), MemoryError(), MemoryError()]
    response = execute(None, study)
    assert (response.status, response.error_code) == ("error", "E_HARD_002")
    assert rooms.batch_sizes == [16, 8]


@pytest.mark.parametrize(("error", "attempts"), [(StageTimeoutError("late"), 3), (TransientReadError("away"), 3)])
def test_exhausted_retries_fail_the_branch_with_diagnostics(
    rooms: Rooms, study: CardiologyRequest, error: Exception, attempts: int
) -> None:
    rooms.failures["prepare_echo"] = [error] * 9
    response = execute(None, study)
    assert rooms.calls["prepare_echo"] == attempts
    assert status(response) == {"echo": "failed", "ecg": "ok", "metadata": "ok"}
    assert response.report["pipeline_execution"]["retries_performed"] == attempts - 1


def test_stage_past_its_deadline_is_a_timeout(
    rooms: Rooms, study: CardiologyRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(branch_work.DEADLINES_S, State.PREPROCESSING, -1.0)
    rooms.before["prepare_echo"] = lambda cancel, **_: cancel.check()
    response = execute(None, study)
    assert next(b for b in response.branches if b.branch == "echo").code == "E_RETRY_EXHAUSTED"
