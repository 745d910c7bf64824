"""One numeric matrix of a MAT-file, as the samples of a WFDB record: rows are signals, columns are frames.

Level 4 and level 5 by "MAT-File Format" (The MathWorks). Nothing but real numbers is read: cells, structures, objects
and functions are refused, and what is packed is unpacked only as far as the declared size goes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.ecg.readers.header import check_sample_count
from pipeline.ecg_signatures import MATLAB_4_HEADER
from pipeline.errors import InputError
from pipeline.gates import Limits, check_file, open_file, reading
from pipeline.records import Array

LEVEL_5_HEADER = 128
MATRIX, COMPRESSED = 14, 15
NUMERIC_CLASSES = range(6, 16)  # double, single and the integers
COMPLEX = 0x0800
HEAD_BYTES = 4096  # holds everything before the numbers
MAX_VARIABLES = 64
SAMPLES_NAME = "val"
LEVEL_4_TYPES = {0: "f8", 10: "f4", 20: "i4", 30: "i2", 40: "u2", 50: "u1"}
LEVEL_5_TYPES = {
    **{1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4"},
    **{7: "f4", 9: "f8", 12: "i8", 13: "u8"},
}
DAMAGED = "The MAT-file is damaged or incomplete."


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Where the numbers of a matrix stand; `start` counts from the unpacked element where it is packed."""

    name: str
    n_rows: int
    n_columns: int
    dtype: np.dtype[Any]
    start: int
    position: int  # of the element in the file
    n_packed: int  # bytes of a packed element; 0 where it is not packed

    @property
    def n_bytes(self) -> int:
        return self.n_rows * self.n_columns * self.dtype.itemsize


def find_matrix(path: Path, limits: Limits) -> Matrix:
    """The matrix of samples, called `val` or alone in its file; nothing of it is read.

    Raises
    ------
    InputError
        E_INPUT_UNSUPPORTED (no plain matrix of real numbers), E_INPUT_CORRUPT, E_INPUT_TRUNCATED.
    HardStopError
        E_HARD_004: more samples than `limits` allow.
    """
    size_bytes = check_file(path, limits).size_bytes
    with open_file(path) as file, reading():
        head = file.read(LEVEL_5_HEADER)
        is_level_5 = head[:7] == b"MATLAB "
        found = list(_variables(file, head, size_bytes)) if is_level_5 else [_level_4(head, size_bytes)]
    named = [matrix for matrix in found if matrix.name == SAMPLES_NAME] or found
    if len(named) != 1:
        raise InputError("The MAT-file holds no matrix of samples that can be told.", code="E_INPUT_UNSUPPORTED")
    check_sample_count(named[0].n_rows, named[0].n_columns, limits)
    return named[0]


def read_matrix(path: Path, matrix: Matrix) -> Array:
    """The numbers as (n_columns, n_rows); raises InputError where they end early or unpack to more."""
    with open_file(path) as file, reading():
        file.seek(matrix.position)
        if matrix.n_packed:
            raw = _unpacked(file.read(matrix.n_packed), matrix.start + matrix.n_bytes)[matrix.start :]
        else:
            file.seek(matrix.start)
            raw = file.read(matrix.n_bytes)
    if len(raw) < matrix.n_bytes:
        raise InputError("The MAT-file ends inside its samples.", code="E_INPUT_TRUNCATED")
    return np.frombuffer(raw, matrix.dtype, count=matrix.n_rows * matrix.n_columns).reshape(-1, matrix.n_rows)


def _level_4(head: bytes, size_bytes: int) -> Matrix:
    kind, n_rows, n_columns, imaginary, n_name = MATLAB_4_HEADER.unpack_from(head)
    if kind not in LEVEL_4_TYPES or imaginary or not 1 <= n_name <= 64:
        raise InputError("The MAT-file holds no matrix of real numbers.", code="E_INPUT_UNSUPPORTED")
    name = head[MATLAB_4_HEADER.size : MATLAB_4_HEADER.size + n_name - 1].decode("latin-1")
    matrix = Matrix(
        name=name,
        n_rows=n_rows,
        n_columns=n_columns,
        dtype=np.dtype(LEVEL_4_TYPES[kind]).newbyteorder("<"),
        start=MATLAB_4_HEADER.size + n_name,
        position=0,
        n_packed=0,
    )
    if matrix.start + matrix.n_bytes > size_bytes:
        raise InputError("The MAT-file ends inside its samples.", code="E_INPUT_TRUNCATED")
    return matrix


