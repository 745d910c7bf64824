"""The engine's end of one worker process: started, spoken to, watched, ended."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, cast

import psutil

from pipeline.isolation import protocol
from pipeline.isolation.protocol import Answer, Order, ProtocolError, Ready, Warmed
from pipeline.isolation.workspace import remove_folder

ROOT = Path(__file__).resolve().parents[2]
KEPT_VARIABLES = ("LANG", "LC_ALL", "LC_CTYPE", "TZ", "PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "OMP_NUM_THREADS",
                  "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "MKL_NUM_THREADS", "PYTHONUTF8")  # fmt: skip
"""The part of our environment that a worker is given."""
_END_S = 5.0


def worker_command(folder: Path) -> list[str]:
    """How a worker is started: by the frozen application itself, or as a module of this Python."""
    if getattr(sys, "frozen", False):
        start = [sys.executable, protocol.WORKER_ARGUMENT]
    else:
        start = [sys.executable, "-P", "-s", "-m", "pipeline.isolation.worker"]
    return [*start, str(folder), str(os.getpid())]


def worker_environment(folder: Path, ours: Mapping[str, str]) -> dict[str, str]:
    """The stripped environment: a few variables of ours, and the private folder as home."""
    kept = {name: ours[name] for name in KEPT_VARIABLES if name in ours}
    private = {name: str(folder) for name in ("HOME", "TMPDIR", "TEMP", "TMP", "MPLCONFIGDIR")}
    return kept | private | {"PYTHONPATH": str(ROOT)}


class WorkerProcess:
    """One process; `answers` yields its frames, and None once it has ended or said something wrong."""

    def __init__(
        self,
        folder: Path,
        *,
        command: Sequence[str] | None = None,
        on_end: Callable[[WorkerProcess], None],
        on_warm: Callable[[WorkerProcess], None],
    ) -> None:
        """Start it. To be called from a thread that lives as long as the worker shall: it ends with that thread."""
        self.folder = folder
        self.answers: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        self.is_broken = False
        self.without: tuple[str, ...] = ()
        self._on_end, self._on_warm = on_end, on_warm
        self.was_ready = False
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._popen = subprocess.Popen(  # noqa: S603 - our own module, no shell
            list(command or worker_command(folder)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=worker_environment(folder, os.environ),
            cwd=folder,
            close_fds=True,
        )
        threading.Thread(target=self._listen, name=f"worker {self.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def is_alive(self) -> bool:
        return not self._ended.is_set() and self._popen.poll() is None

    @property
    def signal_name(self) -> str:
        """What ended the process: "SIGSEGV", or "exit 1"."""
        code = self._popen.poll()
        if code is None:
            return "broken protocol"
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
        return f"exit {code}"

    def wait_ready(self, seconds: float) -> bool:
        """Wait until it takes calls; False when it does not within the time, or has ended."""
        return self._ready.wait(seconds) and self.is_ready

    @property
    def is_ready(self) -> bool:
        return self.was_ready and self.is_alive

    def order(self, frame: Order) -> None:
        """Send an order; that the process has gone is seen by its answers."""
        with contextlib.suppress(OSError, ValueError):
            protocol.send(cast("IO[bytes]", self._popen.stdin), frame)  # type: ignore[arg-type]

    def resident_bytes(self) -> int:
        """Memory of the process now; 0 once it has gone."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def kill(self) -> None:
        """End the process at once and clear up after it; may be called twice."""
        self._popen.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(_END_S)
        self._clear_up()

    def _clear_up(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            cast("IO[bytes]", self._popen.stdin).close()
        remove_folder(self.folder)

    def _listen(self) -> None:
        stream = cast("IO[bytes]", self._popen.stdout)
        with stream:
            try:
                while (answer := protocol.next_answer(stream)) is not None:  # type: ignore[arg-type]
                    if isinstance(answer, Ready):
                        self._greet(answer)
                    elif isinstance(answer, Warmed):
                        self._on_warm(self)
                    else:
                        self.answers.put(answer)
            except (ProtocolError, OSError, ValueError):
                self.is_broken = True
        self._popen.kill()  # a process that has closed its pipe, or lied, is of no use
        self._popen.wait()
        self._clear_up()
        self._ended.set()
        self._ready.set()
        self.answers.put(None)
        self._on_end(self)

    def _greet(self, ready: Ready) -> None:
        if ready.version != protocol.VERSION:
            raise ProtocolError("another version")
        self.without, self.was_ready = tuple(ready.without), True
        self._ready.set()
