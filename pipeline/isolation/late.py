"""An executor that is made when it is first needed: what it imports would hold up the first window."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.cancellation import CancelToken, Progress
    from pipeline.executor import Outcome, StageExecutor
    from pipeline.retry import Attempt
    from pipeline.stage_calls import StageCall


class LateExecutor:
    """`pipeline.executor.StageExecutor` around one that `make` gives; safe in every thread."""

    def __init__(self, make: Callable[[], StageExecutor]) -> None:
        self._make = make
        self._made: StageExecutor | None = None
        self._guard = threading.Lock()
        self._is_closed = False

    def get_ready(self) -> None:
        """Make it now, so that nobody has to wait for it later."""
        with self._guard:
            if self._made is None and not self._is_closed:
                self._made = self._make()

    def _own(self) -> StageExecutor:
        with self._guard:
            if self._made is None:
                self._made = self._make()
            return self._made

    def run_side_by_side(self, tasks: Mapping[str, Callable[[], Any]], pump: Callable[[], None]) -> dict[str, Outcome]:
        """See `StageExecutor`."""
        return self._own().run_side_by_side(tasks, pump)

    def call(self, call: StageCall, attempt: Attempt, progress: Progress, cancel: CancelToken) -> Any:
        """See `StageExecutor`."""
        return self._own().call(call, attempt, progress, cancel)

    def rest(self) -> None:
        """A run has ended."""
        if self._made is not None:
            self._made.rest()

    def renew(self) -> None:
        """End what was made; the next need makes another one."""
        with self._guard:
            made, self._made = self._made, None
        if made is not None:
            made.close()

    def close(self) -> None:
        """Nothing more will be asked; one that was never made is not made for this."""
        with self._guard:
            self._is_closed = True
            made = self._made
        if made is not None:
            made.close()
