"""DICOM waveforms: 12-lead, general and ambulatory ECG (PS3.3 A.34.3 to A.34.5, C.10.9)."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.dicom_patient import patient_header
from pipeline.ecg.leads import canonical_lead, lead_names
from pipeline.ecg.readers.header import EcgHeader, check_rate, check_sample_count, length_remark
from pipeline.ecg.readers.scaling import mv_per_unit
from pipeline.errors import InputError
from pipeline.gates import Limits, guarded, inflated, open_file
from pipeline.records import Array, EcgRecord, Remark

DEFLATED = "1.2.840.10008.1.2.1.99"
ECG_CLASSES = "1.2.840.10008.5.1.4.1.1.9.1."  # 12-lead, general and ambulatory ECG storage
SAMPLE_TYPES: tuple[tuple[int, str, str], ...] = (
    (8, "SB", "i1"),
    (8, "UB", "u1"),
    (16, "SS", "i2"),
    (16, "US", "u2"),
    (32, "SL", "i4"),
    (32, "UL", "u4"),
)
# Numbers of CID 3001 (ECG leads): MDC "2:61" and SCP-ECG "5.6.3-9-61" both mean lead III.
LEAD_NUMBERS: tuple[tuple[int, str], ...] = (
    *((1, "I"), (2, "II"), (61, "III"), (62, "aVR"), (63, "aVL"), (64, "aVF")),
    *((3, "V1"), (4, "V2"), (5, "V3"), (6, "V4"), (7, "V5"), (8, "V6"), (9, "V7"), (66, "V8"), (67, "V9")),
    *((10, "V2R"), (11, "V3R"), (12, "V4R"), (13, "V5R"), (14, "V6R"), (15, "V7R"), (16, "X"), (17, "Y"), (18, "Z")),
)
DAMAGED = "The DICOM waveform is damaged or incomplete."


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel: mV = sample * mv_per_step + baseline_mv; mv_per_step is None where it is no voltage."""

    label: str
    mv_per_step: float | None
    baseline_mv: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One multiplex group. `samples` is (n_samples, n_channels) as stored, a view of the file's bytes."""

    label: str
    original: bool
    sampling_rate_hz: float
    n_declared: int
    samples: Array
    padding: int | None
    channels: tuple[Channel, ...]

    @property
    def duration_s(self) -> float:
        return float(self.samples.shape[0]) / self.sampling_rate_hz

    @property
    def voltage_idx(self) -> tuple[int, ...]:
        return tuple(i for i, channel in enumerate(self.channels) if channel.mv_per_step is not None)


def inspect(path: Path, limits: Limits) -> EcgHeader:
    """Size of the rhythm group; raises InputError or HardStopError as `read` does."""
    group, remarks = _rhythm_group(_groups(_dataset(path, limits), limits))
    return EcgHeader(
        n_leads=len(group.voltage_idx),
        n_samples=group.samples.shape[0],
        sampling_rate_hz=group.sampling_rate_hz,
        files=(path,),
        remarks=remarks,
    )


def read(
    path: Path, limits: Limits, *, progress: Progress = no_progress, cancel: CancelToken | None = None
) -> EcgRecord:
    """Read the rhythm group in mV: sample x sensitivity x correction factor + baseline, per channel.

    Raises
    ------
    InputError
        E_INPUT_CORRUPT, E_INPUT_TRUNCATED, E_INPUT_UNSUPPORTED (companded, no voltage unit).
    HardStopError
        E_HARD_004 when the header declares more samples, or a deflated file unpacks to more, than `limits` allow.
    """
    dataset = _dataset(path, limits)
    group, remarks = _rhythm_group(_groups(dataset, limits))
    kept = group.voltage_idx
    signal_mv = np.empty((len(kept), group.samples.shape[0]), np.float32)
    for row, column in enumerate(kept):
        if cancel is not None:
            cancel.check()
        _scale_into(signal_mv[row], group, column)
        progress((row + 1) / len(kept), "Reading the ECG")
    return EcgRecord(
        signal_mv=signal_mv,
        sampling_rate_hz=group.sampling_rate_hz,
        leads=lead_names([group.channels[i].label for i in kept]),
        scaling="DICOM: sample x sensitivity x correction factor + baseline of each channel, converted to mV.",
        header=patient_header(dataset),
        remarks=remarks,
    )


def _scale_into(row_mv: Array, group: Group, column: int) -> None:
    channel = group.channels[column]
    stored = group.samples[:, column]
    np.multiply(stored, np.float32(channel.mv_per_step or 0.0), out=row_mv, casting="unsafe")
    row_mv += np.float32(channel.baseline_mv)
    if group.padding is not None:
        row_mv[stored == group.padding] = np.nan


def _dataset(path: Path, limits: Limits) -> Any:
    """Parse the file; a deflated one is unpacked as far as the limits allow."""
    from pydicom.filereader import dcmread, read_dataset, read_preamble

    with open_file(path) as file, guarded(DAMAGED):
        read_preamble(file, force=False)
        meta = read_dataset(file, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2)
        if str(meta.get("TransferSyntaxUID", "")) == DEFLATED:
            unpacked = inflated(file, limits)
            return read_dataset(io.BytesIO(unpacked), False, True, bytelength=len(unpacked))
        file.seek(0)
        return dcmread(file)


def _groups(dataset: Any, limits: Limits) -> tuple[Group, ...]:
    with guarded(DAMAGED):
        items = list(dataset.get("WaveformSequence") or ())
        if not items:
            raise _no_waveform(str(dataset.get("SOPClassUID", "") or ""))
        little_endian = bool(dataset.original_encoding[1])
        return tuple(_group(item, little_endian, limits) for item in items)


