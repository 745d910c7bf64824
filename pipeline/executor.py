"""Where stage functions run: the branches of a state side by side, in threads of this process.

A worker process can take this place: the orchestrator only needs `run_side_by_side`.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

PUMP_INTERVAL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a task ended: its value, or what it raised."""

    value: Any = None
    error: BaseException | None = None


class StageExecutor(Protocol):
    """Runs the tasks of one state to their end."""

    def run_side_by_side(self, tasks: Mapping[str, Callable[[], Any]], pump: Callable[[], None]) -> dict[str, Outcome]:
        """The barrier: returns when every task has ended; calls `pump` in the caller's thread meanwhile."""


class ThreadExecutor:
    """One thread a branch; numpy, scipy and torch release the interpreter lock in their loops."""

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


def _outcome(future: concurrent.futures.Future[Any]) -> Outcome:
    error = future.exception()
    return Outcome(error=error) if error is not None else Outcome(value=future.result())
