"""What somebody wants to see of a file outside a run: asked of a worker, and no matter for store or journal.

A window asks so for the listing of a DICOMDIR and for stretches of a long ECG.
"""

from __future__ import annotations

from typing import Any

from pipeline.cancellation import CancelToken, DeadlineToken, no_progress
from pipeline.errors import InputError, WorkerCrashError
from pipeline.executor import StageExecutor, ThreadExecutor
from pipeline.retry import Attempt
from pipeline.stage_calls import StageCall
from pipeline.stages.preprocessing import ENDED_ITS_READER

DEADLINE_S = 20.0
ATTEMPTS = 2


def look(name: str, arguments: Any, executor: StageExecutor | None, cancel: CancelToken | None = None) -> Any:
    """The answer of a stage call; without an executor it is made in this thread.

    Raises
    ------
    InputError
        E_INPUT_CRASHED_READER: reading the file ended two workers.
    StageTimeoutError, RunCancelledError
        It took longer than 20 s, or was cancelled; the worker was ended.
    PipelineError
        What the call itself raises, and WorkerError where no worker can be had.
    """
    call = StageCall(name=name, arguments=arguments)
    asked = executor or ThreadExecutor()
    for _ in range(ATTEMPTS):
        try:
            return asked.call(call, Attempt(), no_progress, DeadlineToken(cancel or CancelToken(), DEADLINE_S))
        except WorkerCrashError as crash:
            if crash.file is None:
                raise
    raise InputError(ENDED_ITS_READER, code="E_INPUT_CRASHED_READER")
