"""Electrodes that may have been exchanged on the patient: limb leads against P axis and V6, chest leads against order.

Exchanged limb electrodes keep Einthoven's relations, so they show only in what the heart would have to look like:
left and right arm exchanged turn lead I upside down, right arm and leg turn lead II, left arm and leg turn the P axis
upwards. Where the electrode of the right leg, the ground, lies on an arm, two of the others lie on legs, which have
nearly the same potential: the lead between them is nearly flat. Both leg electrodes exchanged change nothing that could
be seen. Chest leads next to each other look alike; an exchange of two of them breaks that order.

Source: the signs are those of AHA/ACC/HRS 2007 part I, doi 10.1161/CIRCULATIONAHA.106.180200, and of Abdollah and
Milliken, Am J Cardiol 1997, doi 10.1016/S0002-9149(97)00645-1 (left arm and leg; confirm). Comparing a lead with V6 and
neighbouring chest leads with each other by correlation is ours, as are the thresholds. docs/ecg.md gives detection rate
and false alarms. Dextrocardia and an atrial rhythm from low in the atrium look alike, and the text says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np

from pipeline.ecg.axis import frontal_axis
from pipeline.ecg.median_beat import MedianBeat
from pipeline.records import Array, Remark

_CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")
_LEVEL_MS = 20.0
_LATEST_MS = 350.0  # after the QRS, where no end of T is known
_ORDER_GAIN = 0.1  # sum of five correlations that an exchange of two leads must add
_NO_P_LIKENESS = -0.6  # without a P wave the QRS and T must speak more clearly
_WIDE_MS = 120.0
_ARMS_DEG, _LEG_DEG = (90.0, 180.0), (-180.0, -50.0)  # P axis when arms, or right arm and leg, are exchanged
_FLAT_SHARE, _OTHERS_MV = 0.1, 0.2  # a lead between two legs: of the others' size, which must be this large
_GROUNDS = ("both_grounds", "right_ground", "left_ground")  # flat are lead I, II, III
_LEFT_P_DEG, _LEFT_T_DEG = (-60.0, 5.0), 30.0  # P and T axis when left arm and leg are exchanged
_PAIRS: dict[str, str] = {
    "arms": "the left and right arm (or the heart lies to the right)",
    "right_leg": "the right arm and the left leg (or the atrial rhythm starts low)",
    "left_leg": "the left arm and the left leg (or the atrial rhythm starts low)",
    "right_ground": "the right arm and the right leg (lead II is nearly flat)",
    "left_ground": "the left arm and the right leg (lead III is nearly flat)",
    "both_grounds": "both arms with both legs (lead I is nearly flat)",
}


def limb_swap(beat: MedianBeat, leads: Sequence[str], *, ii_over_i: float = 1.0) -> str | None:
    """The pair of limb electrodes that may be exchanged, a key of the table above, or None.

    Needs the leads I, II and V6, for the ground two of I, II and III; `ii_over_i` as in `pipeline.ecg.limb_scales`.
    """
    place = {name: row for row, name in enumerate(leads) if np.isfinite(beat.signal_mv[row]).all()}
    part = _qrs_t(beat)
    if part is None:
        return None
    ground = _ground(part, place, ii_over_i)
    if ground is not None or not {"I", "II", "V6"} <= set(place):
        return ground
    one, two, six = (part[place[name]] for name in ("I", "II", "V6"))
    one_like, two_like = _likeness(one, six), _likeness(ii_over_i * two, six)
    p_axis = frontal_axis(beat, leads, "p", ii_over_i=ii_over_i)
    if p_axis is None:
        return _without_p(beat, one_like, two_like)
    p_deg = p_axis.angle_deg
    if one_like < 0.0 and (_ARMS_DEG[0] < p_deg <= _ARMS_DEG[1]):
        return "arms"
    if two_like < 0.0 and _LEG_DEG[0] <= p_deg < _LEG_DEG[1]:
        return "right_leg"
    t_axis = frontal_axis(beat, leads, "t", ii_over_i=ii_over_i)
    low_t = t_axis is not None and t_axis.angle_deg < _LEFT_T_DEG
    return "left_leg" if one_like > 0.0 and low_t and _LEFT_P_DEG[0] < p_deg < _LEFT_P_DEG[1] else None


def _ground(part: Array, place: dict[str, int], ii_over_i: float) -> str | None:
    """Which arm the ground may lie on: one of the leads I, II and III is nearly flat beside the two others."""
    given = {name: part[place[name]] for name in ("I", "II", "III") if name in place}
    if {"I", "II"} <= set(given):
        one, two = given["I"], ii_over_i * given["II"]
    elif {"I", "III"} <= set(given):
        one, two = given["I"], given["I"] + given["III"]
    elif {"II", "III"} <= set(given):
        one, two = given["II"] - given["III"], given["II"]
    else:
        return None
    sizes = np.ptp(np.stack([one, two, two - one]), axis=1)
    smallest = int(sizes.argmin())
    others = np.delete(sizes, smallest)
    return _GROUNDS[smallest] if others.min() >= _OTHERS_MV and sizes[smallest] < _FLAT_SHARE * others.min() else None


def _without_p(beat: MedianBeat, one_like: float, two_like: float) -> str | None:
    """Judge by QRS and T alone, and only a narrow QRS: pacing and bundle branch block turn leads over."""
    onset, end = beat.first("qrs"), beat.last("qrs")
    if onset is None or end is None or end - onset >= beat.steps(_WIDE_MS):
        return None
    if one_like < _NO_P_LIKENESS:
        return "arms"
    return "right_leg" if two_like < _NO_P_LIKENESS else None


def chest_swap(beat: MedianBeat, leads: Sequence[str]) -> tuple[str, str] | None:
    """Two chest leads whose exchange would make the row of chest leads much smoother, or None.

    Needs all six chest leads. Leads that are next to each other and alike anyway cannot be told apart.
    """
    place = {name: row for row, name in enumerate(leads) if np.isfinite(beat.signal_mv[row]).all()}
    part = _qrs_t(beat)
    if part is None or not set(_CHEST) <= set(place):
        return None
    shapes = part[[place[name] for name in _CHEST]]
    if not (shapes.std(axis=1) > 0.0).all():
        return None
    alike = np.corrcoef(shapes)
    usual = _smoothness(alike, range(6))
    best_gain, best = _ORDER_GAIN, None
    for first, second in combinations(range(6), 2):
        order = list(range(6))
        order[first], order[second] = second, first
        gain = _smoothness(alike, order) - usual
        if gain > best_gain:
            best_gain, best = gain, (_CHEST[first], _CHEST[second])
    return best


def swap_remarks(limb: str | None, chest: tuple[str, str] | None) -> tuple[Remark, ...]:
    """W_LIMB_SWAP and W_CHEST_ORDER, as far as they apply."""
    found = []
    if limb is not None:
        text = f"Two limb electrodes may be exchanged: {_PAIRS[limb]}. The axis is withheld."
        found.append(Remark(code="W_LIMB_SWAP", text=text))
    if chest is not None:
        text = f"The chest leads do not follow each other: {chest[0]} and {chest[1]} may be exchanged."
        found.append(Remark(code="W_CHEST_ORDER", text=text))
    return tuple(found)


def _qrs_t(beat: MedianBeat) -> Array | None:
    """QRS and T of the median beat above the level before the QRS, (n_leads, n_steps); None without boundaries."""
    onset, end = beat.first("qrs"), beat.last("qrs")
    if onset is None or end is None or onset < beat.steps(_LEVEL_MS):
        return None
    last = beat.last("t") or end + beat.steps(_LATEST_MS)
    level = np.median(beat.signal_mv[:, onset - beat.steps(_LEVEL_MS) : onset], axis=1)
    return np.asarray(beat.signal_mv[:, onset:last] - level[:, None])


def _likeness(lead: Array, other: Array) -> float:
    """Cosine between two leads over QRS and T; 0 where one is flat."""
    size = float(np.sqrt(np.sum(lead**2) * np.sum(other**2)))
    return float(np.sum(lead * other)) / size if size > 0.0 else 0.0


def _smoothness(alike: Array, order: Sequence[int]) -> float:
    return float(sum(alike[a, b] for a, b in pairwise(order)))
