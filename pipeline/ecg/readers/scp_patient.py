"""Section 1 of SCP-ECG: who was examined and when."""

from __future__ import annotations

import struct
from datetime import datetime

from pipeline.ecg.readers.patient_facts import age_years, height_cm, weight_kg
from pipeline.records import PatientHeader, Sex

LAST_NAME, FIRST_NAME, PATIENT_ID, AGE, BIRTH, HEIGHT, WEIGHT, SEX, DATE, TIME, END = (
    *(0, 1, 2, 4, 5, 6, 7, 8, 25, 26, 255),
)
AGE_UNITS = ("", "years", "months", "weeks", "days", "hours")
HEIGHT_UNITS = ("", "cm", "in", "mm")
WEIGHT_UNITS = ("", "kg", "g", "lb", "oz")
SEXES: dict[bytes, Sex] = {b"\1": "male", b"\2": "female"}


def patient_of(body: bytes) -> PatientHeader:
    """Facts of the tags; a damaged tag ends the reading, what stands before it is kept."""
    tags = _tags(body)
    day, clock = _date(tags.get(DATE, b"")), tags.get(TIME, b"")
    acquired_at = None
    if day and len(clock) >= 3 and clock[0] < 24 and clock[1] < 60 and clock[2] < 60:
        acquired_at = day.replace(hour=clock[0], minute=clock[1], second=clock[2]).isoformat()
    names = (_text(tags.get(LAST_NAME, b"")), _text(tags.get(FIRST_NAME, b"")))
    born = _date(tags.get(BIRTH, b""))
    return PatientHeader(
        patient_id=_text(tags.get(PATIENT_ID, b"")) or None,
        name=" ".join(name for name in names if name) or None,
        birth_date=born.date().isoformat() if born else None,
        sex=SEXES.get(tags.get(SEX, b"")),
        age_years=age_years(*_quantity(tags.get(AGE, b""), AGE_UNITS)),
        height_cm=height_cm(*_quantity(tags.get(HEIGHT, b""), HEIGHT_UNITS)),
        weight_kg=weight_kg(*_quantity(tags.get(WEIGHT, b""), WEIGHT_UNITS)),
        acquired_at=acquired_at,
    )


def _tags(body: bytes) -> dict[int, bytes]:
    tags: dict[int, bytes] = {}
    position = 0
    while position + 3 <= len(body) and body[position] != END:
        tag, length = struct.unpack_from("<BH", body, position)
        value = body[position + 3 : position + 3 + length]
        if len(value) != length:
            break
        tags.setdefault(tag, value)
        position += 3 + length
    return tags


def _text(value: bytes) -> str:
    return value.split(b"\0")[0].decode("latin-1").strip()


def _quantity(value: bytes, units: tuple[str, ...]) -> tuple[float | None, str]:
    if len(value) != 3 or value[2] >= len(units):
        return None, ""
    return float(int.from_bytes(value[:2], "little")), units[value[2]]


def _date(value: bytes) -> datetime | None:
    if len(value) != 4:
        return None
    try:
        return datetime(int.from_bytes(value[:2], "little"), value[2], value[3])
    except ValueError:
        return None
