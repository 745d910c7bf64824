"""Writers of small ECG files, made from the formats' definitions and independent of the readers.

All write the same phantom: twelve leads of 2.5 uV steps that obey Einthoven's law to the step.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import edfio
import numpy as np
import numpy.typing as npt
import pydicom
import scipy.io
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

Steps = npt.NDArray[np.int64]
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
RATE_HZ = 500
N_SAMPLES = 2000
STEP_UV = 2.5
NAME = "Mustermann"


def phantom_steps(n_samples: int = N_SAMPLES) -> Steps:
    """Steps of 2.5 uV, (12, n_samples); leads I and II are even, so that the derived leads are whole."""
    phase_s = np.mod(np.arange(n_samples) / RATE_HZ, 0.8)
    waves = [
        size * np.exp(-((phase_s - at) ** 2) / (2 * width**2))
        for size, at, width in ((60, 0.14, 0.02), (400, 0.3, 0.01), (120, 0.55, 0.04))
    ]
    noise = np.random.default_rng(3).integers(-2, 3, (8, n_samples))
    base = 2 * np.round(np.outer((0.6, 1.0, -0.5, 0.4, 0.9, 1.3, 1.1, 0.8), sum(waves))).astype(np.int64) + 2 * noise
    one, two = base[:2]
    limb = (two - one, -(one + two) // 2, (2 * one - two) // 2, (2 * two - one) // 2)
    return np.stack([one, two, *limb, *base[2:]])


def steps_of(leads: Sequence[str], n_samples: int = N_SAMPLES) -> Steps:
    return phantom_steps(n_samples)[[LEADS.index(lead) for lead in leads]]


def truth_mv(leads: Sequence[str] = LEADS) -> npt.NDArray[np.float64]:
    return steps_of(leads) * (STEP_UV / 1000.0)


def crc_ccitt(data: bytes) -> int:
    """CRC-CCITT bit by bit: polynomial 0x1021, start 0xFFFF."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
            crc &= 0xFFFF
    return crc


# --- ISHNE -------------------------------------------------------------------------------------------


def write_ishne(
    path: Path,
    *,
    n_declared: int = N_SAMPLES,
    n_leads: int = 12,
    rate_hz: int = RATE_HZ,
    resolution_nv: int = 2500,
    note: bytes = b"made for a test",
    with_crc: bool = True,
) -> Path:
    fixed = bytearray(512)
    struct.pack_into("<iiiihh", fixed, 0, len(note), n_declared, 522, 522 + len(note), 1, 0)
    struct.pack_into("<40s40s20s", fixed, 18, b"Erika", NAME.encode(), b"H-7")
    struct.pack_into("<hh", fixed, 118, 2, 0)
    struct.pack_into("<9h", fixed, 122, 4, 3, 1950, 6, 5, 2021, 6, 5, 2021)
    struct.pack_into("<3h", fixed, 140, 7, 8, 9)
    struct.pack_into("<h12h", fixed, 146, n_leads, *range(5, 17))
    struct.pack_into("<12h", fixed, 172, *([1] * 12))
    struct.pack_into("<12h", fixed, 196, *([resolution_nv] * 12))
    struct.pack_into("<h", fixed, 262, rate_hz)
    crc = crc_ccitt(bytes(fixed) + note) if with_crc else 0
    head = b"ISHNE1.0" + crc.to_bytes(2, "little") + bytes(fixed) + note
    path.write_bytes(head + phantom_steps().T.astype("<i2").tobytes())
    return path


# --- SCP-ECG -----------------------------------------------------------------------------------------

SCP_NUMBERS = dict(zip(LEADS, (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8), strict=True))


def section(number: int, body: bytes) -> bytes:
    body += bytes(len(body) % 2)
    head = struct.pack("<HIBB6x", number, 16 + len(body), 20, 20)
    return crc_ccitt(head + body).to_bytes(2, "little") + head + body


