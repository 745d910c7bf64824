"""Suspected atrioventricular block: a long PR, P waves without a QRS, atria and ventricles apart.

Source: ACC/AHA/HRS 2018 bradycardia, doi 10.1161/CIR.0000000000000628 (definitions of first, second and third degree
block). By how much PR must change is this project's own, near the error of one beat's PR.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.ecg.rhythm_facts import RhythmFacts, lasting_runs, part, stretch, whole
from pipeline.ecg.waves import running_median
from pipeline.records import Array, RhythmStatement

_BRADY_GUIDE = "ACC/AHA/HRS 2018 bradycardia, doi 10.1161/CIR.0000000000000628"
LONG_PR_MS = 200.0
_PR_BEATS = 15
_TOGETHER_S = 30.0  # dropped beats no further apart than this are told as one stretch
_LONGER_MS, _SAME_MS = 20.0, 15.0
_TWO_TO_ONE = 3  # beats in a row, each followed by one P wave without a QRS
_TEXTS = {
    "wenckebach": "Second degree atrioventricular block of the Wenckebach kind is suspected; please confirm.",
    "mobitz_2": "Second degree atrioventricular block of Mobitz type II is suspected; please confirm.",
    "two_to_one": "Two to one atrioventricular block is suspected; please confirm.",
    "advanced": "Advanced atrioventricular block is suspected: P waves in a row without a QRS; please confirm.",
    "unclear": "Second degree atrioventricular block is suspected: a P wave without a QRS; please confirm.",
}


def _long_pr(facts: RhythmFacts) -> list[RhythmStatement]:
    """First degree block, where PR is long in most of the normal beats of a stretch."""
    if facts.pr_ms is None or facts.is_af or facts.is_flutter:
        return []
    text = "First degree atrioventricular block is suspected; please confirm."
    if facts.beat_pr_ms is None:
        if facts.pr_ms <= LONG_PR_MS:
            return []
        evidence = f"Median PR {facts.pr_ms:.0f} ms, above 200 ms."
        return whole(facts, "first_degree_av_block", text, evidence, _BRADY_GUIDE)
    known = np.flatnonzero(np.isfinite(facts.beat_pr_ms) & (facts.classes == "N"))
    if known.size < 3:
        return []
    around = np.interp(np.arange(facts.classes.size), known, running_median(facts.beat_pr_ms[known], _PR_BEATS))
    found = []
    for first, last in lasting_runs(around > LONG_PR_MS, _PR_BEATS):
        inside = known[(known >= first) & (known <= last)]
        middle_ms = float(np.median(facts.beat_pr_ms[inside])) if inside.size else 0.0
        if middle_ms > LONG_PR_MS:
            evidence = f"Median PR {middle_ms:.0f} ms over {inside.size} beats, above 200 ms."
            found.append(stretch(facts, (first, last), "first_degree_av_block", text, evidence, _BRADY_GUIDE))
    return found


def _dropped(facts: RhythmFacts) -> list[RhythmStatement]:
    """Second degree block, one statement for dropped beats that lie near each other."""
    if facts.blocked_p is None or not facts.blocked_p.any():
        return []
    usable = (facts.blocked_p > 0) & ~facts.af_beats & ~facts.in_flutter
    beats = np.flatnonzero(usable[:-1])
    if beats.size == 0:
        return []
    apart = np.flatnonzero(np.diff(facts.peaks_s[beats]) > _TOGETHER_S) + 1
    found = []
    for near in np.split(beats, apart):
        kind, evidence = _kind(facts, near)
        start_s, end_s = facts.peaks_s[near[0]], facts.peaks_s[near[-1] + 1]
        found.append(part("second_degree_av_block", _TEXTS[kind], evidence, _BRADY_GUIDE, start_s, end_s))
    return found


def _kind(facts: RhythmFacts, beats: Array) -> tuple[str, str]:
    """Which second degree block the dropped beats look like, and the evidence."""
    assert facts.blocked_p is not None
    blocked = facts.blocked_p[beats]
    evidence = f"{int(blocked.sum())} P waves in time without a QRS"
    if blocked.max() >= 2:
        return "advanced", f"{evidence}, {int(blocked.max())} of them in a row."
    if beats.size >= _TWO_TO_ONE and bool((np.diff(beats) == 1).mean() > 0.5):
        return "two_to_one", f"{evidence}, one between each two beats."
    if facts.beat_pr_ms is None:
        return "unclear", f"{evidence}."
    before, after = facts.beat_pr_ms[beats], facts.beat_pr_ms[beats + 1]
    earlier = facts.beat_pr_ms[np.maximum(beats - 1, 0)]
    before = np.where(np.isfinite(before), before, earlier)  # the longest PR of a course is the one that is not seen
    shorter = before - after
    known = shorter[np.isfinite(shorter)]
    if known.size == 0:
        return "unclear", f"{evidence}; PR around them is not known."
    evidence += f"; PR {np.nanmedian(before):.0f} ms before and {np.nanmedian(after):.0f} ms after"
    if float(np.median(known)) >= _LONGER_MS:
        return "wenckebach", f"{evidence}: it grows until a beat is dropped."
    grown = before - earlier
    grown = grown[np.isfinite(grown)]
    if bool((np.abs(known) <= _SAME_MS).all()) and bool((np.abs(grown) <= _SAME_MS).all()):
        return "mobitz_2", f"{evidence}: it stays the same."
    return "unclear", f"{evidence}."


def _apart(facts: RhythmFacts) -> list[RhythmStatement]:
    """Atria and ventricles each regular, and independent."""
    if facts.atrial_cycle_s is None or facts.is_af or facts.is_flutter:
        return []
    ventricles_bpm = 60.0 / float(np.median(facts.rr_s))
    evidence = (
        f"P waves at {60.0 / facts.atrial_cycle_s:.0f}/min and QRS complexes at {ventricles_bpm:.0f}/min, each regular,"
        " keep no distance to each other."
    )
    text = "Complete atrioventricular block or dissociation is suspected; please confirm."
    if facts.is_paced.mean() > 0.5:
        text = "Complete atrioventricular block or dissociation beneath the paced beats is suspected; please confirm."
    return whole(facts, "av_dissociation", text, evidence, _BRADY_GUIDE)


AV_RULES: tuple[Callable[[RhythmFacts], list[RhythmStatement]], ...] = (_long_pr, _dropped, _apart)
