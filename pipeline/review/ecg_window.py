"""Stretches of a long ECG for the screen, read from its file when they are looked at."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from pipeline.ecg.filters import LeadFilter
from pipeline.ecg.long_preparation import long_filter
from pipeline.ecg.long_windows import hour_windows, read_piece, second_samples
from pipeline.ecg.readers import inspect_ecg
from pipeline.ecg.readers.stream import EcgStream, open_stream
from pipeline.errors import InputError
from pipeline.gates import Limits
from pipeline.records import Array

BINS_A_SECOND = 8
"""Width of the columns of `ecg_extremes`: below an eighth of a second the samples themselves are drawn."""


def ecg_samples(path: Path, sha256: str, first: int, end: int) -> Array:
    """Filtered samples of a stretch.

    Parameters
    ----------
    path, sha256
        The file, and the hash that the run has of it.
    first, end
        Samples of the record; kept inside it.

    Returns
    -------
    float32 (n_leads, n_samples) in mV, NaN where the record has no sample.

    Raises
    ------
    InputError
        E_INPUT_CORRUPT: the file is not the one that was measured, or cannot be read piece by piece; other codes as
        `pipeline.ecg.readers.read_ecg`.
    TransientReadError
        A network drive did not answer.
    """
    stream, lead_filter = _opened(path, sha256)
    first, end = max(0, first), min(end, stream.n_samples)
    if first >= end:
        return np.empty((len(stream.leads), 0), np.float32)
    piece = read_piece(stream, lead_filter, first, end)
    return np.where(np.isfinite(piece.raw_mv), piece.filtered_mv, np.float32(np.nan))


def ecg_extremes(path: Path, sha256: str, hour: int) -> Array:
    """The lowest and the highest filtered sample of every eighth of a second of one hour.

    Returns
    -------
    float32 (2, n_leads, n_columns) in mV. Errors as `ecg_samples`.
    """
    stream, lead_filter = _opened(path, sha256)
    rate_hz = stream.sampling_rate_hz
    parts = [
        extremes(read_piece(stream, lead_filter, first, end).filtered_mv, second_samples(rate_hz))
        for first, end in hour_windows(stream.n_samples, rate_hz, hour)
    ]
    return np.concatenate(parts, axis=2) if parts else np.empty((2, len(stream.leads), 0), np.float32)


def extremes(filtered_mv: Array, n_second: int) -> Array:
    """Float32 (2, n_leads, n_columns): low and high of every eighth of a second; the last column may be narrower."""
    n_samples = filtered_mv.shape[1]
    seconds = np.arange(0, n_samples, n_second)
    edges = (seconds[:, None] + (np.arange(BINS_A_SECOND) * n_second) // BINS_A_SECOND).ravel()
    edges = edges[edges < n_samples]
    return np.stack(
        [np.minimum.reduceat(filtered_mv, edges, axis=1), np.maximum.reduceat(filtered_mv, edges, axis=1)]
    ).astype(np.float32)


def _opened(path: Path, sha256: str) -> tuple[EcgStream, LeadFilter]:
    try:
        stat = path.stat()
    except OSError as error:
        raise InputError("The ECG file is not where it was.", code="E_INPUT_MISSING") from error
    return _open(path, sha256, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=2)
def _open(path: Path, sha256: str, changed_ns: int, size_bytes: int) -> tuple[EcgStream, LeadFilter]:
    """The stream and its filter; time and size are there so that a changed file is looked at anew."""
    limits = Limits()
    report = inspect_ecg(path, limits)
    stream = open_stream(path, report, limits)
    if report.sha256 != sha256 or stream is None:
        raise InputError("The ECG file is not the one that was measured.", code="E_INPUT_CORRUPT")
    return stream, long_filter(stream)[0]
