"""What is kept and what is run again: cancel, kill, change, damage, a full disk."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from typing import Any

import pytest

from pipeline import cache_keys
from pipeline.cancellation import CancelToken
from pipeline.records import (
    CardiologyRequest,
)
from pipeline.states import State
from pipeline.store.database import Store
from tests.unit.orchestrator.stand_ins import STAGES, Rooms, execute, result_bytes, status


@pytest.mark.parametrize("stage", STAGES[:-1])
def test_cancel_anywhere_then_resume_gives_the_same_result(
    rooms: Rooms, study: CardiologyRequest, store: Store, stage: str
) -> None:
    whole = result_bytes(execute(None, study))
    rooms.calls.clear()
    token = CancelToken()
    rooms.before[stage] = lambda **_: (token.cancel(), token.check())[0]
    stopped = execute(store, study, cancel=token)
    assert (stopped.status, stopped.error_code) == ("cancelled", "E_CANCELLED")
    assert store.run(stopped.run_id).status == "cancelled"
    assert set(status(stopped).values()) == {"skipped"}
    del rooms.before[stage]
    resumed = execute(store, study, resume=stopped.run_id)
    assert resumed.run_id == stopped.run_id
    assert result_bytes(resumed) == whole
    saved = stopped.report["pipeline_execution"]["checkpoints_saved"]
    assert resumed.report["pipeline_execution"]["checkpoints_restored"] == saved
    assert resumed.report["pipeline_execution"]["checkpoints_saved"] == 4 - saved


class Killed(BaseException):
    """Ends a run as a kill does: nothing after it is executed."""


@pytest.mark.parametrize("stage", [s for s in STAGES if s not in ("validate_metadata",)])
def test_kill_anywhere_then_resume_gives_the_same_result(
    rooms: Rooms, study: CardiologyRequest, store: Store, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = result_bytes(execute(None, study))
    rooms.failures[stage] = [Killed()]
    with pytest.raises(Killed):
        execute(store, study)
    rooms.calls.clear()
    monkeypatch.setattr("pipeline.store.run_rows._alive", lambda pid, started: False)
    run_id = store.runs()[0].run_id
    assert store.run(run_id).status == "interrupted"
    done = store.checkpoint_states(run_id)
    resumed = execute(store, study, resume=run_id)
    assert result_bytes(resumed) == whole
    assert resumed.report["pipeline_execution"]["checkpoints_restored"] == len(done)
    again = {"VALIDATION": "validate_ecg", "PREPROCESSING": "prepare_ecg", "DETECTION": "detect_echo"}
    for state in done:
        assert rooms.calls[again.get(state.name, "analyse_echo")] == 0, state


def resumed_calls(rooms: Rooms, store: Store, request: CardiologyRequest, run_id: str) -> set[str]:
    rooms.calls.clear()
    assert execute(store, request, resume=run_id).status == "complete"
    return {name for name in rooms.calls if name not in ("fuse_modalities", "compute_risk", "format_result")}


def test_complete_run_resumed_computes_nothing_again(rooms: Rooms, study: CardiologyRequest, store: Store) -> None:
    first = execute(store, study)
    assert resumed_calls(rooms, store, study, first.run_id) == set()
    assert store.report(first.run_id)["pipeline_execution"]["checkpoints_restored"] == 4


def test_changed_ecg_byte_reruns_only_the_ecg(
    rooms: Rooms, study: CardiologyRequest, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = execute(store, study)
    study.ecg_path.write_bytes(b"content of ecg.csW")
    calls = resumed_calls(rooms, store, study, first.run_id)
    assert calls == {"validate_echo", "validate_ecg", "validate_metadata", "prepare_ecg", "analyse_ecg"}


def test_changed_echo_byte_reruns_only_the_echo(rooms: Rooms, study: CardiologyRequest, store: Store) -> None:
    first = execute(store, study)
    study.echo_paths[0].write_bytes(b"other")
    calls = resumed_calls(rooms, store, study, first.run_id)
    assert calls == {"validate_echo", "validate_ecg", "validate_metadata", "prepare_echo", "detect_echo",
                     "analyse_echo", "load_segmenter"}  # fmt: skip


def test_changed_model_reruns_detection_and_echo_analysis(
    rooms: Rooms, study: CardiologyRequest, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = execute(store, study)
    monkeypatch.setattr("pipeline.echo.segmentation.model_sha256", lambda: "f" * 64)
    assert resumed_calls(rooms, store, study, first.run_id) == {"load_segmenter", "detect_echo", "analyse_echo"}


def test_changed_code_version_reruns_that_stage_and_after(
    rooms: Rooms, study: CardiologyRequest, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = execute(store, study)
    monkeypatch.setitem(cache_keys.STAGE_VERSIONS, "analysis_result.ecg", 99)
    assert resumed_calls(rooms, store, study, first.run_id) == {"analyse_ecg"}


def test_damaged_payload_is_computed_again(rooms: Rooms, study: CardiologyRequest, store: Store) -> None:
    first = execute(store, study)
    name, state = "preprocessed_ecg", State.PREPROCESSING
    sha256 = next(r["sha256"] for r in store._result_rows(first.run_id, state) if r["field"] == name)
    store._connection.execute("UPDATE payload_parts SET data = zeroblob(9) WHERE sha256 = ?", (sha256,))
    assert resumed_calls(rooms, store, study, first.run_id) == {"prepare_ecg"}


@pytest.mark.parametrize("stage", ["prepare_echo", "analyse_ecg"])
def test_full_disk_in_the_middle_loses_nothing_but_the_saving(
    rooms: Rooms, study: CardiologyRequest, store: Store, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(**_: Any) -> None:
        full.set()

    full = threading.Event()
    rooms.before[stage] = fill
    original = Store.save_checkpoint

    def refuse(self: Store, run_id: str, checkpoint: Any) -> None:
        if full.is_set():
            pages = self._connection.execute("PRAGMA page_count").fetchone()[0]
            self._connection.execute(f"PRAGMA max_page_count = {pages}")
            checkpoint = replace(checkpoint, preprocessed_metadata=os.urandom(200_000))  # more than free pages hold
        original(self, run_id, checkpoint)

    monkeypatch.setattr(Store, "save_checkpoint", refuse)
    response = execute(store, study)
    assert response.status == "complete"
    execution = response.report["pipeline_execution"]
    assert execution["warnings"][0]["code"] == "E_STORE_WRITE"
    store._connection.execute("PRAGMA max_page_count = 1000000")
    assert execution["checkpoints_saved"] == len(store.checkpoint_states(response.run_id)) < 4