def scp_record(sections: dict[int, bytes], *, shift: int = 0) -> bytes:
    """Sections behind section 0; `shift` moves the place that section 0 gives for the last one."""
    whole = {number: section(number, body) for number, body in sections.items()}
    place = 6 + 16 + 10 * 12
    pointers = [(0, 16 + 120, 7)]
    for number in range(1, 12):
        size = len(whole.get(number, b""))
        pointers.append((number, size, place + 1 if size else 0))
        place += size
    last = max(whole)
    pointers[last] = (last, pointers[last][1], pointers[last][2] + shift)
    record = section(0, b"".join(struct.pack("<HII", *each) for each in pointers)) + b"".join(whole.values())
    tail = struct.pack("<I", 6 + len(record)) + record
    return crc_ccitt(tail).to_bytes(2, "little") + tail


def scp_patient() -> bytes:
    tags = {
        **{0: NAME.encode() + b"\0", 1: b"Erika\0", 2: b"S-7\0", 4: struct.pack("<HB", 63, 1)},
        **{5: struct.pack("<HBB", 1950, 3, 4), 6: struct.pack("<HB", 168, 1), 7: struct.pack("<HB", 70, 1)},
        **{8: b"\2", 25: struct.pack("<HBB", 2021, 5, 6), 26: bytes((7, 8, 9))},
    }
    return b"".join(struct.pack("<BH", tag, len(value)) + value for tag, value in tags.items()) + b"\xff\0\0"


def scp_leads(leads: Sequence[str], *, n_samples: int = N_SAMPLES, flags: int = 0x04) -> bytes:
    spans = b"".join(struct.pack("<IIB", 1, n_samples, SCP_NUMBERS[lead]) for lead in leads)
    return bytes((len(leads), flags | len(leads) << 3)) + spans


def scp_samples(rows: Sequence[bytes], *, order: int = 0, nv: int = 2500, us: int = 2000, bimodal: int = 0) -> bytes:
    sizes = b"".join(len(row).to_bytes(2, "little") for row in rows)
    return struct.pack("<HHBB", nv, us, order, bimodal) + sizes + b"".join(rows)


def differences(row: Steps, order: int) -> Steps:
    """First values kept, then first or second differences."""
    return np.concatenate((row[:order], np.diff(row, n=order)))


def huffman_default(values: Sequence[int]) -> bytes:
    """The table of the standard: 0; ones, 0 and sign up to 8; ten bits and 8 or 16 more beyond."""
    bits = []
    for value in values:
        if value == 0:
            bits.append("0")
        elif abs(value) <= 8:
            bits.append("1" * abs(value) + "0" + ("1" if value < 0 else "0"))
        elif -128 <= value <= 127:
            bits.append("1111111110" + f"{value & 0xFF:08b}")
        else:
            bits.append("1111111111" + f"{value & 0xFFFF:016b}")
    return bits_to_bytes("".join(bits))


def bits_to_bytes(bits: str) -> bytes:
    padded = bits + "0" * (-len(bits) % 8)
    return bytes(int(padded[i : i + 8], 2) for i in range(0, len(padded), 8))


def write_scp(path: Path, *, n_declared: int = N_SAMPLES, us: int = 2000, nv: int = 2500, shift: int = 0) -> Path:
    """Eight leads, second differences in the Huffman codes of the standard."""
    rows = [huffman_default(differences(row, 2).tolist()) for row in steps_of(EIGHT)]
    sections = {
        1: scp_patient(),
        2: (19999).to_bytes(2, "little"),
        3: scp_leads(EIGHT, n_samples=n_declared),
        6: scp_samples(rows, order=2, us=us, nv=nv),
    }
    path.write_bytes(scp_record(sections, shift=shift))
    return path


# --- XML ---------------------------------------------------------------------------------------------


