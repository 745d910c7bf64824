"""`runs`, `show`, `export`: look into the store without a window."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from app.command_line import EXIT_DONE, UsageError
from app.composition import Engine
from app.paths import AppPaths
from pipeline.errors import ReportError, StoreError
from pipeline.notice import NOTICE

if TYPE_CHECKING:
    from pipeline.engine import RunRow, StoredRun

LABEL_WIDTH = 36
PAGE_FORMAT = "pdf"


def runs(options: argparse.Namespace, paths: AppPaths) -> int:
    """Answer `runs`: one line a run, newest first."""
    rows = Engine(paths.store).list_runs() if paths.store.exists() else ()
    if options.json:
        sys.stdout.write(json.dumps([_as_json(row) for row in rows], indent=1) + "\n")
        return EXIT_DONE
    for row in rows:
        line = f"{row.run_id}  {row.status:<11} {row.state:<13} {row.started_utc}  {', '.join(row.inputs)}"
        sys.stdout.write(printable(line) + "\n")
    if not rows:
        sys.stdout.write("No run is stored yet.\n")
    return EXIT_DONE


def _as_json(row: RunRow) -> dict[str, Any]:
    return {
        "run_id": row.run_id,
        "status": row.status,
        "state": row.state,
        "started": row.started_utc,
        "finished": row.finished_utc,
        "inputs": list(row.inputs),
        "error_code": row.error_code,
    }


def find_run(engine: Engine, name: str) -> str:
    """The id of the run that `name` means: an id, the start of exactly one, or "latest"; raises StoreError."""
    rows = engine.list_runs() if engine.store_path.exists() else ()
    if name == "latest" and rows:
        return rows[0].run_id
    if any(row.run_id == name for row in rows):
        return name
    found = [row.run_id for row in rows if name and row.run_id.startswith(name)]
    if len(found) != 1:
        text = "No stored run has this id." if not found else "Several stored runs begin like this."
        raise StoreError(text, code="E_STORE_NOT_FOUND")
    return found[0]


def show(options: argparse.Namespace, paths: AppPaths) -> int:
    """Answer `show`: the findings of a run, without anything that names the patient."""
    engine = Engine(paths.store)
    stored = engine.load_edited(find_run(engine, options.run), "view")
    where = "" if stored.row.status == "complete" else f" in {stored.row.state}"
    sys.stdout.write(f"{NOTICE}\nrun {stored.row.run_id}: {stored.row.status}{where}\n")
    if stored.report is None:
        sys.stdout.write("This run has no report yet; go on with it by: run --resume\n")
        return EXIT_DONE
    for line in findings_lines(stored.report):
        sys.stdout.write(printable(line) + "\n")
    return EXIT_DONE


def findings_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """A report's findings as lines of text."""
    error = report.get("error")
    if error:
        yield f"{error['code']}: {error['text']}"
    result = report.get("result") or {}
    for title, lines in (
        ("Measurements", _measurement_lines(result)),
        ("Rhythm", (f"  {item['text']} ({item['evidence']})" for item in (result.get("ecg") or {}).get("rhythm", ()))),
        ("ECG statements", _statement_lines(result.get("ecg") or {})),
        ("Echo against ECG", (f"  {_check_line(item)}" for item in result.get("cross_checks") or ())),
        ("Risk", _risk_lines(result.get("risk") or {})),
        ("Changes by readers", _act_lines(result)),
        ("Remarks", (f"  {item['code']}: {item['text']}" for item in result.get("remarks") or ())),
    ):
        block = list(lines)
        if block:
            yield title
            yield from block


def _statement_lines(ecg: Mapping[str, Any]) -> Iterator[str]:
    for item in ecg.get("statements") or ():
        yield f"  {item['text']} ({item['reason'] or item['evidence']})"


def _measurement_lines(result: Mapping[str, Any]) -> Iterator[str]:
    for item in (result.get("measurements") or {}).values():
        if item["status"] == "withheld":
            yield f"  {item['label']:<{LABEL_WIDTH}} withheld: {item['reason']}"
            continue
        limits = item.get("interval")
        interval = f" [{_number(limits[0], item)} to {_number(limits[1], item)}]" if limits else ""
        band = f"  {item['band']}" if item.get("band") else ""
        value = f"{_number(item['value'], item)} {item['unit']}".rstrip()
        yield f"  {item['label']:<{LABEL_WIDTH}} {value}{interval}{band}{_reader_text(item)}"


