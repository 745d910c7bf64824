"""WFDB headers, read and judged before the wfdb package sees a file.

Grammar: header(5) of the WFDB Applications Guide. Stricter than it in what a hostile header could
abuse: signal files and segments are plain names of regular files in the header's own folder (no
link, no path, no `~name`), segments do not nest, a gain or rate of 0 is refused.
"""

from __future__ import annotations

import contextlib
import math
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.ecg.readers.header import check_rate
from pipeline.errors import InputError
from pipeline.gates import open_file, reading
from pipeline.records import PatientHeader, Sex

MAX_HEADER_BYTES = 1 << 20
MAX_SIGNALS = 256
MAX_SEGMENTS = 20_000
DEFAULT_RATE_HZ = 250.0  # header(5): when the record line names none
DEFAULT_GAIN = 200.0  # header(5): adu per mV when the signal line names none
BIG_ENDIAN_16 = 61
BITS_PER_SAMPLE: tuple[tuple[int, float], ...] = (
    *((8, 8.0), (16, 16.0), (BIG_ENDIAN_16, 16.0), (24, 24.0), (32, 32.0), (80, 8.0), (160, 16.0)),
    *((212, 12.0), (310, 32.0 / 3.0), (311, 32.0 / 3.0)),
)
FLAC_FORMATS = (508, 516, 524)
_NAME = re.compile(r"[-\w]+(\.\w+)?", re.ASCII)
_FORMAT = re.compile(r"(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?", re.ASCII)
_GAIN = re.compile(r"([-+\d.eE]+)?(?:\((-?\d+)\))?(?:/(\S+))?", re.ASCII)
_SEX = re.compile(r"\bsex>?\s*:?\s*(female|male|f|m)\b", re.IGNORECASE)
_PACED = re.compile(r"(?<!no )\b(paced|pacemaker|pacing)\b", re.IGNORECASE)
_AGE = re.compile(r"\bage>?\s*:?\s*(\d{1,3})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalLine:
    """One signal line: mV-free numbers as the header gives them."""

    file_name: str
    format: int
    samples_per_frame: int
    skew: int
    byte_offset: int
    gain: float
    gain_given: bool
    baseline: int
    unit: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WfdbHeader:
    """One header file; `signals` or `segments` is empty."""

    path: Path
    sampling_rate_hz: float  # of frames
    n_frames: int | None
    signals: tuple[SignalLine, ...]
    segments: tuple[tuple[str, int], ...]  # (name or "~", frames)
    patient: PatientHeader


def read_header(path: Path) -> WfdbHeader:
    """Parse one `.hea` file; raises InputError for whatever is missing, impossible or dangerous."""
    lines = _text(path).splitlines()
    comments = " ".join(line.strip() for line in lines if line.lstrip().startswith("#"))
    body = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not body:
        raise InputError("The WFDB header has no record line.")
    fields = body[0].split()
    if len(fields) < 2 or not _NAME.fullmatch(fields[0].partition("/")[0]):
        raise InputError("The record line of the WFDB header is damaged.")
    n_segments = _whole(fields[0].partition("/")[2] or "0")
    n_signals = _whole(fields[1])
    rate_hz = _number(re.split(r"[/(]", fields[2])[0]) if len(fields) > 2 else DEFAULT_RATE_HZ
    check_rate(rate_hz)
    n_frames = _whole(fields[3]) if len(fields) > 3 else None
    return WfdbHeader(
        path=path,
        sampling_rate_hz=rate_hz,
        n_frames=n_frames or None,
        signals=() if n_segments else _signals(body[1:], n_signals),
        segments=_segments(body[1:], n_segments, path.stem) if n_segments else (),
        patient=_patient(comments, fields[4:6]),
    )


def companion(folder: Path, name: str) -> Path:
    """Path of a file beside the header; a link, a path or anything irregular is refused."""
    path = folder / name
    if not _NAME.fullmatch(name):
        raise InputError("The WFDB header names a signal file outside its own folder.")
    with reading():
        if path.is_symlink():
            raise InputError("A signal file of the WFDB record is a link, which is not followed.", code="E_INPUT_KIND")
        if not path.is_file():
            raise InputError("A signal file of the WFDB record is missing.", code="E_INPUT_MISSING")
    return path


def _text(path: Path) -> str:
    with open_file(path) as file, reading():
        raw = file.read(MAX_HEADER_BYTES + 1)
    if len(raw) > MAX_HEADER_BYTES or b"\0" in raw:
        raise InputError("The WFDB header is no text, or far too long.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _signals(lines: list[str], n_signals: int) -> tuple[SignalLine, ...]:
    if not 1 <= n_signals <= MAX_SIGNALS or len(lines) != n_signals:
        raise InputError("The WFDB header declares another number of signals than it describes.")
    return tuple(_signal(line) for line in lines)


def _signal(line: str) -> SignalLine:
    fields = line.split(maxsplit=8)
    layout = _FORMAT.fullmatch(fields[1]) if len(fields) > 1 else None
    scale = _GAIN.fullmatch(fields[2]) if len(fields) > 2 else _GAIN.fullmatch("")
    if layout is None or scale is None or not _NAME.fullmatch(fields[0]):
        raise InputError("A signal line of the WFDB header is damaged or names a file outside its folder.")
    gain = _number(scale.group(1)) if scale.group(1) else DEFAULT_GAIN
    if gain == 0.0:
        raise InputError("A signal of the WFDB header has a gain of 0, so mV cannot be computed.")
    samples_per_frame = _whole(layout.group(2) or "1")
    if not 1 <= samples_per_frame <= 1024 or int(layout.group(3) or 0) > 100_000:
        raise InputError("A signal line of the WFDB header has an impossible layout.")
    adc_zero = _whole(fields[4], signed=True) if len(fields) > 4 else 0
    return SignalLine(
        file_name=fields[0],
        format=_known_format(_whole(layout.group(1))),
        samples_per_frame=samples_per_frame,
        skew=int(layout.group(3) or 0),
        byte_offset=_whole(layout.group(4) or "0"),
        gain=gain,
        gain_given=scale.group(1) is not None,
        baseline=_whole(scale.group(2), signed=True) if scale.group(2) else adc_zero,
        unit=scale.group(3) or "mV",
        label=fields[8] if len(fields) > 8 else "",
    )


def _known_format(number: int) -> int:
    if number not in dict(BITS_PER_SAMPLE) and number not in FLAC_FORMATS:
        raise InputError("The WFDB record stores its samples in a format that is not read.", code="E_INPUT_UNSUPPORTED")
    return number


def _segments(lines: list[str], n_segments: int, own_name: str) -> tuple[tuple[str, int], ...]:
    if n_segments > MAX_SEGMENTS or len(lines) != n_segments:
        raise InputError("The WFDB header declares another number of segments than it lists.")
    segments = []
    for line in lines:
        fields = line.split()
        if len(fields) < 2 or not (fields[0] == "~" or re.fullmatch(r"[-\w]+", fields[0], re.ASCII)):
            raise InputError("A segment line of the WFDB header is damaged.")
        if fields[0] == own_name:
            raise InputError("The WFDB record names itself as one of its segments.")
        segments.append((fields[0], _whole(fields[1])))
    return tuple(segments)


def _whole(text: str, *, signed: bool = False) -> int:
    digits = text.removeprefix("-") if signed else text
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 15):
        raise InputError("A number of the WFDB header is damaged.")
    return int(text)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError("A number of the WFDB header is damaged.")
    return value


def _patient(comments: str, time_and_date: list[str]) -> PatientHeader:
    """Age, sex and pacing where comments name them (`age: 81`, `<sex>: F`, `paced`), and the start of the recording."""
    age, sex = _AGE.search(comments), _SEX.search(comments)
    sexes: dict[str, Sex] = {"m": "male", "f": "female"}
    acquired_at = None
    if len(time_and_date) == 2:
        with contextlib.suppress(ValueError):
            text = f"{time_and_date[1]} {time_and_date[0].partition('.')[0]}"
            acquired_at = datetime.strptime(text, "%d/%m/%Y %H:%M:%S").isoformat()
    return PatientHeader(
        age_years=float(age.group(1)) if age and 0 < int(age.group(1)) <= 120 else None,
        sex=sexes[sex.group(1)[0].casefold()] if sex else None,
        paced=True if _PACED.search(comments) else None,
        acquired_at=acquired_at,
    )
