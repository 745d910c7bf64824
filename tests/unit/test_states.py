"""The life cycle: ids of the specification, allowed steps, ERROR that knows its origin."""

from __future__ import annotations

import pytest

from pipeline.states import CHECKPOINTED, TRANSITIONS, PipelineState, State

SPECIFIED = {
    "INIT": 0, "RECEIPT": 1, "VALIDATION": 2, "PREPROCESSING": 3, "DETECTION": 4, "ANALYSIS": 5, "FUSION": 6,
    "SCORING": 7, "FORMATTING": 8, "COMPLETE": 9, "ERROR": -1,
}  # fmt: skip
WALK = [name for name in SPECIFIED if name not in ("INIT", "ERROR")]


def test_ids_are_the_specifications() -> None:
    assert {state.name: int(state) for state in State} == SPECIFIED


def test_checkpoint_strategy_is_the_specifications() -> None:
    assert [s.name for s in CHECKPOINTED] == ["VALIDATION", "PREPROCESSING", "DETECTION", "ANALYSIS"]


def test_full_walk() -> None:
    state = PipelineState()
    for name in WALK:
        state.transition(name)
    assert state.traversed == tuple(WALK)
    assert state.entered == ("INIT", *WALK)
    assert state.failed_in is None


@pytest.mark.parametrize("origin", [s for s in State if s not in (State.COMPLETE, State.ERROR)])
def test_error_is_reachable_from_every_state_and_names_it(origin: State) -> None:
    state = PipelineState()
    for name in WALK[: int(origin)]:
        state.transition(name)
    state.transition(State.ERROR)
    assert state.failed_in is origin
    assert state.current is State.ERROR
    assert "ERROR" not in state.traversed
    assert state.entered[-1] == "ERROR"


@pytest.mark.parametrize("origin", list(State))
@pytest.mark.parametrize("target", list(State))
def test_only_listed_steps_are_taken(origin: State, target: State) -> None:
    state = PipelineState()
    state._entered.append(origin)
    if target in TRANSITIONS[origin]:
        assert state.transition(target) is target
    else:
        with pytest.raises(ValueError, match="no transition"):
            state.transition(target)
        assert state.current is origin
