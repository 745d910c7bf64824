"""Named rules that compare echo and ECG, each with its tolerance.

A rule that finds nothing to compare says so ("not_checked"); it never counts as agreement. While the
headers name different patients, rules that compare echo with ECG are not checked: agreement would be chance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from pipeline.clinical.identity import (
    acquisition_times,
    compare_headers,
    differing_fields,
    within_a_day,
)
from pipeline.clinical.reference_ranges import (
    AF_BEATS,
    LV_LENGTH_INDEX_MM_M2,
    LV_LENGTH_MM,
    WIDE_QRS_MS,
    shown,
)
from pipeline.records import (
    CrossCheck,
    EcgAnalysis,
    EchoAnalysis,
    Measurement,
    Metadata,
    PatientHeader,
)

Outcome = Literal["agree", "disagree", "not_checked"]
Verdict = tuple[Outcome, str]

RATE_TOLERANCE = 0.10
RATE_TOLERANCE_BPM = 5.0
BEATS_TOLERANCE = 1
SIMULTANEOUS_S = 1.0
AF_CODE = "af_suspected"
_MM_PER = {"mm": 1.0, "cm": 10.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInputs:
    """What every rule may look at; None where a branch gave nothing."""

    echo: EchoAnalysis | None
    ecg: EcgAnalysis | None
    metadata: Metadata
    headers: Mapping[str, PatientHeader]

    def value(self, name: str) -> float | None:
        """A measured number of either branch by name."""
        for analysis in (self.echo, self.ecg):
            for m in () if analysis is None else analysis.measurements:
                if m.name == name:
                    return numeric(m)
        return None

    @property
    def af_suspected(self) -> bool | None:
        """Whether the ECG suggests atrial fibrillation or a clinician confirmed it; None without either."""
        if self.metadata.af_confirmed:
            return True
        return None if self.ecg is None else any(s.code == AF_CODE for s in self.ecg.rhythm)

    @property
    def n_averaged_beats(self) -> int:
        """Echo beats that the mean ejection fraction rests on."""
        cines = () if self.echo is None else self.echo.cines
        return sum(b.excluded is None and b.ef_pct is not None for c in cines for b in c.beats)


def numeric(measurement: Measurement) -> float | None:
    """The number that a measurement holds and rules may use; None for a withheld one or a text."""
    value = measurement.value
    return float(value) if measurement.status != "withheld" and isinstance(value, int | float) else None


def cross_check(inputs: CheckInputs) -> tuple[CrossCheck, ...]:
    """Run every rule of RULES in its order."""
    one_patient = not differing_fields(inputs.headers)
    return tuple(
        CrossCheck(name=rule.name, outcome=outcome, text=text, tolerance=rule.tolerance)
        for rule in RULES
        for outcome, text in [rule.check(inputs) if one_patient or rule.always else _TWO_PATIENTS]
    )


_TWO_PATIENTS: Verdict = ("not_checked", "Not compared: the files name different patients.")

# --- identity ----------------------------------------------------------------------------------------


def _same_patient(inputs: CheckInputs) -> Verdict:
    compared = compare_headers(inputs.headers)
    differing = [c.field for c in compared if c.outcome == "disagree"]
    agreeing = [c.field for c in compared if c.outcome == "agree"]
    if differing:
        return "disagree", f"The files differ in {_listed(differing)}: they may be of different patients."
    # equal sex alone does not make two files one patient's
    if not agreeing or agreeing == ["sex"]:
        return "not_checked", "The files do not both name a patient."
    return "agree", f"The files agree in {_listed(agreeing)}."


def _same_field(field: str) -> Callable[[CheckInputs], Verdict]:
    def check(inputs: CheckInputs) -> Verdict:
        outcome = next(c.outcome for c in compare_headers(inputs.headers) if c.field == field)
        if outcome == "absent":
            return "not_checked", f"Fewer than two files state the {field}."
        return outcome, f"The files state {'the same' if outcome == 'agree' else 'a different'} {field}."

    return check


def _study_date(inputs: CheckInputs) -> Verdict:
    near = within_a_day(inputs.headers)
    if near is None:
        return "not_checked", "Fewer than two files state when they were recorded."
    if near:
        return "agree", "The files were recorded within 24 hours."
    return "disagree", "The files were recorded more than 24 hours apart."


def _listed(names: list[str] | list[Literal["patient id", "name", "birth date", "sex"]]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


# --- physiology --------------------------------------------------------------------------------------


def _heart_rate(inputs: CheckInputs) -> Verdict:
    echo_bpm, ecg_bpm = inputs.value("echo_heart_rate"), inputs.value("heart_rate")
    if echo_bpm is None or ecg_bpm is None:
        return "not_checked", "A heart rate is missing from the echo or the ECG."
    allowed_bpm = max(RATE_TOLERANCE * ecg_bpm, RATE_TOLERANCE_BPM)
    outcome: Outcome = "agree" if abs(echo_bpm - ecg_bpm) <= allowed_bpm else "disagree"
    return outcome, f"Echo {shown(echo_bpm)}/min, ECG {shown(ecg_bpm)}/min."


def _beat_count(inputs: CheckInputs) -> Verdict:
    echo_bpm, ecg_bpm = inputs.value("echo_heart_rate"), inputs.value("heart_rate")
    if not _simultaneous(inputs.headers):
        return "not_checked", "The echo and the ECG were not recorded at the same moment."
    longest = max((len(c.beats) for c in inputs.echo.cines), default=0) if inputs.echo else 0
    if not longest or not echo_bpm or ecg_bpm is None:
        return "not_checked", "Beats are missing from the echo or the ECG."
    expected = longest / echo_bpm * ecg_bpm
    outcome: Outcome = "agree" if abs(expected - longest) <= BEATS_TOLERANCE else "disagree"
    return outcome, f"{longest} cycles in the clip, {expected:.1f} expected from the ECG in the same time."


def _simultaneous(headers: Mapping[str, PatientHeader]) -> bool:
    times = [time for time, has_clock in acquisition_times(headers) if has_clock]
    return len(times) == len(headers) >= 2 and (max(times) - min(times)).total_seconds() <= SIMULTANEOUS_S


def _af_ef_averaging(inputs: CheckInputs) -> Verdict:
    if inputs.af_suspected is None or inputs.value("lvef") is None:
        return "not_checked", "No rhythm or no ejection fraction to compare."
    if not inputs.af_suspected:
        return "agree", "No sign of atrial fibrillation on the ECG: one beat can stand for all."
    n = inputs.n_averaged_beats
    text = f"Atrial fibrillation: the ejection fraction rests on {n} beat{'' if n == 1 else 's'}"
    if n >= AF_BEATS:
        return "agree", f"{text}."
    return "disagree", f"{text}, fewer than {AF_BEATS}; its class is withheld."


def _wide_qrs_dyssynchrony(inputs: CheckInputs) -> Verdict:
    qrs_ms = inputs.value("qrs")
    if qrs_ms is None or inputs.echo is None or not any(c.segments for c in inputs.echo.cines):
        return "not_checked", "No QRS duration or no wall motion to compare."
    if shown(qrs_ms) < WIDE_QRS_MS:
        return "agree", f"QRS {shown(qrs_ms)} ms: conduction does not disturb the reading of wall motion."
    return (
        "disagree",
        f"QRS {shown(qrs_ms)} ms: segments that look abnormal may move late (dyssynchrony) rather than weakly.",
    )


def _lv_length_bsa(inputs: CheckInputs) -> Verdict:
    length_mm, bsa_m2 = _lv_length_mm(inputs.echo), inputs.metadata.bsa_m2
    if length_mm is None:
        return "not_checked", "No calibrated length of the left ventricle."
    if not LV_LENGTH_MM[0] <= length_mm <= LV_LENGTH_MM[1]:
        return "disagree", f"The left ventricle measures {shown(length_mm)} mm: check the calibration and the view."
    if bsa_m2 is None:
        return "not_checked", f"The left ventricle measures {shown(length_mm)} mm; the body surface is not known."
    index = length_mm / bsa_m2
    fits = LV_LENGTH_INDEX_MM_M2[0] <= index <= LV_LENGTH_INDEX_MM_M2[1]
    text = f"The left ventricle measures {shown(length_mm)} mm, {shown(index)} mm per m² of body surface"
    return ("agree", f"{text}.") if fits else ("disagree", f"{text}: check the calibration, the view, the body size.")


def _lv_length_mm(echo: EchoAnalysis | None) -> float | None:
    for m in () if echo is None else echo.measurements:
        length = numeric(m)
        if m.name == "lv_length_ed" and length is not None and m.unit in _MM_PER:
            return length * _MM_PER[m.unit]
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One named comparison; `always` rules run even when the files name different patients."""

    name: str
    tolerance: str
    check: Callable[[CheckInputs], Verdict]
    always: bool = False


