from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.records import BranchResult, Remark
from pipeline.reports.envelope import NOTICE, Execution, seal

Make = Callable[..., Execution]


def test_the_top_level_is_the_stage_output_of_the_specification(report: dict[str, Any]) -> None:
    assert list(report) == [
        "schema_version",
        "notice",
        "stage_complete",
        "pipeline_execution",
        "stage_timings",
        "result",
    ]
    assert report["stage_complete"] == "ORCHESTRATION"
    assert report["notice"] == NOTICE == "Research use only - not for diagnostic use"
    execution = report["pipeline_execution"]
    assert execution["states_traversed"] == ["RECEIPT", "VALIDATION", "COMPLETE"]
    assert execution["branches_executed"] == ["echo", "ecg", "metadata"]
    assert (execution["checkpoints_saved"], execution["retries_performed"]) == (4, 0)
    assert report["stage_timings"] == {"RECEIPT": 5, "VALIDATION": 120}


def test_the_sum_of_the_timings_closes(make_execution: Make) -> None:
    for total_ms, timings in ((1000, {"RECEIPT": 5, "VALIDATION": 120}), (3, {"RECEIPT": 2, "VALIDATION": 2})):
        report = seal(None, make_execution(total_time_ms=total_ms, stage_timings=timings))
        execution = report["pipeline_execution"]
        assert execution["overhead_ms"] >= 0
        assert sum(report["stage_timings"].values()) + execution["overhead_ms"] == execution["total_time_ms"]
    assert execution["total_time_ms"] == 4


def test_an_error_stands_at_the_top(error_report: dict[str, Any]) -> None:
    assert error_report["result"] is None
    assert error_report["error"]["code"] == "E_VALIDATION"
    assert error_report["error"]["state"] == "VALIDATION"
    assert error_report["pipeline_execution"]["states_entered"][-1] == "ERROR"


def test_skipped_branches_were_not_executed(make_execution: Make) -> None:
    branches = (
        BranchResult(branch="echo", status="failed", code="E_DETECTION", reason="No heart.", failed_in="DETECTION"),
        BranchResult(branch="ecg", status="ok"),
        BranchResult(branch="metadata", status="skipped", reason="not part of this study"),
    )
    execution = seal({}, make_execution(branches=branches))["pipeline_execution"]
    assert execution["branches_executed"] == ["echo", "ecg"]
    assert execution["branches"][0] == {
        "branch": "echo",
        "status": "failed",
        "code": "E_DETECTION",
        "reason": "No heart.",
        "failed_in": "DETECTION",
    }


def test_warnings_of_the_run_stay_outside_the_result(make_execution: Make) -> None:
    warning = Remark(code="W_STORE", text="The store is full.")
    report = seal({}, make_execution(warnings=(warning,)))
    assert report["pipeline_execution"]["warnings"] == [{"code": "W_STORE", "text": "The store is full."}]
