"""EDF, EDF+ and BDF: the header is judged here, edfio decodes the records block by block."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.ecg.leads import lead_names
from pipeline.ecg.readers.edf_layout import Layout, blocks, read_layout, record_starts_s
from pipeline.ecg.readers.header import EcgHeader, check_rate, check_sample_count, length_remark
from pipeline.ecg.readers.scaling import require_mv_per_unit
from pipeline.ecg.readers.selection import Selection, select_leads
from pipeline.ecg.readers.stream import EcgStream
from pipeline.errors import InputError
from pipeline.gates import Limits, guarded
from pipeline.records import Array, EcgRecord, PatientHeader, Remark, Sex

DAMAGED = "The EDF file is damaged or incomplete."


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is read of the file. Positions count the signals without annotations."""

    layout: Layout
    selection: Selection
    labels: tuple[str, ...]
    factors: tuple[tuple[float, float], ...]  # mV = factor * stored value + offset
    samples_per_record: int
    starts: Array  # int64 (records,): first sample of each record, with room left where the recording was interrupted
    patient: PatientHeader
    remarks: tuple[Remark, ...]

    @property
    def n_samples(self) -> int:
        return int(self.starts[-1]) + self.samples_per_record

    @property
    def scaling(self) -> str:
        name = "BDF" if self.layout.is_bdf else "EDF"
        return f"{name}: physical range over digital range of each signal, converted to mV."


def inspect(path: Path, limits: Limits) -> EcgHeader:
    """Size of the recording from its header and the length of the file."""
    plan = _plan(path, limits)
    return EcgHeader(
        n_leads=len(plan.labels),
        n_samples=plan.n_samples,
        sampling_rate_hz=plan.selection.sampling_rate_hz,
        files=(path,),
        remarks=plan.remarks,
    )


def read(
    path: Path, limits: Limits, *, progress: Progress = no_progress, cancel: CancelToken | None = None
) -> EcgRecord:
    """Read the ECG signals in mV by their digital and physical ranges; NaN where the recording was interrupted.

    Raises
    ------
    InputError
        E_INPUT_CORRUPT (record count -1, physical minimum equal to maximum, damaged header),
        E_INPUT_TRUNCATED, E_INPUT_KIND (no ECG signal).
    HardStopError
        E_HARD_004 when the header declares more samples than `limits` allow.
    """
    plan = _plan(path, limits)
    signal_mv = np.full((len(plan.labels), plan.n_samples), np.nan, np.float32)
    record = 0
    for block in blocks(path, plan.layout):
        if cancel is not None:
            cancel.check()
        record += _place(plan, block, record, signal_mv, 0)
        progress(record / plan.starts.size, "Reading the ECG")
    return EcgRecord(
        signal_mv=signal_mv,
        sampling_rate_hz=plan.selection.sampling_rate_hz,
        leads=lead_names(plan.labels),
        scaling=plan.scaling,
        header=plan.patient,
        remarks=plan.remarks,
    )


def stream(path: Path, limits: Limits) -> EcgStream:
    """The recording for reading piece by piece."""
    plan = _plan(path, limits)
    return EcgStream(
        leads=lead_names(plan.labels),
        sampling_rate_hz=plan.selection.sampling_rate_hz,
        n_samples=plan.n_samples,
        scaling=plan.scaling,
        header=plan.patient,
        remarks=plan.remarks,
        read=lambda first, end: _read_stretch(path, plan, first, end),
    )


def _read_stretch(path: Path, plan: Plan, first: int, end: int) -> Array:
    """Samples `first` to `end` of each lead in mV, NaN where the recording was interrupted."""
    record = int(np.searchsorted(plan.starts + plan.samples_per_record, first, "right"))
    last = int(np.searchsorted(plan.starts, end, "left"))
    if record >= last:
        return np.full((len(plan.labels), end - first), np.nan, np.float32)
    origin = min(first, int(plan.starts[record]))
    n_samples = max(end, int(plan.starts[last - 1]) + plan.samples_per_record) - origin
    signal_mv = np.full((len(plan.labels), n_samples), np.nan, np.float32)
    for block in blocks(path, plan.layout, record, last):
        record += _place(plan, block, record, signal_mv, origin)
    return signal_mv[:, first - origin : end - origin]


