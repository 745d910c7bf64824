"""One call with one worker: arguments out, progress and parts in, result back, under cancel, deadline and size."""

from __future__ import annotations

import itertools
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pipeline.cancellation import CancelToken, Progress
from pipeline.errors import WorkerCrashError, WorkerError
from pipeline.isolation.failures import as_error
from pipeline.isolation.payload import read_bytes, read_record, write_bytes, write_record
from pipeline.isolation.protocol import Advance, Answer, Call, Failure, Part, ProtocolError, Result
from pipeline.isolation.worker_process import WorkerProcess
from pipeline.partial_results import PartialResults
from pipeline.retry import Attempt
from pipeline.stage_calls import CALLS, StageCall

T = TypeVar("T")

START_S = 30.0
"""A worker that takes no calls after this time counts as not started."""
LOOK_S = 0.03
"""How long an answer is waited for before cancel and deadline are looked at again."""
SIZE_INTERVAL_S = 0.1
PULSE_S = 0.4
"""A call without news is reported as going on at this interval."""
_NUMBERS = itertools.count(1)


class StageFailedError(Exception):
    """The stage itself failed, in order: the worker is sound."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Whom a call reports to and who may end it."""

    progress: Progress
    cancel: CancelToken
    resident_limit: int  # bytes


class Conversation:
    """A call in the hands of a worker. Whatever is raised except StageFailedError leaves the worker useless."""

    def __init__(self, worker: WorkerProcess, call: StageCall, watch: Watch) -> None:
        self._worker, self._call, self._watch = worker, call, watch
        self._row = CALLS[call.name]
        self._number = next(_NUMBERS)
        self._fraction, self._text = 0.0, "started"
        self._told_s = self._measured_s = time.monotonic()

    def run(self, attempt: Attempt) -> Any:
        """The call's result.

        Raises
        ------
        StageFailedError
            Holds what the stage raised.
        RunCancelledError, StageTimeoutError
            Of the watch's token.
        MemoryError
            The worker has outgrown its limit.
        WorkerCrashError, WorkerError
            The worker died or lied; or it could not be started, or its folder not be written.
        """
        self._wait_until_ready()
        self._send(attempt)
        while True:
            answer = self._next_answer()
            if isinstance(answer, Result):
                return self._result(answer)
            self._note(answer)

    def _wait_until_ready(self) -> None:
        started_s = time.monotonic()
        while not self._worker.wait_ready(LOOK_S):
            if not self._worker.is_alive:
                how = self._worker.signal_name
                raise WorkerCrashError(f"The worker process ended ({how}) at its start.", code="E_WORKER_START")
            if time.monotonic() - started_s > START_S:
                raise WorkerError("A worker process could not be started.", code="E_WORKER_START")
            self._look()

    def _send(self, attempt: Attempt) -> None:
        folder, number = self._worker.folder, self._number
        parts = self._call.parts.payloads if isinstance(self._call.parts, PartialResults) else {}
        names = {each: f"known-{number}{each:07d}" for each in parts}
        try:
            write_record(folder / f"arguments-{number}", self._call.arguments)
            for each, name in names.items():
                write_bytes(folder / name, parts[each])
        except OSError:
            raise WorkerError("The folder of a worker cannot be written.", code="E_WORKER_FOLDER") from None
        order = Call(
            number=number,
            name=self._call.name,
            arguments=f"arguments-{number}",
            parts=names,
            batch_divisor=attempt.batch_divisor,
            reload_model=attempt.reload_model,
        )
        self._worker.order(order)

    def _next_answer(self) -> Answer:
        while True:
            try:
                answer = self._worker.answers.get(timeout=LOOK_S)
            except queue.Empty:
                self._look()
                continue
            if answer is None or getattr(answer, "number", self._number) != self._number:
                raise self._crash()
            return answer

    def _look(self) -> None:
        """Cancel and deadline; now and then the worker's size, and a sign of life to whoever watches."""
        self._watch.cancel.check()
        now = time.monotonic()
        if now - self._measured_s >= SIZE_INTERVAL_S:
            self._measured_s = now
            if self._worker.resident_bytes() > self._watch.resident_limit:
                raise MemoryError
        if now - self._told_s >= PULSE_S:
            self._tell(self._fraction, self._text)

    def _tell(self, fraction: float, text: str) -> None:
        self._fraction, self._text, self._told_s = fraction, text, time.monotonic()
        self._watch.progress(fraction, text)

    def _note(self, answer: Answer) -> None:
        if isinstance(answer, Advance):
            self._watch.cancel.check()
            self._tell(answer.fraction, answer.text)
        elif isinstance(answer, Part):
            self._keep(answer)
        elif isinstance(answer, Failure):
            raise StageFailedError(self._failure(answer))
        else:
            raise self._crash()

    def _keep(self, part: Part) -> None:
        data = self._trusting(lambda: read_bytes(self._worker.folder / part.file))
        if isinstance(self._call.parts, PartialResults):
            self._call.parts.keep_payload(part.part, data)

    def _result(self, answer: Result) -> Any:
        return self._trusting(lambda: read_record(self._worker.folder / answer.file, self._row.result))

    def _failure(self, answer: Failure) -> BaseException:
        return self._trusting(lambda: as_error(answer))

    def _trusting(self, act: Callable[[], T]) -> T:
        """Take something from the worker's folder or frames; what is not in order counts as a crash."""
        try:
            return act()
        except ProtocolError:
            raise self._crash() from None

    def _crash(self) -> WorkerCrashError:
        how = self._worker.signal_name
        return WorkerCrashError(f"The worker process ended ({how}) in {self._call.name}.", file=self._file())

    def _file(self) -> Path | None:
        """The untrusted file that is being read: stages tell their progress file by file."""
        files = self._row.files(self._call.arguments)
        position = int(self._fraction * len(files) + 1e-6)
        return files[min(position, len(files) - 1)] if files else None
