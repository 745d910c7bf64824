"""HL7 annotated ECG (aECG): the rhythm series of an AnnotatedECG document.

HL7 V3 ECG annotation message, ANSI/HL7 V3 ECG, R1-2004; implementation guide of 21 March 2005.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from xml.etree.ElementTree import Element

from pipeline.ecg.readers.header import length_remark
from pipeline.ecg.readers.patient_facts import age_years, height_cm, sex_of, weight_kg
from pipeline.ecg.readers.scaling import require_mv_per_unit
from pipeline.ecg.readers.whole_file import WholeFile, check_size, make_record
from pipeline.ecg.readers.xml_document import (
    attribute,
    iso_date,
    iso_time,
    number_in,
    numbers_in,
    optional_number,
    read_xml,
    text_of,
)
from pipeline.errors import InputError
from pipeline.gates import Limits
from pipeline.records import Array, EcgRecord, PatientHeader, Remark

SECONDS_PER_UNIT: dict[str, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
LEAD_PREFIX = "MDC_ECG_LEAD_"
TIME_CODES = ("TIME_ABSOLUTE", "TIME_RELATIVE")
# LOINC codes of related observations
AGE_CODE = "21612-7"
HEIGHT_CODES = ("8302-2", "3137-7", "8301-4")
WEIGHT_CODES = ("29463-7", "3141-9", "3142-7")
SHORT_BY_S = 1.0  # times of the series are whole seconds, so that less cannot be told


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One lead of a sequence set: mV = origin_mv + mv_per_step * steps."""

    label: str
    steps: Array
    origin_mv: float
    mv_per_step: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceSet:
    """Leads that were recorded together."""

    leads: tuple[Lead, ...]
    sampling_rate_hz: float

    @property
    def size(self) -> int:
        return sum(lead.steps.size for lead in self.leads)


def decode(path: Path, limits: Limits) -> EcgRecord:
    """Decode the rhythm series: origin + scale x digits of every lead, converted to mV.

    Raises
    ------
    InputError
        E_INPUT_KIND (no rhythm series), E_INPUT_CORRUPT, E_INPUT_UNSUPPORTED (leads of different lengths, another
        coding of samples, no voltage), E_INPUT_TRUNCATED.
    HardStopError
        E_HARD_004 over the limits.
    """
    root = read_xml(path, limits)
    series = [item for item in root.iter("series") if attribute(item.find("code"), "code") == "RHYTHM"]
    found = [(each, _sequence_set(item)) for each in series for item in each.findall("component/sequenceSet")]
    sets = [(each, leads) for each, leads in found if leads is not None and leads.size]
    if not sets:
        raise InputError("The aECG file holds no rhythm series.", code="E_INPUT_KIND")
    chosen_series, chosen = max(sets, key=lambda each: each[1].size)
    n_samples = max(lead.steps.size for lead in chosen.leads)
    check_size(len(chosen.leads), n_samples, chosen.sampling_rate_hz, limits)
    return make_record(
        [lead.label for lead in chosen.leads],
        [lead.steps * lead.mv_per_step + lead.origin_mv for lead in chosen.leads],
        chosen.sampling_rate_hz,
        scaling="HL7 aECG: origin + scale x digits of each lead, converted to mV.",
        patient=_patient(root, chosen_series),
        remarks=_remarks(chosen_series, n_samples / chosen.sampling_rate_hz, len(sets)),
    )


READER = WholeFile(decode=decode)


def _sequence_set(item: Element) -> SequenceSet | None:
    """Leads and rate of a set; None where it holds no lead."""
    sequences = [(attribute(each.find("code"), "code"), each.find("value")) for each in item.iter("sequence")]
    leads = tuple(_lead(code, value) for code, value in sequences if code.startswith(LEAD_PREFIX))
    if not leads:
        return None
    times = [value for code, value in sequences if code in TIME_CODES]
    increment = times[0].find("increment") if times and times[0] is not None else None
    seconds = SECONDS_PER_UNIT.get(attribute(increment, "unit"))
    if seconds is None:
        raise InputError("The aECG file gives no time between its samples, so that no rate is known.")
    step_s = number_in(attribute(increment, "value"), "time between samples") * seconds
    if step_s <= 0.0:
        raise InputError("The aECG file gives an impossible time between its samples.")
    return SequenceSet(leads=leads, sampling_rate_hz=_rounded(1.0 / step_s))


