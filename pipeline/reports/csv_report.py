"""The measurements of a report as a table: one row a measurement, the notice on the first line."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

COLUMNS = (
    "name",
    "label",
    "value",
    "interval_low",
    "interval_high",
    "unit",
    "status",
    "band",
    "reason",
    "method",
    "reference",
    "loinc",
    "file_sha256",
    "frames",
    "contour",
    "beats",
    "lead",
    "model_sha256",
    "edited_frames",
    "verdict",
)


def csv_bytes(report: Mapping[str, Any]) -> bytes:
    """UTF-8 CSV with a byte order mark, so that spreadsheets read µ and ³ right.

    The first line is "# ", the notice and the head of the audit, the second the names of the columns. A report
    without a result has no rows.
    """
    text = io.StringIO()
    head = report.get("audit")
    audit = f" | audit {head['n_rows']} {head['head_hash']}" if head else ""
    text.write(f"# {report['notice']}{audit}\r\n")
    table = csv.writer(text)
    table.writerow(COLUMNS)
    measurements = (report.get("result") or {}).get("measurements") or {}
    for name, measurement in measurements.items():
        table.writerow([plain_cell(value) for value in _row(name, measurement)])
    return text.getvalue().encode("utf-8-sig")


def _row(name: str, m: Mapping[str, Any]) -> tuple[Any, ...]:
    low, high = m["interval"] or (None, None)
    source = m["source"]
    return (
        *(name, m["label"], m["value"], low, high, m["unit"], m["status"], m["band"], m["reason"]),
        *(m["method"], m["reference"], m["loinc"], source["file_sha256"], _listed(source["frames"])),
        *(source["contour"], _listed(source["beats"]), source["lead"], source["model_sha256"]),
        *(_listed(source["edited_frames"]), m["verdict"]),
    )


def _listed(positions: list[int]) -> str:
    return " ".join(str(p) for p in positions)


def plain_cell(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula is kept a text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value
