"""Supraventricular runs: beats of the usual shape that belong to a run though each alone is on time.

Which of the rules hold, and the shares of the first one, come with the trained model (see `RunRules`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.records import Array

_BEFORE_RUN, _LEAST_BEFORE, _SURE_RUN = 8, 3, 3  # beats
_RR_RANGE_S = (0.2, 3.0)

ONSET_BEATS, ONSET_SHARE = 4, 0.81
"""An abrupt onset: the mean of four RR is at most 81 % of the mean of the four before.

Source: the onset criterion of implanted defibrillators, which tells tachycardia from a sinus rate that rises gradually:
Swerdlow et al., J Am Coll Cardiol 1994, doi 10.1016/0735-1097(94)90376-X; four against four beats and 81 % are the
nominal setting of Medtronic's devices.
"""
TACHYCARDIA_S = 0.6
"""Source: ACC/AHA/HRS 2015, doi 10.1161/CIR.0000000000000311: tachycardia from 100/min, paroxysmal where it begins
abruptly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRules:
    """How beats are judged together; None and False leave a rule out."""

    kin_alike: float | None  # correlation of beats that are ventricular or not together
    early: float | None  # RR over the usual RR of the beat that begins a run
    still_fast: float  # the run lasts while RR is below this share
    abrupt: bool  # a rate that jumps begins a run


def with_runs(letters: Array, peaks_s: Array, patternless: Array, rules: RunRules) -> Array:
    """The letters, str (n_beats,), with the beats of supraventricular runs called S.

    `patternless` is bool (n_beats,): the beats in which nothing is early.
    """
    rr_s = np.clip(np.diff(peaks_s, prepend=peaks_s[:1]), *_RR_RANGE_S)
    found = letters.copy()
    if rules.early is not None:
        _early_runs(found, letters, rr_s, patternless, rules.early, rules.still_fast)
    if rules.abrupt:
        _abrupt_runs(found, rr_s, patternless)
    return found


def _undisturbed(letters: Array, stop: int) -> list[int]:
    """The last normal beats before `stop` that follow a normal one: no pause after an ectopic beat among their RR."""
    near = range(max(1, stop - 2 * _BEFORE_RUN), stop)
    return [k for k in near if letters[k] == "N" and letters[k - 1] == "N"][-_BEFORE_RUN:]


def _early_runs(found: Array, letters: Array, rr_s: Array, patternless: Array, early: float, still_fast: float) -> None:
    """A run begins with an early supraventricular beat and lasts until RR is back near what it was before."""
    for candidate in np.flatnonzero((letters == "S") & ~patternless):
        onset = int(candidate)
        before = _undisturbed(found, onset)
        usual_s = float(np.median(rr_s[before])) if len(before) >= _LEAST_BEFORE else 0.0
        if rr_s[onset] <= early * usual_s:
            fast = (rr_s[onset:] < still_fast * usual_s) & ~patternless[onset:] & np.isin(found[onset:], ("N", "S"))
            found[onset : onset + _length(fast)] = "S"


def _abrupt_runs(found: Array, rr_s: Array, patternless: Array) -> None:
    """A run begins where the rate of normal beats jumps, and lasts as long as the rate is that of a tachycardia."""
    if rr_s.size < 2 * ONSET_BEATS:
        return
    means_s = np.convolve(rr_s, np.full(ONSET_BEATS, 1.0 / ONSET_BEATS), "valid")
    before_s, now_s = means_s[:-ONSET_BEATS], means_s[ONSET_BEATS:]
    usual = np.isin(found, ("N", "S")) & ~patternless
    jumps = np.flatnonzero((now_s <= ONSET_SHARE * before_s) & (now_s <= TACHYCARDIA_S)) + ONSET_BEATS
    for jump in jumps.tolist():
        is_calm = bool((found[max(0, jump - ONSET_BEATS - 1) : jump] == "N").all())
        if not is_calm or not usual[jump - ONSET_BEATS : jump + ONSET_BEATS].all():
            continue
        sudden = rr_s[jump : jump + ONSET_BEATS] <= ONSET_SHARE * before_s[jump - ONSET_BEATS]
        first = jump + int(np.argmax(sudden))
        length = _length((rr_s[first:] <= TACHYCARDIA_S) & usual[first:])
        if length >= _SURE_RUN:
            found[first : first + length] = "S"


def _length(mask: Array) -> int:
    """How many entries are True before the first False."""
    return int(np.argmin(mask)) if not mask.all() else mask.size
