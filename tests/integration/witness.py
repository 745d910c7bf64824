"""Runs the command line under an audit hook that writes down what the product promises never to do.

Called as: python -B -m tests.integration.witness NOTES FOLDER… -- ARGUMENTS: what is seen goes to the file
NOTES, the folders may be written, the rest is the command line.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType
from typing import Any

NEVER = ("pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "os.startfile", "ftplib.", "urllib.Request")
SOCKETS = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethost")
CODE = ("marshal.loads", "exec", "compile")
CHANGES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.link", "os.symlink", "os.truncate",
           "shutil.rmtree", "shutil.move", "shutil.copyfile")  # fmt: skip
# Classes and annotations of the product's own source are made by these modules of the standard library.
CLASS_MAKERS = tuple(str(Path(os.__file__).with_name(name)) for name in ("typing.py", "dataclasses.py"))
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def is_own_source() -> bool:
    """Whether code comes from a module that is being imported, or from the annotations of one."""
    return sys._getframe(2).f_code.co_filename in CLASS_MAKERS or while_importing()


def while_importing() -> bool:
    """Whether a module is being imported somewhere up the stack."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def place() -> str:
    """The innermost places outside this file."""
    frame: FrameType | None = sys._getframe(2)
    found = []
    while frame is not None and len(found) < 4:
        found.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(found)


def witness(notes: Path, folders: list[Path]) -> None:
    """Install the hook; it only notes, so that one run shows everything."""
    descriptor = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    busy = False

    def note(event: str, what: str) -> None:
        os.write(descriptor, f"{event} {what} at {place()}\n".encode())

    def allowed(path: Any) -> bool:
        if isinstance(path, int):
            return True  # a descriptor: it was opened before, and judged then
        where = Path(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100 - resolving would raise events of its own
        return where == Path(os.devnull) or any(where.is_relative_to(folder) for folder in folders)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal busy
        if busy:
            return
        busy = True
        try:
            # urllib3, which a library brings along, binds a socket to ::1 at its import to see whether IPv6 is known
            is_ipv6_look = event == "socket.bind" and while_importing()
            if event.startswith((*NEVER, *SOCKETS)) and not is_ipv6_look:
                note(event, "")
            elif event in CODE and not is_own_source():
                note(event, str(arguments[-1])[:60] if event == "compile" else "")
            elif event == "open" and is_writing(arguments) and not allowed(arguments[0]):
                note(event, os.fsdecode(arguments[0]))
            elif event in CHANGES and not all(allowed(each) for each in arguments if isinstance(each, (str, bytes))):
                note(event, repr(arguments))
        finally:
            busy = False

    sys.addaudithook(hook)


def is_writing(arguments: tuple[Any, ...]) -> bool:
    _, mode, flags = arguments
    if isinstance(mode, str):
        return bool(set(mode) & set("wax+"))
    return bool(flags & WRITING)


def run() -> int:
    split = sys.argv.index("--")
    notes, *folders = (Path(each) for each in sys.argv[1:split])
    from app.command_line import main

    witness(notes, folders)
    return main(sys.argv[split + 1 :])


if __name__ == "__main__":
    sys.exit(run())
