"""Statements about intraventricular conduction, from the usual beat.

Source: AHA/ACCF/HRS 2009 part III (Surawicz et al.), doi 10.1161/CIRCULATIONAHA.108.191095. We differ in two points.
Whether an R wave is notched or slurred is not measured: that it is the last wave of I, and late in V5 or V6, stands in
for it. A Q wave below half a millimetre of paper does not speak against left bundle branch block.
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.ecg.shape_facts import PACED_REASON, WAVES_REASON, ShapeFacts, mv, not_judged, suggested
from pipeline.records import EcgStatement, LeadWaves

PART_III = "AHA/ACCF/HRS 2009 part III, doi 10.1161/CIRCULATIONAHA.108.191095"
COMPLETE_MS, INCOMPLETE_MS = 120.0, 110.0
LATE_V1_MS, LATE_V5_MS, LATE_AVL_MS = 50.0, 60.0, 45.0
LONG_S_MS = 40.0
_QUARTER = 0.25
_SEEN_MV = 0.05  # half a millimetre of paper
_LEADS = ("I", "V1", "V5", "V6")
_WORDS: dict[str, str] = {
    "rbbb": "Right bundle branch block is suspected; please confirm.",
    "incomplete_rbbb": "Incomplete right bundle branch block is suspected; please confirm.",
    "lbbb": "Left bundle branch block is suspected; please confirm.",
    "incomplete_lbbb": "Incomplete left bundle branch block is suspected; please confirm.",
    "ivcd": "A non-specific intraventricular conduction delay is suspected; please confirm.",
}


def conduction_statements(facts: ShapeFacts) -> tuple[EcgStatement, ...]:
    """Bundle branch blocks, delay without their pattern, fascicular blocks; or why they cannot be judged."""
    reason = PACED_REASON if facts.paced else WAVES_REASON if facts.qrs_ms is None else facts.missing(_LEADS)
    if reason is not None:
        text = "Bundle branch and fascicular block cannot be judged."
        return (not_judged("conduction", text, reason, _LEADS, PART_III),)
    bundle = _bundle(facts)
    return (*((bundle,) if bundle else ()), *_fascicular(facts))


def _bundle(facts: ShapeFacts) -> EcgStatement | None:
    qrs_ms = facts.qrs_ms or 0.0
    if round(qrs_ms) < INCOMPLETE_MS:
        return None
    complete = round(qrs_ms) >= COMPLETE_MS
    right, left = _right_pattern(facts), _left_pattern(facts)
    if right is not None:
        code, proof = "rbbb" if complete else "incomplete_rbbb", right
    elif left is not None:
        code, proof = "lbbb" if complete else "incomplete_lbbb", left
    elif round(qrs_ms) > INCOMPLETE_MS:
        code, proof = "ivcd", "neither pattern of a bundle branch block"
    else:
        return None
    return suggested(code, _WORDS[code], f"QRS {qrs_ms:.0f} ms; {proof}.", _LEADS, PART_III)


def _right_pattern(facts: ShapeFacts) -> str | None:
    """Late R' or R in V1 or V2 and a long S in I and V6; None where it is not there."""
    if not all(_long_s(facts.waves[name]) for name in ("I", "V6")):
        return None
    for name in ("V1", "V2"):
        lead = facts.waves.get(name)
        if lead is not None and _ends_upright(lead) and mv(lead.r_peak_ms) > LATE_V1_MS:
            return f"R' or late R in {name} at {lead.r_peak_ms:.0f} ms, long S in I and V6"
    return None


def _ends_upright(lead: LeadWaves) -> bool:
    """An R' of any height (rsr', rsR', rSR'), or an R wave that nothing follows."""
    is_pure = lead.r_mv is not None and lead.r_mv > abs(mv(lead.s_mv)) and lead.r_mv > abs(mv(lead.q_mv))
    return lead.r2_mv is not None or is_pure


def _long_s(lead: LeadWaves) -> bool:
    return lead.s_ms is not None and (lead.s_ms > LONG_S_MS or lead.s_ms > mv(lead.r_ms))


def _left_pattern(facts: ShapeFacts) -> str | None:
    """Broad late R without Q in I, V5 and V6 over a negative V1; None where it is not there."""
    lateral = [facts.waves[name] for name in ("I", "V5", "V6")]
    if any(abs(mv(lead.q_mv)) >= _SEEN_MV or lead.r_mv is None for lead in lateral):
        return None
    if lateral[0].r2_mv is None and abs(mv(lateral[0].s_mv)) > _QUARTER * mv(lateral[0].r_mv):
        return None
    v1 = facts.waves["V1"]
    late_ms = max(mv(lead.r_peak_ms) for lead in lateral[1:])
    if late_ms <= LATE_V5_MS or max(mv(v1.r_mv), mv(v1.r2_mv)) >= max(abs(mv(v1.s_mv)), abs(mv(v1.q_mv))):
        return None
    return f"R without Q in I, V5 and V6, its peak in V5 or V6 at {late_ms:.0f} ms, V1 negative"


def _fascicular(facts: ShapeFacts) -> tuple[EcgStatement, ...]:
    """Left anterior or posterior fascicular block, in a QRS below 120 ms."""
    if round(facts.qrs_ms or 0.0) >= COMPLETE_MS or facts.limb_swap or facts.axis_deg is None:
        return ()
    rules: tuple[tuple[Callable[[ShapeFacts], bool], str, str, tuple[str, ...]], ...] = (
        (_is_anterior, "lafb", "Left anterior fascicular block is suspected; please confirm.", ("I", "II", "aVL")),
        (
            _is_posterior,
            "lpfb",
            "Left posterior fascicular block is suspected once other causes of a right axis are excluded.",
            ("I", "aVL", "III", "aVF"),
        ),
    )
    for rule, code, text, leads in rules:
        if facts.missing(leads) is None and rule(facts):
            evidence = f"QRS axis {facts.axis_deg:.0f}°, QRS {facts.qrs_ms:.0f} ms, waves of {', '.join(leads)}."
            return (suggested(code, text, evidence, leads, PART_III),)
    return ()


def _is_anterior(facts: ShapeFacts) -> bool:
    lead = facts.waves["aVL"]
    has_qr = lead.q_mv is not None and lead.r_mv is not None and lead.r_mv > abs(lead.q_mv)
    return -90.0 <= (facts.axis_deg or 0.0) <= -45.0 and has_qr and mv(lead.r_peak_ms) >= LATE_AVL_MS


def _is_posterior(facts: ShapeFacts) -> bool:
    shows_rs = all(mv(facts.waves[name].r_mv) < abs(mv(facts.waves[name].s_mv)) for name in ("I", "aVL"))
    shows_qr = all(
        facts.waves[name].q_mv is not None and mv(facts.waves[name].r_mv) > abs(mv(facts.waves[name].q_mv))
        for name in ("III", "aVF")
    )
    return 90.0 <= (facts.axis_deg or 0.0) <= 180.0 and shows_rs and shows_qr