def _no_waveform(sop_class: str) -> InputError:
    """pydicom ends without a word where the bytes end: an ECG object without waveform was cut."""
    if sop_class.startswith(ECG_CLASSES):
        return InputError("The DICOM file ends before its waveform.", code="E_INPUT_TRUNCATED")
    return InputError("The DICOM file holds no waveform.", code="E_INPUT_KIND")


def _group(item: Any, little_endian: bool, limits: Limits) -> Group:
    n_channels, n_declared = int(item.NumberOfWaveformChannels), int(item.NumberOfWaveformSamples)
    check_sample_count(n_channels, n_declared, limits)
    rate_hz = float(item.SamplingFrequency)
    check_rate(rate_hz)
    definitions = item.ChannelDefinitionSequence
    if len(definitions) != n_channels:
        raise InputError("The DICOM waveform defines another number of channels than it declares.")
    dtype = _dtype(int(item.WaveformBitsAllocated), str(item.WaveformSampleInterpretation), little_endian)
    data = bytes(item.WaveformData)
    n_found = min(n_declared, len(data) // (dtype.itemsize * n_channels))
    if n_found < 1:
        raise InputError("The DICOM waveform ends before its first sample.", code="E_INPUT_TRUNCATED")
    samples = np.frombuffer(data, dtype, count=n_found * n_channels).reshape(n_found, n_channels)
    padding = item.get("WaveformPaddingValue")
    return Group(
        label=str(item.get("MultiplexGroupLabel", "") or ""),
        original=str(item.get("WaveformOriginality", "ORIGINAL")) != "DERIVED",
        sampling_rate_hz=rate_hz,
        n_declared=n_declared,
        samples=samples,
        padding=_padding_value(padding, dtype),
        channels=tuple(_channel(definition) for definition in definitions),
    )


def _dtype(bits: int, interpretation: str, little_endian: bool) -> np.dtype[Any]:
    code = {(b, i): c for b, i, c in SAMPLE_TYPES}.get((bits, interpretation))
    if code is None:
        raise InputError("The DICOM waveform stores samples in a way that is not read.", code="E_INPUT_UNSUPPORTED")
    return np.dtype(("<" if little_endian else ">") + code)


def _padding_value(value: Any, dtype: np.dtype[Any]) -> int | None:
    """The stored value that means "no sample"; DICOM gives it as bytes of one sample or as a number."""
    if value is None or value == b"":
        return None
    if isinstance(value, bytes):
        return int(np.frombuffer(value[: dtype.itemsize], dtype)[0])
    return int(value)


def _channel(definition: Any) -> Channel:
    unit_items = definition.get("ChannelSensitivityUnitsSequence") or ()
    factor = mv_per_unit(str(unit_items[0].CodeValue)) if unit_items else None
    sensitivity = definition.get("ChannelSensitivity")
    label = _lead_label(definition)
    if factor is None or sensitivity is None:
        return Channel(label=label, mv_per_step=None, baseline_mv=0.0)
    correction = definition.get("ChannelSensitivityCorrectionFactor")
    step_mv = float(sensitivity) * (1.0 if correction is None else float(correction)) * factor
    baseline_mv = float(definition.get("ChannelBaseline") or 0.0) * factor
    if step_mv == 0.0 or not math.isfinite(step_mv) or not math.isfinite(baseline_mv):
        raise InputError("A channel of the DICOM waveform has an impossible sensitivity.")
    return Channel(label=label, mv_per_step=step_mv, baseline_mv=baseline_mv)


def _lead_label(definition: Any) -> str:
    """Lead name from the source code, else from its meaning, else from the channel's label."""
    sources = definition.get("ChannelSourceSequence") or ()
    meaning = str(sources[0].get("CodeMeaning", "") or "") if sources else ""
    number = _lead_number(str(sources[0].get("CodeValue", ""))) if sources else None
    named = dict(LEAD_NUMBERS).get(number) if number is not None else None
    return named or canonical_lead(meaning) or str(definition.get("ChannelLabel", "") or "") or meaning


def _lead_number(code: str) -> int | None:
    prefix, _, number = code.replace("5.6.3-9-", "2:").partition(":")
    return int(number) if prefix == "2" and number.isdecimal() else None


def _rhythm_group(groups: Sequence[Group]) -> tuple[Group, tuple[Remark, ...]]:
    """The longest original group with voltages, and remarks on what was left out."""
    candidates = [group for group in groups if group.voltage_idx]
    if not candidates:
        raise InputError("The DICOM waveform has no channel whose unit is a voltage.", code="E_INPUT_UNSUPPORTED")
    chosen = max(candidates, key=lambda group: (group.original, group.duration_s, len(group.voltage_idx)))
    return chosen, _remarks(chosen, groups)


def _remarks(chosen: Group, groups: Sequence[Group]) -> tuple[Remark, ...]:
    remarks = []
    n_found, n_dropped = chosen.samples.shape[0], len(chosen.channels) - len(chosen.voltage_idx)
    if n_found < chosen.n_declared:
        remarks.append(length_remark(chosen.n_declared / chosen.sampling_rate_hz, chosen.duration_s))
    if n_dropped:
        text = f"{n_dropped} channels of the DICOM waveform are not in volts and were left out."
        remarks.append(Remark(code="W_ECG_CHANNELS", text=text))
    others = ", ".join(_group_text(group) for group in groups if group is not chosen)
    if others:
        remarks.append(Remark(code="W_ECG_GROUPS", text=f"Beside the rhythm the DICOM file holds, unused: {others}."))
    return tuple(remarks)


def _group_text(group: Group) -> str:
    median = "median" in group.label.casefold()
    what = "median beats" if median else "a derived group" if not group.original else "another group"
    return f"{what} ({len(group.channels)} channels, {group.duration_s:.1f} s)"