RULES: tuple[Rule, ...] = (
    Rule(name="same_patient", tolerance="no stated field may differ", check=_same_patient, always=True),
    Rule(name="same_sex", tolerance="equal", check=_same_field("sex"), always=True),
    Rule(name="same_birth_date", tolerance="equal", check=_same_field("birth date"), always=True),
    Rule(name="study_date", tolerance="24 h", check=_study_date, always=True),
    Rule(
        name="heart_rate",
        tolerance=f"{RATE_TOLERANCE:.0%} or {RATE_TOLERANCE_BPM:.0f}/min, whichever is more",
        check=_heart_rate,
    ),
    Rule(name="beat_count", tolerance=f"{BEATS_TOLERANCE} beat, if recorded within 1 s", check=_beat_count),
    Rule(name="af_ef_averaging", tolerance=f"at least {AF_BEATS} beats in atrial fibrillation", check=_af_ef_averaging),
    Rule(name="wide_qrs_dyssynchrony", tolerance=f"QRS below {WIDE_QRS_MS} ms", check=_wide_qrs_dyssynchrony),
    Rule(
        name="lv_length_bsa",
        tolerance=(
            f"{LV_LENGTH_MM[0]:.0f}-{LV_LENGTH_MM[1]:.0f} mm and "
            f"{LV_LENGTH_INDEX_MM_M2[0]:.0f}-{LV_LENGTH_INDEX_MM_M2[1]:.0f} mm/m²"
        ),
        check=_lv_length_bsa,
        always=True,
    ),
)
"""Tolerances are rules of this project unless reference_ranges names a source."""
