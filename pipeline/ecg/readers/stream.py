"""Recordings read piece by piece: what a file of many hours needs, for the formats that allow a start in the middle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.gates import Limits
from pipeline.records import Array, FileReport, PatientHeader, Remark


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgStream:
    """A recording of which any stretch can be read; the fields are those of `EcgRecord`."""

    leads: tuple[str, ...]
    sampling_rate_hz: float
    n_samples: int
    scaling: str
    header: PatientHeader
    remarks: tuple[Remark, ...]
    read: Callable[[int, int], Array]  # (first, end sample) -> mV, float32 (n_leads, end - first), NaN where missing

    @property
    def duration_s(self) -> float:
        return self.n_samples / self.sampling_rate_hz


def open_stream(path: Path, file: FileReport, limits: Limits) -> EcgStream | None:
    """The stream of a validated file; None where its format can only be read as a whole.

    Raises
    ------
    InputError, HardStopError, TransientReadError
        As `pipeline.ecg.readers.read_ecg`.
    """
    from pipeline.ecg.readers import edf, wfdb_record

    streams: dict[str, Callable[[Path, Limits], EcgStream | None]] = {"edf": edf.stream, "wfdb": wfdb_record.stream}
    opening = streams.get(file.format)
    return None if opening is None else opening(path, limits)
