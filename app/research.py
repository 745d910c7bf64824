"""`arrays` and `compare`: intermediate results of stored runs, and two runs side by side."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from app.command_line import EXIT_DONE, UsageError
from app.composition import Engine
from app.paths import AppPaths
from app.stored_runs import find_run
from pipeline.clinical.priors import changes
from pipeline.errors import ReportError
from pipeline.notice import NOTICE
from pipeline.research.comparison import compare_reports
from pipeline.research.files import write_item
from pipeline.research.items import items_of


def arrays(options: argparse.Namespace, paths: AppPaths) -> int:
    """Answer `arrays`."""
    if (options.name is None) != (options.output is None):
        raise UsageError("to write a result name both it and --output")
    engine = Engine(paths.store)
    stored = engine.load_run(find_run(engine, options.run))
    items = items_of(stored.results, stored.report)
    if options.name is None:
        for item in items:
            axes = ", ".join(item.axes)
            words = " · ".join(part for part in (item.label, item.unit, axes, item.note) if part)
            sys.stdout.write(f"{item.name:<32} {item.size_text:<28} {words}\n")
        return EXIT_DONE
    chosen = next((item for item in items if item.name == options.name), None)
    if chosen is None:
        raise UsageError("the run has no result of that name; without a name all of them are listed")
    write_item(chosen, options.output)
    return EXIT_DONE


def compare(options: argparse.Namespace, paths: AppPaths) -> int:
    """Answer `compare`: exit code 0 whether or not they differ."""
    engine = Engine(paths.store)
    first, second = (_report(engine, name) for name in (options.first, options.second))
    fields = compare_reports(first, second)
    if options.json:
        tree = {"notice": NOTICE, "fields": [asdict(field) | {"change": field.change} for field in fields]}
        sys.stdout.write(json.dumps(tree, ensure_ascii=False, indent=1) + "\n")
        return EXIT_DONE
    sys.stdout.write(f"{NOTICE}\n")
    for change in changes(first, second):
        told = f"{change.before:.{change.digits}f} -> {change.now:.{change.digits}f} {change.unit}".rstrip()
        noise = f" ({change.noise})" if change.noise else ""
        if change.before != change.now:
            sys.stdout.write(
                f"  {change.label:<36} {told:<28} {change.change:+.{change.digits}f}  {change.verdict}{noise}\n"
            )
    differing = [field for field in fields if field.kind != "same"]
    for field in differing:
        sys.stdout.write(f"  {field.kind:<12} {field.path}: {_short(field.first)} | {_short(field.second)}\n")
    sys.stdout.write(f"{len(differing)} of {len(fields)} fields differ.\n")
    return EXIT_DONE


def _report(engine: Engine, name: str) -> Mapping[str, Any]:
    stored = engine.load_run(find_run(engine, name))
    if stored.report is None:
        raise ReportError("One of the runs has no report yet.", code="E_REPORT_NONE")
    return stored.report


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
