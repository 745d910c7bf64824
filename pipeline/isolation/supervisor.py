"""Keeps the worker processes: one for each lane of calls, and one warm spare.

The workers are children of this process; `Supervisor.pids` lists those that live.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import psutil

from pipeline.cancellation import CancelToken, Progress
from pipeline.errors import WorkerError
from pipeline.isolation.conversation import START_S, Conversation, StageFailedError, Watch
from pipeline.isolation.protocol import Warm
from pipeline.isolation.starter import WorkerStarter
from pipeline.isolation.worker_process import WorkerProcess
from pipeline.retry import Attempt
from pipeline.stage_calls import CALLS, Lane, StageCall

GIB = 1 << 30
MODEL_MODULES = ("torch", "cv2", "scipy.ndimage", "pipeline.echo.inference", "pipeline.echo.detection")
READING_MODULES = (
    "pipeline.stage_calls",
    "pipeline.echo.readers",
    "pipeline.echo.preprocessing",
    "PIL.JpegImagePlugin",
)
SPARE_MODULES = (*MODEL_MODULES, "pydicom", *READING_MODULES, "scipy.signal", "neurokit2")
"""What the spare imports while it waits; with the readers, so that a clip's first frame is there at once."""


def default_resident_limit() -> int:
    """Bytes of resident size at which a worker is ended: three quarters of the machine, at most 6 GiB."""
    return int(min(6 * GIB, psutil.virtual_memory().total * 3 // 4))


class Supervisor:
    """Runs stage calls in worker processes.

    Parameters
    ----------
    data_folder : Path or None
        Where the private folders are made; None takes the system's own place for temporary files.
    keeps_spare : bool
        Keep one worker warm between runs, every slow library imported; one that dies is replaced at once.
    resident_limit : int or None
        Bytes at which a worker is ended and MemoryError raised; by default what fits the machine.
    """

    def __init__(
        self, data_folder: Path | None = None, *, keeps_spare: bool = False, resident_limit: int | None = None
    ) -> None:
        self.resident_limit = resident_limit or default_resident_limit()
        self._keeps_spare = keeps_spare
        self._lanes: dict[Lane, WorkerProcess] = {}
        self._locks: dict[Lane, threading.Lock] = {
            "echo": threading.Lock(),
            "ecg": threading.Lock(),
            "model": threading.Lock(),
        }
        self._spare: WorkerProcess | None = None
        self._guard = threading.RLock()
        self._is_closed = False
        self._starter = WorkerStarter(data_folder, self._lost)
        if keeps_spare:
            self._want_spare(SPARE_MODULES)

    @property
    def pids(self) -> tuple[int, ...]:
        """Ids of the workers that live now; that of the spare is the last."""
        return tuple(worker.pid for worker in self._all() if worker.is_alive)

    def pid_of(self, lane: Lane) -> int | None:
        """Id of the worker that does the calls of a lane now."""
        with self._guard:
            worker = self._lanes.get(lane)
        return worker.pid if worker is not None and worker.is_alive else None

    @property
    def ready_pids(self) -> tuple[int, ...]:
        """Those of `pids` that take calls."""
        return tuple(worker.pid for worker in self._all() if worker.is_ready)

    def call(self, call: StageCall, attempt: Attempt, progress: Progress, cancel: CancelToken) -> Any:
        """Do a call in the worker of its lane and return its result.

        Raises
        ------
        PipelineError
            What the stage raised; RunCancelledError or StageTimeoutError of `cancel`, after the worker was ended.
        MemoryError
            The worker met a limit of memory, and was ended.
        WorkerCrashError, WorkerError
            The worker died or broke the protocol; or there is none to be had.
        """
        lane = CALLS[call.name].lane
        with self._locks[lane]:
            cancel.check()
            worker = self._worker_of(lane)
            watch = Watch(progress=progress, cancel=cancel, resident_limit=self.resident_limit)
            try:
                return Conversation(worker, call, watch).run(attempt)
            except StageFailedError as failed:
                if isinstance(failed.error, MemoryError):
                    worker.kill()  # what it still holds would be missing in the next attempt
                raise failed.error from None
            except BaseException:
                worker.kill()
                raise

    def try_out(self) -> tuple[str, ...]:
        """Start a worker and name what this system does not let it give up; raises WorkerError when none starts."""
        worker = self._worker_of("ecg")
        if not worker.wait_ready(START_S):
            raise WorkerError("A worker process could not be started.", code="E_WORKER_START")
        return worker.without

    def expect_model(self) -> None:
        """The chamber network will be wanted soon: let a worker import what it needs meanwhile."""
        with self._guard:
            if "model" not in self._lanes:
                self._want_spare(MODEL_MODULES)

    def rest(self) -> None:
        """A run has ended: end its workers, but keep the one that has the network as the spare."""
        with self._guard:
            ended = dict(self._lanes)
            self._lanes.clear()
            loaded = ended.get("model")
            if self._keeps_spare and self._spare is None and loaded is not None and loaded.is_alive:
                self._spare = ended.pop("model")
            if self._keeps_spare:
                self._want_spare(SPARE_MODULES)
        for worker in ended.values():
            worker.kill()

    def close(self) -> None:
        """End every worker and remove their folders."""
        with self._guard:
            self._is_closed = True
            ended = self._all()
            self._lanes.clear()
            self._spare = None
        self._starter.close()
        for worker in ended:
            worker.kill()

    def _all(self) -> list[WorkerProcess]:
        with self._guard:
            return [*self._lanes.values(), *([self._spare] if self._spare else [])]

    def _worker_of(self, lane: Lane) -> WorkerProcess:
        """The lane's worker; the spare where the lane has none and needs the network, or has lost its own."""
        with self._guard:
            worker = self._lanes.get(lane)
            if worker is not None and worker.is_alive:
                return worker
            takes_spare = lane == "model" or worker is not None
            if takes_spare and self._spare is not None and self._spare.is_alive:
                self._lanes[lane], self._spare = self._spare, None
                if lane != "model" and self._keeps_spare:
                    self._want_spare(SPARE_MODULES)
            else:
                self._lanes[lane] = self._starter.start()
            return self._lanes[lane]

    def _want_spare(self, modules: tuple[str, ...]) -> None:
        with self._guard:
            if self._is_closed or (self._spare is not None and self._spare.is_alive):
                return
            self._spare = self._starter.start()
            self._spare.order(Warm(modules=list(modules)))

    def _lost(self, worker: WorkerProcess) -> None:
        """A process has ended: the spare is replaced at once, unless it never came to life."""
        with self._guard:
            if worker is self._spare and not self._is_closed:
                self._spare = None
                if self._keeps_spare and worker.was_ready:
                    self._want_spare(SPARE_MODULES)
