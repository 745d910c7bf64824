"""Who the files say the patient is: only in a report for which it was asked, and never in `result`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.records import PatientHeader

FIELDS = ("patient_id", "name", "birth_date", "acquired_at")


def with_identifiers(report: Mapping[str, Any], headers: Mapping[str, PatientHeader]) -> dict[str, Any]:
    """The report with what the header of each file names; None where a header says nothing."""
    named = {file: {field: getattr(header, field) for field in FIELDS} for file, header in sorted(headers.items())}
    return {**report, "identifiers": named}
