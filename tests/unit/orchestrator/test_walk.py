"""The walk through the states: order, events, branches side by side."""

from __future__ import annotations

import threading

from pipeline.records import (
    CardiologyRequest,
    RunEvent,
)
from pipeline.store.database import Store
from tests.unit.orchestrator.stand_ins import ALL_STATES, Rooms, execute


def test_full_study_walks_every_state(rooms: Rooms, study: CardiologyRequest, store: Store) -> None:
    response = execute(store, study)
    execution = response.report["pipeline_execution"]
    assert response.status == "complete"
    assert execution["states_traversed"] == ALL_STATES
    assert execution["states_entered"] == ["INIT", *ALL_STATES]
    assert execution["branches_executed"] == ["echo", "ecg", "metadata"]
    assert execution["checkpoints_saved"] == 4
    assert execution["checkpoints_restored"] == 0
    assert list(response.report["stage_timings"]) == ALL_STATES[:-1]
    assert store.run(response.run_id).status == "complete"
    assert store.report(response.run_id) == response.report
    assert all(count == 1 for count in rooms.calls.values())


def test_shown_events_are_the_stored_events(rooms: Rooms, study: CardiologyRequest, store: Store) -> None:
    shown: list[RunEvent] = []
    response = execute(store, study, on_event=shown.append)
    assert store.events(response.run_id) == tuple(shown)
    assert [e.seq for e in shown] == list(range(len(shown)))
    assert [e.state for e in shown if e.kind == "state"] == ["INIT", *ALL_STATES]
    assert shown[-1].kind == "done"


def test_branches_run_side_by_side(rooms: Rooms, study: CardiologyRequest) -> None:
    meet = threading.Barrier(2, timeout=10)  # breaks when one waits for the other to end
    for name in ("prepare_echo", "prepare_ecg", "analyse_echo", "analyse_ecg"):
        rooms.before[name] = lambda **_: (meet.wait(), None)[1]
    assert execute(None, study).status == "complete"


def test_study_without_echo_has_no_detection(rooms: Rooms, study: CardiologyRequest) -> None:
    response = execute(None, CardiologyRequest(ecg_path=study.ecg_path))
    assert response.report["pipeline_execution"]["states_traversed"] == [s for s in ALL_STATES if s != "DETECTION"]
    assert response.report["pipeline_execution"]["branches_executed"] == ["ecg"]
    assert rooms.calls["load_segmenter"] == 0


def test_results_grow_state_by_state(rooms: Rooms, study: CardiologyRequest) -> None:
    seen: list[tuple[bool, bool, bool]] = []
    execute(None, study, on_results=lambda s: seen.append((bool(s.cines), bool(s.detections), bool(s.ecg_analysis))))
    assert seen == sorted(seen)
    assert seen[-1] == (True, True, True)
