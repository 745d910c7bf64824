"""Patient facts: read from a JSON file, checked, brought to one unit each, completed from the headers.

What a user gave wins over a header, and a contradiction is remarked. Nothing is assumed: a fact that
nobody stated stays None.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from pipeline.clinical.identity import differing_fields, read_time
from pipeline.clinical.metadata_fields import FIELDS, field_range, parse_date, problems_of
from pipeline.errors import InputError, ValidationError
from pipeline.gates import Limits, check_file, open_file, reading, too_large
from pipeline.records import FileReport, Metadata, PatientHeader, Remark

MAX_JSON_BYTES = 1 << 20
CREATININE_UMOL_PER_MG_DL = 88.4
"""1 mg/dL in umol/L (molar mass 113.1 g/mol). Source: KDIGO 2012 CKD guideline, conversion factors."""

HEADER_TOLERANCE = {"age_years": 1.0, "height_cm": 2.0, "weight_kg": 5.0}
"""Differences that two statements of one fact may have: rounding, clothes, the months between two visits."""

_LABELS = {"age_years": "age", "sex": "sex", "height_cm": "height", "weight_kg": "weight"}
_NUMBERS = frozenset(f.name for f in FIELDS if f.kind == "number")
_PLAIN_FIELDS = tuple(
    f.name
    for f in dataclasses.fields(Metadata)
    if f.name not in ("origin", "remarks", "bsa_m2", "bmi_kg_m2", "age_years")
)


def read_metadata_file(path: Path, limits: Limits) -> dict[str, Any]:
    """Read and check a metadata file.

    Returns
    -------
    dict
        The fields as given; every one of them is known, of its type and in its range.

    Raises
    ------
    InputError
        Not readable, not JSON, duplicate names, NaN, not an object.
    ValidationError
        Fields that are not right, all of them listed.
    HardStopError
        E_HARD_004 above 1 MiB.
    """
    return _checked(_parse(_read_bytes(path, limits)))


def inspect_metadata(source: Path | Mapping[str, Any], limits: Limits) -> FileReport:
    """Check a metadata file, or fields given directly, and describe it; raises as `read_metadata_file`."""
    if isinstance(source, Path):
        content = _read_bytes(source, limits)
        fields = _checked(_parse(content))
    else:
        fields = _checked(source)
        content = json.dumps(fields, sort_keys=True, allow_nan=False).encode()
    known = sum(value is not None for value in fields.values())
    return FileReport(
        role="metadata",
        index=0,
        format="json",
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        summary="1 field" if known == 1 else f"{known} fields",
    )


def normalise_metadata(raw: Mapping[str, Any] | None, headers: Mapping[str, PatientHeader]) -> Metadata:
    """Bring given fields and headers together.

    Parameters
    ----------
    raw : mapping or None
        Fields of a metadata file, or as given by a user.
    headers : mapping
        "echo header 1", "ecg header" … -> what the file says. Read only while they name one patient.

    Returns
    -------
    Metadata
        `origin` says for each known fact where it comes from; `remarks` name contradictions.

    Raises
    ------
    ValidationError
        The given fields are not right.
    """
    given = _in_one_unit(_checked(raw or {}))
    age = _given_age(given, headers)
    facts = {name: given[name] for name in _PLAIN_FIELDS if given.get(name) is not None}
    if age is not None:
        facts["age_years"] = age
    origin = dict.fromkeys(facts, "given")
    remarks = _conflicts(given, facts, headers)
    if differing_fields(headers):
        remarks.append(_NOT_FILLED)
    else:
        for name, values in _header_facts(headers).items():
            _fill(name, values, facts, origin, remarks)
    _add_body_size(facts, origin)
    return Metadata(**facts, origin=dict(sorted(origin.items())), remarks=tuple(remarks))


def du_bois_bsa_m2(height_cm: float, weight_kg: float) -> float:
    """Body surface in m2. Source: Du Bois and Du Bois, Arch Intern Med 17:863-871, 1916."""
    return float(0.007184 * weight_kg**0.425 * height_cm**0.725)


def completed_years(birth: date, day: date) -> int:
    """Age in completed years on a day; negative before birth."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


# --- reading -----------------------------------------------------------------------------------------


def _read_bytes(path: Path, limits: Limits) -> bytes:
    checked = check_file(path, limits)
    if checked.size_bytes > MAX_JSON_BYTES:
        raise too_large("The metadata file is larger than the limit of 1 MiB.")
    with open_file(path) as file, reading():
        content = file.read(MAX_JSON_BYTES + 1)
    if len(content) > MAX_JSON_BYTES:
        raise too_large("The metadata file is larger than the limit of 1 MiB.")
    return content


def _parse(content: bytes) -> Mapping[str, Any]:
    try:
        parsed = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise InputError(f"The metadata file is not valid JSON (line {error.lineno}).") from None
    except (ValueError, RecursionError):
        raise InputError("The metadata file is not valid JSON text.") from None
    if not isinstance(parsed, dict):
        raise InputError("The metadata file must hold one JSON object.", code="E_INPUT_KIND")
    return parsed


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise InputError("The metadata file names a field twice.")
    return dict(pairs)


def _refuse_constant(_: str) -> NoReturn:
    raise InputError("The metadata file holds a number that is not finite.")


def _checked(raw: Mapping[str, Any]) -> dict[str, Any]:
    problems = problems_of(raw)
    if problems:
        raise ValidationError(problems)
    return dict(raw)


# --- normalising -------------------------------------------------------------------------------------

_NOT_FILLED = Remark(
    code="W_HEADERS_NOT_USED",
    text="The files name different patients, so no age, sex, height or weight was taken from their headers.",
)


