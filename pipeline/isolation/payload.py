"""Records in files of the private folder: canonical tree as JSON, arrays as safetensors, uncompressed.

The form of the store without its compression, since these files live for a moment only.
"""

from __future__ import annotations

import json
import os
import stat
import struct
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from pipeline.isolation.protocol import ProtocolError
from pipeline.store.codec import MAX_JSON_BYTES, MAX_RAW_BYTES, allowed, join, mark, split, unmark

T = TypeVar("T")

_HEADER = struct.Struct("<Q")


def write_record(path: Path, record: object) -> None:
    """Write a new file for the other side; raises OSError."""
    plain, arrays = split(record)
    # not canonical_json: a file name may hold bytes that are no text, and these must come through
    text = json.dumps(mark(plain), allow_nan=False, separators=(",", ":")).encode()
    with _create(path) as file:
        file.write(_HEADER.pack(len(text)) + text)
        if arrays:
            file.write(save_tensors(arrays))


def read_record(path: Path, kind: type[T]) -> T:
    """Read a record and remove its file.

    Raises
    ------
    ProtocolError
        The file is not a record of this kind.
    """
    data = memoryview(read_bytes(path))
    try:
        (length,) = _HEADER.unpack_from(data)
        start = _HEADER.size + length
        if length > min(MAX_JSON_BYTES, len(data) - _HEADER.size):
            raise ProtocolError("a record is cut short")
        plain = unmark(json.loads(bytes(data[_HEADER.size : start])))
        arrays = load_tensors(bytes(data[start:])) if start < len(data) else {}
        if not all(allowed(array) for array in arrays.values()):
            raise ProtocolError("a record holds an array of a forbidden type")
        return join(kind, plain, arrays)
    except (ValueError, KeyError, TypeError, struct.error, RecursionError, SafetensorError, msgspec.MsgspecError):
        raise ProtocolError("a record is damaged") from None


def write_bytes(path: Path, data: bytes) -> None:
    """Write a new file for the other side; raises OSError."""
    with _create(path) as file:
        file.write(data)


def read_bytes(path: Path) -> bytes:
    """The bytes of a file of the folder, which is removed; raises ProtocolError for anything but a regular file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_RAW_BYTES:
                raise ProtocolError("a record is no regular file")
            data = file.read()
        path.unlink()
    except OSError:
        raise ProtocolError("a record cannot be read") from None
    return data


def _create(path: Path) -> Any:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "wb")
