"""Philips Sierra XML: resting ECG of PageWriter, TraceMaster and HeartStart devices, versions 1.03 and 1.04."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from pipeline.ecg.leads import STANDARD_LEADS
from pipeline.ecg.readers import xli
from pipeline.ecg.readers.patient_facts import age_years, height_cm, sex_of, weight_kg
from pipeline.ecg.readers.whole_file import WholeFile, check_size, make_record
from pipeline.ecg.readers.xml_document import (
    attribute,
    bytes_in,
    iso_date,
    iso_time,
    number_in,
    numbers_in,
    optional_number,
    read_xml,
    text_of,
    whole_in,
)
from pipeline.errors import InputError
from pipeline.gates import Limits
from pipeline.records import Array, EcgRecord, PatientHeader, Remark

DOCUMENT_TYPES = ("SierraECG", "PhilipsECG")
VERSIONS = ("1.03", "1.04", "1.04.01", "1.04.02")
STANDARD_SETS = ("STD-12", "10-WIRE")
CHARACTERISTICS = "dataacquisition/signalcharacteristics"
UV = 1e-3
CALIBRATION_S = 0.4
"""Length of the pulse of 1 mV that the devices append: 0.1 s at zero, 0.2 s at 1 mV, 0.1 s at zero."""
CALIBRATION_MV = 1.0
CALIBRATION_TOLERANCE_MV = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the file declares of its waveform; mV = (step - zero) * mv_per_step."""

    labels: tuple[str, ...]
    sampling_rate_hz: float
    n_samples: int
    mv_per_step: float
    zero: float
    signed: bool
    encoding: str
    compression: str


def decode(path: Path, limits: Limits) -> EcgRecord:
    """Decode the rhythm of all leads; the calibration pulse at its end is cut off and said.

    Raises
    ------
    InputError
        E_INPUT_UNSUPPORTED (document type, version, coding), E_INPUT_CORRUPT, E_INPUT_TRUNCATED, E_INPUT_KIND.
    HardStopError
        E_HARD_004 over the limits.
    """
    root = read_xml(path, limits)
    kind, version = text_of(root, "documentinfo/documenttype"), text_of(root, "documentinfo/documentversion")
    if kind not in DOCUMENT_TYPES or version not in VERSIONS:
        raise InputError("This version of a Philips ECG file is not read.", code="E_INPUT_UNSUPPORTED")
    waveform = root.find(".//parsedwaveforms")
    if waveform is None:
        raise InputError("The Philips ECG file holds no waveform.", code="E_INPUT_KIND")
    layout = _layout(root, waveform)
    check_size(len(layout.labels), layout.n_samples, layout.sampling_rate_hz, limits)
    signal_mv = (_steps(text_of(waveform), layout) - layout.zero) * layout.mv_per_step
    n_kept = _without_calibration(signal_mv, layout.sampling_rate_hz)
    remarks = []
    if n_kept < layout.n_samples:
        text = "The calibration pulse at the end of every lead is no heartbeat and was cut off."
        remarks.append(Remark(code="W_ECG_CALIBRATION_PULSE", text=text))
    return make_record(
        layout.labels,
        list(signal_mv[:, :n_kept]),
        layout.sampling_rate_hz,
        scaling="Philips Sierra: (step - offset) x resolution, converted to mV.",
        patient=_patient(root),
        remarks=remarks,
    )


READER = WholeFile(decode=decode)


def _layout(root: Element, waveform: Element) -> Layout:
    """The attributes of the waveform, where absent the characteristics of the signal."""
    given = root.find(CHARACTERISTICS)

    def either(name: str, *elements: str) -> str:
        return attribute(waveform, name) or next((t for e in elements if (t := text_of(given, e))), "")

    rate_hz = number_in(either("samplespersecond", "samplingrate"), "sampling rate")
    duration_ms = number_in(attribute(waveform, "durationperchannel"), "duration")
    step_uv = number_in(either("resolution", "resolution", "signalresolution"), "resolution")
    if step_uv <= 0.0 or not 0.0 < duration_ms < 1e9 or not 1.0 <= rate_hz <= 1e5:
        raise InputError("The Philips ECG file declares an impossible rate, duration or resolution.")
    compressed = attribute(waveform, "compressflag").casefold() != "false"
    method = attribute(waveform, "compression") or attribute(waveform, "compressmethod")
    return Layout(
        labels=_labels(waveform, given),
        sampling_rate_hz=rate_hz,
        n_samples=round(duration_ms * rate_hz / 1000.0),
        mv_per_step=step_uv * UV,
        zero=optional_number(either("signaloffset", "signaloffset")) or 0.0,
        signed=either("signalsigned", "signalsigned").casefold() != "false",
        encoding=attribute(waveform, "dataencoding").casefold(),
        compression=method.casefold() if compressed and method.casefold() not in ("uncompressed", "none") else "",
    )


