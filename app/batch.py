"""`batch`: read every study of some folders, a report each and one table over all; goes on where it was stopped."""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.command_line import EXIT_CANCELLED, EXIT_DONE, EXIT_ERROR, UsageError
from app.composition import Engine, isolated_engine
from app.interruption import cancelled_by_signals
from app.paths import AppPaths
from app.running import write
from pipeline.cancellation import CancelToken
from pipeline.errors import RunCancelledError
from pipeline.notice import NOTICE
from pipeline.records import CardiologyRequest
from pipeline.reports.csv_report import plain_cell
from pipeline.reports.json_report import write_bytes

TABLE_NAME = "measurements.csv"
HEAD = ("case", "status", "error_code", "modalities", "file_sha256")


def batch(options: argparse.Namespace, paths: AppPaths) -> int:
    """Answer `batch`: exit code 0 when every study was read, 1 when one was not, 130 when cancelled."""
    if not options.output.is_dir():
        raise UsageError("--output must name a folder that exists")
    missing = [place for place in options.places if not place.exists()]
    if missing:
        raise UsageError(f"{len(missing)} of the places do not exist")
    cancel = CancelToken()
    with cancelled_by_signals(cancel), isolated_engine(paths.store, keeps_spare=True) as engine:
        try:
            intake = engine.sort_places(options.places, cancel=cancel)
        except RunCancelledError:
            return EXIT_CANCELLED
        for note in (*intake.notes, *([intake.problem] if intake.problem else [])):
            sys.stderr.write(f"{note}\n")
        if not intake.requests:
            return EXIT_ERROR
        return _read_all(intake.requests, options.output, engine, cancel)


def case_name(request: CardiologyRequest) -> str:
    """A name for a study's files that stays the same in the next call and holds no name of a file."""
    places = [*request.echo_paths, request.ecg_path, request.metadata_path]
    named = "\n".join(str(place.resolve()) for place in places if place is not None)
    return f"case-{hashlib.sha256(named.encode()).hexdigest()[:12]}"


def _read_all(requests: Sequence[CardiologyRequest], output: Path, engine: Engine, cancel: CancelToken) -> int:
    n_failed = 0
    started_s = time.monotonic()
    for place, request in enumerate(requests, start=1):
        name = case_name(request)
        report = output / f"{name}.json"
        word = "there already"
        if not report.exists():
            status, word = _read_one(request, report, engine, cancel)
            if status == "cancelled":
                sys.stdout.write("cancelled; the same command goes on from here\n")
                break
        n_failed += _status(report) != "complete"
        spent_s = time.monotonic() - started_s
        sys.stdout.write(f"{place}/{len(requests)}  {name}  {word}  {spent_s:.0f} s\n")
        sys.stdout.flush()
    reports = [output / f"{case_name(request)}.json" for request in requests]
    write_bytes(table_bytes(_loaded(reports)), output / TABLE_NAME)
    sys.stdout.write(f"table: {output / TABLE_NAME}\n")
    if cancel.is_cancelled:
        return EXIT_CANCELLED
    return EXIT_ERROR if n_failed else EXIT_DONE


def _read_one(request: CardiologyRequest, report: Path, engine: Engine, cancel: CancelToken) -> tuple[str, str]:
    """Status and word of one study; a failed one leaves its report as well, so that the table names it."""
    response = engine.run_study(request, cancel=cancel)
    if response.status != "cancelled":
        write(response.report, report)
    return response.status, response.error_code or response.status


def _status(report: Path) -> str:
    content = _load(report)
    return str(content.get("pipeline_execution", {}).get("status", "")) if content else "unreadable"


def _load(report: Path) -> Mapping[str, Any] | None:
    try:
        content = json.loads(report.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _loaded(reports: Iterable[Path]) -> list[tuple[str, Mapping[str, Any]]]:
    found = ((path.stem, _load(path)) for path in reports)
    return [(name, content) for name, content in found if content is not None]


def table_bytes(reports: Sequence[tuple[str, Mapping[str, Any]]]) -> bytes:
    """One row a study, one column a measure and its interval; an empty cell was withheld or not measured."""
    names: dict[str, str] = {}
    for _, report in reports:
        for name, measure in _measures(report).items():
            names.setdefault(name, f"{name} ({measure['unit']})" if measure["unit"] else name)
    text = io.StringIO()
    text.write(f"# {NOTICE}\r\n")
    table = csv.writer(text)
    table.writerow([*HEAD, *(column for name in names for column in _columns(names[name]))])
    for case, report in reports:
        measures = _measures(report)
        cells = (cell for name in names for cell in _cells(measures.get(name)))
        table.writerow([plain_cell(cell) for cell in (*_head(case, report), *cells)])
    return text.getvalue().encode("utf-8-sig")


def _measures(report: Mapping[str, Any]) -> Mapping[str, Any]:
    measures: Mapping[str, Any] = (report.get("result") or {}).get("measurements") or {}
    return measures


def _columns(name: str) -> tuple[str, str, str, str]:
    return name, f"{name} low", f"{name} high", f"{name} status"


def _cells(measure: Mapping[str, Any] | None) -> tuple[Any, Any, Any, Any]:
    if measure is None:
        return "", "", "", ""
    low, high = measure["interval"] or ("", "")
    value = "" if measure["value"] is None else measure["value"]
    return value, low, high, measure["status"]


def _head(case: str, report: Mapping[str, Any]) -> tuple[str, ...]:
    execution, result = report.get("pipeline_execution") or {}, report.get("result") or {}
    error = report.get("error") or {}
    hashes = " ".join(str(item["sha256"]) for item in result.get("inputs") or ())
    modalities = " ".join(result.get("modalities") or ())
    return case, str(execution.get("status", "")), str(error.get("code", "")), modalities, hashes
