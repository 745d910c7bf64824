"""Rows of the findings view from results and report. Knows no Qt.

The sealed report wins where it exists: fusion may have withheld a band that analysis gave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.records import EcgAnalysis, Measurement, StudyResults
from ui.bulls_eye_map import score_text, segment_lines
from ui.wording import interval_text, value_text

CHECK_LABELS = (
    ("af_ef_averaging", "EF averaged over AF beats"),
    ("wide_qrs_dyssynchrony", "Wide QRS and dyssynchrony"),
    ("lv_length_bsa", "LV length for body size"),
    ("heart_rate", "Heart rate, echo and ECG"),
    ("beat_count", "Beats, echo and ECG"),
    ("study_date", "Study dates"),
)
STATEMENTS = "ECG statements"
WALL = "Wall scores"
GROUPS = ("Echo", WALL, "ECG", STATEMENTS, "Cross-checks", "Risk", "Remarks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One row: already worded, so that the view only draws."""

    group: str
    name: str
    label: str
    value: str = ""
    unit: str = ""
    interval: str = ""
    status: str = ""
    note: str = ""
    proof: str = ""  # plain text of the tooltip
    cine_idx: int | None = None
    frame_idx: int | None = None
    verdict: str = ""  # "accepted" or "rejected" by a reader
    can_be_judged: bool = False  # it is a measure

    @property
    def spoken(self) -> str:
        """The row as one sentence for a screen reader."""
        parts = (self.label, self.value, self.unit, self.interval, self.status, self.verdict, self.note)
        return ", ".join(part for part in parts if part)


def findings_of(results: StudyResults, report: Mapping[str, Any] | None) -> tuple[Finding, ...]:
    """Every row of a case, grouped in the order of GROUPS."""
    result = _mapping((report or {}).get("result"))
    final = _mapping(result.get("measurements"))
    rows = list(_measurements(results, final))
    rows += _segments(results)
    if results.ecg_analysis is not None:
        rows += _statements(results.ecg_analysis)
    rows += _cross_checks(result)
    rows += _risk(_mapping(result.get("risk")))
    rows += _remarks(results, result)
    return tuple(rows)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _entries(value: object) -> list[Mapping[str, Any]]:
    """A list of mappings, or a mapping of named mappings, as a list that carries the names."""
    if isinstance(value, Mapping):
        return [{"name": name, **_mapping(entry)} for name, entry in value.items()]
    return [_mapping(entry) for entry in value] if isinstance(value, Sequence) else []


def _measurements(results: StudyResults, final: Mapping[str, Any]) -> Iterable[Finding]:
    echo, ecg = results.echo_analysis, results.ecg_analysis
    for group, analysis in (("Echo", echo), ("ECG", ecg)):
        for measurement in analysis.measurements if analysis else ():
            yield _measurement(group, measurement, _mapping(final.get(measurement.name)), results)


def _segments(results: StudyResults) -> Iterable[Finding]:
    """The score of each wall segment with the classes it may be; the tooltip has its numbers."""
    for cine_idx, cine in enumerate(results.echo_analysis.cines if results.echo_analysis else ()):
        frame_idx = next((beat.es_idx for beat in cine.beats if beat.excluded is None), None)
        for segment in cine.segments:
            yield Finding(
                group=WALL,
                name=f"segment:{cine_idx}:{segment.name}",
                label=segment.name.capitalize(),
                value=score_text(segment),
                status="measured" if segment.score else "withheld",
                note=segment.reason or segment.score_reason or "",
                proof="\n".join(segment_lines(segment)),
                cine_idx=cine_idx,
                frame_idx=frame_idx,
            )


def _statements(analysis: EcgAnalysis) -> Iterable[Finding]:
    """What the ECG suggests: rhythm first, then the shape of the beats, then what could not be judged."""
    for rhythm in analysis.rhythm:
        yield _statement(rhythm.code, rhythm.text, "suggested", rhythm.evidence, rhythm.reference)
    for item in sorted(analysis.statements, key=lambda statement: statement.status):
        leads = f" Leads {', '.join(item.leads)}." if item.leads else ""
        yield _statement(item.code, item.text, item.status, item.reason or item.evidence, item.reference, leads)


def _statement(code: str, text: str, status: str, note: str, reference: str, leads: str = "") -> Finding:
    return Finding(
        group=STATEMENTS,
        name=code,
        label=text.partition(";")[0].rstrip("."),
        status=status,
        note=note,
        proof=f"{text}{leads}\nReference: {reference}",
    )


def _measurement(group: str, found: Measurement, final: Mapping[str, Any], results: StudyResults) -> Finding:
    status = str(final.get("status", found.status))
    band = final.get("band", found.band)
    reason = final.get("reason", found.reason)
    value = final.get("value", found.value)
    limits = final.get("interval", found.interval)
    interval = (float(limits[0]), float(limits[1])) if limits else None
    shown = status != "withheld"
    cine_idx = _cine_of(found, results)
    label, _, more = found.label.partition(" (")  # what stands in brackets would be cut off beside the value
    words = (_before(final), more.rstrip(")"), str((band if shown else reason) or ""))
    return Finding(
        group=group,
        name=found.name,
        label=label,
        value=value_text(value, found.digits) if shown else "–",
        unit=found.unit if shown else "",
        interval=interval_text(interval, found.digits) if shown else "",
        status=status,
        note=" · ".join(part for part in words if part),
        proof=_proof(found),
        verdict=str(final.get("verdict") or ""),
        can_be_judged=True,
        cine_idx=cine_idx,
        frame_idx=found.source.frame_idx[0] if cine_idx is not None and found.source.frame_idx else None,
    )