def _labels(waveform: Element, given: Element | None) -> tuple[str, ...]:
    names = tuple(attribute(waveform, "leadlabels").split())
    counted = attribute(waveform, "numberofleads") or text_of(given, "numberchannelsallocated")
    n_leads = whole_in(counted or str(len(names)), "number of leads")
    if not names and (text_of(given, "acquisitiontype") or text_of(given, "leadset")) in STANDARD_SETS:
        names = STANDARD_LEADS
    if not 1 <= n_leads <= len(names):
        raise InputError("The Philips ECG file does not name all of its leads.", code="E_INPUT_UNSUPPORTED")
    return names[:n_leads]


def _steps(text: str, layout: Layout) -> Array:
    """Steps of the converter, float64 (n_leads, n_samples)."""
    n_leads, n_samples = len(layout.labels), layout.n_samples
    if layout.compression == "xli" and layout.encoding == "base64":
        leads = xli.decompress(bytes_in(text), n_leads, n_samples)
        return _limb_leads_restored(leads) if layout.labels[:6] == STANDARD_LEADS[:6] else leads
    if layout.compression:
        raise InputError("The waveform is compressed in a way that is not read.", code="E_INPUT_UNSUPPORTED")
    if layout.encoding == "base64":
        raw = bytes_in(text)
        values = np.frombuffer(raw[: len(raw) // 2 * 2], "<i2" if layout.signed else "<u2")
    elif layout.encoding == "plain":
        values = numbers_in(text)
    else:
        raise InputError("The waveform is coded in a way that is not read.", code="E_INPUT_UNSUPPORTED")
    if values.size != n_leads * n_samples:
        code = "E_INPUT_TRUNCATED" if values.size < n_leads * n_samples else "E_INPUT_CORRUPT"
        raise InputError("The ECG file holds another number of samples than it declares.", code=code)
    return values.astype(np.float64).reshape(n_leads, n_samples)


def _limb_leads_restored(leads: Array) -> Array:
    """Leads III to aVF, which XLI stores as what is left over by Einthoven's and Goldberger's relations."""
    one, two, three, avr, avl, avf = leads[:6]
    third = two - one - three
    restored = (third, -avr - (one + two) // 2, (one - third) // 2 - avl, (two + third) // 2 - avf)
    return np.concatenate((leads[:2], np.stack(restored), leads[6:]))


def _without_calibration(signal_mv: Array, rate_hz: float) -> int:
    """Samples before the calibration pulse; all of them where the end of any lead is none."""
    length, quarter = round(CALIBRATION_S * rate_hz), round(CALIBRATION_S * rate_hz / 4.0)
    if signal_mv.shape[1] <= length or quarter < 2:
        return int(signal_mv.shape[1])
    tail = signal_mv[:, -length:]
    pulse = np.zeros(length)
    pulse[quarter : length - quarter] = CALIBRATION_MV
    near_edge = np.zeros(length, bool)
    for edge in (quarter, length - quarter):
        near_edge[edge - 1 : edge + 1] = True
    is_pulse = np.abs(tail - pulse)[:, ~near_edge].max() <= CALIBRATION_TOLERANCE_MV
    return int(signal_mv.shape[1]) - (length if is_pulse else 0)


def _patient(root: Element) -> PatientHeader:
    data = root.find("patient/generalpatientdata")
    acquired = root.find("dataacquisition")
    names = (text_of(data, "name/lastname"), text_of(data, "name/firstname"))
    stamp = f"{attribute(acquired, 'date')} {attribute(acquired, 'time')}"
    cm, inch = (optional_number(text_of(data, f"height/{unit}")) for unit in ("cm", "inch"))
    kg, lb = (optional_number(text_of(data, f"weight/{unit}")) for unit in ("kg", "lb"))
    return PatientHeader(
        patient_id=text_of(data, "patientid") or None,
        name=" ".join(name for name in names if name) or None,
        birth_date=iso_date(text_of(data, "age/dateofbirth"), "%Y-%m-%d"),
        sex=sex_of(text_of(data, "sex")),
        age_years=age_years(optional_number(text_of(data, "age/years")), "years"),
        height_cm=height_cm(cm, "cm") or height_cm(inch, "inch"),
        weight_kg=weight_kg(kg, "kg") or weight_kg(lb, "lb"),
        acquired_at=iso_time(stamp, "%Y-%m-%d %H:%M:%S"),
    )
