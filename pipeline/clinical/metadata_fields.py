"""The fields that a metadata file may hold: one table for validation, JSON schema and documentation.

Ranges are limits of what a typing error can look like, not reference ranges.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

Problem = tuple[str, str]  # (code, sentence); the sentence never holds a value of the file


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field: what it may hold and who reads it."""

    name: str
    label: str
    kind: Literal["number", "integer", "boolean", "choice", "date"]
    used_by: str
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()


def _yes_no(name: str, label: str, used_by: str) -> Field:
    return Field(name=name, label=label, kind="boolean", used_by=used_by)


def _number(name: str, label: str, unit: str, low: float, high: float, used_by: str) -> Field:
    return Field(name=name, label=label, kind="number", unit=unit, low=low, high=high, used_by=used_by)


FIELDS: tuple[Field, ...] = (
    _number("age_years", "age", "years", 0, 120, "MAGGIC, CHA2DS2-VA"),
    Field(name="birth_date", label="birth date", kind="date", used_by="age, where it is not given"),
    Field(name="study_date", label="study date", kind="date", used_by="age from the birth date"),
    Field(
        name="sex",
        label="sex",
        kind="choice",
        choices=("male", "female"),
        used_by="reference ranges, MAGGIC, CHA2DS2-VASc",
    ),
    _number("height_cm", "height", "cm", 30, 250, "body surface, BMI"),
    _number("height_m", "height", "m", 0.3, 2.5, "body surface, BMI (instead of height_cm)"),
    _number("weight_kg", "weight", "kg", 1, 400, "body surface, BMI"),
    _number("systolic_bp_mmhg", "systolic blood pressure", "mmHg", 40, 300, "MAGGIC"),
    _number("creatinine_umol_l", "creatinine", "µmol/L", 10, 2500, "MAGGIC"),
    _number("creatinine_mg_dl", "creatinine", "mg/dL", 0.1, 28, "MAGGIC (instead of creatinine_umol_l)"),
    Field(name="nyha_class", label="NYHA class", kind="integer", low=1, high=4, used_by="MAGGIC"),
    _yes_no("smoker", "current smoker", "MAGGIC"),
    _yes_no("diabetes", "diabetes", "MAGGIC, CHA2DS2-VA"),
    _yes_no("copd", "chronic obstructive pulmonary disease", "MAGGIC"),
    _yes_no("heart_failure", "heart failure", "MAGGIC (only with heart failure), CHA2DS2-VA"),
    _yes_no("heart_failure_18_months", "heart failure known for at least 18 months", "MAGGIC"),
    _number(
        "heart_failure_months",
        "months since the diagnosis of heart failure",
        "months",
        0,
        1200,
        "MAGGIC (instead of heart_failure_18_months)",
    ),
    _yes_no("beta_blocker", "takes a beta-blocker", "MAGGIC"),
    _yes_no("acei_or_arb", "takes an ACE inhibitor or angiotensin receptor blocker", "MAGGIC"),
    _yes_no("hypertension", "hypertension", "CHA2DS2-VA"),
    _yes_no("stroke_or_tia", "earlier stroke, TIA or thromboembolism", "CHA2DS2-VA"),
    _yes_no("vascular_disease", "vascular disease", "CHA2DS2-VA"),
    _yes_no("af_confirmed", "atrial fibrillation confirmed by a clinician", "CHA2DS2-VA (only with it)"),
    _yes_no("paced", "paced rhythm", "heart rate variability"),
)

ALTERNATIVES: tuple[tuple[str, str], ...] = (
    ("height_cm", "height_m"),
    ("creatinine_umol_l", "creatinine_mg_dl"),
    ("heart_failure_18_months", "heart_failure_months"),
)
"""Two spellings of one fact: only one of each pair may be given."""

MAX_LISTED = 20
"""Unknown fields beyond these are only counted: a hostile file may hold a hundred thousand."""

_BY_NAME = {f.name: f for f in FIELDS}


