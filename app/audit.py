"""`audit`: every act on the store, and whether the record of them was changed."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app.command_line import EXIT_DONE, EXIT_ERROR, UsageError
from app.paths import AppPaths
from pipeline.errors import StoreError

if TYPE_CHECKING:
    from pipeline.engine import AuditHead

HASH_DIGITS = 16
KIND_WIDTH = 8


def audit(options: argparse.Namespace, paths: AppPaths) -> int:
    """Answer `audit show` and `audit verify`."""
    if not paths.store.exists():
        raise StoreError("There is no store yet.", code="E_STORE_NOT_FOUND")
    return show(paths.store) if options.what == "show" else verify(paths.store, options.report)


def show(store_path: Path) -> int:
    """One line an act, oldest first, with the beginning of its hash, which an exported page prints."""
    from pipeline import engine

    for row in engine.audit_rows(store_path):
        what = f"{row.act:<{KIND_WIDTH}}  {row.run_id or '-'}  {row.detail}"
        line = f"{row.seq:>6}  {row.time_utc}  {what:<60}  {row.row_hash[:HASH_DIGITS]}"
        sys.stdout.write(line.rstrip() + "\n")
    return EXIT_DONE


def verify(store_path: Path, report: Path | None) -> int:
    """Exit code 0 when the chain holds, 1 when anything in it was changed."""
    from pipeline import engine

    known = None if report is None else head_of(report)
    faults = engine.audit_faults(store_path, known)
    for fault in faults:
        where = "the audit" if fault.seq is None else f"row {fault.seq}"
        sys.stdout.write(f"{where}: {fault.text}\n")
    if faults:
        return EXIT_ERROR
    rows = engine.audit_rows(store_path)
    sys.stdout.write(f"the audit holds: {len(rows)} acts, head {rows[-1].row_hash if rows else 'none'}\n")
    return EXIT_DONE


def head_of(report: Path) -> AuditHead:
    """The head of the audit that an exported report holds; raises UsageError where there is none."""
    from pipeline.engine import AuditHead

    try:
        head = json.loads(report.read_text(encoding="utf-8"))["audit"]
        return AuditHead(n_rows=int(head["n_rows"]), head_hash=str(head["head_hash"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise UsageError("--report must name an exported report that holds the head of an audit") from None
