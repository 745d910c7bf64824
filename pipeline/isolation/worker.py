"""The worker process: reads orders, calls stage functions, answers. Started by `process.WorkerProcess` only.

python -P -s -m pipeline.isolation.worker FOLDER PARENT_PID
"""

from __future__ import annotations

import contextlib
import importlib
import os
import queue
import sys
import threading
import warnings
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from pipeline.isolation import protocol
from pipeline.isolation.confinement import GIB, Fence, confine, memory_limit
from pipeline.isolation.protocol import Advance, Call, Failure, Order, Part, Ready, Result, Warm, Warmed

if TYPE_CHECKING:
    from pipeline.stage_calls import CallRow

T = TypeVar("T")

PARSING_BYTES = GIB
"""What a parser may take beside what its file may decode to."""


def main(arguments: Sequence[str]) -> int:
    """Work until the engine closes its pipe."""
    folder, parent_pid = Path(arguments[0]), int(arguments[1])
    orders, answers = _take_over_pipes()
    without = confine(parent_pid)
    Fence(folder).install()
    warnings.simplefilter("ignore")  # a parser's warning may quote what a file says about its patient
    worker = Worker(folder, answers)
    waiting: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders, waiting), daemon=True).start()
    protocol.send(answers, Ready(version=protocol.VERSION, without=without))
    worker.serve(waiting)
    return 0


def _take_over_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes for the protocol: what a library prints must not end up between two frames."""
    orders, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(null, descriptor)
    os.close(null)
    return orders, answers


def _listen(orders: BinaryIO, waiting: queue.SimpleQueue[Order | None]) -> None:
    """Hand orders on; when the engine has gone nothing is worth finishing."""
    with contextlib.suppress(protocol.ProtocolError, OSError):
        while (order := protocol.next_order(orders)) is not None:
            waiting.put(order)
    os._exit(0)


class Worker:
    """Answers calls one after the other; keeps the chamber network between them."""

    def __init__(self, folder: Path, answers: BinaryIO) -> None:
        from pipeline.stage_calls import LoadedModels

        self._folder, self._answers = folder, answers
        self._models = LoadedModels()
        self._modules: deque[str] = deque()
        self._n_files = 0

    def serve(self, waiting: queue.SimpleQueue[Order | None]) -> None:
        """Take orders for ever; import what was asked for while there is none."""
        while True:
            try:
                order = waiting.get(block=not self._modules)
            except queue.Empty:
                _import(self._modules.popleft())
                if not self._modules:
                    protocol.send(self._answers, Warmed())
                continue
            if isinstance(order, Warm):
                self._modules.extend(order.modules)
            elif isinstance(order, Call):
                self._answer(order)

    def _answer(self, call: Call) -> None:
        from pipeline.isolation.failures import as_frame

        answer: Result | Failure
        try:
            answer = Result(number=call.number, file=self._perform(call))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the engine must hear of it
            answer = as_frame(call.number, error)
        protocol.send(self._answers, answer)

    def _perform(self, call: Call) -> str:
        from pipeline.cancellation import CancelToken
        from pipeline.isolation.payload import read_record, write_record
        from pipeline.retry import Attempt
        from pipeline.stage_calls import CALLS, Tools

        row = CALLS[call.name]
        arguments: Any = read_record(self._folder / call.arguments, row.arguments)

        def progress(fraction: float, text: str) -> None:
            protocol.send(self._answers, Advance(number=call.number, fraction=fraction, text=text))

        tools = Tools(
            progress=progress,
            cancel=CancelToken(),  # the engine ends the process instead
            attempt=Attempt(batch_divisor=call.batch_divisor, reload_model=call.reload_model),
            parts=SentParts(self, call),
            models=self._models,
        )
        with memory_limit(_allowance(row, arguments)):
            value = row.work(arguments, tools)
        name = self.new_name("result")
        write_record(self._folder / name, value)
        return name

    def new_name(self, kind: str) -> str:
        """The name of a file that is not there yet."""
        self._n_files += 1
        return f"{kind}-{self._n_files}"

    def send_part(self, call: Call, number: int, data: bytes) -> None:
        """Hand a finished part of a result to the engine."""
        from pipeline.isolation.payload import write_bytes

        name = self.new_name("part")
        write_bytes(self._folder / name, data)
        protocol.send(self._answers, Part(number=call.number, part=number, file=name))

    def known_part(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()


class SentParts:
    """`pipeline.parts.Parts` in a worker: what is known came with the call, what is kept goes to the engine."""

    def __init__(self, worker: Worker, call: Call) -> None:
        self._worker, self._call = worker, call
        self._kept: dict[int, bytes] = {}

    def known(self, number: int, kind: type[T]) -> T | None:
        """The part; None when it is missing or damaged."""
        from pipeline.errors import StoreError
        from pipeline.store import codec

        name = self._call.parts.get(number)
        data = self._kept.get(number) or (self._worker.known_part(name) if name else None)
        if data is None:
            return None
        try:
            return codec.decode(kind, data)
        except StoreError:
            return None

    def keep(self, number: int, record: object) -> None:
        """Encode a part at once and send it."""
        from pipeline.store import codec

        self._kept[number] = codec.encode(record)
        self._worker.send_part(self._call, number, self._kept[number])


def _allowance(row: CallRow, arguments: Any) -> int | None:
    """Address space that a parsing call may take; None where the engine watches the resident size instead."""
    if not row.parses:
        return None
    return PARSING_BYTES + int(arguments.limits.max_decoded_bytes)


def _import(name: str) -> None:
    with contextlib.suppress(Exception):  # the call that needs it will say what is wrong
        importlib.import_module(name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
