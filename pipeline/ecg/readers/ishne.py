"""ISHNE Holter files: 16-bit samples of up to twelve leads, interleaved, behind a header of fixed layout.

Badilini F, for the ISHNE Standard Output Format Task Force. The ISHNE Holter standard output file format.
Ann Noninvasive Electrocardiol 1998;3:263-266. doi 10.1111/j.1542-474X.1998.tb00353.x
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.ecg.leads import lead_names
from pipeline.ecg.readers.header import EcgHeader, check_rate, check_sample_count, length_remark
from pipeline.errors import InputError
from pipeline.gates import Limits, check_file, open_file, reading
from pipeline.records import Array, EcgRecord, PatientHeader, Remark, Sex

FIXED_BYTES = 522
CRC_START = 10  # the check sum covers everything from here to the first sample
MAX_VARIABLE_BYTES = 1 << 20
MAX_LEADS = 12
SIZES = struct.Struct("<H4i")  # check sum, variable block, samples, offset of the variable block, of the samples
SIZES_AT = 8
BIRTH_AT, RECORDED_AT, STARTED_AT = 132, 138, 150
SEX_AT, N_LEADS_AT, LEAD_CODES_AT, RESOLUTION_AT, PACEMAKER_AT, RATE_AT = 128, 156, 158, 206, 230, 272
PACEMAKERS = range(1, 6)  # 0 says that there is none; any other number says nothing
MISSING_SAMPLE = -(1 << 15)
MV_PER_NV = 1e-6
CHUNK_BYTES = 8 << 20
LEAD_NAMES = {
    **{2: "X", 3: "Y", 4: "Z", 5: "I", 6: "II", 7: "III", 8: "aVR", 9: "aVL", 10: "aVF"},
    **{11: "V1", 12: "V2", 13: "V3", 14: "V4", 15: "V5", 16: "V6", 17: "ES", 18: "AS", 19: "AI"},
}
SEXES: dict[int, Sex] = {1: "male", 2: "female"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is read of the file; all leads have `n_samples` samples."""

    labels: tuple[str, ...]
    mv_per_step: tuple[float, ...]
    sampling_rate_hz: float
    start: int  # byte of the first sample
    n_samples: int
    patient: PatientHeader
    remarks: tuple[Remark, ...]


def inspect(path: Path, limits: Limits) -> EcgHeader:
    """Size of the recording from its header and the length of the file."""
    plan = _plan(path, limits)
    return EcgHeader(
        n_leads=len(plan.labels),
        n_samples=plan.n_samples,
        sampling_rate_hz=plan.sampling_rate_hz,
        files=(path,),
        remarks=plan.remarks,
    )


def read(
    path: Path, limits: Limits, *, progress: Progress = no_progress, cancel: CancelToken | None = None
) -> EcgRecord:
    """Read all leads in mV: sample x resolution of the lead; NaN where the recorder flagged a fault.

    Raises
    ------
    InputError
        E_INPUT_CORRUPT (check sum, sizes, resolution 0), E_INPUT_TRUNCATED (no samples), E_INPUT_UNSUPPORTED.
    HardStopError
        E_HARD_004 over the limits.
    """
    plan = _plan(path, limits)
    n_leads = len(plan.labels)
    signal_mv = np.empty((n_leads, plan.n_samples), np.float32)
    column = 0
    for stored in _blocks(path, plan):
        if cancel is not None:
            cancel.check()
        part = signal_mv[:, column : column + stored.shape[0]]
        np.multiply(stored.T, np.array(plan.mv_per_step)[:, None], out=part, casting="unsafe")
        part[stored.T == MISSING_SAMPLE] = np.nan
        column += stored.shape[0]
        progress(column / plan.n_samples, "Reading the ECG")
    return EcgRecord(
        signal_mv=signal_mv,
        sampling_rate_hz=plan.sampling_rate_hz,
        leads=lead_names(plan.labels),
        scaling="ISHNE: sample x resolution of each lead, converted to mV.",
        header=plan.patient,
        remarks=plan.remarks,
    )


