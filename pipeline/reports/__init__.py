"""Exports of a finished run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.reports.csv_report import csv_bytes
from pipeline.reports.json_report import report_bytes

Exporter = tuple[str, str, Callable[[Mapping[str, Any]], bytes]]

EXPORTERS: tuple[Exporter, ...] = (
    ("json", ".json", report_bytes),
    ("csv", ".csv", csv_bytes),
)
"""(format, file suffix, function from the sealed report to the file's bytes)."""
