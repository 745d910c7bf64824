"""FORMATTING: the body of the report; the envelope is sealed on COMPLETE."""

from __future__ import annotations

from typing import Any

from pipeline.records import BranchResult, FusedFindings, Remark, RiskReport, StudyResults


def format_result(
    study: StudyResults,
    fused: FusedFindings | None,
    risk: RiskReport | None,
    branches: tuple[BranchResult, ...],
    remarks: tuple[Remark, ...],
) -> dict[str, Any]:
    """The deterministic part of the report: no times, no ids, no paths."""
    from pipeline.reports.result import build_result

    return build_result(study, fused, risk, branches, remarks)
