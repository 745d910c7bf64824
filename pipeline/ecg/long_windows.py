"""The pieces in which a long ECG is read: hours, which are kept when finished, and windows of ten minutes in them.

A second is a whole number of samples here, so that seconds, windows and hours never share one; at an odd sampling
rate such an hour differs from 3600 s by less than half a percent, and times are always told from the samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.ecg.filters import OVERLAP_S, LeadFilter, fill_gaps
from pipeline.ecg.readers.stream import EcgStream
from pipeline.records import Array

HOUR_S, WINDOW_S = 3600, 600


def second_samples(sampling_rate_hz: float) -> int:
    """Samples of one second of the overview."""
    return max(1, round(sampling_rate_hz))


def hour_samples(sampling_rate_hz: float) -> int:
    """Samples of one hour of the table."""
    return HOUR_S * second_samples(sampling_rate_hz)


def hour_count(n_samples: int, sampling_rate_hz: float) -> int:
    """Hours of a record, the last one possibly a part."""
    return max(1, -(-n_samples // hour_samples(sampling_rate_hz)))


def hour_windows(n_samples: int, sampling_rate_hz: float, hour: int) -> Iterator[tuple[int, int]]:
    """(first, end) samples of the windows of one hour."""
    size = WINDOW_S * second_samples(sampling_rate_hz)
    first = hour * hour_samples(sampling_rate_hz)
    end = min(n_samples, first + hour_samples(sampling_rate_hz))
    for start in range(first, end, size):
        yield start, min(start + size, end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A filtered stretch of a stream."""

    first: int  # sample of the record
    raw_mv: Array  # float32 (n_leads, n_samples), NaN where missing
    filtered_mv: Array  # float32 (n_leads, n_samples), gaps bridged


def read_piece(stream: EcgStream, lead_filter: LeadFilter, first: int, end: int) -> Piece:
    """Read and filter samples `first` to `end`; the filter sees OVERLAP_S more on both sides, where there is more."""
    overlap = int(OVERLAP_S * stream.sampling_rate_hz)
    outer = max(0, first - overlap)
    raw_mv = stream.read(outer, min(stream.n_samples, end + overlap))
    inside = slice(first - outer, end - outer)
    filtered = [lead_filter.apply(fill_gaps(lead)[0])[inside] for lead in raw_mv]
    return Piece(first=first, raw_mv=raw_mv[:, inside], filtered_mv=np.stack(filtered))
