"""XLI, the compression of Philips Sierra waveforms: LZW codes of 10 bits over second differences.

Each lead is a chunk: size of its body (int32), two bytes unused, the first difference (int16), the body; all little
endian. The body unpacks to 16-bit words, all high bytes first. The format is described by the sierra-ecg-tools project
(C. Watford), https://github.com/sixlettervariables/sierra-ecg-tools/wiki.
"""

from __future__ import annotations

import numpy as np

from pipeline.errors import InputError
from pipeline.records import Array

HEADER_BYTES = 8
CODE_BITS = 10
END_CODE = (1 << CODE_BITS) - 1
BIAS = 64
DAMAGED = "The compressed waveform of the ECG file is damaged."


def decompress(data: bytes, n_leads: int, n_samples: int) -> Array:
    """Unpack the leads; the declared counts bound the memory that is used.

    Returns
    -------
    Array
        int64 (n_leads, n_samples) in steps of the converter.

    Raises
    ------
    InputError
        E_INPUT_CORRUPT (damaged code, a lead longer than declared), E_INPUT_TRUNCATED (a lead missing or too short).
    """
    leads, position = np.empty((n_leads, n_samples), np.int64), 0
    for lead in range(n_leads):
        header = data[position : position + HEADER_BYTES]
        size = int.from_bytes(header[:4], "little", signed=True)
        position += HEADER_BYTES + size
        if len(header) < HEADER_BYTES or position > len(data):
            raise InputError("The compressed waveform of the ECG file ends too early.", code="E_INPUT_TRUNCATED")
        if size <= 0:
            raise InputError(DAMAGED)
        words = _words(_unpacked(data[position - size : position], 2 * n_samples + 1))
        if words.size < n_samples:
            raise InputError("A lead of the ECG file holds fewer samples than declared.", code="E_INPUT_TRUNCATED")
        leads[lead] = _summed(words[:n_samples], int.from_bytes(header[6:8], "little", signed=True))
    return leads


def _unpacked(body: bytes, max_bytes: int) -> bytes:
    """Undo LZW with a table that starts with the 256 bytes and is not cleared when full."""
    bits = np.unpackbits(np.frombuffer(body, np.uint8))
    codes = bits[: bits.size - bits.size % CODE_BITS].reshape(-1, CODE_BITS) @ (1 << np.arange(CODE_BITS - 1, -1, -1))
    table = [bytes([value]) for value in range(256)]
    out, previous = bytearray(), b""
    for code in codes.tolist():
        if code == END_CODE:
            break
        if code > len(table) or (code == len(table) and not previous):
            raise InputError(DAMAGED)
        entry = table[code] if code < len(table) else previous + previous[:1]
        out += entry
        if len(out) > max_bytes:
            raise InputError("A lead of the ECG file holds more samples than declared.")
        if previous and len(table) < END_CODE:
            table.append(previous + entry[:1])
        previous = entry
    return bytes(out)


def _words(raw: bytes) -> Array:
    """Signed words whose high bytes stand in the first half; int64 (n,)."""
    values = np.frombuffer(raw + bytes(len(raw) % 2), np.uint8).astype(np.uint16)
    half = values.size // 2
    return ((values[:half] << 8) | values[half:]).view(np.int16).astype(np.int64)


def _summed(words: Array, first: int) -> Array:
    """Samples from two starting values and biased second differences, the first of which stands in the header."""
    if words.size < 3:
        return words
    bends = np.concatenate(([first], words[2:-1] - BIAS))
    slopes = (words[1] - words[0]) - np.cumsum(bends)
    return np.concatenate((words[:2], words[1] + np.cumsum(slopes)))
