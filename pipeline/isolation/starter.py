"""Starts worker processes, all from one thread: on Linux a worker ends with the thread that started it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from pipeline.errors import WorkerError
from pipeline.isolation.worker_process import WorkerProcess
from pipeline.isolation.workspace import make_folder, remove_folder, sweep


class WorkerStarter:
    """Makes a folder and a process in it; `on_end` is told of each that has ended, `on_warm` of each that is warm."""

    def __init__(
        self,
        data_folder: Path | None,
        on_end: Callable[[WorkerProcess], None],
        on_warm: Callable[[WorkerProcess], None],
    ) -> None:
        self._data_folder, self._on_end, self._on_warm = data_folder, on_end, on_warm
        self._wanted: queue.SimpleQueue[Future[WorkerProcess] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="starts workers", daemon=True)
        self._thread.start()

    def start(self) -> WorkerProcess:
        """A new process, not ready yet; raises WorkerError E_WORKER_START."""
        future: Future[WorkerProcess] = Future()
        self._wanted.put(future)
        return future.result()

    def close(self) -> None:
        """End the thread, and with it what it has started."""
        self._wanted.put(None)
        self._thread.join()

    def _work(self) -> None:
        sweep(self._data_folder)
        while (future := self._wanted.get()) is not None:
            try:
                future.set_result(self._start())
            except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it
                future.set_exception(error)

    def _start(self) -> WorkerProcess:
        folder = make_folder(self._data_folder)
        try:
            return WorkerProcess(folder, on_end=self._on_end, on_warm=self._on_warm)
        except OSError:
            remove_folder(folder)
            raise WorkerError("A worker process could not be started.", code="E_WORKER_START") from None