def write_aecg(path: Path, *, increment: str = "0.002", unit: str = "uV", n_declared: int = N_SAMPLES) -> Path:
    leads = "".join(
        f'<component><sequence><code code="MDC_ECG_LEAD_{lead.upper()}"/><value xsi:type="SLIST_PQ">'
        f'<origin value="0" unit="{unit}"/><scale value="{STEP_UV}" unit="{unit}"/>'
        f"<digits>{' '.join(map(str, row))}</digits></value></sequence></component>"
        for lead, row in zip(LEADS, phantom_steps(), strict=True)
    )
    end = 10 + n_declared // RATE_HZ
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- an example -->\n'
        '<AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<componentOf><timepointEvent><componentOf><subjectAssignment><subject><trialSubject><id extension="T-7"/>'
        f'<subjectDemographicPerson><name>{NAME}</name><administrativeGenderCode code="F"/>'
        '<birthTime value="19500304"/></subjectDemographicPerson></trialSubject></subject></subjectAssignment>'
        "</componentOf></timepointEvent></componentOf>"
        + "".join(
            f'<controlVariable><relatedObservation><code code="{code}"/><value value="{value}" unit="{of}"/>'
            "</relatedObservation></controlVariable>"
            for code, value, of in (("21612-7", 63, "a"), ("8302-2", 1.68, "m"), ("29463-7", 70, "kg"))
        )
        + '<component><series><code code="RHYTHM"/><effectiveTime><low value="20210506070809.500+0100"/>'
        f'<high value="2021050607{(8 * 60 + end) // 60:02d}{end % 60:02d}"/></effectiveTime>'
        '<component><sequenceSet><component><sequence><code code="TIME_ABSOLUTE"/><value xsi:type="GLIST_TS">'
        f'<head value="20210506070809"/><increment value="{increment}" unit="s"/></value></sequence></component>'
        f"{leads}</sequenceSet></component></series></component></AnnotatedECG>"
    )
    return path


def write_muse(path: Path, *, n_declared: int = N_SAMPLES, sample_base: str = "500", with_doctype: bool = True) -> Path:
    leads = ""
    for lead, row in zip(EIGHT, steps_of(EIGHT), strict=True):
        raw = row.astype("<i2").tobytes()
        leads += (
            f"<LeadData><LeadByteCountTotal>{2 * n_declared}</LeadByteCountTotal><LeadTimeOffset>0</LeadTimeOffset>"
            f"<LeadSampleCountTotal>{n_declared}</LeadSampleCountTotal>"
            f"<LeadAmplitudeUnitsPerBit>{STEP_UV}</LeadAmplitudeUnitsPerBit>"
            f"<LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits><LeadID>{lead}</LeadID>"
            f"<LeadSampleSize>2</LeadSampleSize><LeadDataCRC32>{zlib.crc32(raw)}</LeadDataCRC32>"
            f"<WaveFormData>\n{base64.encodebytes(raw).decode()}</WaveFormData></LeadData>"
        )
    path.write_text(
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
        + ('<!DOCTYPE RestingECG SYSTEM "restecg.dtd">\n' if with_doctype else "")
        + "<RestingECG><PatientDemographics><PatientID>G-7</PatientID><PatientAge>63</PatientAge><AgeUnits>YEARS"
        "</AgeUnits><DateofBirth>03-04-1950</DateofBirth><Gender>FEMALE</Gender><HeightCM>168</HeightCM>"
        f"<WeightKG>70</WeightKG><PatientLastName>{NAME}</PatientLastName></PatientDemographics>"
        "<TestDemographics><AcquisitionTime>07:08:09</AcquisitionTime><AcquisitionDate>05-06-2021</AcquisitionDate>"
        "</TestDemographics><Waveform><WaveformType>Median</WaveformType></Waveform>"
        f"<Waveform><WaveformType>Rhythm</WaveformType><SampleBase>{sample_base}</SampleBase>"
        f"<SampleExponent>0</SampleExponent>{leads}</Waveform></RestingECG>\n",
        encoding="latin-1",
    )
    return path


