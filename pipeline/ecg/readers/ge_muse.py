"""GE MUSE XML (RestingECG): base64 samples of eight leads, to which the four derived limb leads are added.

restecg.xsd of the MUSE system: LeadAmplitudeUnitsPerBit in LeadAmplitudeUnits; rate = SampleBase x 10^SampleExponent.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from pipeline.ecg.readers.patient_facts import age_years, height_cm, sex_of, weight_kg
from pipeline.ecg.readers.scaling import require_mv_per_unit
from pipeline.ecg.readers.whole_file import WholeFile, check_size, make_record
from pipeline.ecg.readers.xml_document import (
    bytes_in,
    iso_date,
    iso_time,
    number_in,
    optional_number,
    read_xml,
    text_of,
    whole_in,
)
from pipeline.errors import InputError
from pipeline.gates import Limits
from pipeline.records import Array, EcgRecord, PatientHeader, Remark

DATES = ("%m-%d-%Y", "%m/%d/%Y", "%Y-%m-%d", "%d-%b-%Y")
SAMPLE_TYPES = {1: "i1", 2: "<i2", 4: "<i4"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One decoded lead; `crc_fits` is None where the file gives no check sum."""

    label: str
    row_mv: Array
    offset_samples: int
    crc_fits: bool | None


def decode(path: Path, limits: Limits) -> EcgRecord:
    """Decode the rhythm waveform: sample x units per bit, converted to mV.

    Raises
    ------
    InputError
        E_INPUT_KIND (no rhythm waveform), E_INPUT_CORRUPT (a lead of another length than declared, damaged Base64),
        E_INPUT_UNSUPPORTED (leads that do not start together, no voltage).
    HardStopError
        E_HARD_004 over the limits.
    """
    root = read_xml(path, limits)
    waveforms = [item for item in root.findall("Waveform") if _is_rhythm(item) and item.find("LeadData") is not None]
    if not waveforms:
        raise InputError("The MUSE file holds no rhythm waveform.", code="E_INPUT_KIND")
    waveform = waveforms[0]
    exponent = whole_in(text_of(waveform, "SampleExponent") or "0", "sampling rate")
    if not -9 <= exponent <= 9:
        raise InputError("The MUSE file declares an impossible sampling rate.")
    rate_hz = number_in(text_of(waveform, "SampleBase"), "sampling rate") * 10.0**exponent
    items = waveform.findall("LeadData")
    declared = [_declared_samples(item) for item in items]
    check_size(len(items), max(declared), rate_hz, limits)
    leads = [_lead(item, n) for item, n in zip(items, declared, strict=True)]
    if len({lead.offset_samples for lead in leads}) != 1:
        raise InputError("The leads of the MUSE file do not start together.", code="E_INPUT_UNSUPPORTED")
    return make_record(
        [lead.label for lead in leads],
        [lead.row_mv for lead in leads],
        rate_hz,
        scaling="GE MUSE: sample x units per bit of each lead, converted to mV.",
        patient=_patient(root),
        remarks=_remarks(leads, len(waveforms)),
        derive_limb_leads=True,
    )


READER = WholeFile(decode=decode)


def _is_rhythm(waveform: Element) -> bool:
    return text_of(waveform, "WaveformType").casefold() in ("rhythm", "")


def _sample_type(item: Element) -> np.dtype[np.signedinteger]:
    code = SAMPLE_TYPES.get(whole_in(text_of(item, "LeadSampleSize") or "2", "sample size"))
    if code is None:
        raise InputError("The MUSE file stores samples in a way that is not read.", code="E_INPUT_UNSUPPORTED")
    return np.dtype(code)


def _declared_samples(item: Element) -> int:
    """Samples of a lead by its own count, or where that is missing by its bytes."""
    counted = text_of(item, "LeadSampleCountTotal")
    if counted:
        return whole_in(counted, "number of samples")
    return whole_in(text_of(item, "LeadByteCountTotal"), "number of samples") // _sample_type(item).itemsize


def _lead(item: Element, n_declared: int) -> Lead:
    raw, sample_type = bytes_in(text_of(item, "WaveFormData")), _sample_type(item)
    n_bytes = whole_in(text_of(item, "LeadByteCountTotal") or str(len(raw)), "number of bytes")
    if len(raw) != n_bytes or len(raw) != n_declared * sample_type.itemsize:
        code = "E_INPUT_TRUNCATED" if len(raw) < n_declared * sample_type.itemsize else "E_INPUT_CORRUPT"
        raise InputError("A lead of the MUSE file holds another number of samples than it declares.", code=code)
    step = number_in(text_of(item, "LeadAmplitudeUnitsPerBit"), "amplitude of a step")
    if step == 0.0:
        raise InputError("A lead of the MUSE file has an amplitude of 0 per step.")
    factor = require_mv_per_unit(text_of(item, "LeadAmplitudeUnits")) * step
    checksum = text_of(item, "LeadDataCRC32")
    return Lead(
        label=text_of(item, "LeadID"),
        row_mv=np.frombuffer(raw, sample_type) * factor,
        offset_samples=whole_in(text_of(item, "LeadTimeOffset") or "0", "start of a lead"),
        crc_fits=zlib.crc32(raw) == whole_in(checksum, "check sum") if checksum.isdigit() else None,
    )


def _remarks(leads: Sequence[Lead], n_waveforms: int) -> Sequence[Remark]:
    remarks = []
    wrong = [lead.label for lead in leads if lead.crc_fits is False]
    if wrong:
        text = f"The check sum of {len(wrong)} of {len(leads)} leads does not fit: the file may be damaged."
        remarks.append(Remark(code="W_ECG_CHECKSUM", text=text))
    if n_waveforms > 1:
        text = f"Beside the rhythm read, the MUSE file holds {n_waveforms - 1} more, unused."
        remarks.append(Remark(code="W_ECG_GROUPS", text=text))
    return remarks


def _patient(root: Element) -> PatientHeader:
    data, test = root.find("PatientDemographics"), root.find("TestDemographics")
    names = (text_of(data, "PatientLastName"), text_of(data, "PatientFirstName"))
    stamp = f"{text_of(test, 'AcquisitionDate')} {text_of(test, 'AcquisitionTime')}"

    def given(tag: str) -> float | None:
        return optional_number(text_of(data, tag))

    return PatientHeader(
        patient_id=text_of(data, "PatientID") or None,
        name=" ".join(name for name in names if name) or None,
        birth_date=iso_date(text_of(data, "DateofBirth"), *DATES),
        sex=sex_of(text_of(data, "Gender")),
        age_years=age_years(given("PatientAge"), text_of(data, "AgeUnits")),
        height_cm=height_cm(given("HeightCM"), "cm") or height_cm(given("HeightIN"), "in"),
        weight_kg=weight_kg(given("WeightKG"), "kg") or weight_kg(given("WeightLBS"), "lb"),
        acquired_at=iso_time(stamp, *(f"{day} {clock}" for day in DATES for clock in ("%H:%M:%S", "%H:%M"))),
    )