def _reader_text(item: Mapping[str, Any]) -> str:
    """What a reader did to a number: what it was before, and the verdict."""
    before, verdict = item.get("before"), item.get("verdict")
    was = "" if before is None else "withheld" if before["value"] is None else _number(before["value"], item)
    edited = f"edited, was {was}" if was else "edited" if item["status"] == "edited" else ""
    told = ", ".join(part for part in (edited, verdict or "") if part)
    return f"  ({told})" if told else ""


def _act_lines(result: Mapping[str, Any]) -> Iterator[str]:
    for act in result.get("edits") or ():
        done = f"takes back {act['undoes']}" if act["undoes"] is not None else _act_text(act["after"])
        state = "" if act["holds"] else " (taken back)"
        what = f"{act['kind'].replace('_', ' ')} {act['target']}: {done}{state}"
        yield f"  {act['number']:>3} {act['time_utc']} {act['role']:<10} {what}"


def _act_text(after: object) -> str:
    """The value that an act set, in a few words."""
    if after is None:
        return "back to the pipeline's own"
    if isinstance(after, Mapping):
        shown = {k: v for k, v in after.items() if k not in ("points", "frame")}
        return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in sorted(shown.items()))
    return str(after)


def _number(value: float | str, item: Mapping[str, Any]) -> str:
    return value if isinstance(value, str) else f"{value:.{item['digits']}f}"


def _check_line(item: Mapping[str, Any]) -> str:
    return f"{item['name']}: {item['outcome'].replace('_', ' ')}. {item['text']}"


def _risk_lines(risk: Mapping[str, Any]) -> Iterator[str]:
    if risk.get("level"):
        yield f"  level of the findings: {risk['level']}"
    for rule in risk.get("rules", ()):
        yield f"    {rule['level']}: {rule['text']}"
    for score in risk.get("scores", ()):
        yield f"  {score['label']}: {_score_text(score)}"


def _score_text(score: Mapping[str, Any]) -> str:
    if score["points"] is None:
        return f"withheld. {score['reason']}"
    low, high = score["points"]
    missing = f" (missing: {', '.join(score['missing'])})" if score["missing"] else ""
    return f"{low if low == high else f'{low} to {high}'} points{missing}"


def export(options: argparse.Namespace, paths: AppPaths) -> int:
    """Answer `export`."""
    from pipeline.reports import EXPORTERS
    from pipeline.reports.envelope import with_audit_head
    from pipeline.reports.identifiers import with_identifiers
    from pipeline.reports.json_report import write_bytes

    writers = {name: function for name, _, function in EXPORTERS}
    if options.format not in (*writers, PAGE_FORMAT):
        raise UsageError(f"--format must be one of: {', '.join((*writers, PAGE_FORMAT))}")
    if options.include_identifiers and options.format != "json":
        raise UsageError("--include-identifiers needs --format json")
    engine = Engine(paths.store)
    stored = engine.load_edited(find_run(engine, options.run))
    if stored.report is None:
        raise ReportError("This run has no report yet; there is nothing to export.", code="E_REPORT_NONE")
    is_page = options.format == PAGE_FORMAT
    detail = f"{options.format} with identifiers" if options.include_identifiers else options.format
    report = with_audit_head(stored.report, engine.note_act("export", stored.row.run_id, detail))
    if options.include_identifiers:
        report = with_identifiers(report, stored.results.headers)
    content = _page(stored, report) if is_page else writers[options.format](report)
    write_bytes(content, options.output)
    return EXIT_DONE


def _page(stored: StoredRun, report: Mapping[str, Any]) -> bytes:
    """The page as PDF; it is painted by the workstation's packages, without a display."""
    if importlib.util.find_spec("PySide6") is None:
        raise ReportError("The PDF page needs the workstation's packages, which are not installed.")
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtGui import QGuiApplication

    from ui.page.page import page_pdf

    application = QGuiApplication.instance() or QGuiApplication([])
    content = page_pdf(stored.results, report, stored.row.run_id)
    del application
    return content


def printable(text: str) -> str:
    """The text without characters that could steer a terminal: file names may hold any."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)
