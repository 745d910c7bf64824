"""The whole report: the source specification's stage output around the result.

Everything that changes from run to run (times, memory, ids) stands here and never in `result`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pipeline.notice import NOTICE
from pipeline.records import BranchResult, Remark
from pipeline.reports.plain import plain
from pipeline.store.audit import AuditHead

SCHEMA_VERSION = "1.1"
STAGE = "ORCHESTRATION"
NOT_EXECUTED = ("skipped", "pending")


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How a run went."""

    run_id: str
    status: Literal["complete", "error", "cancelled"]
    states_traversed: tuple[str, ...]
    states_entered: tuple[str, ...]
    branches: tuple[BranchResult, ...]
    checkpoints_saved: int
    checkpoints_restored: int
    retries_performed: int
    total_time_ms: int
    stage_timings: Mapping[str, int]
    memory_usage_mb: float
    started_utc: str
    finished_utc: str
    error: Mapping[str, Any] | None = None  # code, text, state and, where there are any, details
    warnings: tuple[Remark, ...] = field(default=())


def seal(result: Mapping[str, Any] | None, execution: Execution) -> dict[str, Any]:
    """Close a report.

    Parameters
    ----------
    result : mapping or None
        What `build_result` gave; None when the run ended in an error or was cancelled.
    execution : Execution
        How the run went.

    Returns
    -------
    dict
        The report; `stage_timings` and `overhead_ms` sum to `total_time_ms`.
    """
    report: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "notice": NOTICE,
        "stage_complete": STAGE,
        "pipeline_execution": _pipeline_execution(execution),
        "stage_timings": {state: int(ms) for state, ms in execution.stage_timings.items()},
        "result": None if result is None else dict(result),
    }
    if execution.error is not None:
        report["error"] = plain(execution.error)
    return report


def with_audit_head(report: Mapping[str, Any], head: AuditHead | None) -> dict[str, Any]:
    """The report as it leaves the store: with the head of the audit, whose last act is its export.

    None for `head` says that the act could not be noted.
    """
    return {**report, "audit": None if head is None else asdict(head)}


def _pipeline_execution(execution: Execution) -> dict[str, Any]:
    staged_ms = sum(execution.stage_timings.values())
    total_ms = max(execution.total_time_ms, staged_ms)  # rounding of single states may pass the total
    return {
        "run_id": execution.run_id,
        "status": execution.status,
        "states_traversed": list(execution.states_traversed),
        "states_entered": list(execution.states_entered),
        "branches_executed": [b.branch for b in execution.branches if b.status not in NOT_EXECUTED],
        "branches": [asdict(b) for b in execution.branches],
        "checkpoints_saved": execution.checkpoints_saved,
        "checkpoints_restored": execution.checkpoints_restored,
        "retries_performed": execution.retries_performed,
        "total_time_ms": total_ms,
        "overhead_ms": total_ms - staged_ms,
        "memory_usage_mb": round(execution.memory_usage_mb, 1),
        "started_utc": execution.started_utc,
        "finished_utc": execution.finished_utc,
        "warnings": [asdict(w) for w in execution.warnings],
    }