def lzw_codes(raw: bytes) -> list[int]:
    """LZW with a table that is frozen when code 1022 is taken."""
    table = {bytes([value]): value for value in range(256)}
    codes, current = [], b""
    for value in raw:
        longer = current + bytes([value])
        if longer in table:
            current = longer
            continue
        codes.append(table[current])
        if len(table) <= 1022:
            table[longer] = len(table)
        current = bytes([value])
    return [*codes, table[current]]


def xli_chunk(row: Steps) -> bytes:
    bends = 2 * row[1:-1] - row[:-2] - row[2:]
    words = np.concatenate((row[:2], bends[1:] + 64, [64])).astype("<i2").view("<u2")
    raw = bytes((words >> 8).astype(np.uint8)) + bytes((words & 0xFF).astype(np.uint8))
    body = bits_to_bytes("".join(f"{code:010b}" for code in [*lzw_codes(raw), 1023]))
    return struct.pack("<iHh", len(body), 0, int(bends[0])) + body


def sierra_steps() -> Steps:
    """The phantom with the pulse of 1 mV that the devices append."""
    pulse = np.repeat((0, 400, 0), (50, 100, 50))
    return np.concatenate((phantom_steps(), np.tile(pulse, (12, 1))), axis=1)


def write_sierra(
    path: Path,
    *,
    compression: str = "XLI",
    encoding: str = "utf-16",
    resolution: str = "2.5",
    n_declared: int = N_SAMPLES + 200,
    version: str = "1.04",
) -> Path:
    steps = sierra_steps()
    if compression == "XLI":
        one, two, three, avr, avl, avf = steps[:6]
        rest = (two - one - three, -(one + two) // 2 - avr, (one - three) // 2 - avl, (two + three) // 2 - avf)
        stored = b"".join(xli_chunk(row) for row in (one, two, *rest, *steps[6:]))
    else:
        stored = steps.astype("<i2").tobytes()
    path.write_bytes(
        (
            f'<?xml version="1.0" encoding="{encoding}"?>\n<restingecgdata xmlns="http://www3.medical.philips.com">'
            f"<documentinfo><documenttype>PhilipsECG</documenttype><documentversion>{version}</documentversion>"
            '</documentinfo><dataacquisition date="2021-05-06" time="07:08:09"><signalcharacteristics>'
            f"<samplingrate>{RATE_HZ}</samplingrate></signalcharacteristics></dataacquisition>"
            f"<patient><generalpatientdata><patientid>P-7</patientid><name><lastname>{NAME}</lastname></name>"
            "<age><dateofbirth>1950-03-04</dateofbirth><years>63</years></age><sex>Female</sex>"
            "<height><cm>168</cm></height><weight><kg>70</kg></weight></generalpatientdata></patient>"
            f'<waveforms><parsedwaveforms dataencoding="Base64" compression="{compression}" numberofleads="12" '
            f'leadlabels="{" ".join(LEADS)}" durationperchannel="{n_declared * 1000 // RATE_HZ}" '
            f'samplespersecond="{RATE_HZ}" resolution="{resolution}" signaloffset="0" signalsigned="True">'
            f"\n{base64.encodebytes(stored).decode()}</parsedwaveforms></waveforms></restingecgdata>"
        ).encode(encoding)
    )
    return path


# --- DICOM, EDF, BDF, WFDB, CSV ----------------------------------------------------------------------


def write_dicom(path: Path, *, n_declared: int = N_SAMPLES) -> Path:
    """The real file that pydicom ships, with the phantom instead of its rhythm."""
    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.9.1.1"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.Modality, dataset.PatientName, dataset.PatientID, dataset.PatientSex = "ECG", NAME, "D-7", "F"
    dataset.PatientAge, dataset.PatientSize, dataset.PatientWeight = "063Y", "1.68", "70"
    dataset.PatientBirthDate, dataset.AcquisitionDateTime = "19500304", "20210506070809"
    group = Dataset()
    group.WaveformOriginality, group.NumberOfWaveformChannels = "ORIGINAL", 12
    group.NumberOfWaveformSamples, group.SamplingFrequency = n_declared, RATE_HZ
    group.ChannelDefinitionSequence = [_channel(lead) for lead in LEADS]
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    group.WaveformData = phantom_steps().T.astype("<i2").tobytes()
    dataset.WaveformSequence = [group]
    dataset.save_as(path, enforce_file_format=True)
    return path


def _channel(lead: str) -> Dataset:
    source, unit, item = Dataset(), Dataset(), Dataset()
    source.CodeValue, source.CodingSchemeDesignator, source.CodeMeaning = "x", "99TEST", f"Lead {lead}"
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "uV", "UCUM", "microvolt"
    item.ChannelSourceSequence, item.ChannelSensitivityUnitsSequence = [source], [unit]
    item.ChannelSensitivity, item.ChannelSensitivityCorrectionFactor, item.ChannelBaseline = STEP_UV, 1, 0
    item.WaveformBitsStored = 16
    return item


def write_edf(path: Path, *, n_declared: int | None = None) -> Path:
    return _write_edf(path, edfio.EdfSignal, edfio.Edf, (-32768, 32767), n_declared)


def write_bdf(path: Path, *, n_declared: int | None = None) -> Path:
    return _write_edf(path, edfio.BdfSignal, edfio.Bdf, (-(1 << 23), (1 << 23) - 1), n_declared)


def _write_edf(path: Path, of: Any, container: Any, digital: tuple[int, int], n_declared: int | None) -> Path:
    signals = [
        of(row * STEP_UV, RATE_HZ, label=f"ECG {lead}", physical_dimension="uV",
           physical_range=(-4000, 4000), digital_range=digital)
        for lead, row in zip(LEADS, phantom_steps(), strict=True)
    ]  # fmt: skip
    patient, start = edfio.Patient(code="E-7", sex="F", name=NAME), edfio.EdfAnnotation(0.0, None, "start")
    container(signals, data_record_duration=1, patient=patient, annotations=[start]).write(path)
    if n_declared is not None:
        raw = bytearray(path.read_bytes())
        raw[236:244] = str(n_declared).encode().ljust(8)
        path.write_bytes(raw)
    return path


def write_wfdb(path: Path, *, n_declared: int = N_SAMPLES, format_text: str = "16", suffix: str = ".dat") -> Path:
    """`path` is the header; the signal file stands beside it."""
    stored = phantom_steps().T
    name = path.stem + suffix
    if suffix == ".mat" and format_text.endswith("+24"):
        head = struct.pack("<5I4s", 30, 12, stored.shape[0], 0, 4, b"val\0")
        path.with_name(name).write_bytes(head + stored.astype("<i2").tobytes())
    elif suffix == ".mat":
        scipy.io.savemat(path.with_name(name), {"val": stored.T.astype(np.int16)}, do_compression=True)
    else:
        order = ">i2" if format_text == "61" else "<i2"
        path.with_name(name).write_bytes(stored.astype(order).tobytes())
    lines = [f"{name} {format_text} 400(0)/mV 16 0 0 0 0 {lead}" for lead in LEADS]
    comments = "# <age>: 63 <sex>: F\n"
    path.write_text("\n".join([f"{path.stem} 12 {RATE_HZ} {n_declared} 07:08:09 06/05/2021", *lines]) + "\n" + comments)
    return path


def write_csv(path: Path, *, rate_text: str = str(RATE_HZ)) -> Path:
    rows = [",".join(f"{value:.4f}" for value in frame) for frame in truth_mv().T]
    heading = ",".join(f"{lead} (mV)" for lead in LEADS)
    path.write_text("\n".join([f"# sampling_rate_hz: {rate_text}", heading, *rows]) + "\n")
    return path
