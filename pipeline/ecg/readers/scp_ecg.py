"""SCP-ECG (EN 1064, ISO 11073-91064): the rhythm of section 6, with the reference beat of section 5 put back."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.ecg.readers.scp_coding import ENDS_EARLY, Table, huffman_samples, huffman_tables, summed
from pipeline.ecg.readers.scp_patient import patient_of
from pipeline.ecg.readers.scp_sections import Sections, read_sections
from pipeline.ecg.readers.whole_file import WholeFile, check_size, make_record
from pipeline.errors import InputError
from pipeline.gates import Limits, check_file, guarded, open_file, reading, too_large
from pipeline.records import Array, EcgRecord, Remark

MAX_BYTES = 64 << 20
PATIENT, TABLES, LEADS, BEATS, REFERENCE, RHYTHM, LONG_RHYTHM = 1, 2, 3, 4, 5, 6, 12
LEAD = struct.Struct("<IIB")  # first sample, last sample, lead
BEAT = struct.Struct("<HIII")  # type, first sample, fiducial point, last sample; samples count from 1
SAMPLES = struct.Struct("<HHBB")  # nV per step, us per sample, order of differences, bimodal
REFERENCE_SUBTRACTED = 0x01
NO_BIMODAL_FROM = 30  # protocol 3.0
MV_PER_NV = 1e-6
LEFT_OVER_BYTES = 4
LEAD_NAMES: dict[int, str] = {
    **{1: "I", 2: "II", 3: "V1", 4: "V2", 5: "V3", 6: "V4", 7: "V5", 8: "V6", 9: "V7", 10: "V2R", 11: "V3R"},
    **{12: "V4R", 13: "V5R", 14: "V6R", 15: "V7R", 16: "X", 17: "Y", 18: "Z", 20: "CM5", 61: "III", 62: "aVR"},
    **{63: "aVL", 64: "aVF", 66: "V8", 67: "V9", 68: "V8R", 69: "V9R"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadSpan:
    """One lead and the samples that are stored of it, `first` counted from 0, `stop` exclusive."""

    label: str
    first: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.first


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Decoded samples of a section in steps of `nv_per_step`."""

    leads: tuple[Array, ...]
    nv_per_step: int
    us_per_sample: int
    bimodal: bool
    n_left_over: int  # bytes behind the last sample, of all leads


def decode(path: Path, limits: Limits) -> EcgRecord:
    """Decode the rhythm of all leads in mV; NaN where a lead starts later or ends earlier than another.

    Raises
    ------
    InputError
        E_INPUT_CORRUPT (check sums, sections, codes), E_INPUT_TRUNCATED, E_INPUT_UNSUPPORTED (no rhythm, bimodal
        compression with a reduced rate, reference beat of another rate).
    HardStopError
        E_HARD_004 over the limits.
    """
    size_bytes = check_file(path, limits).size_bytes
    if size_bytes > MAX_BYTES:
        raise too_large(f"An SCP-ECG file is larger than the limit of {MAX_BYTES >> 20} MiB.")
    with open_file(path) as file, reading():
        raw = file.read(size_bytes)
    with guarded("The SCP-ECG file is damaged or incomplete."):
        return _record(read_sections(raw), limits)


READER = WholeFile(decode=decode)


def _record(sections: Sections, limits: Limits) -> EcgRecord:
    spans, subtracted = _spans(sections.required(LEADS))
    rhythm_body = sections.required(RHYTHM)
    us_per_sample = _sampling(rhythm_body)[1]
    n_samples = max(span.stop for span in spans) - min(span.first for span in spans)
    check_size(len(spans), n_samples, 1e6 / us_per_sample, limits)
    tables = huffman_tables(sections.bodies[TABLES]) if TABLES in sections.bodies else ()
    rhythm = _stored(rhythm_body, [span.size for span in spans], tables)
    rows, nv_per_step = list(rhythm.leads), rhythm.nv_per_step
    has_bimodal = rhythm.bimodal and sections.protocol < NO_BIMODAL_FROM
    if subtracted or has_bimodal:
        reference = _reference(sections, len(spans), tables, us_per_sample)
        if subtracted:
            rows, nv_per_step = _with_reference(rows, spans, sections.required(BEATS), rhythm, reference)
    start = min(span.first for span in spans)
    remarks = list(sections.remarks)
    if rhythm.n_left_over > LEFT_OVER_BYTES * len(spans):
        text = "The SCP-ECG file holds more data than the samples it declares: the rest was left out."
        remarks.append(Remark(code="W_ECG_LONGER", text=text))
    return make_record(
        [span.label for span in spans],
        [_placed(row * (nv_per_step * MV_PER_NV), span.first - start, n_samples)
         for row, span in zip(rows, spans, strict=True)],
        1e6 / us_per_sample,
        scaling="SCP-ECG: sample x amplitude value multiplier, converted to mV.",
        patient=patient_of(sections.bodies.get(PATIENT, b"")),
        remarks=remarks,
        derive_limb_leads=True,
    )  # fmt: skip


