"""Statements about ectopic beats: how many there are, and the patterns that they make."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.ecg.rhythm_facts import RhythmFacts, part, runs, whole
from pipeline.records import Array, RhythmStatement

_GUIDE = "beat classes of ANSI/AAMI EC57; rules of this project"
_HOUR_S = 3600.0
_LONG_ENOUGH_S = 600.0  # from here on a burden for each hour means something
_LEAST_RUN = 3
_PATTERNS = (("bigeminy", 2, "second"), ("trigeminy", 3, "third"))
_PATTERN_TIMES = 3  # how often it must repeat: N V N V N V
_KINDS = (("V", "ventricular", "Ventricular"), ("S", "supraventricular", "Supraventricular"))


def ectopics(facts: RhythmFacts) -> list[RhythmStatement]:
    """How many ectopic beats there are."""
    n_v, n_s = int(np.sum(facts.classes == "V")), int(np.sum(facts.classes == "S"))
    if n_v + n_s == 0:
        return []
    evidence = f"{n_v} ventricular and {n_s} supraventricular beats among {facts.classes.size}."
    if facts.record_s >= _LONG_ENOUGH_S:
        hours = facts.record_s / _HOUR_S
        evidence += f" That is {n_v / hours:.0f} and {n_s / hours:.0f} an hour."
    return whole(facts, "ectopics", "There are ectopic beats.", evidence, _GUIDE)


def couplets_and_runs(facts: RhythmFacts) -> list[RhythmStatement]:
    """Ventricular couplets, and runs of three or more ectopic beats of one kind."""
    found = []
    for letter, word, title in _KINDS:
        for first, last in runs(facts.classes == letter):
            n, start, end = last - first + 1, facts.peaks_s[first], facts.peaks_s[last]
            if n >= _LEAST_RUN:
                rate_bpm = 60.0 * (n - 1) / float(end - start)
                text = f"{title} beats follow each other in a run; please confirm."
                evidence = f"{n} {word} beats in a row at {rate_bpm:.0f}/min."
                found.append(part(f"{word}_run", text, evidence, _GUIDE, start, end))
            elif n == 2 and letter == "V":
                evidence = "2 beats of another, wider shape in a row."
                text = "Two ventricular beats follow each other."
                found.append(part("ventricular_couplet", text, evidence, _GUIDE, start, end))
    return found


def patterns(facts: RhythmFacts) -> list[RhythmStatement]:
    """Bigeminy and trigeminy of either kind."""
    found = []
    for letter, word, _ in _KINDS:
        for name, period, ordinal in _PATTERNS:
            for first, last in _repeats(facts.classes == letter, period):
                evidence = f"Every {ordinal} of {last - first + 1} beats is {word}."
                start, end = facts.peaks_s[first], facts.peaks_s[last]
                text = f"There is {word} {name}."
                found.append(part(f"{word}_{name}", text, evidence, _GUIDE, start, end))
    return found


def _repeats(ectopic: Array, period: int) -> list[tuple[int, int]]:
    """(first, last) of stretches in which exactly every `period`-th beat is ectopic, often enough."""
    n = ectopic.size
    if n < period * _PATTERN_TIMES:
        return []
    held = np.lib.stride_tricks.sliding_window_view(ectopic, period).sum(axis=1) == 1
    return [(a, b + period - 1) for a, b in runs(held) if b - a + period >= period * _PATTERN_TIMES]


ECTOPY_RULES: tuple[Callable[[RhythmFacts], list[RhythmStatement]], ...] = (ectopics, couplets_and_runs, patterns)
