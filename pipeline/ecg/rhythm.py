"""Statements about the rhythm: suggestions to confirm, each with its evidence and where it begins and ends."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from pipeline.ecg.atrial_rhythm import ATRIAL_RULES, is_sinus
from pipeline.ecg.av_block import AV_RULES
from pipeline.ecg.ectopy import ECTOPY_RULES
from pipeline.ecg.fibrillation import af_burden
from pipeline.ecg.intervals import WIDE_QRS_MS
from pipeline.ecg.rhythm_facts import RhythmFacts, lasting_runs, part, runs, stretch, whole
from pipeline.ecg.waves import running_mean
from pipeline.records import Array, RhythmStatement

__all__ = ["RhythmFacts", "af_burden", "rhythm_statements", "runs"]

_RATE_GUIDE = "AHA/ACC/HRS rate limits of adults at rest: 60 and 100/min (confirm)"
_AF_GUIDE = "ESC 2024 atrial fibrillation, doi 10.1093/eurheartj/ehae176: irregular RR without P waves"
_BRADY_GUIDE = "ACC/AHA/HRS 2018 bradycardia, doi 10.1161/CIR.0000000000000628"
_PART_I = "AHA/ACC/HRS 2007 part I, doi 10.1161/CIRCULATIONAHA.106.180200: pulses are short and steep; limits our own"
_PART_III = "AHA/ACCF/HRS 2009 part III, doi 10.1161/CIRCULATIONAHA.108.191095"
_FLUTTER_GUIDE = (
    "ACC/AHA/ACCP/HRS 2023 atrial fibrillation, doi 10.1161/CIR.0000000000001193: regular atrial waves, 220-350/min"
)
_OWN_GUIDE = "rules of this project"

SLOW_BPM, FAST_BPM = 60.0, 100.0
PAUSE_S = 2.0
_RATE_BEATS = 15  # over so many the rate is taken
_SLOW_BEATS, _FAST_BEATS = 30, 15  # how long a slow or a fast stretch must last in a record that lasts longer
_IRREGULAR_RANGE = 0.15  # spread of RR over the median RR, ectopics left out
_IRREGULAR_BEATS = 30
_FLUTTER_BEATS = 5
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
    text = "Atrial flutter is suspected; please confirm."
    return [
        part(
            "flutter_suspected",
            text,
            f"Atrial waves return at a steady rate of 204 to 360/min between and beneath {last - first + 1} beats.",
            _FLUTTER_GUIDE,
            facts.peaks_s[first],
            facts.peaks_s[last],
        )
        for first, last in runs(facts.in_flutter)
        if last - first + 1 >= min(_FLUTTER_BEATS, facts.peaks_s.size)
    ]


def _paced(facts: RhythmFacts) -> list[RhythmStatement]:
    if facts.pacing is None:
        return []
    text = "A paced rhythm is suspected; please confirm."
    return [
        stretch(facts, ends, "paced_suspected", text, facts.pacing.evidence, _PART_I) for ends in runs(facts.is_paced)
    ]


def _rate(facts: RhythmFacts) -> list[RhythmStatement]:
    rate_bpm = 60.0 / running_mean(facts.rr_s, _RATE_BEATS)
    rate_bpm = np.concatenate([rate_bpm[:1], rate_bpm])
    sinus = is_sinus(facts)
    found = []
    for code, sign, limit_bpm, least, side, name in (
        ("bradycardia", -1.0, SLOW_BPM, _SLOW_BEATS, "below 60/min", "Sinus bradycardia"),
        ("tachycardia", 1.0, FAST_BPM, _FAST_BEATS, "above 100/min", "Sinus tachycardia is likely"),
    ):
        for first, last in lasting_runs(sign * (rate_bpm - limit_bpm) > 0.0, least):
            mean_bpm = 60.0 * (last - first) / float(facts.peaks_s[last] - facts.peaks_s[first])
            if sign * (mean_bpm - limit_bpm) <= 0.0:
                continue
            kind = f"{name}: the" if sinus[first : last + 1].mean() > 0.5 else "The"
            evidence = f"Mean heart rate {mean_bpm:.0f}/min over {last - first + 1} beats."
            found.append(stretch(facts, (first, last), code, f"{kind} heart rate is {side}.", evidence, _RATE_GUIDE))
    return found


def _pauses(facts: RhythmFacts) -> list[RhythmStatement]:
    text = "There is a pause of more than 2 s."
    return [
        part("pause", text, f"No beat for {rr_s:.2f} s.", _BRADY_GUIDE, facts.peaks_s[i], facts.peaks_s[i + 1])
        for i, rr_s in enumerate(facts.rr_s)
        if rr_s > PAUSE_S
    ]


def _wide_qrs(facts: RhythmFacts) -> list[RhythmStatement]:
    if facts.qrs_ms is None or facts.qrs_ms < WIDE_QRS_MS:
        return []
    evidence = f"Median QRS {facts.qrs_ms:.0f} ms, from 120 ms in the range of bundle branch block."
    return whole(facts, "wide_qrs", "The QRS complexes are wide.", evidence, _PART_III)


def _irregular(facts: RhythmFacts) -> list[RhythmStatement]:
    """Stretches in which RR between normal beats spread widely, outside fibrillation and flutter."""
    plain = (facts.classes == "N") & ~facts.af_beats & ~facts.in_flutter
    between = np.flatnonzero(plain[1:] & plain[:-1])
    if between.size < 3:
        return []
    blocks = np.array_split(between, max(1, round(between.size / _IRREGULAR_BEATS)))
    spreads = np.array([_spread(facts.rr_s[block]) for block in blocks])
    sinus, found = is_sinus(facts), []
    for first, last in runs(spreads > _IRREGULAR_RANGE):
        ends = (int(blocks[first][0]) if first else 0, int(blocks[last][-1]) + 1)
        ends = (ends[0], facts.peaks_s.size - 1 if last == len(blocks) - 1 else ends[1])
        evidence = (
            f"The middle 80 % of RR between normal beats spread over {100 * spreads[first : last + 1].max():.0f} %"
            " of their median."
        )
        text = "The normal beats are irregular."
        if sinus[ends[0] : ends[1] + 1].mean() > 0.5:
            text, evidence = f"Sinus arrhythmia is likely: t{text[1:]}", f"{evidence} P waves precede them."
        found.append(stretch(facts, ends, "irregular", text, evidence, _OWN_GUIDE))
    return found


def _spread(rr_s: Array) -> float:
    return float(np.percentile(rr_s, 90) - np.percentile(rr_s, 10)) / float(np.median(rr_s))


_RULES: tuple[Callable[[RhythmFacts], list[RhythmStatement]], ...] = (
    _atrial_fibrillation,
    _flutter,
    _paced,
    *ATRIAL_RULES,
    _rate,
    _irregular,
    _pauses,
    *ECTOPY_RULES,
    _wide_qrs,
    *AV_RULES,
)