def _place(plan: Plan, block: bytes, record: int, signal_mv: Array, origin: int) -> int:
    """Write the records of a block where they belong, and say how many these were."""
    with guarded(DAMAGED):
        signals = _parse(block, plan.layout.is_bdf).signals
        stored = [signals[i].digital for i in plan.selection.kept_idx]
    starts = plan.starts[record : record + stored[0].size // plan.samples_per_record] - origin
    for row, ((factor, offset), values) in enumerate(zip(plan.factors, stored, strict=True)):
        _place_lead(signal_mv[row], factor * values + offset, starts)
    return int(starts.size)


def _place_lead(row_mv: Array, values_mv: Array, starts: Array) -> None:
    """Records of one lead; at once where they follow each other."""
    size = values_mv.size // starts.size
    if int(starts[-1] - starts[0]) == size * (starts.size - 1):
        row_mv[starts[0] : starts[0] + values_mv.size] = values_mv
        return
    for start, values in zip(starts.tolist(), values_mv.reshape(starts.size, size), strict=True):
        row_mv[start : start + size] = values


def _plan(path: Path, limits: Limits) -> Plan:
    layout = read_layout(path, limits)
    with guarded(DAMAGED):
        first = _parse(next(blocks(path, layout)), layout.is_bdf)
        signals = list(first.signals)
        if not signals:
            raise InputError("The EDF file holds annotations only.", code="E_INPUT_KIND")
        labels = [signal.label.strip() for signal in signals]
        rates = [signal.samples_per_data_record / layout.duration_s for signal in signals]
        units = [signal.physical_dimension for signal in signals]
        selection = select_leads(labels, units, rates, labelled_only=True)
        check_rate(selection.sampling_rate_hz)
        kept = [signals[i] for i in selection.kept_idx]
        size = kept[0].samples_per_data_record
        starts = _starts(path, layout, size, selection.sampling_rate_hz)
        check_sample_count(len(kept), int(starts[-1]) + size, limits)
        return Plan(
            layout=layout,
            selection=selection,
            labels=tuple(labels[i] for i in selection.kept_idx),
            factors=tuple(_scale(signal) for signal in kept),
            samples_per_record=size,
            starts=starts,
            patient=_patient(first),
            remarks=(*selection.remarks, *_remarks(layout, starts, size, selection.sampling_rate_hz)),
        )


def _starts(path: Path, layout: Layout, size: int, rate_hz: float) -> Array:
    """First sample of each record; a record never begins before the one ahead of it has ended."""
    regular = np.arange(layout.n_found, dtype=np.int64) * size
    if not layout.is_interrupted:
        return regular
    free = np.round(record_starts_s(path, layout) * rate_hz).astype(np.int64) - regular
    return np.asarray(np.maximum.accumulate(free) + regular)


def _remarks(layout: Layout, starts: Array, size: int, rate_hz: float) -> tuple[Remark, ...]:
    remarks = []
    if layout.n_found < layout.n_declared:
        remarks.append(length_remark(layout.n_declared * layout.duration_s, layout.n_found * layout.duration_s))
    gaps = np.diff(starts) - size
    if gaps.any():
        text = (
            f"The recording was interrupted {np.count_nonzero(gaps)} times, for {gaps.sum() / rate_hz:.5g} s together: "
            "these parts stay empty."
        )
        remarks.append(Remark(code="W_ECG_GAPS", text=text))
    return tuple(remarks)


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


def _parse(block: bytes, is_bdf: bool) -> Any:
    import edfio

    parse = edfio.read_bdf if is_bdf else edfio.read_edf
    return parse(block, header_encoding="latin-1")


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
