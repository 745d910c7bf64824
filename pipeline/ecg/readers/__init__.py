"""ECG readers: one row of READERS a format. Whatever comes in, mV, seconds and lead names come out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.ecg.limb_scales import limb_remarks
from pipeline.ecg.readers import (
    delimited,
    dicom_waveform,
    edf,
    ge_muse,
    hl7_aecg,
    ishne,
    philips_sierra,
    scp_ecg,
    wfdb_record,
)
from pipeline.ecg.readers.header import EcgHeader
from pipeline.ecg.readers.scaling import unit_remarks
from pipeline.errors import InputError
from pipeline.gates import Limits, check_file, dicom_format, hash_files
from pipeline.records import EcgRecord, FileReport


class ReadFunction(Protocol):
    """Reads one recording; the signature of every `read` of this folder."""

    def __call__(
        self, path: Path, limits: Limits, *, progress: Progress = ..., cancel: CancelToken | None = ...
    ) -> EcgRecord: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One file format: `kind` is the name that `gates.check_file` gives to its first bytes."""

    kind: str
    format: str
    suffixes: tuple[str, ...]
    inspect: Callable[[Path, Limits], EcgHeader]
    read: ReadFunction


READERS: tuple[Reader, ...] = (
    Reader(
        kind="dicom",
        format="dicom-ecg",
        suffixes=(".dcm",),
        inspect=dicom_waveform.inspect,
        read=dicom_waveform.read,
    ),
    Reader(
        kind="wfdb",
        format="wfdb",
        suffixes=(".hea", ".dat", ".atr"),
        inspect=wfdb_record.inspect,
        read=wfdb_record.read,
    ),
    Reader(  # the samples of a WFDB record; a header beside them says what they mean
        kind="matlab",
        format="wfdb",
        suffixes=(".mat",),
        inspect=wfdb_record.inspect,
        read=wfdb_record.read,
    ),
    Reader(kind="edf", format="edf", suffixes=(".edf", ".bdf", ".rec"), inspect=edf.inspect, read=edf.read),
    Reader(
        kind="scp-ecg",
        format="scp-ecg",
        suffixes=(".scp",),
        inspect=scp_ecg.READER.inspect,
        read=scp_ecg.READER.read,
    ),
    Reader(
        kind="hl7-aecg",
        format="hl7-aecg",
        suffixes=(".xml",),
        inspect=hl7_aecg.READER.inspect,
        read=hl7_aecg.READER.read,
    ),
    Reader(
        kind="ge-muse",
        format="ge-muse",
        suffixes=(".xml",),
        inspect=ge_muse.READER.inspect,
        read=ge_muse.READER.read,
    ),
    Reader(
        kind="philips-sierra",
        format="philips-sierra",
        suffixes=(".xml",),
        inspect=philips_sierra.READER.inspect,
        read=philips_sierra.READER.read,
    ),
    Reader(kind="ishne", format="ishne", suffixes=(".ecg",), inspect=ishne.inspect, read=ishne.read),
    Reader(
        kind="csv",
        format="csv",
        suffixes=(".csv", ".tsv", ".txt"),
        inspect=delimited.inspect,
        read=delimited.read,
    ),
)
WITHOUT_SIGNATURE = ("wfdb", "csv")
"""Kinds whose files may begin with anything, so that the suffix may decide."""


def inspect_ecg(path: Path, limits: Limits) -> FileReport:
    """Hash a recording and read the size from its header.

    Raises
    ------
    InputError
        The file is missing, empty, of another kind, cut short or damaged.
    HardStopError
        E_HARD_004: the file, or what its header declares, is over the limits.
    TransientReadError
        A network drive did not answer.
    """
    reader = _reader_of(path, limits)
    header = reader.inspect(path, limits)
    return FileReport(
        role="ecg",
        index=0,
        format=reader.format,
        sha256=hash_files(header.files),
        size_bytes=sum(check_file(file, limits).size_bytes for file in header.files),
        summary=header.summary,
        remarks=header.remarks,
    )


def read_ecg(
    path: Path, limits: Limits, *, progress: Progress = no_progress, cancel: CancelToken | None = None
) -> EcgRecord:
    """Read a recording in mV and check its units and its limb leads against each other.

    Raises
    ------
    InputError, HardStopError, TransientReadError
        As `inspect_ecg`.
    RunCancelledError
        `cancel` was set; it is looked at between blocks of samples.
    """
    record = _reader_of(path, limits).read(path, limits, progress=progress, cancel=cancel)
    limb = limb_remarks(record.signal_mv, record.sampling_rate_hz, record.leads)
    checks = (*unit_remarks(record.signal_mv, record.leads), *limb)
    return replace(record, remarks=(*record.remarks, *checks))


def _reader_of(path: Path, limits: Limits) -> Reader:
    """The reader for the file's first bytes; the suffix decides only where these say nothing."""
    kind, suffix = check_file(path, limits).kind, path.suffix.casefold()
    if kind == "dicom" and dicom_format(path) == "dicom-us":
        raise InputError("The file is an ultrasound clip, not an ECG.", code="E_INPUT_KIND")
    beside_header = kind in ("unknown", "matlab") and path.with_suffix(".hea").is_file()
    if suffix in (".hea", ".dat", ".atr") or beside_header:  # the first bytes of samples may look like anything
        kind = "wfdb"
    by_kind = next((reader for reader in READERS if reader.kind == kind), None)
    if by_kind is not None:
        return by_kind
    by_suffix = next((reader for reader in READERS if suffix in reader.suffixes), None) if kind == "unknown" else None
    if by_suffix is None or by_suffix.kind not in WITHOUT_SIGNATURE:
        text = (
            "The file is no ECG that can be read (DICOM, SCP-ECG, XML of HL7, GE or Philips, ISHNE, EDF, WFDB or CSV)."
        )
        raise InputError(text, code="E_INPUT_KIND")
    return by_suffix
