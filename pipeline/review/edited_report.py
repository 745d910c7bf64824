"""The report of a run with what readers did to it: their acts, what holds of them, and the numbers that follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.records import BranchResult, Edit, Remark, StudyResults
from pipeline.reports.envelope import SCHEMA_VERSION
from pipeline.reports.result import build_result
from pipeline.review.changes import Changes, read_changes
from pipeline.review.log import Log, holding, standing
from pipeline.review.workbench import ECG_KINDS, EditedStudy, Workbench

NOT_APPLIED = Remark(
    code="W_EDITS_NOT_APPLIED",
    text="The results that the reader's changes belong to are damaged or missing: the numbers are the pipeline's own.",
)
NUMERIC_KINDS = ("contour", "phase", "calibration", "segment_score", *ECG_KINDS)
OWN_FIELDS = ("value", "interval", "status", "band", "reason")


def edited_report(
    report: Mapping[str, Any], results: StudyResults, log: Log, study: EditedStudy | None = None
) -> dict[str, Any]:
    """A sealed report with the acts of a log.

    Parameters
    ----------
    report : mapping
        As the run sealed it. It is not changed.
    results : StudyResults
        As the run left them, without any change of a reader.
    log : sequence of Edit
    study : EditedStudy, optional
        The study with these very acts, where the caller has it already.

    Returns
    -------
    dict
        The same report where nothing was done; else with the measures as they follow from the acts, each edited one
        with what the pipeline itself found under `before`, the verdicts, and every act under `edits`.
    """
    body = report.get("result")
    if not log or body is None:
        return dict(report)
    changes = read_changes(log, results)
    told = dict(body)
    if _complete(body, results):  # also renews a body that an older version wrote
        told = _rebuilt(body, study or Workbench(results).fold(log))
    elif any(act.kind in NUMERIC_KINDS for act in standing(log)):
        told["remarks"] = [*body["remarks"], {"code": NOT_APPLIED.code, "text": NOT_APPLIED.text}]
    return dict(report) | {"schema_version": SCHEMA_VERSION, "result": _with_acts(told, body, log, changes)}


def _complete(body: Mapping[str, Any], results: StudyResults) -> bool:
    """Whether everything that the report was written from is still there."""
    there = {"echo": results.echo_analysis is not None, "ecg": results.ecg_analysis is not None}
    return all(there[name] for name in body["modalities"])


def act_body(act: Edit, *, holds: bool) -> dict[str, Any]:
    """One row of the log as the report lists it."""
    return {  # what was before and after are JSON values already
        "number": act.seq,
        "time_utc": act.time_utc,
        "role": act.role,
        "kind": act.kind,
        "target": act.target,
        "before": act.before,
        "after": act.after,
        "undoes": act.undoes,
        "holds": holds,
    }


def _rebuilt(body: Mapping[str, Any], study: EditedStudy) -> dict[str, Any]:
    """The body measured anew; what only the run itself knew is taken over."""
    branches = tuple(BranchResult(**branch) for branch in body["branches"])
    fresh = build_result(study.results, study.fused, study.risk, branches, ())
    return fresh | {"remarks": _merged(body["remarks"], fresh["remarks"])}


RUN_CODES = ("E_", "W_NO_SCORES")
"""Remarks of the run itself; all others follow from the results and are made again."""


def _merged(before: list[Mapping[str, Any]], after: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The remarks of now, with those that the run itself had made."""
    known = {(remark["code"], remark["text"]) for remark in after}
    own = [r for r in before if r["code"].startswith(RUN_CODES) and (r["code"], r["text"]) not in known]
    return [*after, *own]


def _with_acts(told: dict[str, Any], before: Mapping[str, Any], log: Log, changes: Changes) -> dict[str, Any]:
    own, held = before["measurements"], {act.seq for act in holding(log)}
    measures = {}
    for name, measure in told["measurements"].items():
        original = own.get(name)
        source = {"edited_frames": [], "edits": []} | measure["source"]  # a report of an older version lacks both
        changed = original is not None and (measure["status"] == "edited" or bool(source["edits"]))
        measures[name] = measure | {
            "source": source,
            "verdict": changes.verdicts.get(name),
            "before": {part: original[part] for part in OWN_FIELDS} if changed else None,
        }
    return told | {"measurements": measures, "edits": [act_body(act, holds=act.seq in held) for act in log]}
