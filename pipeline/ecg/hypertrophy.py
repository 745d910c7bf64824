"""Voltage criteria: left ventricular hypertrophy and low voltage.

Source: AHA/ACCF/HRS 2009 part V (Hancock et al.), doi 10.1161/CIRCULATIONAHA.108.191097: Sokolow-Lyon 1949 (S in V1
plus the taller R of V5 and V6), Cornell voltage (Casale 1987; sex-specific). Part V advises them for adults above 35
and not beside a bundle branch block. Low voltage: below 0.5 mV in every limb lead, below 1.0 mV in every chest lead
(the usual definition of textbooks; confirm).
"""

from __future__ import annotations

from pipeline.ecg.shape_facts import (
    PACED_REASON,
    SCALE_REASON,
    SWAPPED_REASON,
    WAVES_REASON,
    ShapeFacts,
    mv,
    not_judged,
    suggested,
)
from pipeline.records import EcgStatement, LeadWaves, Sex

PART_V = "AHA/ACCF/HRS 2009 part V, doi 10.1161/CIRCULATIONAHA.108.191097"
SOKOLOW_LEADS, CORNELL_LEADS = ("V1", "V5", "V6"), ("aVL", "V3")
SOKOLOW_MV = 3.5
CORNELL_MV: dict[Sex, float] = {"male": 2.8, "female": 2.0}
LEAST_AGE_YEARS = 35.0
LOW_LIMB_MV, LOW_CHEST_MV = 0.5, 1.0
_LIMB, _CHEST = ("I", "II", "III", "aVR", "aVL", "aVF"), ("V1", "V2", "V3", "V4", "V5", "V6")
_WIDE_MS = 120.0
_LVH_TEXT = "The voltages meet a criterion of left ventricular hypertrophy; please confirm."


def negative_mv(lead: LeadWaves) -> float:
    """Depth of the deepest negative wave, as a positive number: of S, or of a wholly negative complex."""
    return max(-mv(lead.s_mv), -mv(lead.q_mv))


def peak_mv(lead: LeadWaves) -> float:
    """Height of the tallest R wave."""
    return max(mv(lead.r_mv), mv(lead.r2_mv))


def sokolow_lyon_mv(waves: dict[str, LeadWaves]) -> float:
    """S in V1 plus the taller R of V5 and V6, mV."""
    return negative_mv(waves["V1"]) + max(peak_mv(waves["V5"]), peak_mv(waves["V6"]))


def cornell_mv(waves: dict[str, LeadWaves]) -> float:
    """R in aVL plus S in V3, mV."""
    return peak_mv(waves["aVL"]) + negative_mv(waves["V3"])


def voltage_reason(facts: ShapeFacts, leads: tuple[str, ...]) -> str | None:
    """Why voltages of these leads must not be judged; None where they may."""
    limb_reason = SWAPPED_REASON if facts.limb_swap and any(name in _LIMB for name in leads) else None
    checks = (
        PACED_REASON if facts.paced else None,
        WAVES_REASON if not facts.waves else None,
        None if facts.scales_agree else SCALE_REASON,
        limb_reason,
        facts.missing(leads),
    )
    return next((reason for reason in checks if reason is not None), None)


def hypertrophy_statements(facts: ShapeFacts) -> tuple[EcgStatement, ...]:
    """Voltage criteria that are met, or why they cannot be judged."""
    return (*_hypertrophy(facts), *_low_voltage(facts))


def _hypertrophy(facts: ShapeFacts) -> tuple[EcgStatement, ...]:
    leads = (*SOKOLOW_LEADS, *CORNELL_LEADS)
    reason = voltage_reason(facts, leads)
    if reason is None and round(facts.qrs_ms or 0.0) >= _WIDE_MS:
        reason = "The QRS is wide: voltage criteria do not apply."
    if reason is None and facts.age_years is not None and facts.age_years <= LEAST_AGE_YEARS:
        reason = "Voltage criteria mislead up to the age of 35."
    if reason is not None:
        text = "Voltage criteria of left ventricular hypertrophy cannot be judged."
        return (not_judged("lvh_voltage", text, reason, leads, PART_V),)
    waves = dict(facts.waves)
    met = []
    sokolow, cornell = sokolow_lyon_mv(waves), cornell_mv(waves)
    if sokolow > SOKOLOW_MV:
        met.append(f"Sokolow-Lyon {sokolow:.1f} mV, above {SOKOLOW_MV}")
    limit_mv = CORNELL_MV[facts.sex] if facts.sex else max(CORNELL_MV.values())
    if cornell > limit_mv:
        met.append(f"Cornell {cornell:.1f} mV, above {limit_mv} ({_people(facts.sex)})")
    if not met:
        return ()
    age = "" if facts.age_years is not None else " Age unknown: valid above 35 years only."
    return (suggested("lvh_voltage", _LVH_TEXT, f"{'; '.join(met)}.{age}", leads, PART_V),)


def _people(sex: Sex | None) -> str:
    return {"male": "men", "female": "women", None: "sex unknown, the limit of men"}[sex]


def _low_voltage(facts: ShapeFacts) -> tuple[EcgStatement, ...]:
    found = []
    for code, leads, limit_mv, where in (
        ("low_voltage_limb", _LIMB, LOW_LIMB_MV, "limb"),
        ("low_voltage_chest", _CHEST, LOW_CHEST_MV, "chest"),
    ):
        if voltage_reason(facts, leads) is not None:
            continue  # said once, beside the criteria of hypertrophy
        largest_mv = max(peak_mv(facts.waves[name]) + negative_mv(facts.waves[name]) for name in leads)
        if largest_mv < limit_mv:
            text = f"The voltage is low in all {where} leads; please confirm."
            evidence = f"Largest QRS from peak to peak {largest_mv:.2f} mV, below {limit_mv} mV."
            found.append(suggested(code, text, evidence, leads, PART_V))
    return tuple(found)
