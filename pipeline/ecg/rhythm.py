"""Statements about the rhythm: suggestions to confirm, each with its evidence and where it begins and ends."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.ecg.fibrillation import af_burden
from pipeline.ecg.intervals import WIDE_QRS_MS
from pipeline.records import Array, RhythmStatement

__all__ = ["RhythmFacts", "af_burden", "rhythm_statements"]

_RATE_GUIDE = "AHA/ACC/HRS rate limits of adults at rest: 60 and 100/min (confirm)"
_AF_GUIDE = "ESC 2024 atrial fibrillation, doi 10.1093/eurheartj/ehae176: irregular RR without P waves"
_BRADY_GUIDE = "ACC/AHA/HRS 2018 bradycardia, doi 10.1161/CIR.0000000000000628"
_PART_III = "AHA/ACCF/HRS 2009 part III, doi 10.1161/CIRCULATIONAHA.108.191095"
_ECTOPIC_GUIDE = "beat classes of ANSI/AAMI EC57; rules of this project"

SLOW_BPM, FAST_BPM = 60.0, 100.0
PAUSE_S = 2.0
LONG_PR_MS = 200.0
_IRREGULAR_RANGE = 0.15  # spread of RR over the median RR, ectopics left out
_LEAST_P_SHARE = 0.7
_MOST_OF_ONE_CODE = 20
_BIGEMINY_BEATS = 6  # N V N V N V


@dataclass(frozen=True, slots=True, kw_only=True)
class RhythmFacts:
    """What the statements are made from."""

    peaks_s: Array  # float64 (n_beats,)
    classes: Array  # str (n_beats,)
    af_beats: Array  # bool (n_beats,)
    has_p: Array  # bool (n_beats,)
    pr_ms: float | None  # medians of normal beats; None where withheld
    qrs_ms: float | None
    record_s: float

    @property
    def rr_s(self) -> Array:
        return np.diff(self.peaks_s)

    @property
    def rate_bpm(self) -> float:
        return 60.0 / float(np.mean(self.rr_s))

    @property
    def is_af(self) -> bool:
        return bool(self.af_beats.mean() > 0.5)


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


def _whole(facts: RhythmFacts, code: str, text: str, evidence: str, reference: str) -> list[RhythmStatement]:
    """One statement about the whole record."""
    return [_part(code, text, evidence, reference, 0.0, facts.record_s)]


def _part(code: str, text: str, evidence: str, reference: str, start_s: float, end_s: float) -> RhythmStatement:
    return RhythmStatement(
        code=code,
        text=text,
        evidence=evidence,
        start_s=round(float(start_s), 3),
        end_s=round(float(end_s), 3),
        reference=reference,
    )


def runs(flags: Array) -> list[tuple[int, int]]:
    """(first, last) of every run of True, both included."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


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
        found.append(_part("af_suspected", text, evidence, _AF_GUIDE, facts.peaks_s[first], facts.peaks_s[last]))
    return found


def _sinus(facts: RhythmFacts) -> list[RhythmStatement]:
    normal = facts.classes == "N"
    if facts.is_af or not normal.any():
        return []
    p_share = float(facts.has_p[normal].mean())
    if p_share < _LEAST_P_SHARE:
        return []
    evidence = f"A repeating P wave precedes {100 * p_share:.0f} % of the normal beats."
    return _whole(facts, "sinus", "Sinus rhythm is likely.", evidence, _RATE_GUIDE)


def _rate(facts: RhythmFacts) -> list[RhythmStatement]:
    evidence = f"Mean heart rate {facts.rate_bpm:.0f}/min over {facts.peaks_s.size} beats."
    if facts.rate_bpm < SLOW_BPM:
        return _whole(facts, "bradycardia", "The heart rate is below 60/min.", evidence, _RATE_GUIDE)
    if facts.rate_bpm > FAST_BPM:
        return _whole(facts, "tachycardia", "The heart rate is above 100/min.", evidence, _RATE_GUIDE)
    return []