def _spans(body: bytes) -> tuple[list[LeadSpan], bool]:
    """The leads of section 3, and whether a reference beat was subtracted."""
    n_leads, flags = (body[0], body[1]) if len(body) >= 2 else (0, 0)
    if not n_leads or len(body) < 2 + n_leads * LEAD.size:
        raise InputError("The SCP-ECG file does not define its leads.")
    spans = []
    for i in range(n_leads):
        first, last, number = LEAD.unpack_from(body, 2 + i * LEAD.size)
        if not 1 <= first <= last:
            raise InputError("A lead of the SCP-ECG file has an impossible length.")
        spans.append(LeadSpan(label=LEAD_NAMES.get(number, f"lead {number}"), first=first - 1, stop=last))
    return spans, bool(flags & REFERENCE_SUBTRACTED)


def _sampling(body: bytes) -> tuple[int, int, int, bool]:
    """nV per step, us per sample, order of the differences, and whether parts have a reduced rate."""
    if len(body) < SAMPLES.size:
        raise InputError("A section of the SCP-ECG file is too short.")
    nv_per_step, us_per_sample, order, bimodal = SAMPLES.unpack_from(body)
    if not nv_per_step or not us_per_sample or order > 2:
        raise InputError("The SCP-ECG file declares an impossible amplitude, rate or coding.")
    return nv_per_step, us_per_sample, order, bool(bimodal)


def _stored(body: bytes, counts: Sequence[int], tables: Sequence[Table]) -> Stored:
    """Decode the leads of section 5 or 6."""
    nv_per_step, us_per_sample, order, bimodal = _sampling(body)
    position = SAMPLES.size + 2 * len(counts)
    sizes = np.frombuffer(body[SAMPLES.size : position], "<u2").tolist()
    if len(sizes) != len(counts) or position + sum(sizes) > len(body):
        raise InputError(ENDS_EARLY, code="E_INPUT_TRUNCATED")
    leads, n_left_over = [], 0
    for size, count in zip(sizes, counts, strict=True):
        data = body[position : position + size]
        position += size
        if tables:
            values, left = huffman_samples(data, count, tables)
        elif size < 2 * count:
            raise InputError(ENDS_EARLY, code="E_INPUT_TRUNCATED")
        else:
            values, left = np.frombuffer(data, "<i2", count=count).astype(np.int64), size - 2 * count
        leads.append(summed(values, order))
        n_left_over += left
    return Stored(
        leads=tuple(leads),
        nv_per_step=nv_per_step,
        us_per_sample=us_per_sample,
        bimodal=bimodal,
        n_left_over=n_left_over,
    )


def _reference(sections: Sections, n_leads: int, tables: Sequence[Table], us_per_sample: int) -> Stored:
    """The reference beat; refused where its rate is another one, since then rhythm samples are missing."""
    body, beats = sections.required(REFERENCE), sections.required(BEATS)
    own_us_per_sample = _sampling(body)[1]
    if own_us_per_sample != us_per_sample:
        text = "The SCP-ECG file stores parts of its rhythm at a reduced rate, which is not read."
        raise InputError(text, code="E_INPUT_UNSUPPORTED")
    n_samples = round(int.from_bytes(beats[:2], "little") * 1000 / own_us_per_sample)
    return _stored(body, [n_samples] * n_leads, tables)


def _with_reference(
    rows: Sequence[Array], spans: Sequence[LeadSpan], beats: bytes, rhythm: Stored, reference: Stored
) -> tuple[list[Array], int]:
    """Add the reference beat where beats of its type are; steps of the result are the common divisor of both."""
    _, fiducial, n_beats = struct.unpack_from("<HHH", beats)
    if len(beats) < 6 + n_beats * BEAT.size:
        raise InputError("The beats of the SCP-ECG file end too early.", code="E_INPUT_TRUNCATED")
    zones = [BEAT.unpack_from(beats, 6 + i * BEAT.size) for i in range(n_beats)]
    step = int(np.gcd(rhythm.nv_per_step, reference.nv_per_step))
    whole = []
    for row, span, beat in zip(rows, spans, reference.leads, strict=True):
        total, beat = row * (rhythm.nv_per_step // step), beat * (reference.nv_per_step // step)
        for kind, first, centre, last in zones:
            if kind != 0:
                continue
            shift = centre - fiducial  # sample of the rhythm at which the reference beat starts, from 0
            start = max(first - 1, span.first, shift)
            stop = min(last, span.stop, shift + beat.size)
            if stop > start:
                total[start - span.first : stop - span.first] += beat[start - shift : stop - shift]
        whole.append(total)
    return whole, step


def _placed(row_mv: Array, offset: int, n_samples: int) -> Array:
    """The lead on the time line that all leads share."""
    if row_mv.size == n_samples:
        return row_mv
    placed = np.full(n_samples, np.nan)
    placed[offset : offset + row_mv.size] = row_mv
    return placed
