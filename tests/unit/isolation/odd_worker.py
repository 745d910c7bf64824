"""A worker whose stages misbehave: python odd_worker.py BEHAVIOUR FOLDER PARENT_PID.

BEHAVIOUR is `stage=word`; what a word means stands in ODD. The worker around the stages is the real one.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline import stage_calls
from pipeline.errors import DetectionError, ModelError, TransientReadError
from pipeline.isolation import worker
from pipeline.stages.preprocessing import prepare_echo


def hang(*_: Any, **__: Any) -> None:
    while True:
        time.sleep(1)


def spin(*_: Any, **__: Any) -> None:
    while True:
        pass


def grow(*_: Any, **__: Any) -> None:
    kept = []
    while True:
        kept.append(b"x" * (1 << 24))
        time.sleep(0.01)


def hold_much(*_: Any, **__: Any) -> None:
    """Ask for more than a parser gets; where nothing limits it, be seen to have it."""
    kept = bytearray(8 << 30)
    kept[:: 1 << 12] = b"x" * len(kept[:: 1 << 12])
    time.sleep(10)


def print_much(*_: Any, **__: Any) -> None:
    os.write(1, b"noise of a library" * 1000)
    sys.stdout.write("noise\n" * 1000)
    sys.stdout.flush()
    raise ValueError("CANARY^PATIENT")


def report_itself(*_: Any, **__: Any) -> None:
    """Fail with a text that tells what this process may do."""
    from pipeline.errors import InputError

    tries: dict[str, Callable[[], Any]] = {
        "socket": lambda: __import__("socket").socket(),
        "child": lambda: __import__("subprocess").run(["true"]),
        "system": lambda: os.system("true"),
        "write outside": lambda: Path("/tmp/chordae-outside").write_text("x"),
        "remove outside": lambda: Path("/tmp/chordae-outside").unlink(),
        "write inside": lambda: (Path.cwd() / "mine").write_text("x"),
        "unpickle": lambda: __import__("pickle").loads(b"cos\nsystem\n."),
    }
    said = {}
    for name, attempt in tries.items():
        try:
            attempt()
            said[name] = "done"
        except Exception as error:  # noqa: BLE001 - the kind is what the test asks for
            said[name] = type(error).__name__
    said["environment"] = " ".join(sorted(os.environ))
    said["arguments"] = oct(Path.cwd().stat().st_mode)
    raise InputError("told", code="E_INPUT_CORRUPT", details=said)


def end_by(number: int) -> Callable[..., None]:
    def end(*_: Any, **__: Any) -> None:
        signal.signal(number, signal.SIG_DFL) if number != signal.SIGKILL else None
        os.kill(os.getpid(), number)
        time.sleep(10)

    return end


def lose_the_drive(*_: Any, **__: Any) -> None:
    raise TransientReadError("The drive that holds a file did not answer.")


class NeedsReload:
    """A network that can only be loaded by the attempt that is told to."""

    def segmenter(self, *, reload: bool = False) -> None:
        if not reload:
            raise ModelError("The weights of the chamber model cannot be read.")
        raise DetectionError("The network was loaded again.")


def crash_at_second_clip(*given: Any, **more: Any) -> Any:
    """Read clips as ever, but die at the one at position 1."""
    from pipeline.echo import readers

    real = readers.read_echo

    def read(path: Path, *rest: Any, **options: Any) -> Any:
        if path == given[0][1]:
            end_by(signal.SIGSEGV)()
        return real(path, *rest, **options)

    readers.read_echo = read
    return prepare_echo(*given, **more)


def lie(*_: Any, **__: Any) -> Any:
    return ("not", "a", "record")


ODD: dict[str, Callable[..., Any]] = {
    "hang": hang,
    "spin": spin,
    "grow": grow,
    "hold_much": hold_much,
    "print_much": print_much,
    "report_itself": report_itself,
    "lie": lie,
    "lose_the_drive": lose_the_drive,
    "NeedsReload": NeedsReload,
    "crash_at_second_clip": crash_at_second_clip,
    "SIGSEGV": end_by(signal.SIGSEGV),
    "SIGABRT": end_by(signal.SIGABRT),
    "SIGKILL": end_by(signal.SIGKILL),
}


if __name__ == "__main__":
    stage, _, word = sys.argv[1].partition("=")
    if stage == "start":
        sys.exit(3)
    if stage == "garbage":
        os.write(1, b"\xff\xff\xff\xff this is no frame")
        time.sleep(10)
    if stage in stage_calls.CALLS and stage_calls.CALLS[stage].lane == "look":  # called by its row alone
        stage_calls.CALLS[stage] = replace(stage_calls.CALLS[stage], work=ODD[word])
    else:
        setattr(stage_calls, stage, ODD[word])
    sys.exit(worker.main(sys.argv[2:]))
