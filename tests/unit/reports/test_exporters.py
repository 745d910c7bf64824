from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from pipeline.reports import EXPORTERS
from pipeline.reports.csv_report import COLUMNS, csv_bytes
from pipeline.reports.envelope import NOTICE


@pytest.mark.parametrize("exporter", EXPORTERS, ids=lambda e: e[0])
def test_every_export_carries_the_notice_and_no_identifier(
    exporter: Any, report: dict[str, Any], error_report: dict[str, Any], canaries: tuple[str, ...]
) -> None:
    name, suffix, write = exporter
    assert suffix == f".{name}"
    for given in (report, error_report):
        text = write(given).decode("utf-8-sig")
        assert NOTICE in text
        assert not [canary for canary in canaries if canary in text]


def test_the_names_of_the_exports() -> None:
    assert [(name, suffix) for name, suffix, _ in EXPORTERS] == [("json", ".json"), ("csv", ".csv")]


def rows_of(report: dict[str, Any]) -> list[dict[str, str]]:
    lines = csv_bytes(report).decode("utf-8-sig").splitlines()
    assert lines[0] == f"# {NOTICE}"
    return list(csv.DictReader(io.StringIO("\n".join(lines[1:]))))


def test_one_row_a_measurement(report: dict[str, Any]) -> None:
    rows = {row["name"]: row for row in rows_of(report)}
    assert list(rows) == list(report["result"]["measurements"])
    lvef, withheld = rows["lvef"], rows["la_volume"]
    assert tuple(lvef) == COLUMNS
    assert (lvef["value"], lvef["interval_low"], lvef["interval_high"], lvef["unit"]) == ("47.12", "43.0", "51.0", "%")
    assert (lvef["frames"], lvef["model_sha256"]) == ("1 6", "c" * 64)
    assert (withheld["value"], withheld["status"]) == ("", "withheld")
    assert withheld["reason"] == "The atrium is cut by the image edge."


def test_a_report_without_result_has_no_rows(error_report: dict[str, Any]) -> None:
    assert rows_of(error_report) == []


def test_a_text_is_never_a_formula_but_a_number_stays_one(report: dict[str, Any]) -> None:
    changed = json.loads(json.dumps(report))
    changed["result"]["measurements"]["lvef"].update(value=-12.5, band="=1+1", method="@x")
    row = rows_of(changed)[0]
    assert (row["value"], row["band"], row["method"]) == ("-12.5", "'=1+1", "'@x")