def _variables(file: Any, head: bytes, size_bytes: int) -> Iterator[Matrix]:
    """The matrices of a level 5 file; other kinds of variables are refused."""
    order = "<" if head[126:128] == b"IM" else ">"
    position = LEVEL_5_HEADER
    for _ in range(MAX_VARIABLES):
        file.seek(position)
        tag = file.read(8)
        if len(tag) < 8:
            return
        kind, length = struct.unpack(f"{order}II", tag)
        position += 8
        if length > size_bytes - position:
            raise InputError("The MAT-file ends inside a variable.", code="E_INPUT_TRUNCATED")
        start = file.read(min(length, HEAD_BYTES))
        if kind == COMPRESSED:
            start = _unpacked(start, HEAD_BYTES, may_go_on=True)
            kind = struct.unpack_from(f"{order}I", start)[0] if len(start) >= 8 else 0
            start, packed = start[8:], length
        else:
            packed = 0
        if kind != MATRIX:
            raise InputError("The MAT-file holds something else than matrices.", code="E_INPUT_UNSUPPORTED")
        yield _matrix(start, order, position, packed)
        position += length


def _matrix(head: bytes, order: str, position: int, n_packed: int) -> Matrix:
    """Parse the sub-elements before the numbers."""
    _, flags, at = _element(head, 0, order)
    _, dimensions, at = _element(head, at, order)
    _, name, at = _element(head, at, order)
    word = struct.unpack(f"{order}I", flags[:4])[0] if len(flags) == 8 else 0
    sizes = np.frombuffer(dimensions[: len(dimensions) // 4 * 4], f"{order}i4").tolist()
    if word & 0xFF not in NUMERIC_CLASSES or word & COMPLEX or len(sizes) != 2 or min(sizes) < 1:
        raise InputError("The MAT-file holds something else than a matrix of real numbers.", code="E_INPUT_UNSUPPORTED")
    kind, n_bytes, start = _tag(head, at, order)
    if kind not in LEVEL_5_TYPES:
        raise InputError(DAMAGED)
    dtype = np.dtype(LEVEL_5_TYPES[kind]).newbyteorder("<" if order == "<" else ">")
    if n_bytes != sizes[0] * sizes[1] * dtype.itemsize:
        raise InputError("The MAT-file declares another number of samples than its matrix has.")
    return Matrix(
        name=name.decode("latin-1"),
        n_rows=sizes[0],
        n_columns=sizes[1],
        dtype=dtype,
        start=start + 8 if n_packed else position + start,
        position=position,
        n_packed=n_packed,
    )


def _tag(head: bytes, at: int, order: str) -> tuple[int, int, int]:
    """Type, length and start of the data of a sub-element; small ones keep their data within the tag."""
    if at + 8 > len(head):
        raise InputError(DAMAGED, code="E_INPUT_TRUNCATED")
    kind, length = struct.unpack_from(f"{order}II", head, at)
    if kind >> 16:
        return kind & 0xFFFF, kind >> 16, at + 4
    return kind, length, at + 8


def _element(head: bytes, at: int, order: str) -> tuple[int, bytes, int]:
    """Type and data of a sub-element, and where the next one starts."""
    kind, length, start = _tag(head, at, order)
    if start + length > len(head):
        raise InputError(DAMAGED)
    return kind, head[start : start + length], at + 8 if start == at + 4 else start + -(-length // 8) * 8


def _unpacked(raw: bytes, n_bytes: int, *, may_go_on: bool = False) -> bytes:
    """At most `n_bytes` of what was packed; more is refused unless it `may_go_on` (padding to 8 bytes is not more)."""
    engine = zlib.decompressobj()
    try:
        out = engine.decompress(raw, n_bytes)
        rest = b"" if may_go_on else engine.decompress(engine.unconsumed_tail, 9)
    except zlib.error:
        raise InputError(DAMAGED) from None
    if len(rest) > 8:
        raise InputError("The MAT-file unpacks to more than it declares.")
    return out
