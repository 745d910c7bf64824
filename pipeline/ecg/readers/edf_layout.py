"""How large an EDF, EDF+ or BDF file is and where its data records stand in time."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pipeline.ecg.readers.header import check_sample_count
from pipeline.errors import InputError
from pipeline.gates import Limits, check_file, open_file, reading
from pipeline.records import Array

BDF_MAGIC = b"\xffBIOSEMI"
MAX_SIGNALS = 1024
CHUNK_BYTES = 8 << 20
# Layout of the fixed header and of the signal headers: edfplus.info/specs/edf.html
RECORD_COUNT_BYTES = slice(236, 244)
RESERVED_BYTES = slice(192, 197)
INTERRUPTED = (b"EDF+D", b"BDF+D")
ANNOTATIONS = (b"EDF Annotations", b"BDF Annotations")
SAMPLES_PER_RECORD_OFFSET = 16 + 80 + 5 * 8 + 80
_ONSET = re.compile(rb"([+-]\d{1,9}(?:\.\d{1,9})?)[\x14\x15]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Sizes of the file as its header declares them and as its length allows."""

    header: bytes
    is_bdf: bool
    record_bytes: int
    duration_s: float  # of one data record
    n_declared: int
    n_found: int
    samples_per_record: tuple[int, ...]  # of each signal, annotations included

    @property
    def is_interrupted(self) -> bool:
        return self.header[RESERVED_BYTES] in INTERRUPTED

    def block(self, records: bytes) -> bytes:
        """A complete small file of the given whole records, as edfio wants it."""
        header = bytearray(self.header)
        header[RECORD_COUNT_BYTES] = str(len(records) // self.record_bytes).encode().ljust(8)
        if self.is_interrupted:
            header[RESERVED_BYTES] = self.header[RESERVED_BYTES][:4] + b"C"
        return bytes(header) + records


def read_layout(path: Path, limits: Limits) -> Layout:
    """Parse the few numbers that say how large the file is; raises InputError or E_HARD_004 for impossible ones."""
    size_bytes = check_file(path, limits).size_bytes
    with open_file(path) as file, reading():
        fixed = file.read(256)
        n_signals = _whole(fixed[252:256])
        if len(fixed) < 256 or not 1 <= n_signals <= MAX_SIGNALS:
            raise InputError("The EDF header is damaged.")
        header = fixed + file.read(256 * n_signals)
    if len(header) != 256 * (n_signals + 1):
        raise InputError("The EDF file ends inside its header.", code="E_INPUT_TRUNCATED")
    n_declared, duration_s = _whole(fixed[RECORD_COUNT_BYTES]), _number(fixed[244:252])
    if n_declared < 1:
        raise InputError("The EDF header does not say how many data records follow: the file was never closed.")
    if not 0.0 < duration_s < 1e6 or _whole(fixed[184:192]) != len(header):
        raise InputError("The EDF header is damaged.")
    is_bdf = fixed[:8] == BDF_MAGIC
    samples_per_record = _samples_per_record(header, n_signals)
    record_bytes = sum(samples_per_record) * (3 if is_bdf else 2)
    check_sample_count(1, n_declared * sum(samples_per_record), limits)
    n_found = min(n_declared, (size_bytes - len(header)) // record_bytes)
    if n_found < 1:
        raise InputError("The EDF file ends before its first data record.", code="E_INPUT_TRUNCATED")
    return Layout(
        header=header,
        is_bdf=is_bdf,
        record_bytes=record_bytes,
        duration_s=duration_s,
        n_declared=n_declared,
        n_found=n_found,
        samples_per_record=samples_per_record,
    )


def _samples_per_record(header: bytes, n_signals: int) -> tuple[int, ...]:
    start = 256 + n_signals * SAMPLES_PER_RECORD_OFFSET
    counts = [_whole(header[start + 8 * i : start + 8 * i + 8]) for i in range(n_signals)]
    if min(counts) < 1:
        raise InputError("A signal of the EDF header has no samples.")
    return tuple(counts)


def blocks(path: Path, layout: Layout, first: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The file, or its records `first` to `end`, in small complete files of whole records."""
    per_block = max(1, CHUNK_BYTES // layout.record_bytes)
    end = layout.n_found if end is None else end
    with open_file(path) as file, reading():
        file.seek(len(layout.header) + first * layout.record_bytes)
        for start in range(first, end, per_block):
            wanted = min(per_block, end - start) * layout.record_bytes
            records = _read_exactly(file, wanted)
            yield layout.block(records)


def record_starts_s(path: Path, layout: Layout) -> Array:
    """Start of each record in seconds after the first, float64 (n_found,), by the annotations of an EDF+D file.

    Raises
    ------
    InputError
        E_INPUT_CORRUPT: a record without a time, or records that overlap or run backwards by over 1 % of a record.
    """
    labels = [layout.header[256 + 16 * i : 272 + 16 * i].strip() for i in range(len(layout.samples_per_record))]
    place = next((i for i, label in enumerate(labels) if label in ANNOTATIONS), None)
    if place is None:
        raise InputError("The interrupted EDF+ file gives no times of its records.")
    sample_bytes = 3 if layout.is_bdf else 2
    offset = len(layout.header) + sample_bytes * sum(layout.samples_per_record[:place])
    onsets_s = []
    with open_file(path) as file, reading():
        for record in range(layout.n_found):
            file.seek(offset + record * layout.record_bytes)
            onset = _ONSET.match(file.read(sample_bytes * layout.samples_per_record[place]))
            if onset is None:
                raise InputError("A record of the interrupted EDF+ file gives no time.")
            onsets_s.append(float(onset[1]))
    starts_s = np.array(onsets_s) - onsets_s[0]
    if np.any(np.diff(starts_s) < 0.99 * layout.duration_s):
        raise InputError("Records of the interrupted EDF+ file overlap in time.")
    return starts_s


def _read_exactly(file: BinaryIO, n_bytes: int) -> bytes:
    records = file.read(n_bytes)
    if len(records) != n_bytes:
        raise InputError("The EDF file ends inside a data record.", code="E_INPUT_TRUNCATED")
    return records


def _whole(text: bytes) -> int:
    return int(value) if (value := _number(text)).is_integer() else -1


def _number(text: bytes) -> float:
    try:
        value = float(text.decode("ascii").strip(" \0"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError("A number of the EDF header is damaged.")
    return value
