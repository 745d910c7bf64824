"""A run that is held, and a run that starts from a state of another or of its own."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from pipeline.cancellation import CancelToken, DeadlineToken
from pipeline.errors import RunCancelledError
from pipeline.records import CardiologyRequest, CardiologyResponse, RunEvent
from pipeline.states import Reuse, State
from pipeline.store.database import Store
from tests.unit.orchestrator.stand_ins import Rooms, execute, result_bytes


class Runner(threading.Thread):
    """A run in a thread of its own, without a store."""

    def __init__(self, study: CardiologyRequest, cancel: CancelToken, events: list[RunEvent]) -> None:
        super().__init__(daemon=True)
        self.response: CardiologyResponse | None = None
        self._arguments: dict[str, Any] = {"cancel": cancel, "on_event": events.append}
        self._study = study

    def run(self) -> None:
        self.response = execute(None, self._study, **self._arguments)


def test_paused_run_holds_before_the_next_state_and_goes_on(rooms: Rooms, study: CardiologyRequest) -> None:
    whole = result_bytes(execute(None, study))
    rooms.calls.clear()
    token, events = CancelToken(), list[RunEvent]()
    rooms.before["prepare_ecg"] = lambda **_: token.pause()
    run = Runner(study, token, events)
    run.start()
    run.join(1.0)
    assert run.is_alive()
    assert [e.text for e in events if e.kind == "paused"] == ["paused before DETECTION"]
    assert rooms.calls["prepare_ecg"] == 1
    assert rooms.calls["detect_echo"] == 0
    token.go_on()
    run.join(30.0)
    assert run.response is not None
    assert run.response.status == "complete"
    assert result_bytes(run.response) == whole
    assert [e.kind for e in events if e.kind in ("paused", "continued")] == ["paused", "continued"]


def test_cancel_ends_a_pause(rooms: Rooms, study: CardiologyRequest) -> None:
    token, events = CancelToken(), list[RunEvent]()
    rooms.before["prepare_ecg"] = lambda **_: token.pause()
    run = Runner(study, token, events)
    run.start()
    run.join(1.0)
    assert run.is_alive()
    token.cancel()
    run.join(30.0)
    assert run.response is not None
    assert run.response.status == "cancelled"


def test_deadline_shares_the_pause_of_its_run() -> None:
    token = CancelToken()
    token.pause()
    late = DeadlineToken(token, 60.0)
    assert late.is_paused
    token.cancel()
    with pytest.raises(RunCancelledError):
        late.hold()
    token.pause()
    assert not token.is_paused  # a cancelled run is not held any more


@pytest.mark.parametrize(
    ("start", "kept", "again"),
    [
        (State.DETECTION, {"validate_ecg", "prepare_echo", "prepare_ecg"}, {"detect_echo", "analyse_ecg"}),
        (State.ANALYSIS, {"prepare_echo", "detect_echo"}, {"analyse_echo", "analyse_ecg"}),
        (State.VALIDATION, set(), {"validate_ecg", "prepare_echo", "prepare_ecg", "detect_echo", "analyse_ecg"}),
    ],
)  # fmt: skip
def test_resume_from_a_state_reruns_it_and_all_after(
    rooms: Rooms, study: CardiologyRequest, store: Store, start: State, kept: set[str], again: set[str]
) -> None:
    first = execute(store, study)
    rooms.calls.clear()
    resumed = execute(store, study, resume=first.run_id, reuse=Reuse(run_id=first.run_id, rerun_from=start))
    assert resumed.run_id == first.run_id
    assert result_bytes(resumed) == result_bytes(first)
    assert not {name for name in kept if rooms.calls[name]}
    assert {name for name in again if rooms.calls[name]} == again


def test_new_run_takes_what_another_has_and_leaves_it_as_it_is(
    rooms: Rooms, study: CardiologyRequest, store: Store
) -> None:
    first = execute(store, study)
    before = store.report(first.run_id)
    rooms.calls.clear()
    second = execute(store, study, reuse=Reuse(run_id=first.run_id, rerun_from=State.ANALYSIS))
    assert second.run_id != first.run_id
    assert rooms.calls["detect_echo"] == 0
    assert rooms.calls["analyse_echo"] == 1
    assert result_bytes(second) == result_bytes(first)
    assert store.report(first.run_id) == before
    rooms.calls.clear()
    assert execute(store, study, resume=second.run_id).status == "complete"
    assert rooms.calls["analyse_echo"] == 0  # the new run has checkpoints of its own


def test_checkpoints_are_told_without_their_results(rooms: Rooms, study: CardiologyRequest, store: Store) -> None:
    run_id = execute(store, study).run_id
    rows = store.checkpoint_rows(run_id)
    assert [row.state for row in rows] == ["VALIDATION", "PREPROCESSING", "DETECTION", "ANALYSIS"]
    assert set(rows[0].input_hashes) == {"echo.0", "ecg.0", "metadata.0"}
    assert all(len(sha256) == 64 for sha256 in rows[0].input_hashes.values())
    names = [{payload.name for payload in row.payloads} for row in rows]
    assert names[0] == {"validation_result"}
    assert names[3] - names[2] == {"analysis_result.echo", "analysis_result.ecg"}
    assert all(payload.size_bytes > 0 and payload.cache_key for row in rows for payload in row.payloads)
    assert rows[3].memory_mb > 0
    assert store.checkpoint_rows("nobody") == ()
