"""Do the headers of several files name one patient? Answers with field names, never with values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from typing import Literal

from pipeline.records import PatientHeader

IdentityField = Literal["patient id", "name", "birth date", "sex"]
IDENTITY_FIELDS: tuple[IdentityField, ...] = ("patient id", "name", "birth date", "sex")

PLACEHOLDERS = frozenset(
    {"", "anon", "anonymous", "anonymized", "anonymised", "deidentified", "unknown", "none", "na", "removed", "noname"}
)
"""What de-identification tools leave in a name or number; such a field counts as absent."""

MAX_APART = timedelta(hours=24)
"""Studies further apart are not taken as one visit. A rule of this project."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One field over all files: "agree", "disagree", or "absent" where fewer than two files fill it."""

    field: IdentityField
    outcome: Literal["agree", "disagree", "absent"]


def compare_headers(headers: Mapping[str, PatientHeader]) -> tuple[Comparison, ...]:
    """Compare every identity field over every pair of headers."""
    return tuple(Comparison(field=f, outcome=_outcome(f, headers)) for f in IDENTITY_FIELDS)


def differing_fields(headers: Mapping[str, PatientHeader]) -> tuple[IdentityField, ...]:
    """The identity fields in which at least two files differ; empty when nothing contradicts."""
    return tuple(c.field for c in compare_headers(headers) if c.outcome == "disagree")


def acquisition_times(headers: Mapping[str, PatientHeader]) -> tuple[tuple[datetime, bool], ...]:
    """Acquisition times that can be read, each with whether it has a clock time (else the day only)."""
    return tuple(t for h in headers.values() if (t := read_time(h.acquired_at)) is not None)


def within_a_day(headers: Mapping[str, PatientHeader]) -> bool | None:
    """Whether all files were recorded within 24 h; None with fewer than two readable times.

    Where a file gives the day only, days are compared: the next day still passes.
    """
    times = acquisition_times(headers)
    if len(times) < 2:
        return None
    return all(_near(a, b) for a, b in combinations(times, 2))


def read_time(text: str | None) -> tuple[datetime, bool] | None:
    """An ISO time as (time without zone, has a clock time), or None."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None), len(text) > 10
    except ValueError:
        return None


def _near(a: tuple[datetime, bool], b: tuple[datetime, bool]) -> bool:
    if a[1] and b[1]:
        return abs(a[0] - b[0]) <= MAX_APART
    return abs((a[0].date() - b[0].date()).days) <= 1


def _outcome(field: IdentityField, headers: Mapping[str, PatientHeader]) -> Literal["agree", "disagree", "absent"]:
    values = [v for h in headers.values() if (v := _normal(field, h))]
    if len(values) < 2:
        return "absent"
    # a name may lack its middle part in one of the files: subsets count as the same
    same = all(a <= b or b <= a for a, b in combinations(values, 2))
    return "agree" if same else "disagree"


def _normal(field: IdentityField, header: PatientHeader) -> frozenset[str]:
    """The comparable form of a field as a set of words; empty where it is absent or a placeholder."""
    text = {
        "patient id": header.patient_id,
        "name": header.name,
        "birth date": header.birth_date,
        "sex": header.sex,
    }[field]
    words = re.findall(r"\w+", (text or "").casefold().replace("_", " "))
    if "".join(words) in PLACEHOLDERS:
        return frozenset()
    # "00204" and "204" are one number; the words of an id belong together
    return frozenset(words) if field == "name" else frozenset({"".join(words).lstrip("0")}) - {""}
