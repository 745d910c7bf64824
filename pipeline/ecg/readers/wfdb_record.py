"""WFDB records: headers are judged and sizes counted before `wfdb_samples` decodes a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.ecg.leads import lead_names
from pipeline.ecg.readers.header import EcgHeader, check_sample_count, length_remark
from pipeline.ecg.readers.scaling import require_mv_per_unit
from pipeline.ecg.readers.selection import Selection, select_leads
from pipeline.ecg.readers.stream import EcgStream
from pipeline.ecg.readers.wfdb_header import (
    BIG_ENDIAN_16,
    BITS_PER_SAMPLE,
    FLAC_FORMATS,
    SignalLine,
    WfdbHeader,
    companion,
    read_header,
)
from pipeline.ecg.readers.wfdb_samples import is_matlab, matlab_frames, stored_samples
from pipeline.errors import InputError
from pipeline.gates import Limits, check_file
from pipeline.records import Array, EcgRecord, PatientHeader, Remark

CHUNK_VALUES = 4_000_000
SCALING = "WFDB: (stored value - baseline) / gain of each signal, converted to mV."
# The stored value that means "no sample", by format: signal(5) of the WFDB Applications Guide.
INVALID_VALUE: tuple[tuple[int, int], ...] = (
    *((80, -(1 << 7)), (508, -(1 << 7)), (310, -(1 << 9)), (311, -(1 << 9)), (212, -(1 << 11))),
    *((16, -(1 << 15)), (BIG_ENDIAN_16, -(1 << 15)), (160, -(1 << 15)), (516, -(1 << 15))),
    *((24, -(1 << 23)), (524, -(1 << 23)), (32, -(1 << 31))),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One single-segment record of the whole: where it starts and how many frames can be read."""

    header: WfdbHeader
    start_frame: int
    n_declared: int
    n_found: int
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything known before a sample is decoded. `labels` are those of the kept leads, in order."""

    n_frames: int
    samples_per_frame: int
    selection: Selection
    labels: tuple[str, ...]
    layout_labels: tuple[str, ...]
    parts: tuple[Part, ...]
    files: tuple[Path, ...]
    patient: PatientHeader
    remarks: tuple[Remark, ...]


def header_path(path: Path) -> Path:
    """The `.hea` of a record of which any file was given."""
    if path.suffix.casefold() == ".hea":
        return path
    header = path.with_suffix(".hea")
    if not header.is_file():
        raise InputError("The WFDB header (.hea) beside the signal file is missing.", code="E_INPUT_MISSING")
    return header


def inspect(path: Path, limits: Limits) -> EcgHeader:
    """Size of the record from its headers and the sizes of its signal files."""
    plan = _plan(header_path(path), limits)
    return EcgHeader(
        n_leads=len(plan.labels),
        n_samples=plan.n_frames * plan.samples_per_frame,
        sampling_rate_hz=plan.selection.sampling_rate_hz,
        files=plan.files,
        remarks=plan.remarks,
    )


def read(
    path: Path, limits: Limits, *, progress: Progress = no_progress, cancel: CancelToken | None = None
) -> EcgRecord:
    """Read a record in mV: (stored value - baseline) / gain, times the unit; NaN where no sample is.

    Raises
    ------
    InputError
        E_INPUT_MISSING (header or signal file), E_INPUT_KIND (link, no ECG signal), E_INPUT_TRUNCATED,
        E_INPUT_UNSUPPORTED (sample format, unit), E_INPUT_CORRUPT.
    HardStopError
        E_HARD_004 when the header declares more samples than `limits` allow.
    """
    plan = _plan(header_path(path), limits)
    signal_mv = np.full((len(plan.labels), plan.n_frames * plan.samples_per_frame), np.nan, np.float32)
    for part in plan.parts:
        first = part.start_frame * plan.samples_per_frame
        region = signal_mv[:, first : first + part.n_found * plan.samples_per_frame]
        for start in range(0, part.n_found, step := _chunk_frames(part)):
            if cancel is not None:
                cancel.check()
            stop = min(start + step, part.n_found)
            columns = slice(start * plan.samples_per_frame, stop * plan.samples_per_frame)
            _read_chunk(part, start, stop, plan, region[:, columns], limits)
            progress((part.start_frame + stop) / plan.n_frames, "Reading the ECG")
    return EcgRecord(
        signal_mv=signal_mv,
        sampling_rate_hz=plan.selection.sampling_rate_hz,
        leads=lead_names(plan.labels),
        scaling=SCALING,
        header=plan.patient,
        remarks=plan.remarks,
    )


def stream(path: Path, limits: Limits) -> EcgStream | None:
    """The record for reading piece by piece; None where a signal file allows no start in the middle."""
    plan = _plan(header_path(path), limits)
    if not all(_can_start_anywhere(part) for part in plan.parts):
        return None
    return EcgStream(
        leads=lead_names(plan.labels),
        sampling_rate_hz=plan.selection.sampling_rate_hz,
        n_samples=plan.n_frames * plan.samples_per_frame,
        scaling=SCALING,
        header=plan.patient,
        remarks=plan.remarks,
        read=lambda first, end: _read_stretch(plan, limits, first, end),
    )


def _read_stretch(plan: Plan, limits: Limits, first: int, end: int) -> Array:
    """Samples `first` to `end` of each lead in mV, NaN where no part of the record lies."""
    size = plan.samples_per_frame
    first_frame, end_frame = first // size, -(-end // size)
    signal_mv = np.full((len(plan.labels), (end_frame - first_frame) * size), np.nan, np.float32)
    for part in plan.parts:
        start, stop = max(0, first_frame - part.start_frame), min(part.n_found, end_frame - part.start_frame)
        if start < stop:
            column = (part.start_frame + start - first_frame) * size
            _read_chunk(part, start, stop, plan, signal_mv[:, column : column + (stop - start) * size], limits)
    return signal_mv[:, first - first_frame * size : end - first_frame * size]


# --- planning ----------------------------------------------------------------------------------------


def _plan(path: Path, limits: Limits) -> Plan:
    """Read every header, refuse what is dangerous, and count what the signal files hold."""
    if "::" in str(path.absolute()) or "://" in str(path):
        # the wfdb package hands paths to fsspec, which takes these for chained or remote addresses
        raise InputError("The folder's name holds '::', which WFDB records cannot have.", code="E_INPUT_UNSUPPORTED")
    header = read_header(path)
    layout, parts = _parts(header, limits)
    rates = [header.sampling_rate_hz * signal.samples_per_frame for signal in layout.signals]
    labels = [signal.label for signal in layout.signals]
    selection = select_leads(labels, [signal.unit for signal in layout.signals], rates, labelled_only=False)
    kept = [layout.signals[i] for i in selection.kept_idx]
    n_frames = max((part.start_frame + part.n_found for part in parts), default=0)
    if n_frames == 0:
        raise InputError("The signal files of the WFDB record hold no samples.", code="E_INPUT_TRUNCATED")
    check_sample_count(len(kept), n_frames * kept[0].samples_per_frame, limits)
    n_declared = max(part.start_frame + part.n_declared for part in parts)
    return Plan(
        n_frames=n_frames,
        samples_per_frame=kept[0].samples_per_frame,
        selection=selection,
        labels=tuple(signal.label for signal in kept),
        layout_labels=tuple(labels),
        parts=parts,
        files=_unique((path, layout.path, *(file for part in parts for file in (part.header.path, *part.files)))),
        patient=header.patient if header.patient != PatientHeader() else layout.patient,
        remarks=(*selection.remarks, *_remarks(header.sampling_rate_hz, n_declared, n_frames, parts, kept)),
    )


def _parts(header: WfdbHeader, limits: Limits) -> tuple[WfdbHeader, tuple[Part, ...]]:
    """The header that names the signals, and the parts that hold samples."""
    if not header.segments:
        return header, (_part(header, 0, header.n_frames, limits),)
    parts, start = [], 0
    layout: WfdbHeader | None = None
    check_sample_count(1, max(1, sum(n_frames for _, n_frames in header.segments)), limits)
    known: dict[str, WfdbHeader] = {}
    for name, n_frames in header.segments:
        if name != "~":
            segment = known[name] if name in known else known.setdefault(name, _segment_header(header, name))
            layout = layout or segment
            if n_frames:  # a first segment of length 0 only names the signals of a variable layout
                parts.append(_part(segment, start, n_frames, limits))
        start += n_frames
    if layout is None:
        raise InputError("The WFDB record has no segment with signals.")
    return layout, tuple(parts)


def _segment_header(master: WfdbHeader, name: str) -> WfdbHeader:
    segment = read_header(companion(master.path.parent, f"{name}.hea"))
    if segment.segments:
        raise InputError("A segment of the WFDB record has segments itself.")
    if segment.sampling_rate_hz != master.sampling_rate_hz:
        raise InputError("A segment of the WFDB record has another sampling rate.", code="E_INPUT_UNSUPPORTED")
    return segment


def _part(header: WfdbHeader, start_frame: int, n_declared: int | None, limits: Limits) -> Part:
    groups: dict[str, list[SignalLine]] = {}
    for signal in header.signals:
        groups.setdefault(signal.file_name, []).append(signal)
    total_per_frame = sum(signal.samples_per_frame for signal in header.signals)
    if n_declared is not None:
        check_sample_count(total_per_frame, n_declared, limits)
    files = tuple(companion(header.path.parent, name) for name in groups)
    found = [_frames_in(file, group, limits) for file, group in zip(files, groups.values(), strict=True)]
    n_found = min([n for n in found if n is not None] + ([] if n_declared is None else [n_declared]), default=0)
    check_sample_count(total_per_frame, max(1, n_found), limits)
    return Part(header=header, start_frame=start_frame, n_declared=n_declared or n_found, n_found=n_found, files=files)


def _frames_in(file: Path, signals: Sequence[SignalLine], limits: Limits) -> int | None:
    """Frames that the bytes of a signal file can hold; None for compressed files."""
    size_bytes = check_file(file, limits).size_bytes
    if len({(signal.format, signal.byte_offset) for signal in signals}) != 1:
        raise InputError("Signals of one WFDB file are declared in different formats.")
    if signals[0].format in FLAC_FORMATS:
        return None
    if is_matlab(file, limits):
        return matlab_frames(file, signals, limits)
    bits = dict(BITS_PER_SAMPLE)[signals[0].format]
    n_samples = int((size_bytes - signals[0].byte_offset) * 8 / bits + 1e-6)
    return max(0, n_samples // sum(signal.samples_per_frame for signal in signals))


def _remarks(
    frame_rate_hz: float, n_declared: int, n_found: int, parts: Sequence[Part], kept: Sequence[SignalLine]
) -> tuple[Remark, ...]:
    remarks = []
    if n_found < n_declared:
        remarks.append(length_remark(n_declared / frame_rate_hz, n_found / frame_rate_hz))
    elif any(part.n_found < part.n_declared for part in parts):
        text = "A segment of the WFDB record is cut short; what is missing stays empty."
        remarks.append(Remark(code="W_ECG_TRUNCATED", text=text))
    if not all(signal.gain_given for signal in kept):
        text = "The WFDB header gives no gain for some leads: 200 steps per mV were taken, the format's default."
        remarks.append(Remark(code="W_ECG_GAIN", text=text))
    return tuple(remarks)


def _unique(paths: Sequence[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(paths))


# --- decoding ----------------------------------------------------------------------------------------


def _can_start_anywhere(part: Part) -> bool:
    """Whether the formats of a part allow reading from the middle."""
    formats = {signal.format for signal in part.header.signals}
    has_matrix = any(file.suffix.casefold() == ".mat" for file in part.files)  # unpacked as a whole
    return not (formats & {8, *FLAC_FORMATS} or part.header.n_frames is None or has_matrix)


def _chunk_frames(part: Part) -> int:
    """Frames read at once: all where the format allows no start in the middle."""
    if not _can_start_anywhere(part):
        return part.n_found
    return max(1, CHUNK_VALUES // sum(signal.samples_per_frame for signal in part.header.signals))


def _read_chunk(part: Part, start: int, stop: int, plan: Plan, columns_mv: Array, limits: Limits) -> None:
    """Decode frames `start` to `stop` of one part into their columns of the result."""
    rows = _rows(part.header.signals, plan)
    if not rows:
        return
    digital = stored_samples(part.header, start, stop, [channel for _, channel in rows], limits)
    for (row, channel), stored in zip(rows, digital, strict=True):
        signal = part.header.signals[channel]
        factor = require_mv_per_unit(signal.unit) / signal.gain
        values = (stored.astype(np.float64) - signal.baseline) * factor
        invalid = dict(INVALID_VALUE).get(signal.format)
        if invalid is not None:
            values[stored == invalid] = np.nan
        columns_mv[row] = values


def _rows(signals: Sequence[SignalLine], plan: Plan) -> list[tuple[int, int]]:
    """(row of the result, channel of this part) for the leads that the part holds."""
    labels = [signal.label for signal in signals]
    if tuple(labels) == plan.layout_labels:
        pairs = list(enumerate(plan.selection.kept_idx))
    else:
        pairs = [(row, labels.index(label)) for row, label in enumerate(plan.labels) if label in labels]
    if any(signals[channel].samples_per_frame != plan.samples_per_frame for _, channel in pairs):
        raise InputError("A lead changes its sampling rate between segments.", code="E_INPUT_UNSUPPORTED")
    return pairs