def _plan(path: Path, limits: Limits) -> Plan:
    size_bytes = check_file(path, limits).size_bytes
    with open_file(path) as file, reading():
        fixed = file.read(FIXED_BYTES)
        if len(fixed) < FIXED_BYTES:
            raise InputError("The ISHNE file ends inside its header.", code="E_INPUT_TRUNCATED")
        stored_crc, n_variable, n_declared, _, _ = SIZES.unpack_from(fixed, SIZES_AT)
        if not 0 <= n_variable <= MAX_VARIABLE_BYTES:
            raise InputError("The ISHNE header declares an impossible size.")
        header = fixed + file.read(n_variable)
    _check_crc(stored_crc, header[CRC_START:])
    n_leads, rate_hz = _short(fixed, N_LEADS_AT), float(_short(fixed, RATE_AT))
    if not 1 <= n_leads <= MAX_LEADS or n_declared < 1:
        raise InputError("The ISHNE header declares an impossible number of leads or samples.")
    check_rate(rate_hz)
    start = FIXED_BYTES + n_variable
    n_found = (size_bytes - start) // (2 * n_leads)
    if n_found < 1:
        raise InputError("The ISHNE file ends before its first sample.", code="E_INPUT_TRUNCATED")
    # Writers differ: the count means samples of one lead, or of all leads together
    n_per_lead = n_found if n_declared == n_found * n_leads else n_declared
    check_sample_count(n_leads, min(n_per_lead, n_found), limits)
    return Plan(
        labels=tuple(_label(_short(fixed, LEAD_CODES_AT + 2 * i), i) for i in range(n_leads)),
        mv_per_step=tuple(_resolution_mv(_short(fixed, RESOLUTION_AT + 2 * i)) for i in range(n_leads)),
        sampling_rate_hz=rate_hz,
        start=start,
        n_samples=min(n_per_lead, n_found),
        patient=_patient(fixed),
        remarks=_remarks(n_per_lead, n_found, rate_hz),
    )


def _check_crc(stored: int, covered: bytes) -> None:
    """Compare with CRC-CCITT in either byte order; 0 stands for none."""
    computed = binascii.crc_hqx(covered, 0xFFFF)
    if stored not in (0, computed, (computed & 0xFF) << 8 | computed >> 8):
        raise InputError("The check sum of the ISHNE header does not fit: the header is damaged.")


def _resolution_mv(nanovolts: int) -> float:
    if nanovolts <= 0:
        raise InputError("A lead of the ISHNE file has no resolution, so mV cannot be computed.")
    return nanovolts * MV_PER_NV


def _label(code: int, position: int) -> str:
    return LEAD_NAMES.get(code, f"channel {position + 1}")


def _remarks(n_declared: int, n_found: int, rate_hz: float) -> tuple[Remark, ...]:
    if n_found < n_declared:
        return (length_remark(n_declared / rate_hz, n_found / rate_hz),)
    if n_found > n_declared:
        found_s, declared_s = n_found / rate_hz, n_declared / rate_hz
        text = f"The ECG file holds {found_s:.5g} s, but declares {declared_s:.5g} s: the rest was left out."
        return (Remark(code="W_ECG_LONGER", text=text),)
    return ()


def _blocks(path: Path, plan: Plan) -> Iterator[Array]:
    """Stored samples, int16 (n, n_leads), block by block."""
    frame_bytes = 2 * len(plan.labels)
    per_block = max(1, CHUNK_BYTES // frame_bytes)
    with open_file(path) as file, reading():
        file.seek(plan.start)
        for first in range(0, plan.n_samples, per_block):
            wanted = min(per_block, plan.n_samples - first) * frame_bytes
            raw = file.read(wanted)
            if len(raw) != wanted:
                raise InputError("The ISHNE file ends inside its samples.", code="E_INPUT_TRUNCATED")
            yield np.frombuffer(raw, "<i2").reshape(-1, len(plan.labels))


def _short(header: bytes, position: int) -> int:
    return int.from_bytes(header[position : position + 2], "little", signed=True)


def _patient(header: bytes) -> PatientHeader:
    def text(position: int, size: int) -> str:
        return header[position : position + size].split(b"\0")[0].decode("latin-1").strip()

    day, clock = _day(header, RECORDED_AT), [_short(header, STARTED_AT + 2 * i) for i in range(3)]
    names = (text(68, 40), text(28, 40))
    acquired_at = None
    if day and 0 <= clock[0] < 24 and 0 <= clock[1] < 60 and 0 <= clock[2] < 60:
        acquired_at = day.replace(hour=clock[0], minute=clock[1], second=clock[2]).isoformat()
    born = _day(header, BIRTH_AT)
    return PatientHeader(
        patient_id=text(108, 20) or None,
        name=" ".join(name for name in names if name) or None,
        birth_date=born.date().isoformat() if born else None,
        sex=SEXES.get(_short(header, SEX_AT)),
        paced=True if _short(header, PACEMAKER_AT) in PACEMAKERS else None,
        acquired_at=acquired_at,
    )


def _day(header: bytes, position: int) -> datetime | None:
    day, month, year = (_short(header, position + 2 * i) for i in range(3))
    try:
        return datetime(year, month, day) if year > 0 else None
    except ValueError:
        return None
