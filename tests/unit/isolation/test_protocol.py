"""Frames: what is known passes, everything else ends the conversation by one kind of error."""

from __future__ import annotations

import io
import random
import struct

import pytest

from pipeline.isolation import protocol
from pipeline.isolation.protocol import Advance, Answer, Call, Failure, Part, ProtocolError, Ready, Result, Warm

ORDERS = (
    Call(number=1, name="prepare_ecg", arguments="arguments-1", parts={0: "known-10"}, batch_divisor=2,
         reload_model=True),
    Warm(modules=["torch"]),
)  # fmt: skip
ANSWERS: tuple[Answer, ...] = (
    Ready(version=1, without=["network"]),
    Advance(number=1, fraction=0.25, text="Found the chambers in 3 of 12 frames"),
    Part(number=1, part=3, file="part-4"),
    Result(number=1, file="result-5"),
    Failure(number=1, kind="InputError", code="E_INPUT_EMPTY", text="A file is empty.", details={"a": "b"},
            errors=[("E_INPUT_EMPTY", "A file is empty.")]),
)  # fmt: skip


def framed(data: bytes) -> io.BytesIO:
    return io.BytesIO(struct.pack("<I", len(data)) + data)


def test_frames_come_through() -> None:
    stream = io.BytesIO()
    for frame in (*ORDERS, *ANSWERS):
        protocol.send(stream, frame)
    stream.seek(0)
    assert tuple(protocol.next_order(stream) for _ in ORDERS) == ORDERS
    assert tuple(protocol.next_answer(stream) for _ in ANSWERS) == ANSWERS
    assert protocol.next_answer(stream) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'{"is":"result"}',
        b'{"is":"nothing","number":1}',
        b'{"is":"result","number":1,"file":"result-1","more":1}',
        b'{"is":"result","number":"1","file":"result-1"}',
        b'{"is":"result","number":1,"file":"../../etc/passwd"}',
        b'{"is":"result","number":1,"file":"/etc/passwd"}',
        b'{"is":"part","number":1,"part":-1,"file":"part-1"}',
        b'{"is":"progress","number":1,"fraction":1e9,"text":""}',
        b'{"is":"progress","number":1,"fraction":NaN,"text":""}',
        b'{"is":"progress","number":1,"fraction":0,"text":"' + b"x" * 4001 + b'"}',
        b'{"is":"call","number":1}',  # an order is no answer
        b"\x80\x04\x95",  # the beginning of a pickle
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        protocol.next_answer(framed(data))


def test_long_frames_are_refused_in_both_directions() -> None:
    with pytest.raises(ProtocolError):
        protocol.next_answer(io.BytesIO(struct.pack("<I", protocol.MAX_FRAME_BYTES + 1)))
    with pytest.raises(ProtocolError):
        protocol.send(io.BytesIO(), Warm(modules=["x" * protocol.MAX_FRAME_BYTES]))


def test_cut_frames_are_the_end() -> None:
    whole = io.BytesIO()
    protocol.send(whole, ANSWERS[3])
    for length in range(len(whole.getvalue())):
        assert protocol.next_answer(io.BytesIO(whole.getvalue()[:length])) is None


def test_mutants_are_frames_or_refused() -> None:
    chance = random.Random(1)
    whole = io.BytesIO()
    for frame in ANSWERS:
        protocol.send(whole, frame)
    for _ in range(2000):
        data = bytearray(whole.getvalue())
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        stream = io.BytesIO(bytes(data))
        try:
            while protocol.next_answer(stream) is not None:
                pass
        except ProtocolError:
            pass