def problems_of(raw: Mapping[str, Any]) -> tuple[Problem, ...]:
    """List everything that is wrong with a set of fields, in the order of the fields given.

    A null value means "not known" and is accepted everywhere.
    """
    found: list[Problem] = []
    n_unknown = 0
    for position, (name, value) in enumerate(raw.items(), start=1):
        field = _BY_NAME.get(name) if isinstance(name, str) else None
        if field is not None:
            found.extend(_field_problems(field, value) if value is not None else ())
            continue
        n_unknown += 1
        if n_unknown <= MAX_LISTED:
            found.append(_unknown(position, name))
    if n_unknown > MAX_LISTED:
        text = f"{n_unknown - MAX_LISTED} further fields of the metadata are not known."
        found.append(("E_METADATA_UNKNOWN", text))
    return tuple(found or _contradictions(raw))


def field_range(name: str) -> tuple[float, float]:
    """Lowest and highest value that a field accepts."""
    field = _BY_NAME[name]
    return field.low, field.high


def metadata_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a metadata file, as shipped in `resources/metadata.schema.json`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Chordae metadata",
        "description": "Facts about the patient. Every field is optional; null means not known.",
        "type": "object",
        "additionalProperties": False,
        "properties": {f.name: _property(f) for f in FIELDS},
        "not": {"anyOf": [_both_given(pair) for pair in ALTERNATIVES]},
    }


def _both_given(pair: tuple[str, str]) -> dict[str, Any]:
    return {
        "required": list(pair),
        "properties": {name: {"not": {"type": "null"}} for name in pair},
    }


def _property(field: Field) -> dict[str, Any]:
    unit = f" in {field.unit}" if field.unit else ""
    text = {"description": f"{field.label[0].upper()}{field.label[1:]}{unit}. Used by: {field.used_by}."}
    if field.kind == "choice":
        return text | {"enum": [*field.choices, None]}
    if field.kind == "date":
        return text | {"type": ["string", "null"], "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
    if field.kind == "boolean":
        return text | {"type": ["boolean", "null"]}
    return text | {"type": [field.kind, "null"], "minimum": field.low, "maximum": field.high}


def _unknown(position: int, name: object) -> Problem:
    close = difflib.get_close_matches(name.lower(), _BY_NAME, 1) if isinstance(name, str) else []
    hint = f" (did you mean {close[0]}?)" if close else ""
    return "E_METADATA_UNKNOWN", f"Field number {position} of the metadata is not known{hint}."


def _field_problems(field: Field, value: object) -> list[Problem]:
    if not _has_kind(field, value):
        return [("E_METADATA_TYPE", f"{field.name} must be {_wanted(field)}.")]
    if isinstance(value, int | float) and not field.low <= value <= field.high:
        limits = f"{field.low:g} to {field.high:g} {field.unit}".rstrip()
        return [("E_METADATA_RANGE", f"{field.name} lies outside {limits}.")]
    return []


def _wanted(field: Field) -> str:
    return {
        "number": f"a number in {field.unit}",
        "integer": "a whole number",
        "boolean": "true or false",
        "choice": " or ".join(field.choices),
        "date": "a date as YYYY-MM-DD",
    }[field.kind]


def _has_kind(field: Field, value: object) -> bool:
    if field.kind == "boolean":
        return isinstance(value, bool)
    if field.kind == "choice":
        return isinstance(value, str) and value in field.choices
    if field.kind == "date":
        return parse_date(value) is not None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return field.kind == "number" or value == int(value)


def parse_date(value: object) -> date | None:
    """A date from YYYY-MM-DD, or None."""
    if not isinstance(value, str) or len(value) != 10:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _contradictions(raw: Mapping[str, Any]) -> list[Problem]:
    found = [
        ("E_METADATA_CONFLICT", f"{a} and {b} say the same thing; give only one of them.")
        for a, b in ALTERNATIVES
        if raw.get(a) is not None and raw.get(b) is not None
    ]
    birth, study = parse_date(raw.get("birth_date")), parse_date(raw.get("study_date"))
    if birth and study and study < birth:
        found.append(("E_METADATA_CONFLICT", "study_date lies before birth_date."))
    if raw.get("heart_failure") is False and raw.get("heart_failure_18_months"):
        found.append(("E_METADATA_CONFLICT", "heart_failure_18_months contradicts heart_failure."))
    if raw.get("heart_failure") is False and raw.get("heart_failure_months"):
        found.append(("E_METADATA_CONFLICT", "heart_failure_months contradicts heart_failure."))
    return found
