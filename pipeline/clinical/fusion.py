"""Bring the measurements of both modalities together, with the cross-checks and what follows from them."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping

from pipeline.clinical.cross_checks import CheckInputs, cross_check
from pipeline.clinical.reference_ranges import AF_BEATS
from pipeline.errors import FusionError
from pipeline.records import (
    CrossCheck,
    EcgAnalysis,
    EchoAnalysis,
    FusedFindings,
    Measurement,
    Metadata,
    PatientHeader,
    Remark,
)


def fuse(
    echo: EchoAnalysis | None,
    ecg: EcgAnalysis | None,
    metadata: Metadata,
    headers: Mapping[str, PatientHeader],
) -> FusedFindings:
    """Combine what the branches measured.

    Parameters
    ----------
    echo, ecg : EchoAnalysis, EcgAnalysis or None
        None where a branch was absent or failed.
    metadata : Metadata
        Normalised facts.
    headers : mapping
        "echo header 1", "ecg header" … -> PatientHeader, for the identity checks.

    Returns
    -------
    FusedFindings
        All measurements (echo first). In atrial fibrillation the class of an ejection fraction that
        rests on fewer than five beats is withheld.

    Raises
    ------
    FusionError
        The measurements contradict the record's own rules (a name twice, a value that is not finite).
    """
    inputs = CheckInputs(echo=echo, ecg=ecg, metadata=metadata, headers=headers)
    checks = cross_check(inputs)
    outcome = {c.name: c.outcome for c in checks}
    measurements = (*(echo.measurements if echo else ()), *(ecg.measurements if ecg else ()))
    _require_consistent(measurements)
    if outcome["af_ef_averaging"] == "disagree":
        measurements = tuple(_without_ef_band(m) for m in measurements)
    return FusedFindings(
        measurements=measurements,
        cross_checks=checks,
        rhythm=ecg.rhythm if ecg else (),
        metadata=metadata,
        remarks=(*_following_remarks(checks), *_own_remarks(outcome)),
    )


def check_outcome(fused: FusedFindings, name: str) -> str:
    """Outcome of a cross-check by name; "not_checked" where it is not listed."""
    return next((c.outcome for c in fused.cross_checks if c.name == name), "not_checked")


def _require_consistent(measurements: tuple[Measurement, ...]) -> None:
    twice = [name for name, n in Counter(m.name for m in measurements).items() if n > 1]
    if twice:
        raise FusionError(f"A measurement was made twice: {', '.join(sorted(twice))}.")
    for m in measurements:
        if (m.status == "withheld") != (m.value is None) or (m.status == "withheld" and not m.reason):
            raise FusionError(f"The measurement {m.name} is neither a value nor a reason.")
        if isinstance(m.value, float) and not math.isfinite(m.value):
            raise FusionError(f"The measurement {m.name} is not a finite number.")


def _without_ef_band(measurement: Measurement) -> Measurement:
    if not measurement.name.startswith("lvef") or measurement.band is None:
        return measurement
    return dataclasses.replace(measurement, band=None)


_REMARK_OF_CHECK: tuple[tuple[str, str], ...] = (
    ("study_date", "W_STUDY_DATES_DIFFER"),
    ("heart_rate", "W_HEART_RATES_DIFFER"),
    ("beat_count", "W_BEAT_COUNTS_DIFFER"),
    ("wide_qrs_dyssynchrony", "W_DYSSYNCHRONY"),
    ("lv_length_bsa", "W_LV_LENGTH"),
)


def _following_remarks(checks: tuple[CrossCheck, ...]) -> list[Remark]:
    texts = {c.name: c.text for c in checks if c.outcome == "disagree"}
    return [Remark(code=code, text=texts[name]) for name, code in _REMARK_OF_CHECK if name in texts]


def _own_remarks(outcome: Mapping[str, str]) -> list[Remark]:
    remarks = []
    if outcome["same_patient"] == "disagree":
        text = "The files name different patients: combined scores would mix two patients and are withheld."
        remarks.append(Remark(code="W_NOT_ONE_PATIENT", text=text))
    if outcome["af_ef_averaging"] == "disagree":
        text = (
            f"Atrial fibrillation: an ejection fraction needs at least {AF_BEATS} beats; "
            "the class of the ejection fraction is withheld."
        )
        remarks.append(Remark(code="W_AF_EF_BEATS", text=text))
    return remarks
