"""Statements about ST segments, T waves and Q waves, from the usual beat.

Source: Fourth Universal Definition of Myocardial Infarction (Thygesen et al. 2018), doi 10.1161/CIR.0000000000000617.
We differ in one point: the definition reads ST elevation and depression at the J point; here the level 60 ms later must
pass the threshold as well, because the end of the QRS may be found some milliseconds early. Whether a change is new
cannot be seen in one recording, and the text says so.
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.ecg.hypertrophy import negative_mv, peak_mv, voltage_reason
from pipeline.ecg.shape_facts import PACED_REASON, WAVES_REASON, ShapeFacts, mv, not_judged, suggested
from pipeline.records import EcgStatement, LeadWaves, Sex

UDMI = "Fourth Universal Definition of Myocardial Infarction 2018, doi 10.1161/CIR.0000000000000617"
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("lateral", ("I", "aVL")),
    ("inferior", ("II", "III", "aVF")),
    ("chest", ("V1", "V2", "V3", "V4", "V5", "V6")),
)
ELEVATION_MV = 0.1
_V2_V3_MV: dict[Sex, float] = {"male": 0.2, "female": 0.15}
_V2_V3_YOUNG_MEN_MV, _YOUNG_YEARS = 0.25, 40.0
DEPRESSION_MV, INVERSION_MV = -0.05, -0.1
Q_MS, Q_MV, Q_V2_V3_MS = 30.0, 0.1, 20.0
MOST_NOISE_MV = 0.1  # width of the ST interval beyond which a lead is not judged
_WIDE_MS = 120.0
_LEVEL_TOLERANCE_MV = 0.02
_LEAST_LEADS = 2
_ALL = tuple(name for _, leads in GROUPS for name in leads)


def elevation_limit_mv(lead: str, sex: Sex | None, age_years: float | None) -> float:
    """ST elevation from which a lead counts. Unknown sex or age: the higher of the limits that remain possible."""
    if lead not in ("V2", "V3"):
        return ELEVATION_MV
    if sex == "female":
        return _V2_V3_MV["female"]
    is_older = age_years is not None and age_years >= _YOUNG_YEARS
    return _V2_V3_MV["male"] if is_older else _V2_V3_YOUNG_MEN_MV


def repolarisation_statements(facts: ShapeFacts) -> tuple[EcgStatement, ...]:
    """ST elevation and depression, T inversion, pathological Q waves; or why they cannot be judged."""
    return (*_st_and_t(facts), *_q_waves(facts))


def _st_and_t(facts: ShapeFacts) -> tuple[EcgStatement, ...]:
    reason = voltage_reason(facts, ())
    if reason is None and round(facts.qrs_ms or 0.0) >= _WIDE_MS:
        reason = "The QRS is wide: ST and T follow the conduction."
    if reason is not None:
        return (not_judged("st_t", "ST segments and T waves cannot be judged.", reason, _ALL, UDMI),)
    rules: tuple[tuple[str, str, Callable[[ShapeFacts, LeadWaves], str | None]], ...] = (
        ("st_elevation", "ST elevation in neighbouring leads; please confirm, and whether it is new.", _elevated),
        ("st_depression", "ST depression in neighbouring leads; please confirm, and whether it is new.", _depressed),
        ("t_inversion", "T wave inversion in neighbouring leads; please confirm, and whether it is new.", _inverted),
    )
    return tuple(found for code, text, rule in rules if (found := _contiguous(facts, code, text, rule)) is not None)


def _contiguous(
    facts: ShapeFacts, code: str, text: str, rule: Callable[[ShapeFacts, LeadWaves], str | None]
) -> EcgStatement | None:
    """The statement of a rule that two neighbouring leads of a group meet."""
    met = {name: proof for name, lead in facts.waves.items() if (proof := rule(facts, lead)) is not None}
    leads = _neighbours(set(met), facts.limb_swap)
    if not leads:
        return None
    evidence = "; ".join(f"{name} {met[name]}" for name in leads) + "."
    return suggested(code, text, evidence, leads, UDMI)


def _neighbours(names: set[str], limb_swap: bool) -> tuple[str, ...]:
    """Those of the leads that have a neighbour among them; limb leads are left out where they may be swapped."""
    found: list[str] = []
    for group, leads in GROUPS:
        if limb_swap and group != "chest":
            continue
        present = [name for name in leads if name in names]
        if group == "chest":
            places = [leads.index(name) for name in present]
            present = [leads[i] for i in places if i - 1 in places or i + 1 in places]
        if len(present) >= _LEAST_LEADS:
            found += present
    return tuple(found)


def _elevated(facts: ShapeFacts, lead: LeadWaves) -> str | None:
    limit_mv = elevation_limit_mv(lead.lead, facts.sex, facts.age_years)
    if not _is_steady(lead) or min(mv(lead.j_mv), mv(lead.st60_mv)) < limit_mv:
        return None
    return f"{_st_text(lead)} (limit {limit_mv} mV)"


def _depressed(facts: ShapeFacts, lead: LeadWaves) -> str | None:
    """Horizontal or down-sloping depression."""
    if not _is_steady(lead) or max(mv(lead.j_mv), mv(lead.st60_mv)) > DEPRESSION_MV:
        return None
    if mv(lead.st60_mv) > mv(lead.j_mv) + _LEVEL_TOLERANCE_MV:
        return None
    return f"{_st_text(lead)} (limit {DEPRESSION_MV} mV)"


def _inverted(facts: ShapeFacts, lead: LeadWaves) -> str | None:
    """Beyond 0.1 mV in a lead with a prominent R wave or R taller than S."""
    if not _is_steady(lead) or mv(lead.t_mv) >= INVERSION_MV or peak_mv(lead) <= negative_mv(lead):
        return None
    return f"T {lead.t_mv:.2f} mV, R {peak_mv(lead):.2f}, S {negative_mv(lead):.2f}"


def _is_steady(lead: LeadWaves) -> bool:
    """Whether the ST level is known well enough for a threshold of 0.05 to 0.25 mV."""
    interval = lead.st60_interval_mv
    return interval is not None and interval[1] - interval[0] <= MOST_NOISE_MV


def _st_text(lead: LeadWaves) -> str:
    low, high = lead.st60_interval_mv or (mv(lead.st60_mv), mv(lead.st60_mv))
    return f"J {lead.j_mv:.2f}, J+60 ms {lead.st60_mv:.2f} [{low:.2f} to {high:.2f}] mV"


def _q_waves(facts: ShapeFacts) -> tuple[EcgStatement, ...]:
    """Q waves of a prior infarction; a duration needs no scale, so only the depth is left out where scales differ."""
    text = "Pathological Q waves in neighbouring leads; a prior infarction is possible, please confirm."
    reason = PACED_REASON if facts.paced else WAVES_REASON if not facts.waves else None
    if reason is None and round(facts.qrs_ms or 0.0) >= _WIDE_MS:
        reason = "The QRS is wide: Q waves follow the conduction."
    if reason is not None:
        return (not_judged("q_waves", "Pathological Q waves cannot be judged.", reason, _ALL, UDMI),)
    found = _contiguous(facts, "q_waves", text, _pathological_q)
    return () if found is None else (found,)


def _pathological_q(facts: ShapeFacts, lead: LeadWaves) -> str | None:
    if lead.q_mv is None or lead.q_ms is None or lead.lead in ("III", "V1", "aVR"):
        return None
    is_qs = lead.r_mv is None
    if lead.lead in ("V2", "V3"):
        counts = is_qs or lead.q_ms >= Q_V2_V3_MS
    else:
        counts = is_qs or (lead.q_ms >= Q_MS and -lead.q_mv >= Q_MV)
    return f"{'QS' if is_qs else f'Q {lead.q_ms:.0f} ms'}, {-lead.q_mv:.2f} mV" if counts else None
