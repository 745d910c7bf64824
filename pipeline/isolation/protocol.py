"""What engine and worker say to each other: frames of JSON on two pipes, each with its length before it.

Nothing is unpickled in either direction. A frame that is too long, is no JSON, or has another field than its kind
allows ends the conversation. Records and arrays lie in files of the worker's private folder; frames name them.
"""

from __future__ import annotations

import struct
from typing import Annotated, BinaryIO

import msgspec
from msgspec import Meta, Struct

VERSION = 2
WORKER_ARGUMENT = "--isolated-worker"
"""The first argument that makes a frozen application a worker."""
MAX_FRAME_BYTES = 1 << 20
_LENGTH = struct.Struct("<I")

FileName = Annotated[str, Meta(pattern=r"^[a-z]+-[0-9]+$", max_length=40)]
Text = Annotated[str, Meta(max_length=4000)]
Word = Annotated[str, Meta(max_length=400)]


class ProtocolError(Exception):
    """The other side said something that the protocol does not know."""


class Call(Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="call"):
    """Engine to worker: do this. Arguments and finished parts lie in files."""

    number: int
    name: Word
    arguments: FileName
    parts: dict[int, FileName]
    batch_divisor: int
    reload_model: bool


class Warm(Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="warm"):
    """Engine to worker: import these modules while there is nothing else to do."""

    modules: list[Word]


class Ready(Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="ready"):
    """Worker to engine: calls are taken now, and this is what was given up."""

    version: int
    without: list[Word]


class Warmed(Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="warmed"):
    """Worker to engine: everything that was to be imported is."""


class Advance(Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="progress"):
    """Worker to engine: how far a call has come."""

    number: int
    fraction: Annotated[float, Meta(ge=-1.0, le=2.0)]
    text: Text


class Part(Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="part"):
    """Worker to engine: a finished part of a call's result."""

    number: int
    part: Annotated[int, Meta(ge=0, le=1_000_000)]
    file: FileName


class Result(Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="result"):
    """Worker to engine: the call has succeeded."""

    number: int
    file: FileName


class Failure(Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="failure"):
    """Worker to engine: the call has failed; `kind` is a key of `pipeline.isolation.failures.KINDS` or its own word."""

    number: int
    kind: Word
    code: Word = ""
    text: Text = ""
    details: dict[Word, Text] = {}
    errors: list[tuple[Word, Text]] = []


Order = Call | Warm
Answer = Ready | Warmed | Advance | Part | Result | Failure
_ORDERS = msgspec.json.Decoder(Order)
_ANSWERS = msgspec.json.Decoder(Answer)


def send(stream: BinaryIO, frame: Order | Answer) -> None:
    """Write one frame; raises ProtocolError when it is too long, OSError when nobody reads."""
    data = msgspec.json.encode(frame)
    if len(data) > MAX_FRAME_BYTES:
        raise ProtocolError("frame too long")
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def next_order(stream: BinaryIO) -> Order | None:
    """The engine's next frame; None when it has closed the pipe. Raises ProtocolError."""
    data = _frame(stream)
    try:
        return None if data is None else _ORDERS.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ProtocolError("not a frame of this protocol") from None


def next_answer(stream: BinaryIO) -> Answer | None:
    """The worker's next frame; None when it has ended. Raises ProtocolError."""
    data = _frame(stream)
    try:
        return None if data is None else _ANSWERS.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ProtocolError("not a frame of this protocol") from None


def _frame(stream: BinaryIO) -> bytes | None:
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > MAX_FRAME_BYTES:
        raise ProtocolError("frame too long")
    data = stream.read(length)
    return data if len(data) == length else None
