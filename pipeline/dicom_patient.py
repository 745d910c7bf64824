"""The patient and the time of acquisition as a DICOM header names them; one reading for echo and ECG alike."""

from __future__ import annotations

import contextlib
import re
from datetime import datetime
from typing import Any

from pipeline.gates import SILENCE
from pipeline.records import PatientHeader, Sex

SEXES: dict[str, Sex] = {"M": "male", "F": "female"}
PER_YEAR = {"Y": 1.0, "M": 12.0, "W": 365.25 / 7, "D": 365.25}
HEIGHT_M = (0.2, 2.8)
WEIGHT_KG = (0.3, 700.0)
DATES = ("Acquisition", "Content", "Series", "Study")
"""In the order of how near they stand to the recording itself."""


def patient_header(dataset: Any) -> PatientHeader:
    """Who was examined and when; a damaged, empty or implausible element is taken as absent."""
    with SILENCE:  # pydicom's warnings quote the values
        height_m = _number(dataset, "PatientSize", HEIGHT_M)
        return PatientHeader(
            patient_id=_text(dataset, "PatientID"),
            name=_text(dataset, "PatientName"),
            birth_date=_iso_date(_text(dataset, "PatientBirthDate")),
            sex=SEXES.get(_text(dataset, "PatientSex") or ""),
            age_years=_age_years(_text(dataset, "PatientAge")),
            height_cm=None if height_m is None else round(height_m * 100.0, 2),
            weight_kg=_number(dataset, "PatientWeight", WEIGHT_KG),
            acquired_at=_acquired_at(dataset),
        )


def _text(dataset: Any, keyword: str) -> str | None:
    # pydicom converts an element when it is asked for, so that each access may fail on its own
    with contextlib.suppress(ValueError, TypeError, AttributeError, LookupError, NotImplementedError):
        return str(dataset.get(keyword, "") or "").strip() or None
    return None


def _number(dataset: Any, keyword: str, limits: tuple[float, float]) -> float | None:
    with contextlib.suppress(ValueError, OverflowError):
        value = float(_text(dataset, keyword) or "nan")
        return value if limits[0] < value < limits[1] else None
    return None


def _iso_date(text: str | None) -> str | None:
    with contextlib.suppress(ValueError):
        return datetime.strptime((text or "")[:8], "%Y%m%d").date().isoformat()
    return None


def _age_years(text: str | None) -> float | None:
    """An age string (VR AS) such as 067Y, 018M, 003W, 010D."""
    found = re.fullmatch(r"(\d{1,3})([YMWD])", text or "")
    return None if found is None else round(int(found[1]) / PER_YEAR[found[2]], 2)


def _acquired_at(dataset: Any) -> str | None:
    """The most exact time of acquisition that the header holds, ISO without zone."""
    stamps = [_text(dataset, "AcquisitionDateTime")]
    for what in DATES:
        date, time = _text(dataset, f"{what}Date"), _text(dataset, f"{what}Time")
        stamps.append(date + (time or "000000") if date else None)
    for stamp in stamps:
        with contextlib.suppress(ValueError):
            return datetime.strptime((stamp or "")[:14], "%Y%m%d%H%M%S").isoformat()
    return None