def _before(final: Mapping[str, Any]) -> str:
    """What the pipeline itself found, for a number that a reader's changes moved."""
    before = _mapping(final.get("before"))
    if not before:
        return ""
    if before.get("value") is None:
        return "was withheld"
    return f"was {value_text(before['value'], int(final.get('digits', 0)))}"


def _cine_of(found: Measurement, results: StudyResults) -> int | None:
    for idx, cine in enumerate(results.cines):
        if cine.file_sha256 == found.source.file_sha256:
            return idx
    return None


def _proof(found: Measurement) -> str:
    source = found.source
    places = (
        ("frames", ", ".join(str(i + 1) for i in source.frame_idx[:8])),
        ("contour", (source.contour or "").replace("_", " ")),
        ("beats", f"{len(source.beat_idx)} used" if source.beat_idx else ""),
        ("lead", source.lead or ""),
        ("edited", ", ".join(str(i + 1) for i in source.edited_frame_idx)),
        ("file", _short_hash(source.file_sha256)),
        ("model", _short_hash(source.model_sha256)),
    )
    traced = " · ".join(f"{name} {text}" for name, text in places if text)
    lines = (
        found.method,
        f"Reference: {found.reference}" if found.reference else "",
        f"From: {traced}" if traced else "",
    )
    return "\n".join(line for line in lines if line)


def _short_hash(sha256: str | None) -> str:
    return f"{sha256[:12]}…" if sha256 else ""


def _cross_checks(result: Mapping[str, Any]) -> Iterable[Finding]:
    for check in _entries(result.get("cross_checks")):
        name = str(check.get("name", ""))
        yield Finding(
            group="Cross-checks",
            name=name,
            label=dict(CHECK_LABELS).get(name, name.replace("_", " ").capitalize()),
            status=str(check.get("outcome", "not_checked")),
            note=str(check.get("text", "")),
            proof=f"Tolerance: {check['tolerance']}" if check.get("tolerance") else "",
        )


def _risk(risk: Mapping[str, Any]) -> Iterable[Finding]:
    level = risk.get("level")
    rules = _entries(risk.get("rules"))
    if level:
        fired = " ".join(str(rule.get("text", "")) for rule in rules)
        note = fired or "No rule of the findings level applied."
        sources = "\n".join(str(rule.get("reference", "")) for rule in rules)
        proof = sources or "A table of sourced rules; not a probability."
        yield Finding(group="Risk", name="level", label="Findings level", status=str(level), note=note, proof=proof)
    for score in _entries(risk.get("scores")):
        yield _score(score)


def _score(score: Mapping[str, Any]) -> Finding:
    status = str(score.get("status", "withheld"))
    points = score.get("points")
    risks = _risks_text(_mapping(score.get("risks"))) if status != "withheld" else ""
    return Finding(
        group="Risk",
        name=str(score.get("name", "")),
        label=str(score.get("label", score.get("name", ""))),
        value=_points_text(points) if status != "withheld" else "–",
        unit="points" if status != "withheld" and points else "",
        status=status,
        note=" · ".join(part for part in (risks, str(score.get("reason") or "")) if part),
        proof=f"Reference: {score.get('reference', '')}",
    )


def _points_text(points: object) -> str:
    if not isinstance(points, Sequence) or len(points) != 2:
        return "–"
    return str(points[0]) if points[0] == points[1] else f"{points[0]}–{points[1]}"


def _risks_text(risks: Mapping[str, Any]) -> str:
    parts = []
    for name, limits in risks.items():
        if isinstance(limits, Sequence) and len(limits) == 2:
            low, high = (f"{float(limit):.1f}" for limit in limits)
            parts.append(f"{name} {low} %" if low == high else f"{name} {low}–{high} %")
    return " · ".join(parts)


def _remarks(results: StudyResults, result: Mapping[str, Any]) -> Iterable[Finding]:
    seen: set[tuple[str, str]] = set()
    for code, text in _all_remarks(results, result):
        if text and (code, text) not in seen:
            seen.add((code, text))
            yield Finding(group="Remarks", name=code, label=remark_words(code), status="note", note=f"{text} ({code})")


SPELLED = ("ECG", "AF", "QTC", "HRV", "LV", "EF")  # of the words of codes
QTC = "QTc"


def remark_words(code: str) -> str:
    """A code as a heading: W_ECG_QTC_IRREGULAR becomes "ECG QTc irregular"."""
    words = code.split("_")[1:]
    shown = [QTC if word == "QTC" else word if word in SPELLED else word.casefold() for word in words]
    text = " ".join(shown) or code
    return text[:1].upper() + text[1:]


def _all_remarks(results: StudyResults, result: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for entry in _entries(result.get("remarks")):
        yield str(entry.get("code", "")), str(entry.get("text", ""))
    holders = (
        *results.cines, results.ecg, *results.detections, results.echo_analysis, results.ecg_analysis,
    )  # fmt: skip
    for holder in holders:
        for remark in holder.remarks if holder is not None else ():
            yield remark.code, remark.text