def _pauses(facts: RhythmFacts) -> list[RhythmStatement]:
    text = "There is a pause of more than 2 s."
    return [
        _part(
            "pause",
            text,
            f"No beat for {facts.rr_s[i]:.2f} s.",
            _BRADY_GUIDE,
            facts.peaks_s[i],
            facts.peaks_s[i + 1],
        )
        for i in np.flatnonzero(facts.rr_s > PAUSE_S)
    ]


def _ectopics(facts: RhythmFacts) -> list[RhythmStatement]:
    n_v, n_s = int(np.sum(facts.classes == "V")), int(np.sum(facts.classes == "S"))
    if n_v + n_s == 0:
        return []
    evidence = f"{n_v} ventricular and {n_s} supraventricular beats among {facts.classes.size}."
    return _whole(facts, "ectopics", "There are ectopic beats.", evidence, _ECTOPIC_GUIDE)


def _ventricular_runs(facts: RhythmFacts) -> list[RhythmStatement]:
    found = []
    for first, last in runs(facts.classes == "V"):
        n = last - first + 1
        if n < 2:
            continue
        code = "ventricular_couplet" if n == 2 else "ventricular_run"
        text = "Two ventricular beats follow each other." if n == 2 else "Several ventricular beats follow each other."
        evidence = f"{n} beats of another, wider shape in a row."
        found.append(_part(code, text, evidence, _ECTOPIC_GUIDE, facts.peaks_s[first], facts.peaks_s[last]))
    return found


def _bigeminy(facts: RhythmFacts) -> list[RhythmStatement]:
    ventricular = facts.classes == "V"
    alternates = np.concatenate([[False], ventricular[1:] != ventricular[:-1]])
    found = []
    for first, last in runs(alternates):
        n = last - first + 2
        if n < _BIGEMINY_BEATS:
            continue
        evidence = f"Every second of {n} beats is ventricular."
        text = "There is ventricular bigeminy."
        start, end = facts.peaks_s[first - 1], facts.peaks_s[last]
        found.append(_part("ventricular_bigeminy", text, evidence, _ECTOPIC_GUIDE, start, end))
    return found


def _wide_qrs(facts: RhythmFacts) -> list[RhythmStatement]:
    if facts.qrs_ms is None or facts.qrs_ms < WIDE_QRS_MS:
        return []
    evidence = f"Median QRS {facts.qrs_ms:.0f} ms, from 120 ms in the range of bundle branch block."
    return _whole(facts, "wide_qrs", "The QRS complexes are wide.", evidence, _PART_III)


def _long_pr(facts: RhythmFacts) -> list[RhythmStatement]:
    if facts.pr_ms is None or facts.pr_ms <= LONG_PR_MS or facts.is_af:
        return []
    evidence = f"Median PR {facts.pr_ms:.0f} ms, above 200 ms."
    text = "First degree atrioventricular block is suspected; please confirm."
    return _whole(facts, "first_degree_av_block", text, evidence, _BRADY_GUIDE)


def _irregular(facts: RhythmFacts) -> list[RhythmStatement]:
    normal = (facts.classes == "N")[1:] & (facts.classes == "N")[:-1]
    rr_s = facts.rr_s[normal]
    if facts.is_af or rr_s.size < 3:
        return []
    spread = float(np.percentile(rr_s, 90) - np.percentile(rr_s, 10)) / float(np.median(rr_s))
    if spread <= _IRREGULAR_RANGE:
        return []
    evidence = f"The middle 80 % of RR between normal beats spread over {100 * spread:.0f} % of their median."
    return _whole(facts, "irregular", "The normal beats are irregular.", evidence, _ECTOPIC_GUIDE)


_RULES: tuple[Callable[[RhythmFacts], list[RhythmStatement]], ...] = (
    _atrial_fibrillation,
    _sinus,
    _rate,
    _irregular,
    _pauses,
    _ectopics,
    _ventricular_runs,
    _bigeminy,
    _wide_qrs,
    _long_pr,
)
