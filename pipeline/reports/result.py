"""The body of the report: everything that was found, the same bytes for the same inputs.

No times, no ids, no file names, nothing that names the patient. Hashes say which file a number is from.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterable
from typing import Any

from pipeline.records import (
    BranchResult,
    FileReport,
    FusedFindings,
    Measurement,
    Metadata,
    Metric,
    PreparedEcg,
    Remark,
    RiskReport,
    StudyResults,
)
from pipeline.records import EcgAnalysis as Ecg
from pipeline.reports.echo_body import echo_body
from pipeline.reports.plain import plain

OLDEST_YEARS = 90
"""Ages from here on are not told apart: the highest ages identify. Source: HIPAA 45 CFR 164.514(b)(2)(i)(C)."""


def build_result(
    study: StudyResults,
    fused: FusedFindings | None,
    risk: RiskReport | None,
    branches: tuple[BranchResult, ...],
    remarks: tuple[Remark, ...],
) -> dict[str, Any]:
    """The deterministic part of a report.

    Parameters
    ----------
    study : StudyResults
        What each stage gave.
    fused, risk : or None
        None where fusion or scoring failed; the modalities' own measurements are reported then.
    branches : tuple of BranchResult
        How each branch ended.
    remarks : tuple of Remark
        What the run itself has to say.

    Returns
    -------
    dict
        JSON values only, as `resources/report.schema.json` describes under "result".
    """
    rows = _catalogue()
    body = {
        "inputs": [_input(f) for f in (study.validation.files if study.validation else ())],
        "branches": [_branch(b) for b in branches],
        "modalities": _modalities(study),
        "measurements": {},
        "echo": echo_body(study),
        "ecg": _ecg(study.ecg, study.ecg_analysis),
        "cross_checks": [dataclasses.asdict(c) for c in (fused.cross_checks if fused else ())],
        "metadata": _metadata(study.metadata),
        "risk": _risk(risk),
        "edits": [],  # of readers: pipeline/review/edited_report.py
        "remarks": _remarks((*_stage_remarks(study), *_late_remarks(fused, risk), *remarks)),
    }
    in_plain = {name: plain(part) for name, part in body.items()}
    # measurements keep the order of their catalogues; everything else is sorted by name
    in_order = {m.name: plain(measurement_body(m, _loinc(m, rows.get(m.name)))) for m in _measurements(study, fused)}
    return in_plain | {"measurements": in_order}


def measurement_body(measurement: Measurement, loinc: str | None) -> dict[str, Any]:
    """One measurement with everything that proves it; a withheld one has a reason and no value."""
    source = measurement.source
    return {
        "label": measurement.label,
        "value": measurement.value,
        "unit": measurement.unit,
        "interval": measurement.interval,
        "status": measurement.status,
        "reason": measurement.reason,
        "band": measurement.band,
        "method": measurement.method,
        "reference": measurement.reference,
        "loinc": loinc,
        "digits": measurement.digits,
        "source": {
            "file_sha256": source.file_sha256,
            "frames": source.frame_idx,
            "contour": source.contour,
            "beats": source.beat_idx,
            "lead": source.lead,
            "model_sha256": source.model_sha256,
            "edited_frames": source.edited_frame_idx,
            "edits": source.edits,
        },
        "verdict": None,  # a reader's, as "before": pipeline/review/edited_report.py fills them
        "before": None,
    }


def _catalogue() -> dict[str, Metric]:
    from pipeline.ecg.metrics import ECG_METRICS
    from pipeline.echo.metrics import ECHO_METRICS

    return {row.name: row for row in (*ECHO_METRICS, *ECG_METRICS)}


def _loinc(measurement: Measurement, row: Metric | None) -> str | None:
    """The code, unless it names a method that this value was not made by."""
    if row is None or (row.biplane_code and "biplane" not in measurement.method):
        return None
    return row.loinc


def _measurements(study: StudyResults, fused: FusedFindings | None) -> tuple[Measurement, ...]:
    if fused is not None:
        return fused.measurements
    analyses = (study.echo_analysis, study.ecg_analysis)
    return tuple(m for a in analyses if a is not None for m in a.measurements)


def _modalities(study: StudyResults) -> list[str]:
    """The modalities that contributed measurements."""
    analyses = (("echo", study.echo_analysis), ("ecg", study.ecg_analysis))
    return [name for name, analysis in analyses if analysis is not None]


def _input(file: FileReport) -> dict[str, Any]:
    return {
        "role": file.role,
        "index": file.index,
        "format": file.format,
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
        "summary": file.summary,
        "remarks": _remarks(file.remarks),
    }


def _branch(branch: BranchResult) -> dict[str, Any]:
    """A branch as it ended; one that was restored reads like one that was computed."""
    body = dataclasses.asdict(branch)
    return body | {"status": "ok"} if branch.status == "cached" else body


def _ecg(prepared: PreparedEcg | None, analysis: Ecg | None) -> dict[str, Any] | None:
    if prepared is None:
        return None
    record, overview = prepared.record, prepared.overview
    n_samples = int(record.signal_mv.shape[1]) if overview is None else overview.n_samples
    course = analysis.long if analysis else None
    return {
        "file_sha256": prepared.file_sha256,
        "sampling_rate_hz": record.sampling_rate_hz,
        "duration_s": n_samples / record.sampling_rate_hz,
        "scaling": record.scaling,
        "filter": prepared.filter_text,
        "leads": [_lead(prepared, row) for row in range(len(record.leads))],
        "beats": None if analysis is None else _beats(analysis),
        "rhythm": [dataclasses.asdict(s) for s in (analysis.rhythm if analysis else ())],
        "hours": [dataclasses.asdict(hour) for hour in (course.hours if course else ())],
        "episodes": [dataclasses.asdict(episode) for episode in (course.episodes if course else ())],
        "statements": [dataclasses.asdict(s) for s in (analysis.statements if analysis else ())],
        "waves": [dataclasses.asdict(w) for w in (analysis.waves if analysis else ())],
    }


def _lead(prepared: PreparedEcg, row: int) -> dict[str, Any]:
    """One lead: whether it was measured, why not, and the stretches in which something was wrong with it."""
    from pipeline.ecg.signal_faults import fault_stretches

    seconds = prepared.quality
    stretches = [] if seconds is None else fault_stretches(seconds.fault[row])
    return {
        "name": prepared.record.leads[row],
        "usable": bool(prepared.lead_usable[row]),
        "quality": round(float(prepared.lead_quality[row]), 3),
        "reason": None if seconds is None else seconds.reasons[row],
        "faulty_s": 0 if seconds is None else int((seconds.fault[row] > 0).sum()),
        "faults": [{"fault": fault, "start_s": start, "end_s": end} for fault, start, end in stretches],
    }


def _beats(analysis: Ecg) -> dict[str, Any]:
    return {
        "count": len(analysis.r_peaks_idx),
        "by_class": dict(Counter(analysis.beat_classes)),
        "in_atrial_fibrillation": int(analysis.af_beats.sum()),
    }


def _metadata(metadata: Metadata | None) -> dict[str, Any]:
    """Clinical facts; an age from 90 on is given as ">=90"."""
    facts = dataclasses.asdict(metadata or Metadata())
    known = {n: v for n, v in facts.items() if n not in ("origin", "remarks") and v is not None}
    if known.get("age_years", 0) >= OLDEST_YEARS:
        known["age_years"] = f">={OLDEST_YEARS}"
    return {"facts": known, "origin": facts["origin"]}


def _risk(risk: RiskReport | None) -> dict[str, Any] | None:
    if risk is None:
        return None
    return {
        "level": risk.level,
        "rules": [dataclasses.asdict(rule) for rule in risk.rules],
        "scores": [dataclasses.asdict(score) for score in risk.scores],
    }


def _stage_remarks(study: StudyResults) -> Iterable[Remark]:
    """Every remark of the stages, in the order of the pipeline."""
    ecg = study.ecg
    holders = itertools.chain(
        study.validation.files if study.validation else (),
        study.cines,
        (ecg.record, ecg) if ecg is not None else (),
        (study.metadata,),
        study.detections,
        (study.echo_analysis, study.ecg_analysis),
    )
    found = (remark for holder in holders if holder is not None for remark in holder.remarks)
    return itertools.chain(study.remarks, found)


def _late_remarks(fused: FusedFindings | None, risk: RiskReport | None) -> Iterable[Remark]:
    return (*(fused.remarks if fused else ()), *(risk.remarks if risk else ()))


def _remarks(remarks: Iterable[Remark]) -> list[dict[str, str]]:
    """Each remark once, in the order of its first appearance."""
    return [{"code": r.code, "text": r.text} for r in dict.fromkeys(remarks)]
