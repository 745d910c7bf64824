"""Stored samples of WFDB signal files: by the wfdb package, and here for the two layouts that it cannot read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.ecg.readers.header import check_sample_count
from pipeline.ecg.readers.matlab import find_matrix, read_matrix
from pipeline.ecg.readers.wfdb_header import BIG_ENDIAN_16, SignalLine, WfdbHeader, companion
from pipeline.errors import InputError
from pipeline.gates import Limits, check_file, guarded, open_file, reading
from pipeline.records import Array

DAMAGED = "The WFDB record is damaged or incomplete."
FEWER = "The signal files of the WFDB record hold fewer samples than needed."


def is_matlab(path: Path, limits: Limits) -> bool:
    """Whether a signal file is a MAT-file, by name and content."""
    return path.suffix.casefold() == ".mat" and check_file(path, limits).kind == "matlab"


def matlab_frames(path: Path, signals: Sequence[SignalLine], limits: Limits) -> int:
    """Frames of a MAT-file; raises InputError where its matrix has other rows than the header has signals."""
    matrix = find_matrix(path, limits)
    if matrix.n_rows != sum(signal.samples_per_frame for signal in signals):
        raise InputError("The MAT-file holds another number of signals than the WFDB header declares.")
    check_sample_count(matrix.n_rows, matrix.n_columns, limits)
    return matrix.n_columns


def stored_samples(header: WfdbHeader, start: int, stop: int, channels: Sequence[int], limits: Limits) -> list[Array]:
    """Stored values of the channels from frame `start` to `stop`, one array of frames x samples per frame each.

    Raises
    ------
    InputError
        E_INPUT_TRUNCATED, E_INPUT_CORRUPT, E_INPUT_UNSUPPORTED (skewed signals in a file that is read here).
    """
    values: dict[int, Array] = {}
    for name in dict.fromkeys(header.signals[channel].file_name for channel in channels):
        path = companion(header.path.parent, name)
        inside = [i for i, signal in enumerate(header.signals) if signal.file_name == name]
        is_matrix = is_matlab(path, limits)
        if not is_matrix and header.signals[inside[0]].format != BIG_ENDIAN_16:
            continue
        if any(header.signals[i].skew for i in inside):
            raise InputError("Signals of the WFDB record are skewed in a way that is not read.",
                             code="E_INPUT_UNSUPPORTED")  # fmt: skip
        sizes = [header.signals[i].samples_per_frame for i in inside]
        offset = header.signals[inside[0]].byte_offset
        frames = _matrix(path, start, stop, limits) if is_matrix else _big_endian(path, start, stop, sum(sizes), offset)
        ends = np.cumsum(sizes)
        values |= {i: frames[:, end - n : end].reshape(-1) for i, n, end in zip(inside, sizes, ends, strict=True)}
    others = [channel for channel in channels if channel not in values]
    values |= dict(zip(others, _by_package(header, start, stop, others), strict=True)) if others else {}
    return [values[channel] for channel in channels]


def _matrix(path: Path, start: int, stop: int, limits: Limits) -> Array:
    return read_matrix(path, find_matrix(path, limits))[start:stop]


def _big_endian(path: Path, start: int, stop: int, n_per_frame: int, byte_offset: int) -> Array:
    """Format 61, int16 (frames, samples of a frame)."""
    n_bytes = 2 * (stop - start) * n_per_frame
    with open_file(path) as file, reading():
        file.seek(byte_offset + 2 * start * n_per_frame)
        raw = file.read(n_bytes)
    if len(raw) != n_bytes:
        raise InputError(FEWER, code="E_INPUT_TRUNCATED")
    return np.frombuffer(raw, ">i2").reshape(-1, n_per_frame)


def _by_package(header: WfdbHeader, start: int, stop: int, channels: Sequence[int]) -> list[Array]:
    with guarded(DAMAGED):
        import wfdb

        record: Any = wfdb.rdrecord(
            str(header.path.with_suffix("").absolute()),
            sampfrom=start,
            sampto=None if header.n_frames is None else stop,
            channels=list(channels),
            physical=False,
            smooth_frames=False,
            return_res=32,
        )
        digital = [np.asarray(stored) for stored in record.e_d_signal]
        expected = [(stop - start) * header.signals[channel].samples_per_frame for channel in channels]
        if [stored.size for stored in digital] != expected:
            raise InputError(FEWER, code="E_INPUT_TRUNCATED")
        return digital
