"""What a worker process gives up: network, children, files outside its folder, core dumps, memory without end.

The hook is a fence against what Python code and the libraries do by mistake or on a file's word; it does not hold
machine code that has taken the process over. The network namespace does, where the kernel allows one.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

resource: Any
try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None

GIB = 1 << 30
MAX_WRITTEN_BYTES = 8 * GIB
MAX_OPEN_FILES = 256
NICENESS = 5
"""A worker gives way to the window: a cine goes on smoothly while a study is read."""
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile",
              "pickle.find_class", "pty.", "ftplib.", "smtplib.", "urllib.", "webbrowser.")  # fmt: skip
_CHANGING = {"os.remove": 1, "os.rename": 2, "os.link": 2, "os.symlink": 2, "os.mkdir": 1, "os.rmdir": 1,
             "os.chmod": 1, "os.chown": 1, "os.truncate": 1, "os.utime": 1}  # fmt: skip


def confine(parent_pid: int) -> list[str]:
    """Set the limits of this process and cut its network; call it before the first thread.

    Returns
    -------
    list of str
        What this system does not allow to give up: "network", "limits", "parent".
    """
    if hasattr(os, "nice"):  # not on Windows
        os.nice(NICENESS)
    missing = [] if _set_limits() else ["limits"]
    if not _end_with_parent(parent_pid):
        missing.append("parent")
    if not _cut_network():
        missing.append("network")
    return missing


def _set_limits() -> bool:
    if resource is None:
        return False
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, MAX_WRITTEN_BYTES),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
    ):
        hard = resource.getrlimit(kind)[1]
        limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (limit, limit))
    return True


def _system() -> Any:
    """The C library where it has Linux's calls, else None."""
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _end_with_parent(parent_pid: int) -> bool:
    """Die with the engine, also when it is killed; and leave no image of the memory anywhere."""
    system = _system()
    if system is None:
        return False
    system.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    system.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if os.getppid() != parent_pid:  # it died before we asked
        os._exit(0)
    return True


def _cut_network() -> bool:
    """Enter a network namespace without any interface, if need be in a user namespace of our own."""
    system = _system()
    if system is None:
        return False
    if os.geteuid() == 0 and system.unshare(_CLONE_NEWNET) == 0:
        return True
    return os.geteuid() != 0 and system.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0


class Fence:
    """An audit hook: refuses sockets, children, unpickling, and writing outside of one folder.

    Python's own compiled modules are the exception: they are written beside their sources.
    """

    def __init__(self, folder: Path) -> None:
        self._inside = f"{folder.resolve()}{os.sep}"

    def install(self) -> None:
        sys.addaudithook(self.judge)

    def judge(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Refuse what a worker may not do, by PermissionError."""
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING:
                self._require_inside(path)
        elif event in _CHANGING:
            for path in arguments[: _CHANGING[event]]:
                self._require_inside(path)
        elif event.startswith(_FORBIDDEN):
            raise PermissionError("a worker process may not do this")

    def _require_inside(self, path: Any) -> None:
        if isinstance(path, int) or path is None:  # a descriptor that is open already
            return
        name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - Path would read the disk
        if name.startswith(self._inside) or name == os.devnull:
            return
        if f"{os.sep}__pycache__" in name and (name.endswith("__pycache__") or ".pyc" in name):
            return
        raise PermissionError("a worker process may not write there")


@contextlib.contextmanager
def memory_limit(more_bytes: int | None) -> Iterator[None]:
    """Let the process grow by this much address space only; what asks for more gets MemoryError."""
    if resource is None or more_bytes is None or sys.platform != "linux":
        yield
        return
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    wanted = pages * resource.getpagesize() + more_bytes
    soft = wanted if before[1] == resource.RLIM_INFINITY else min(wanted, before[1])
    resource.setrlimit(resource.RLIMIT_AS, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
