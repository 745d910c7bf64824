"""How SCP-ECG stores samples: Huffman codes (section 2) over first or second differences."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.errors import InputError
from pipeline.records import Array

DEFAULT_TABLE = 19999  # instead of a number of tables: the table of the standard
CODE = struct.Struct("<BBBhI")  # bits of the prefix, bits in all, mode, value, prefix with its first bit lowest
MAX_TABLES = 64
ENDS_EARLY = "The samples of the SCP-ECG file end too early."
DAMAGED = "The Huffman codes of the SCP-ECG file are damaged."


@dataclass(frozen=True, slots=True)
class Code:
    """One entry: `n_extra` bits follow the prefix; without a sample it leads to another table."""

    is_sample: bool
    value: int
    n_extra: int


Table = dict[tuple[int, int], Code]  # (bits, prefix) -> entry


def huffman_tables(body: bytes) -> tuple[Table, ...]:
    """The tables of section 2; raises InputError for impossible ones."""
    n_tables = int.from_bytes(body[:2], "little")
    if n_tables == DEFAULT_TABLE:
        return (_default_table(),)
    if not 1 <= n_tables <= MAX_TABLES:
        raise InputError(DAMAGED)
    tables, position = [], 2
    for _ in range(n_tables):
        n_codes = int.from_bytes(body[position : position + 2], "little")
        position += 2
        if n_codes < 1 or position + n_codes * CODE.size > len(body):
            raise InputError(DAMAGED)
        tables.append(dict(_entry(CODE.unpack_from(body, position + i * CODE.size)) for i in range(n_codes)))
        position += n_codes * CODE.size
    return tuple(tables)


def _entry(fields: tuple[int, int, int, int, int]) -> tuple[tuple[int, int], Code]:
    n_prefix, n_bits, mode, value, stored = fields
    if not 1 <= n_prefix <= n_bits <= 32 or n_prefix + 32 < n_bits:
        raise InputError(DAMAGED)
    prefix = int(f"{stored & ((1 << n_prefix) - 1):0{n_prefix}b}"[::-1], 2)
    return (n_prefix, prefix), Code(mode != 0, value, n_bits - n_prefix)


def _default_table() -> Table:
    """0 is one bit, ±1 to ±8 as many ones as the size, then 0 and the sign; 8 or 16 bits follow nine or ten ones."""
    table: Table = {(1, 0): Code(True, 0, 0)}
    for size in range(1, 9):
        ones = (1 << size) - 1
        table[size + 2, ones << 2] = Code(True, size, 0)
        table[size + 2, ones << 2 | 1] = Code(True, -size, 0)
    table[10, 0b1111111110] = Code(True, 0, 8)
    table[10, 0b1111111111] = Code(True, 0, 16)
    return table


def huffman_samples(data: bytes, n_samples: int, tables: Sequence[Table]) -> tuple[Array, int]:
    """Decode `n_samples` values.

    Returns
    -------
    tuple
        int64 (n_samples,), and how many bytes were left over.

    Raises
    ------
    InputError
        E_INPUT_TRUNCATED (the bits end), E_INPUT_CORRUPT (a code that no table holds).
    """
    bits: list[int] = np.unpackbits(np.frombuffer(data, np.uint8)).tolist()
    longest = [max(length for length, _ in table) for table in tables]
    samples: list[int] = []
    table, position = 0, 0
    while len(samples) < n_samples:
        code, length, found = 0, 0, None
        while found is None:
            if position >= len(bits):
                raise InputError(ENDS_EARLY, code="E_INPUT_TRUNCATED")
            if length >= longest[table]:
                raise InputError(DAMAGED)
            code = code << 1 | bits[position]
            length, position = length + 1, position + 1
            found = tables[table].get((length, code))
        if not found.is_sample:
            if not 1 <= found.value <= len(tables):
                raise InputError(DAMAGED)
            table = found.value - 1
            continue
        samples.append(found.value + _signed(bits[position : position + found.n_extra], found.n_extra))
        position += found.n_extra
    return np.array(samples, np.int64), (len(bits) - position) // 8


def _signed(bits: list[int], n_bits: int) -> int:
    """Two's complement of the bits that follow a prefix; 0 without any."""
    if len(bits) != n_bits:
        raise InputError(ENDS_EARLY, code="E_INPUT_TRUNCATED")
    value = 0
    for bit in bits:
        value = value << 1 | bit
    return value - (1 << n_bits) if n_bits and bits[0] else value


def summed(values: Array, order: int) -> Array:
    """Samples from differences of order 0, 1 or 2, in the 16-bit arithmetic that encoders use."""
    if order == 1:
        values = np.cumsum(values)
    elif order == 2 and values.size > 2:
        slopes = (values[1] - values[0]) + np.concatenate(([0], np.cumsum(values[2:])))
        values = np.concatenate((values[:1], values[0] + np.cumsum(slopes)))
    return values.astype(np.int16).astype(np.int64)
