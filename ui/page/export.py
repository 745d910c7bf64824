"""Writes the page of a case as a PDF; runs outside the GUI thread."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.records import StudyResults
from ui.engine_port import Engine
from ui.page import PAGE_FORM


def export_page(engine: Engine, results: StudyResults, report: Mapping[str, Any], path: Path) -> str:
    """Note the export in the audit, paint the page, write it whole or not at all; raises ReportError."""
    from pipeline.reports.envelope import with_audit_head
    from pipeline.reports.json_report import write_bytes
    from ui.page.page import page_pdf

    run_id = str(report["pipeline_execution"]["run_id"])
    sealed = with_audit_head(report, engine.note_act("export", run_id, PAGE_FORM))
    write_bytes(page_pdf(results, sealed, run_id), path)
    return PAGE_FORM