def _in_one_unit(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Each fact under one name and unit."""
    fields = {name: value for name, value in raw.items() if value is not None}
    conversions: tuple[tuple[str, str, Callable[[float], Any]], ...] = (
        ("height_m", "height_cm", lambda metres: metres * 100),
        ("creatinine_mg_dl", "creatinine_umol_l", lambda mg_dl: mg_dl * CREATININE_UMOL_PER_MG_DL),
        ("heart_failure_months", "heart_failure_18_months", lambda months: months >= 18),
    )
    for source, target, convert in conversions:
        if source in fields:
            fields[target] = convert(fields.pop(source))
    if "nyha_class" in fields:
        fields["nyha_class"] = int(fields["nyha_class"])
    return {name: _rounded(value) if name in _NUMBERS else value for name, value in fields.items()}


def _rounded(value: float) -> float:
    return round(float(value), 4)


def _given_age(given: Mapping[str, Any], headers: Mapping[str, PatientHeader]) -> float | None:
    """Age as given, or from the given birth date and the day of the study."""
    if given.get("age_years") is not None:
        return float(given["age_years"])
    birth = parse_date(given.get("birth_date"))
    day = parse_date(given.get("study_date")) or _first_day(headers.values())
    return _age_on(birth, day)


def _age_on(birth: date | None, day: date | None) -> float | None:
    if birth is None or day is None:
        return None
    age = completed_years(birth, day)
    low, high = field_range("age_years")
    return float(age) if low <= age <= high else None


def _first_day(headers: Iterable[PatientHeader]) -> date | None:
    days = [time[0].date() for header in headers if (time := read_time(header.acquired_at)) is not None]
    return min(days, default=None)


def _header_facts(headers: Mapping[str, PatientHeader]) -> dict[str, list[tuple[str, Any]]]:
    """Fact -> [(which header, value)], echo before ECG."""
    ordered = sorted(headers.items(), key=lambda item: (item[0].startswith("ecg"), len(item[0]), item[0]))
    found: dict[str, list[tuple[str, Any]]] = {}
    for source, header in ordered:
        for name, value in _facts_of(header).items():
            found.setdefault(name, []).append((source, value))
    return found


def _facts_of(header: PatientHeader) -> dict[str, Any]:
    age = header.age_years
    if age is None:
        age = _age_on(parse_date(header.birth_date), _first_day((header,)))
    facts = {"age_years": age, "sex": header.sex, "height_cm": header.height_cm, "weight_kg": header.weight_kg}
    return {name: value for name, value in facts.items() if value is not None}


def _plausible(name: str, value: Any) -> bool:
    low, high = field_range(name)
    return name == "sex" or low <= value <= high


def _same(name: str, a: Any, b: Any) -> bool:
    return bool(a == b) if name == "sex" else abs(a - b) <= HEADER_TOLERANCE[name]


def _fill(
    name: str, values: list[tuple[str, Any]], facts: dict[str, Any], origin: dict[str, str], remarks: list[Remark]
) -> None:
    """Take a fact that nobody gave from the headers, if it is plausible and they agree."""
    label = _LABELS[name]
    plausible = [(source, value) for source, value in values if _plausible(name, value)]
    if len(plausible) < len(values):
        remarks.append(
            Remark(code="W_HEADER_IMPLAUSIBLE", text=f"A header states an implausible {label}; it was not used.")
        )
    if name in facts or not plausible:
        return
    source, value = plausible[0]
    if not all(_same(name, value, other) for _, other in plausible):
        text = f"The headers state different values of {label}; none was used."
        remarks.append(Remark(code="W_HEADERS_CONFLICT", text=text))
        return
    facts[name] = _rounded(value) if name in _NUMBERS else value
    origin[name] = source.rstrip(" 0123456789")


def _conflicts(
    given: Mapping[str, Any], facts: Mapping[str, Any], headers: Mapping[str, PatientHeader]
) -> list[Remark]:
    """A remark for each given fact that a header contradicts."""
    found = [
        _conflict(_LABELS[name], source)
        for name, values in _header_facts(headers).items()
        for source, value in values
        if name in facts and not _same(name, facts[name], value)
    ]
    if "birth_date" in given:
        stated = [(source, h.birth_date) for source, h in sorted(headers.items()) if h.birth_date]
        found.extend(_conflict("birth date", source) for source, birth in stated if birth != given["birth_date"])
    if "birth_date" in given and "age_years" in given:
        found.extend(_age_conflict(given, headers))
    return found


def _age_conflict(given: Mapping[str, Any], headers: Mapping[str, PatientHeader]) -> list[Remark]:
    without_age = {name: value for name, value in given.items() if name != "age_years"}
    computed = _given_age(without_age, headers)
    if computed is None or _same("age_years", computed, given["age_years"]):
        return []
    text = "The given age does not fit the given birth date; the given age was used."
    return [Remark(code="W_METADATA_CONFLICT", text=text)]


def _conflict(label: str, source: str) -> Remark:
    place = source.replace("ecg", "ECG")
    text = f"The given {label} differs from the one in the {place}; the given one was used."
    return Remark(code="W_METADATA_CONFLICT", text=text)


def _add_body_size(facts: dict[str, Any], origin: dict[str, str]) -> None:
    if "height_cm" not in facts or "weight_kg" not in facts:
        return
    height_cm, weight_kg = facts["height_cm"], facts["weight_kg"]
    facts["bsa_m2"] = _rounded(du_bois_bsa_m2(height_cm, weight_kg))
    facts["bmi_kg_m2"] = _rounded(weight_kg / (height_cm / 100) ** 2)
    origin["bsa_m2"] = origin["bmi_kg_m2"] = "computed"
