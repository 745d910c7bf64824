"""The life cycle of a run as data. Ids and names: source specification, section 1.2."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class State(IntEnum):
    """Where a run stands."""

    ERROR = -1
    INIT = 0
    RECEIPT = 1
    VALIDATION = 2
    PREPROCESSING = 3
    DETECTION = 4
    ANALYSIS = 5
    FUSION = 6
    SCORING = 7
    FORMATTING = 8
    COMPLETE = 9


TRANSITIONS: dict[State, tuple[State, ...]] = {
    State.INIT: (State.RECEIPT, State.ERROR),
    State.RECEIPT: (State.VALIDATION, State.ERROR),
    State.VALIDATION: (State.PREPROCESSING, State.ERROR),
    State.PREPROCESSING: (State.DETECTION, State.ANALYSIS, State.ERROR),  # ANALYSIS: a study without echo
    State.DETECTION: (State.ANALYSIS, State.ERROR),
    State.ANALYSIS: (State.FUSION, State.ERROR),
    State.FUSION: (State.SCORING, State.ERROR),
    State.SCORING: (State.FORMATTING, State.ERROR),
    State.FORMATTING: (State.COMPLETE, State.ERROR),
    State.COMPLETE: (),
    State.ERROR: (),
}

CHECKPOINTED = (State.VALIDATION, State.PREPROCESSING, State.DETECTION, State.ANALYSIS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reuse:
    """Whose checkpoints a run may take: those of a stored run, as far as the state before `rerun_from`."""

    run_id: str
    rerun_from: State = State.COMPLETE

    def allows(self, state: State) -> bool:
        """Whether results of a state may be taken."""
        return state < self.rerun_from


class PipelineState:
    """The state of one run; refuses every step that TRANSITIONS does not list."""

    def __init__(self) -> None:
        self._entered: list[State] = [State.INIT]
        self._failed_in: State | None = None

    @property
    def current(self) -> State:
        return self._entered[-1]

    @property
    def failed_in(self) -> State | None:
        """The state from which ERROR was entered."""
        return self._failed_in

    @property
    def entered(self) -> tuple[str, ...]:
        """Every state entered, INIT and ERROR included (`states_entered` of the report)."""
        return tuple(s.name for s in self._entered)

    @property
    def traversed(self) -> tuple[str, ...]:
        """As the specification prints `states_traversed`: without INIT, without ERROR."""
        return tuple(s.name for s in self._entered if s not in (State.INIT, State.ERROR))

    def transition(self, name: str | State) -> State:
        """Enter a state by name; raises ValueError for a step that is not allowed."""
        target = State[name] if isinstance(name, str) else name
        if target not in TRANSITIONS[self.current]:
            raise ValueError(f"no transition from {self.current.name} to {target.name}")
        if target is State.ERROR:
            self._failed_in = self.current
        self._entered.append(target)
        return target
