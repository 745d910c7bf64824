"""EDF, EDF+ and BDF: the header is judged here, edfio decodes the records block by block."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.ecg.leads import lead_names
from pipeline.ecg.readers.header import EcgHeader, check_rate, check_sample_count, length_remark
from pipeline.ecg.readers.scaling import require_mv_per_unit
from pipeline.ecg.readers.selection import Selection, select_leads
from pipeline.errors import InputError
from pipeline.gates import Limits, check_file, guarded, open_file, reading
from pipeline.records import EcgRecord, PatientHeader, Remark, Sex

DAMAGED = "The EDF file is damaged or incomplete."
BDF_MAGIC = b"\xffBIOSEMI"
MAX_SIGNALS = 1024
CHUNK_BYTES = 8 << 20
# Layout of the fixed header and of the signal headers: edfplus.info/specs/edf.html
RECORD_COUNT_BYTES = slice(236, 244)
SAMPLES_PER_RECORD_OFFSET = 16 + 80 + 5 * 8 + 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Sizes of the file as its header declares them and as its length allows."""

    header: bytes
    is_bdf: bool
    record_bytes: int
    duration_s: float  # of one data record
    n_declared: int
    n_found: int

    def block(self, records: bytes) -> bytes:
        """A complete small file of the given whole records, as edfio wants it."""
        count = str(len(records) // self.record_bytes).encode().ljust(8)
        return self.header[: RECORD_COUNT_BYTES.start] + count + self.header[RECORD_COUNT_BYTES.stop :] + records


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is read of the file. Positions count the signals without annotations."""

    layout: Layout
    selection: Selection
    labels: tuple[str, ...]
    factors: tuple[tuple[float, float], ...]  # mV = factor * stored value + offset
    samples_per_record: int
    patient: PatientHeader
    remarks: tuple[Remark, ...]


def inspect(path: Path, limits: Limits) -> EcgHeader:
    """Size of the recording from its header and the length of the file."""
    plan = _plan(path, limits)
    return EcgHeader(
        n_leads=len(plan.labels),
        n_samples=plan.layout.n_found * plan.samples_per_record,
        sampling_rate_hz=plan.selection.sampling_rate_hz,
        files=(path,),
        remarks=plan.remarks,
    )


def read(
    path: Path, limits: Limits, *, progress: Progress = no_progress, cancel: CancelToken | None = None
) -> EcgRecord:
    """Read the ECG signals in mV by their digital and physical ranges.

    Raises
    ------
    InputError
        E_INPUT_CORRUPT (record count -1, physical minimum equal to maximum, damaged header),
        E_INPUT_TRUNCATED, E_INPUT_UNSUPPORTED (interrupted EDF+D), E_INPUT_KIND (no ECG signal).
    HardStopError
        E_HARD_004 when the header declares more samples than `limits` allow.
    """
    plan = _plan(path, limits)
    n_samples = plan.layout.n_found * plan.samples_per_record
    signal_mv = np.empty((len(plan.labels), n_samples), np.float32)
    column = 0
    for block in _blocks(path, plan.layout):
        if cancel is not None:
            cancel.check()
        with guarded(DAMAGED):
            signals = _parse(block, plan.layout.is_bdf).signals
            stored = [signals[i].digital for i in plan.selection.kept_idx]
            for row, ((factor, offset), values) in enumerate(zip(plan.factors, stored, strict=True)):
                signal_mv[row, column : column + values.size] = factor * values + offset
            column += stored[0].size
        progress(column / n_samples, "Reading the ECG")
    return EcgRecord(
        signal_mv=signal_mv[:, :column],
        sampling_rate_hz=plan.selection.sampling_rate_hz,
        leads=lead_names(plan.labels),
        scaling=f"{'BDF' if plan.layout.is_bdf else 'EDF'}: physical range over digital range of each signal, "
        "converted to mV.",
        header=plan.patient,
        remarks=plan.remarks,
    )


def _plan(path: Path, limits: Limits) -> Plan:
    layout = _layout(path, limits)
    with guarded(DAMAGED):
        first = _parse(next(_blocks(path, layout)), layout.is_bdf)
        signals = list(first.signals)
        if not signals:
            raise InputError("The EDF file holds annotations only.", code="E_INPUT_KIND")
        labels = [signal.label.strip() for signal in signals]
        rates = [signal.samples_per_data_record / layout.duration_s for signal in signals]
        units = [signal.physical_dimension for signal in signals]
        selection = select_leads(labels, units, rates, labelled_only=True)
        check_rate(selection.sampling_rate_hz)
        kept = [signals[i] for i in selection.kept_idx]
        check_sample_count(len(kept), layout.n_found * kept[0].samples_per_data_record, limits)
        return Plan(
            layout=layout,
            selection=selection,
            labels=tuple(labels[i] for i in selection.kept_idx),
            factors=tuple(_scale(signal) for signal in kept),
            samples_per_record=kept[0].samples_per_data_record,
            patient=_patient(first),
            remarks=(*selection.remarks, *_remarks(layout)),
        )


def _remarks(layout: Layout) -> tuple[Remark, ...]:
    if layout.n_found >= layout.n_declared:
        return ()
    return (length_remark(layout.n_declared * layout.duration_s, layout.n_found * layout.duration_s),)


def _scale(signal: Any) -> tuple[float, float]:
    """(factor, offset) from stored values to mV."""
    low, high = float(signal.physical_min), float(signal.physical_max)
    digital_low, digital_high = int(signal.digital_min), int(signal.digital_max)
    if not (math.isfinite(low) and math.isfinite(high)) or low == high:
        raise InputError("A signal of the EDF file has no physical range: its minimum equals its maximum.")
    if digital_low >= digital_high:
        raise InputError("A signal of the EDF file has no digital range.")
    unit = require_mv_per_unit(signal.physical_dimension)
    factor = (high - low) / (digital_high - digital_low)
    return factor * unit, (low - factor * digital_low) * unit


# --- header and blocks -------------------------------------------------------------------------------


def _layout(path: Path, limits: Limits) -> Layout:
    """Parse the few numbers that say how large the file is."""
    size_bytes = check_file(path, limits).size_bytes
    with open_file(path) as file, reading():
        fixed = file.read(256)
        n_signals = _whole(fixed[252:256])
        if len(fixed) < 256 or not 1 <= n_signals <= MAX_SIGNALS:
            raise InputError("The EDF header is damaged.")
        header = fixed + file.read(256 * n_signals)
    if len(header) != 256 * (n_signals + 1):
        raise InputError("The EDF file ends inside its header.", code="E_INPUT_TRUNCATED")
    if fixed[192:197] in (b"EDF+D", b"BDF+D"):
        raise InputError("Interrupted recordings (EDF+D) are not read.", code="E_INPUT_UNSUPPORTED")
    n_declared, duration_s = _whole(fixed[RECORD_COUNT_BYTES]), _number(fixed[244:252])
    if n_declared < 1:
        raise InputError("The EDF header does not say how many data records follow: the file was never closed.")
    if not 0.0 < duration_s < 1e6 or _whole(fixed[184:192]) != len(header):
        raise InputError("The EDF header is damaged.")
    is_bdf = fixed[:8] == BDF_MAGIC
    samples_per_record = _samples_per_record(header, n_signals)
    record_bytes = samples_per_record * (3 if is_bdf else 2)
    check_sample_count(1, n_declared * samples_per_record, limits)
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
    )


def _samples_per_record(header: bytes, n_signals: int) -> int:
    start = 256 + n_signals * SAMPLES_PER_RECORD_OFFSET
    counts = [_whole(header[start + 8 * i : start + 8 * i + 8]) for i in range(n_signals)]
    if min(counts) < 1:
        raise InputError("A signal of the EDF header has no samples.")
    return sum(counts)


def _blocks(path: Path, layout: Layout) -> Iterator[bytes]:
    """The file in small complete files of whole records."""
    per_block = max(1, CHUNK_BYTES // layout.record_bytes)
    with open_file(path) as file, reading():
        file.seek(len(layout.header))
        for start in range(0, layout.n_found, per_block):
            wanted = min(per_block, layout.n_found - start) * layout.record_bytes
            records = _read_exactly(file, wanted)
            yield layout.block(records)


def _read_exactly(file: BinaryIO, n_bytes: int) -> bytes:
    records = file.read(n_bytes)
    if len(records) != n_bytes:
        raise InputError("The EDF file ends inside a data record.", code="E_INPUT_TRUNCATED")
    return records


def _parse(block: bytes, is_bdf: bool) -> Any:
    import edfio

    parse = edfio.read_bdf if is_bdf else edfio.read_edf
    return parse(block, header_encoding="latin-1")


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


def _patient(recording: Any) -> PatientHeader:
    """Patient and start of an EDF+ file; each field of a plain EDF file is free text and stays unread."""
    sexes: dict[str, Sex] = {"M": "male", "F": "female"}
    fields: dict[str, Any] = {}
    with contextlib.suppress(ValueError, AttributeError, LookupError, TypeError):
        fields["acquired_at"] = recording.startdatetime.isoformat()
    if recording.reserved[:4] not in ("EDF+", "BDF+"):
        return PatientHeader(**fields)
    with contextlib.suppress(ValueError, AttributeError, LookupError, TypeError):
        patient = recording.patient
        fields["patient_id"] = _known(patient.code)
        fields["name"] = _known(patient.name)
        fields["sex"] = sexes.get(patient.sex)
        fields["birth_date"] = patient.birthdate.isoformat() if patient.birthdate else None
    return PatientHeader(**fields)


def _known(text: str) -> str | None:
    return text if text.strip("X,_ ") else None
