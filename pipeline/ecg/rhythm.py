"""Statements about the rhythm: suggestions to confirm, each with its evidence and where it begins and ends."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from pipeline.ecg.ectopy import ECTOPY_RULES
from pipeline.ecg.fibrillation import af_burden
from pipeline.ecg.intervals import WIDE_QRS_MS
from pipeline.ecg.rhythm_facts import RhythmFacts, part, runs, whole
from pipeline.records import RhythmStatement

__all__ = ["RhythmFacts", "af_burden", "rhythm_statements", "runs"]

_RATE_GUIDE = "AHA/ACC/HRS rate limits of adults at rest: 60 and 100/min (confirm)"
_AF_GUIDE = "ESC 2024 atrial fibrillation, doi 10.1093/eurheartj/ehae176: irregular RR without P waves"
_BRADY_GUIDE = "ACC/AHA/HRS 2018 bradycardia, doi 10.1161/CIR.0000000000000628"
_PART_III = "AHA/ACCF/HRS 2009 part III, doi 10.1161/CIRCULATIONAHA.108.191095"
_FLUTTER_GUIDE = (
    "ACC/AHA/ACCP/HRS 2023 atrial fibrillation, doi 10.1161/CIR.0000000000001193: regular atrial waves, 220-350/min"
)
_OWN_GUIDE = "rules of this project"

SLOW_BPM, FAST_BPM = 60.0, 100.0
PAUSE_S = 2.0
LONG_PR_MS = 200.0
_IRREGULAR_RANGE = 0.15  # spread of RR over the median RR, ectopics left out
_MOST_OF_ONE_CODE = 20


def rhythm_statements(facts: RhythmFacts) -> tuple[RhythmStatement, ...]:
    """All statements that apply, in the order of the table; none from fewer than three beats."""
    if facts.peaks_s.size < 3:
        return ()
    found = [statement for rule in _RULES for statement in rule(facts)]
    codes = dict.fromkeys(statement.code for statement in found)
    return tuple(s for code in codes for s in _gathered([s for s in found if s.code == code]))


def _gathered(same: list[RhythmStatement]) -> list[RhythmStatement]:
    """The statements of one code; one that counts them where a long record has too many to read."""
    if len(same) <= _MOST_OF_ONE_CODE:
        return same
    evidence = f"{len(same)} times; the first: {same[0].evidence}"
    return [dataclasses.replace(same[0], evidence=evidence, end_s=same[-1].end_s)]


def _atrial_fibrillation(facts: RhythmFacts) -> list[RhythmStatement]:
    share = 100.0 * float(facts.af_beats.mean())
    found = []
    for first, last in runs(facts.af_beats):
        rr_s = np.diff(facts.peaks_s[first : last + 1])
        if rr_s.size == 0:
            continue
        evidence = (
            f"RR {1000 * rr_s.min():.0f}-{1000 * rr_s.max():.0f} ms without a pattern and no repeating P wave"
            f" in {last - first + 1} beats ({share:.0f} % of all beats)."
        )
        text = "Atrial fibrillation is suspected; please confirm."
        found.append(part("af_suspected", text, evidence, _AF_GUIDE, facts.peaks_s[first], facts.peaks_s[last]))
    return found


def _flutter(facts: RhythmFacts) -> list[RhythmStatement]:
    if facts.flutter_beats is None:
        return []
    evidence = "Atrial waves return at a steady rate of 210 to 360/min between and beneath the QRS complexes."
    text = "Atrial flutter is suspected; please confirm."
    return [
        part("flutter_suspected", text, evidence, _FLUTTER_GUIDE, facts.peaks_s[first], facts.peaks_s[last])
        for first, last in runs(facts.flutter_beats)
    ]


def _sinus(facts: RhythmFacts) -> list[RhythmStatement]:
    if not facts.is_sinus:
        return []
    p_share = float(facts.has_p[facts.classes == "N"].mean())
    evidence = f"A repeating P wave precedes {100 * p_share:.0f} % of the normal beats."
    return whole(facts, "sinus", "Sinus rhythm is likely.", evidence, _RATE_GUIDE)


def _rate(facts: RhythmFacts) -> list[RhythmStatement]:
    evidence = f"Mean heart rate {facts.rate_bpm:.0f}/min over {facts.peaks_s.size} beats."
    if facts.rate_bpm < SLOW_BPM:
        kind = "Sinus bradycardia: the" if facts.is_sinus else "The"
        return whole(facts, "bradycardia", f"{kind} heart rate is below 60/min.", evidence, _RATE_GUIDE)
    if facts.rate_bpm > FAST_BPM:
        kind = "Sinus tachycardia is likely: the" if facts.is_sinus else "The"
        return whole(facts, "tachycardia", f"{kind} heart rate is above 100/min.", evidence, _RATE_GUIDE)
    return []


def _pauses(facts: RhythmFacts) -> list[RhythmStatement]:
    text = "There is a pause of more than 2 s."
    return [
        part(
            "pause",
            text,
            f"No beat for {facts.rr_s[i]:.2f} s.",
            _BRADY_GUIDE,
            facts.peaks_s[i],
            facts.peaks_s[i + 1],
        )
        for i in np.flatnonzero(facts.rr_s > PAUSE_S)
    ]


def _wide_qrs(facts: RhythmFacts) -> list[RhythmStatement]:
    if facts.qrs_ms is None or facts.qrs_ms < WIDE_QRS_MS:
        return []
    evidence = f"Median QRS {facts.qrs_ms:.0f} ms, from 120 ms in the range of bundle branch block."
    return whole(facts, "wide_qrs", "The QRS complexes are wide.", evidence, _PART_III)


def _long_pr(facts: RhythmFacts) -> list[RhythmStatement]:
    if facts.pr_ms is None or facts.pr_ms <= LONG_PR_MS or facts.is_af or facts.is_flutter:
        return []
    evidence = f"Median PR {facts.pr_ms:.0f} ms, above 200 ms."
    text = "First degree atrioventricular block is suspected; please confirm."
    return whole(facts, "first_degree_av_block", text, evidence, _BRADY_GUIDE)


def _irregular(facts: RhythmFacts) -> list[RhythmStatement]:
    normal = (facts.classes == "N")[1:] & (facts.classes == "N")[:-1]
    rr_s = facts.rr_s[normal]
    if facts.is_af or rr_s.size < 3:
        return []
    spread = float(np.percentile(rr_s, 90) - np.percentile(rr_s, 10)) / float(np.median(rr_s))
    if spread <= _IRREGULAR_RANGE:
        return []
    evidence = f"The middle 80 % of RR between normal beats spread over {100 * spread:.0f} % of their median."
    if facts.is_sinus:
        evidence += " P waves precede them."
        return whole(
            facts, "irregular", "Sinus arrhythmia is likely: the normal beats are irregular.", evidence, _OWN_GUIDE
        )
    return whole(facts, "irregular", "The normal beats are irregular.", evidence, _OWN_GUIDE)


_RULES: tuple[Callable[[RhythmFacts], list[RhythmStatement]], ...] = (
    _atrial_fibrillation,
    _flutter,
    _sinus,
    _rate,
    _irregular,
    _pauses,
    *ECTOPY_RULES,
    _wide_qrs,
    _long_pr,
)