def _rounded(rate_hz: float) -> float:
    """A rate without the rounding of its decimal step: 1 / 0.002 is 500."""
    return float(round(rate_hz)) if abs(rate_hz - round(rate_hz)) < 1e-6 * rate_hz else rate_hz


def _lead(code: str, value: Element | None) -> Lead:
    digits = None if value is None else value.find("digits")
    if value is None or digits is None or attribute(value, "type") not in ("SLIST_PQ", ""):
        raise InputError("A lead of the aECG file is coded in a way that is not read.", code="E_INPUT_UNSUPPORTED")
    scale, origin = value.find("scale"), value.find("origin")
    step = number_in(attribute(scale, "value"), "scale of a lead")
    if step == 0.0:
        raise InputError("A lead of the aECG file has a scale of 0.")
    offset = optional_number(attribute(origin, "value")) or 0.0
    unit = attribute(scale, "unit")
    return Lead(
        label=code.removeprefix(LEAD_PREFIX),
        steps=numbers_in(text_of(digits)),
        origin_mv=offset * require_mv_per_unit(attribute(origin, "unit") or unit),
        mv_per_step=step * require_mv_per_unit(unit),
    )


def _remarks(series: Element, found_s: float, n_sets: int) -> Sequence[Remark]:
    remarks = []
    low = _moment(attribute(series.find("effectiveTime/low"), "value"))
    high = _moment(attribute(series.find("effectiveTime/high"), "value"))
    if low and high and (high - low).total_seconds() - found_s > SHORT_BY_S:
        remarks.append(length_remark((high - low).total_seconds(), found_s))
    if n_sets > 1:
        text = f"Beside the rhythm read, the aECG file holds {n_sets - 1} more sets of leads, unused."
        remarks.append(Remark(code="W_ECG_GROUPS", text=text))
    return remarks


def _moment(text: str) -> datetime | None:
    """A time stamp of HL7, with or without clock; fractions and zones are left out."""
    digits = re.match(r"\d{14}|\d{12}|\d{8}", text)
    iso = iso_time(digits.group(), "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d") if digits else None
    return datetime.fromisoformat(iso) if iso else None


def _patient(root: Element, series: Element) -> PatientHeader:
    subject = root.find(".//trialSubject")
    person = subject.find("subjectDemographicPerson") if subject is not None else None
    start = next(
        (attribute(series.find(f"effectiveTime/{name}"), "value") for name in ("low", "center", "high")
         if series.find(f"effectiveTime/{name}") is not None),
        attribute(root.find("effectiveTime/center"), "value"),
    )  # fmt: skip
    moment = _moment(start)
    return PatientHeader(
        patient_id=attribute(subject.find("id"), "extension") or None if subject is not None else None,
        name=text_of(person, "name") or None,
        birth_date=iso_date(attribute(person.find("birthTime"), "value")[:8], "%Y%m%d") if person is not None else None,
        sex=sex_of(attribute(person.find("administrativeGenderCode"), "code")) if person is not None else None,
        age_years=age_years(*_observation(root, (AGE_CODE,))),
        height_cm=height_cm(*_observation(root, HEIGHT_CODES)),
        weight_kg=weight_kg(*_observation(root, WEIGHT_CODES)),
        acquired_at=moment.isoformat() if moment else None,
    )


def _observation(root: Element, codes: Sequence[str]) -> tuple[float | None, str]:
    """Value and unit of the first related observation with one of the codes."""
    for item in root.iter("relatedObservation"):
        if attribute(item.find("code"), "code") in codes:
            value = item.find("value")
            return optional_number(attribute(value, "value")), attribute(value, "unit")
    return None, ""
