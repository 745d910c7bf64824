"""Where the beats come from: sinus node, another place in the atria, or the junction; stretch by stretch.

Source: that P waves of the sinus node point down and to the left, a P axis of 0 to 75 degrees, is the common teaching
(confirm); that a junctional rhythm is regular and narrow without a P wave before it is in ACC/AHA/HRS 2018
bradycardia, doi 10.1161/CIR.0000000000000628. The shares, lengths and the wide margin of the axis are this project's
own.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.ecg.intervals import WIDE_QRS_MS
from pipeline.ecg.rhythm_facts import LEAST_P_SHARE, RhythmFacts, lasting_runs, stretch
from pipeline.ecg.waves import running_mean
from pipeline.records import Array, RhythmStatement

_AXIS_GUIDE = "P axis of sinus beats 0 to 75 degrees (confirm)"
_RATE_GUIDE = "AHA/ACC/HRS rate limits of adults at rest: 60 and 100/min (confirm)"
_JUNCTION_GUIDE = "ACC/AHA/HRS 2018 bradycardia, doi 10.1161/CIR.0000000000000628"
_SHARE_BEATS = 15
_UPWARD_DEG = (-150.0, -30.0)  # P waves that point up: from low in the atria
_SHORT_PR_MS = 120.0
_UPRIGHT_MV = 0.03  # a P wave this much upright in II does not point up, whatever its axis
_JUNCTION_BEATS, _JUNCTION_P_SHARE, _JUNCTION_SPREAD = 8, 0.1, 0.1
_JUNCTION_BPM = (35.0, 130.0)
_NARROW_MS = 110.0


def is_sinus(facts: RhythmFacts) -> Array:
    """Bool (n_beats,): around this beat most normal beats follow a P wave; neither fibrillation nor flutter."""
    normal = facts.classes == "N"
    if not normal.any():
        return np.zeros(normal.size, bool)
    with_p, of_all = (running_mean(flags.astype(np.float64), _SHARE_BEATS) for flags in (facts.has_p & normal, normal))
    share = with_p / np.maximum(of_all, 1e-9)
    around = running_mean((facts.af_beats | facts.in_flutter).astype(np.float64), 1)
    return np.asarray((share >= LEAST_P_SHARE) & (around < 0.5))


def _sinus(facts: RhythmFacts) -> list[RhythmStatement]:
    """Sinus rhythm, or another atrial rhythm where the P waves point up."""
    upward = _points_up(facts)
    normal, found = facts.classes == "N", []
    for first, last in lasting_runs(is_sinus(facts), _SHARE_BEATS):
        inside = slice(first, last + 1)
        p_share = float(facts.has_p[inside][normal[inside]].mean()) if normal[inside].any() else 0.0
        evidence = f"A repeating P wave precedes {100 * p_share:.0f} % of the normal beats"
        if upward is None:
            statement = ("sinus", "Sinus rhythm is likely.", f"{evidence}.", _RATE_GUIDE)
        else:
            statement = ("ectopic_atrial", upward[0], f"{evidence}; {upward[1]}.", _AXIS_GUIDE)
        found.append(stretch(facts, (first, last), *statement))
    return found


def _points_up(facts: RhythmFacts) -> tuple[str, str] | None:
    """Text and evidence of P waves that point up; None where they point down or nothing is known."""
    axis_deg = facts.p_axis_deg
    if axis_deg is None or not _UPWARD_DEG[0] <= axis_deg <= _UPWARD_DEG[1]:
        return None
    if facts.p_ii_mv is None or facts.p_ii_mv > _UPRIGHT_MV:
        return None
    evidence = f"P axis {axis_deg:.0f}°, P in II {facts.p_ii_mv:.2f} mV"
    if facts.pr_ms is not None and facts.pr_ms < _SHORT_PR_MS:
        text = "A junctional or low atrial rhythm is suspected: the P waves point up; please confirm."
        return text, f"{evidence}, PR {facts.pr_ms:.0f} ms"
    return "An ectopic atrial rhythm is suspected: the P waves point up; please confirm.", evidence


def _junctional(facts: RhythmFacts) -> list[RhythmStatement]:
    """Regular narrow beats without any P wave before them."""
    if facts.qrs_ms is None or facts.qrs_ms >= WIDE_QRS_MS or facts.atrial_cycle_s is not None:
        return []
    plain = (facts.classes == "N") & ~facts.af_beats & ~facts.in_flutter & ~facts.is_paced
    window = min(_JUNCTION_BEATS, plain.size)
    silent = running_mean(facts.has_p.astype(np.float64), window | 1) <= _JUNCTION_P_SHARE
    found = []
    for first, last in lasting_runs(plain & silent, _JUNCTION_BEATS):
        if last - first + 1 < _JUNCTION_BEATS:
            continue
        rr_s = np.diff(facts.peaks_s[first : last + 1])
        usual_s = float(np.median(rr_s))
        steady = float(np.percentile(rr_s, 90) - np.percentile(rr_s, 10)) <= _JUNCTION_SPREAD * usual_s
        if not steady or not _JUNCTION_BPM[0] <= 60.0 / usual_s <= _JUNCTION_BPM[1] or facts.qrs_ms > _NARROW_MS:
            continue
        text = "A junctional rhythm is possible: regular narrow beats without a P wave in sight; please confirm."
        evidence = (
            f"No repeating P wave before {last - first + 1} beats at {60.0 / usual_s:.0f}/min, "
            f"QRS {facts.qrs_ms:.0f} ms, RR steady to {100 * _JUNCTION_SPREAD:.0f} %."
        )
        found.append(stretch(facts, (first, last), "junctional", text, evidence, _JUNCTION_GUIDE))
    return found


ATRIAL_RULES: tuple[Callable[[RhythmFacts], list[RhythmStatement]], ...] = (_sinus, _junctional)
