"""Stage calls in worker processes; what needs no parser, or gets past no gate, is settled here without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.cancellation import CancelToken, Progress
from pipeline.executor import ThreadExecutor
from pipeline.isolation.supervisor import Supervisor
from pipeline.retry import Attempt
from pipeline.stage_calls import CALLS, StageCall
from pipeline.stages.validation import refuse_at_the_gates


class IsolatedExecutor(ThreadExecutor):
    """Branches side by side, each call in the worker of its lane."""

    def __init__(self, data_folder: Path | None = None, *, keeps_spare: bool = False) -> None:
        super().__init__()
        self.supervisor = Supervisor(data_folder, keeps_spare=keeps_spare)

    def call(self, call: StageCall, attempt: Attempt, progress: Progress, cancel: CancelToken) -> Any:
        row = CALLS[call.name]
        files = row.files(call.arguments)
        if row.parses:
            refuse_at_the_gates(row.branch, files, call.arguments.limits, validating=call.name.startswith("validate"))
            if not files:  # facts that were handed over as such, and those of headers: nothing to parse
                return super().call(call, attempt, progress, cancel)
        if row.precedes_model:
            self.supervisor.expect_model()
        return self.supervisor.call(call, attempt, progress, cancel)

    def rest(self) -> None:
        """A run has ended."""
        self.supervisor.rest()

    def close(self) -> None:
        """End every worker."""
        self.supervisor.close()
