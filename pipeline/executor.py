"""Where stage functions run: the branches of a state side by side, in threads of this process.

`pipeline.isolation.executor` puts worker processes behind the same two functions.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.cancellation import CancelToken, Progress
from pipeline.retry import Attempt
from pipeline.stage_calls import LoadedModels, StageCall, Tools, perform

PUMP_INTERVAL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a task ended: its value, or what it raised."""

    value: Any = None
    error: BaseException | None = None


class StageExecutor(Protocol):
    """Runs the tasks of one state to their end, and the stage calls that they make."""

    def run_side_by_side(self, tasks: Mapping[str, Callable[[], Any]], pump: Callable[[], None]) -> dict[str, Outcome]:
        """The barrier: returns when every task has ended; calls `pump` in the caller's thread meanwhile."""

    def call(self, call: StageCall, attempt: Attempt, progress: Progress, cancel: CancelToken) -> Any:
        """Do a stage call, in the calling thread or on its behalf, and return what it gives or raise what it raises."""

    def rest(self) -> None:
        """A run has ended; the next one may be long in coming."""

    def close(self) -> None:
        """Nothing more will be asked."""


class ThreadExecutor:
    """One thread a branch; numpy, scipy and torch release the interpreter lock in their loops."""

    def __init__(self) -> None:
        self._models = LoadedModels()

    def run_side_by_side(self, tasks: Mapping[str, Callable[[], Any]], pump: Callable[[], None]) -> dict[str, Outcome]:
        if not tasks:
            return {}
        with concurrent.futures.ThreadPoolExecutor(len(tasks), thread_name_prefix="branch") as pool:
            futures = {name: pool.submit(task) for name, task in tasks.items()}
            waiting = set(futures.values())
            while waiting:
                _, waiting = concurrent.futures.wait(waiting, timeout=PUMP_INTERVAL_S)
                pump()
        return {name: _outcome(future) for name, future in futures.items()}

    def call(self, call: StageCall, attempt: Attempt, progress: Progress, cancel: CancelToken) -> Any:
        tools = Tools(progress=progress, cancel=cancel, attempt=attempt, parts=call.parts, models=self._models)
        return perform(call, tools)

    def rest(self) -> None:
        """The threads have ended with their tasks."""

    def close(self) -> None:
        """There is nothing to end."""


def _outcome(future: concurrent.futures.Future[Any]) -> Outcome:
    error = future.exception()
    return Outcome(error=error) if error is not None else Outcome(value=future.result())
