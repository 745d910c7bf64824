"""Keeps the worker processes: one for each lane of calls, and two warm spares.

The workers are children of this process; `Supervisor.pids` lists those that live.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Literal

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
Spare = Literal["reader", "model"]
SPARE_MODULES: dict[Spare, tuple[str, ...]] = {
    "reader": (
        "pipeline.stage_calls",
        "pydicom",
        "pipeline.echo.readers",
        "pipeline.echo.preprocessing",
        "PIL.JpegImagePlugin",
        "scipy.ndimage",  # the sector of the first frame is found with it
    ),
    "model": (*MODEL_MODULES, "pydicom", "scipy.signal", "neurokit2"),
}
"""What a spare imports while it waits. The reader has done so within a second, so that a clip's first frame is there at
once; only then does the other one begin with the large libraries."""
SPARE_OF: dict[Lane, Spare] = {"echo": "reader", "model": "model"}
"""The spare that becomes the worker of a lane."""
LOOK_MODULES = (*SPARE_MODULES["reader"], "scipy.signal", "pipeline.review.ecg_window")
"""What the worker for a window's own questions imports once it is wanted."""


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
        Keep two workers warm between runs, one with the readers of clips, one with every slow library; one that dies
        is replaced at once.
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
            "look": threading.Lock(),
        }
        self._spares: dict[Spare, WorkerProcess] = {}
        self._guard = threading.RLock()
        self._is_closed = False
        self._starter = WorkerStarter(data_folder, self._lost, self._warmed)
        self._keep_spares()

    @property
    def pids(self) -> tuple[int, ...]:
        """Ids of the workers that live now; those of the spares are the last."""
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
                self._want_spare("model", MODEL_MODULES)

    def rest(self) -> None:
        """A run has ended: end its workers, but keep the one that has the network as the spare.

        The one that reads what a window shows beside runs is kept as well.
        """
        with self._guard:
            ended = dict(self._lanes)
            self._lanes.clear()
            if self._keeps_spare and "look" in ended:
                self._lanes["look"] = ended.pop("look")
            loaded = ended.get("model")
            if self._keeps_spare and "model" not in self._spares and loaded is not None and loaded.is_alive:
                self._spares["model"] = ended.pop("model")
            self._keep_spares()
        for worker in ended.values():
            worker.kill()

    def close(self) -> None:
        """End every worker and remove their folders."""
        with self._guard:
            self._is_closed = True
            ended = self._all()
            self._lanes.clear()
            self._spares.clear()
        self._starter.close()
        for worker in ended:
            worker.kill()

    def _all(self) -> list[WorkerProcess]:
        with self._guard:
            return [*self._lanes.values(), *self._spares.values()]

    def _worker_of(self, lane: Lane) -> WorkerProcess:
        """The lane's worker; a spare where the lane has one of its own, any where it has lost its worker."""
        with self._guard:
            worker = self._lanes.get(lane)
            if worker is not None and worker.is_alive:
                return worker
            spare = self._taken_spare(lane, has_lost=worker is not None)
            self._lanes[lane] = spare or self._starter.start()
            if lane == "look":
                self._lanes[lane].order(Warm(modules=list(LOOK_MODULES)))
            return self._lanes[lane]

    def _taken_spare(self, lane: Lane, *, has_lost: bool) -> WorkerProcess | None:
        own = SPARE_OF.get(lane)
        for kind in ("reader", "model") if has_lost else (own,):
            spare = None if kind is None else self._spares.get(kind)
            if kind is not None and spare is not None and spare.is_alive:
                del self._spares[kind]
                if kind != own:
                    self._keep_spares()
                return spare
        return None

    def _keep_spares(self) -> None:
        """Have both spares, where they are kept: first the reader, and the other one when that is warm."""
        if self._keeps_spare:
            self._want_spare("reader", SPARE_MODULES["reader"])

    def _want_spare(self, kind: Spare, modules: tuple[str, ...]) -> None:
        with self._guard:
            known = self._spares.get(kind)
            if self._is_closed or (known is not None and known.is_alive):
                return
            self._spares[kind] = self._starter.start()
            self._spares[kind].order(Warm(modules=list(modules)))

    def _warmed(self, worker: WorkerProcess) -> None:
        """A spare has imported everything: now the next one may."""
        with self._guard:
            if self._keeps_spare and worker is self._spares.get("reader"):
                self._want_spare("model", SPARE_MODULES["model"])

    def _lost(self, worker: WorkerProcess) -> None:
        """A process has ended: a spare is replaced at once, unless it never came to life."""
        with self._guard:
            kind = next((kind for kind, spare in self._spares.items() if spare is worker), None)
            if kind is None or self._is_closed:
                return
            del self._spares[kind]
            if self._keeps_spare and worker.was_ready:
                self._want_spare(kind, SPARE_MODULES[kind])
