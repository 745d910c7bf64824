"""What stands on the page, as words and positions in the results. Knows no Qt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.records import CineAnalysis, EchoBeat, StudyResults
from ui.findings import Finding, findings_of
from ui.wording import short_case

AUDIT_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table of findings."""

    label: str
    value: str
    note: str
    is_edited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContent:
    """Everything in words that the page shows; no name of a patient or a file."""

    title: str
    facts: str
    lines: tuple[Line, ...]
    statements: tuple[str, ...]
    withheld: tuple[str, ...]
    cautions: tuple[str, ...]
    provenance: tuple[str, ...]
    audit: str  # where the audit stood when the page was exported


def page_content(results: StudyResults, report: Mapping[str, Any] | None, run_id: str) -> PageContent:
    """The words of the page of one case."""
    found = findings_of(results, report)
    measures = [f for f in found if f.group in ("Echo", "ECG")]
    result = _mapping((report or {}).get("result"))
    execution = _mapping((report or {}).get("pipeline_execution"))
    return PageContent(
        title=f"Case {short_case(run_id)}",
        facts=_facts_text(_mapping(_mapping(result.get("metadata")).get("facts"))),
        lines=tuple(_line(f) for f in measures if f.status != "withheld"),
        statements=tuple(_statement_texts(found)),
        withheld=tuple(_by_reason(f for f in measures if f.status == "withheld")),
        cautions=tuple(_cautions(result, execution)),
        provenance=tuple(_provenance(result, execution)),
        audit=_audit_text(report or {}),
    )


def telling_beat(analysis: CineAnalysis | None) -> EchoBeat | None:
    """The beat whose frames stand on the page: the first that counts, else the first."""
    beats = analysis.beats if analysis is not None else ()
    return next((beat for beat in beats if not beat.excluded), beats[0] if beats else None)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _line(found: Finding) -> Line:
    """The band without the name of its scheme: the foot of the table names where the schemes stand."""
    value = " ".join(part for part in (found.value, found.unit, found.interval) if part)
    band = found.note.partition(" (")[0]
    return Line(label=found.label, value=value, note=band, is_edited=found.status == "edited")


def _by_reason(withheld: Iterable[Finding]) -> Iterable[str]:
    """Measures that are withheld for one reason share a line."""
    reasons: dict[str, list[str]] = {}
    for found in withheld:
        reasons.setdefault(found.note, []).append(found.label)
    return (f"{', '.join(labels)}: {reason}" for reason, labels in reasons.items())


def _statement_texts(found: Iterable[Finding]) -> Iterable[str]:
    for item in found:
        if item.group == "ECG statements" and item.status == "suggested":
            yield f"To confirm: {item.label} ({item.note})" if item.note else f"To confirm: {item.label}"
        elif item.group == "Cross-checks" and item.status != "not_checked":
            yield f"{item.label}: {item.status}. {item.note}"
        elif item.group == "Risk":
            value = " ".join(part for part in (item.value, item.unit) if part and part != "–")
            yield f"{item.label}: {value or item.status.replace('_', ' ')}. {item.note}"


def _facts_text(facts: Mapping[str, Any]) -> str:
    """Sex, age, size: what the numbers were judged by."""
    words = (
        str(facts["sex"]) if facts.get("sex") else "",
        _with_unit(facts.get("age_years"), "years"),
        _with_unit(facts.get("bsa_m2"), "m² body surface"),
    )
    return " · ".join(word for word in words if word) or "sex, age and size of the patient not known"


def _with_unit(value: object, unit: str) -> str:
    if value is None:
        return ""
    shown = f"{value:.4g}" if isinstance(value, float) else str(value)
    return f"{shown} {unit}"


def _cautions(result: Mapping[str, Any], execution: Mapping[str, Any]) -> Iterable[str]:
    for branch in result.get("branches") or ():
        if branch.get("status") in ("failed", "degraded"):
            yield f"{branch['branch']}: {branch['status']}. {branch.get('reason') or ''}".strip()
    for remark in (*(result.get("remarks") or ()), *(execution.get("warnings") or ())):
        yield str(remark.get("text", ""))


def _audit_text(report: Mapping[str, Any]) -> str:
    """Number and beginning of the hash of the audit's last row, as the JSON report carries them: the export itself."""
    head = report.get("audit")
    if isinstance(head, Mapping):
        return f"Audit: act {head['n_rows']}, SHA-256 {str(head['head_hash'])[:AUDIT_DIGITS]}…"
    return "This export could not be noted in the audit." if "audit" in report else "Audit: noted when it is exported"


def _provenance(result: Mapping[str, Any], execution: Mapping[str, Any]) -> Iterable[str]:
    yield f"run {execution.get('run_id', '')} · finished {execution.get('finished_utc', '')}"
    for item in result.get("inputs") or ():
        yield f"{item['role']} {item['format']} SHA-256 {item['sha256'][:16]}… · {item['summary']}"
    measures = _mapping(result.get("measurements")).values()
    models = sorted({m["source"]["model_sha256"] for m in measures if m["source"].get("model_sha256")})
    for sha256 in models:
        yield f"model SHA-256 {sha256[:16]}…"
