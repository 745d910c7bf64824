"""End-diastole and end-systole of every beat, from R waves where the clip has them, else from the volume curve.

Differs from the guideline's definition by mitral leaflet motion (Lang et al. 2015): end-diastole is the frame
of the largest and end-systole of the smallest cavity, which the guideline names as the alternative.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from pipeline.echo.periodic_fit import periodic_fit
from pipeline.echo.steadiness import leaps, local_parabolas, repeat_period_s, step_s, window_s
from pipeline.records import Array, EchoBeat

SMALLEST_AMPLITUDE = 0.06
"""Part of the largest volume; a curve that moves less does not show a beating ventricle."""
NOISE_FACTOR = 7.0
"""Smoothed noise alone spans about 5 times its own scatter around the smoothed curve."""
PROMINENCE = 0.40
SHORTEST_CYCLE_S, LONGEST_CYCLE_S = 0.27, 2.5
LONGEST_STEP_S = 0.12
"""Between two frames: a systole of 0.3 s then still holds two or three of them."""
SHORTEST_SYSTOLE_S, LONGEST_SYSTOLE_S = 0.08, 0.6
R_BEFORE_S, R_AFTER_S = 0.08, 0.12
"""End-diastole is looked for this far around an R wave: the largest volume comes with the QRS."""
EDGE_S, EDGE_DROP = 1 / 30, 0.10
"""A clip that starts at end-diastole starts flat: within this time it loses less than this part of the amplitude.

A clip that ends at end-systole ends flat in the same sense; what is missed then is below 5 % of the amplitude."""
EDGE_LEVEL = 0.05
MOVE_S = 0.1
"""The summit of one noisy beat lies this near that of all beats together."""
FLAT_PART = 0.004
"""A ventricle fills slowly and empties fast: of frames that differ by less than this part of the range, the last one
is end-diastole, before the contraction; of those that differ by half of it the first one is end-systole, after it."""
TAIL_PART = 0.5
"""A fall after the last valley counts as a systole when it is this part of the curve's range."""
LARGEST_EF_PCT = 90.0
OTHER_VOLUME = 0.40

NO_BEAT = "The clip shows no complete beat."
TOO_SLOW = "The clip has too few frames a second to show end-diastole and end-systole."
TOO_SHORT = "The clip is too short to hold a beat."
NOT_BEATING = "The ventricle does not visibly beat in this clip."
STARTS_INSIDE = "The clip starts inside this beat."
ENDS_INSIDE = "The clip ends inside this beat."


@dataclass(frozen=True, slots=True, kw_only=True)
class CardiacCycle:
    """The beats of one volume curve; `reason` says why there is none that counts."""

    smoothed: Array  # float64 (n_frames,)
    beats: tuple[EchoBeat, ...]
    heart_rate_bpm: float | None
    outliers_idx: tuple[int, ...]
    reason: str | None

    @property
    def included(self) -> tuple[EchoBeat, ...]:
        return tuple(beat for beat in self.beats if beat.excluded is None)


def find_cycle(volumes: Array, times_s: Array, r_wave_times_s: tuple[float, ...] = ()) -> CardiacCycle:
    """Find the beats of a clip.

    Parameters
    ----------
    volumes : float64 (n_frames,)
        Any unit; NaN where a frame has no cavity.
    times_s : float64 (n_frames,)
    r_wave_times_s : tuple of float
        On the same clock; used when at least one lies in the clip and they are a heart's distance apart.

    Returns
    -------
    CardiacCycle
        Never raises for a poor clip: `reason` then says why no beat counts.
    """
    curve, outliers = without_outliers(volumes, times_s)
    if np.count_nonzero(np.isfinite(curve)) < 5 or len(curve) < 5:
        return _nothing(volumes, TOO_SHORT, outliers)
    if times_s[-1] - times_s[0] < SHORTEST_CYCLE_S:
        return _nothing(volumes, TOO_SHORT, outliers)
    if step_s(times_s) > LONGEST_STEP_S:
        return _nothing(volumes, TOO_SLOW, outliers)
    filled = interpolated(curve, times_s)
    r_waves = usable_r_waves(r_wave_times_s, times_s)
    smoothed = smooth(filled, times_s, period_of(curve, times_s, r_waves))
    if not _beats_visibly(filled, smoothed):
        return _nothing(smoothed, NOT_BEATING, outliers)
    beats = _beats_from_r(smoothed, times_s, r_waves) if len(r_waves) else _beats_from_curve(smoothed, times_s)
    beats = beats if len(r_waves) else _told_by_all(beats, filled, times_s)
    return cycle_of_beats(beats, filled, smoothed, times_s, r_waves, outliers)


def cycle_of_beats(
    beats: Sequence[EchoBeat],
    filled: Array,
    smoothed: Array,
    times_s: Array,
    r_waves: Array,
    outliers: tuple[int, ...],
    *,
    believed_idx: Collection[int] = (),
) -> CardiacCycle:
    """Value and judge beats whose frames are known, on a curve without gaps, float64 (n_frames,).

    A beat whose end-diastole is one of `believed_idx` counts however far it is from the others, and however late the
    clip ends after it.
    """
    valued = [_valued(beat, filled) for beat in beats]
    each = tuple(_judged(beat, times_s, is_believed=beat.ed_idx in believed_idx) for beat in valued)
    judged = _without_strangers(each, believed_idx)
    included = [beat for beat in judged if beat.excluded is None]
    return CardiacCycle(
        smoothed=smoothed,
        beats=judged,
        heart_rate_bpm=_rate_from_r(r_waves) or _rate_from_beats(judged, times_s),
        outliers_idx=outliers,
        reason=None if included else _shared_reason(judged),
    )


def period_of(curve: Array, times_s: Array, r_waves: Array) -> float | None:
    """Length of the cycle in s that decides how far the curve is smoothed; None where none is seen."""
    return float(np.median(np.diff(r_waves))) if len(r_waves) > 1 else repeat_period_s(curve, times_s)


def _nothing(curve: Array, reason: str, outliers: tuple[int, ...]) -> CardiacCycle:
    return CardiacCycle(smoothed=curve.copy(), beats=(), heart_rate_bpm=None, outliers_idx=outliers, reason=reason)


def _shared_reason(beats: tuple[EchoBeat, ...]) -> str:
    reasons = {beat.excluded for beat in beats if beat.excluded}
    return reasons.pop() if len(reasons) == 1 else NO_BEAT


def without_outliers(volumes: Array, times_s: Array) -> tuple[Array, tuple[int, ...]]:
    """The curve with NaN where a single frame leaps out of its neighbourhood, and those frames."""
    curve = np.array(volumes, float)
    found = leaps(curve, times_s)
    curve[list(found)] = np.nan
    return curve, found


def interpolated(curve: Array, times_s: Array) -> Array:
    """The curve with its gaps bridged in time; at least one value is needed."""
    known = np.flatnonzero(np.isfinite(curve))
    return np.interp(times_s, times_s[known], curve[known])


def smooth(curve: Array, times_s: Array, period_s: float | None = None) -> Array:
    """Local parabolas over about a fifth of the cycle, which keep the height of end-diastole and end-systole."""
    return local_parabolas(curve[:, None], times_s, window_s(period_s))[:, 0]


def _beats_visibly(curve: Array, smoothed: Array) -> bool:
    amplitude = float(np.ptp(smoothed))
    noise = 1.4826 * float(np.median(np.abs(curve - smoothed)))
    return amplitude >= SMALLEST_AMPLITUDE * float(smoothed.max()) > 0 and amplitude >= NOISE_FACTOR * noise


def usable_r_waves(r_wave_times_s: tuple[float, ...], times_s: Array) -> Array:
    """The R waves of the clip in order, float64 (n,); none where they are no heart's distance apart."""
    inside = np.sort([t for t in r_wave_times_s if times_s[0] - R_AFTER_S <= t <= times_s[-1]])
    gaps = np.diff(inside)
    plausible = not len(gaps) or (gaps.min() >= SHORTEST_CYCLE_S and gaps.max() <= LONGEST_CYCLE_S)
    return inside if plausible else np.zeros(0)


def _beats_from_r(curve: Array, times_s: Array, r_waves: Array) -> list[EchoBeat]:
    diastoles = []
    for r in r_waves:
        near = np.flatnonzero((times_s >= r - R_BEFORE_S) & (times_s <= r + R_AFTER_S))
        if len(near):
            diastoles.append(int(near[np.argmax(curve[near])]))
    last = len(curve) - 1
    beats = []
    for ed, following in zip(diastoles, [*diastoles[1:], None], strict=True):
        end = last if following is None else following
        systole = times_s[ed : end + 1] <= times_s[ed] + LONGEST_SYSTOLE_S
        es = ed + int(np.argmin(np.where(systole, curve[ed : end + 1], np.inf)))
        cut = following is None and es >= last - 1
        beats.append(_beat(ed, es, end, ENDS_INSIDE if cut else None))
    return [beat for beat in beats if beat.end_idx > beat.ed_idx]


def _beats_from_curve(curve: Array, times_s: Array) -> list[EchoBeat]:
    """One beat for each clear valley; the peaks between valleys are the end-diastoles."""
    systoles = _valleys(curve, times_s)
    if not systoles:
        return _tail(curve, times_s, 0, alone=True)
    bounds = [0, *systoles, len(curve) - 1]
    peaks = [a + int(np.argmax(curve[a : b + 1])) for a, b in pairwise(bounds)]
    beats = []
    for number, es in enumerate(systoles):
        ed, end = peaks[number], peaks[number + 1]
        amplitude = float(curve[ed] - curve[es])
        complete = number > 0 or _starts_at_diastole(curve, times_s, amplitude, peaks)
        reason = None if complete else STARTS_INSIDE
        if number + 1 == len(systoles):
            end = end if end < len(curve) - 2 else len(curve) - 1
        beats.append(_beat(ed, es, end, reason))
    alone = all(beat.excluded for beat in beats)
    return beats + _tail(curve, times_s, systoles[-1], alone=alone)


def _told_by_all(beats: list[EchoBeat], curve: Array, times_s: Array) -> list[EchoBeat]:
    """The beats with their frames moved to the near extremes of the curve that repeats, where the beats repeat."""
    rate_bpm = _rate_from_beats(tuple(beats), times_s)
    fit = None if rate_bpm is None else periodic_fit(curve, times_s, 60 / rate_bpm)
    if fit is None:
        return beats

    flat = FLAT_PART * float(np.ptp(fit))

    def diastole(i: int) -> int:
        near = np.flatnonzero(np.abs(times_s - times_s[i]) <= MOVE_S)
        return int(near[fit[near] >= fit[near].max() - flat][-1])

    def systole(i: int) -> int:
        near = np.flatnonzero(np.abs(times_s - times_s[i]) <= MOVE_S)
        return int(near[fit[near] <= fit[near].min() + flat / 2][0])

    last = len(curve) - 1
    moved = [
        replace(
            beat,
            ed_idx=diastole(beat.ed_idx),
            es_idx=systole(beat.es_idx),
            end_idx=last if beat.end_idx == last else diastole(beat.end_idx),
        )
        if beat.excluded is None
        else beat
        for beat in beats
    ]
    ordered = all(beat.ed_idx < beat.es_idx <= beat.end_idx for beat in moved)
    return moved if ordered else beats


def _tail(curve: Array, times_s: Array, start: int, *, alone: bool) -> list[EchoBeat]:
    """The beat whose systole the clip still shows but whose filling it does not: at most one.

    It counts when the clip ends after end-systole or, if it is the only one, flat at end-systole.
    """
    last = len(curve) - 1
    ed = start + int(np.argmax(curve[start:]))
    es = ed + int(np.argmin(curve[ed:]))
    amplitude = float(curve[ed] - curve[es])
    if es - ed < 2 or amplitude < TAIL_PART * float(np.ptp(curve)):
        return []
    if start == 0 and not _starts_at_diastole(curve, times_s, amplitude, [ed]):
        return [_beat(ed, es, last, STARTS_INSIDE)]
    before = int(np.searchsorted(times_s, times_s[es] - EDGE_S))
    flat = alone and curve[min(before, es - 1)] - curve[es] <= EDGE_DROP * amplitude
    return [_beat(ed, es, last, None if es < last - 1 or flat else ENDS_INSIDE)]


def _valleys(curve: Array, times_s: Array) -> list[int]:
    from scipy.signal import find_peaks

    step_s = float(np.median(np.diff(times_s)))
    reach = float(np.ptp(np.percentile(curve, [3, 97])))
    distance = max(1, round(SHORTEST_CYCLE_S / max(step_s, 1e-6)))
    found, _ = find_peaks(-curve, prominence=PROMINENCE * reach, distance=distance)
    return [int(i) for i in found]


def _starts_at_diastole(curve: Array, times_s: Array, amplitude: float, peaks: list[int]) -> bool:
    """Whether the first of a clip's peaks is an end-diastole and not just where the clip was cut."""
    ed, others = peaks[0], [i for i in peaks[1:] if i < len(curve) - 2]
    if ed >= 2:
        return True
    if others:
        return bool(curve[ed] >= float(np.median(curve[others])) - EDGE_LEVEL * amplitude)
    later = int(np.searchsorted(times_s, times_s[ed] + EDGE_S))
    return bool(curve[ed] - curve[later] <= EDGE_DROP * amplitude)


def _beat(ed: int, es: int, end: int, excluded: str | None) -> EchoBeat:
    return EchoBeat(ed_idx=ed, es_idx=es, end_idx=end, edv=None, esv=None, ef_pct=None, excluded=excluded)


def _valued(beat: EchoBeat, curve: Array) -> EchoBeat:
    """With the volumes of the two frames themselves: smoothing chose the frames, the contours give the numbers."""
    edv, esv = float(curve[beat.ed_idx]), float(curve[beat.es_idx])
    return replace(beat, edv=edv, esv=esv, ef_pct=100 * (edv - esv) / edv if edv > 0 else None)


def _judged(beat: EchoBeat, times_s: Array, *, is_believed: bool) -> EchoBeat:
    """The beat, excluded when a heart cannot do what it shows."""
    if beat.excluded is not None:
        return beat
    systole_s = times_s[beat.es_idx] - times_s[beat.ed_idx]
    cycle_s = times_s[beat.end_idx] - times_s[beat.ed_idx]
    ends_with_clip = beat.end_idx == len(times_s) - 1
    reason = None
    if beat.ef_pct is None or not 0 < beat.ef_pct <= LARGEST_EF_PCT or (beat.esv or 0.0) <= 0:
        reason = "The cavity's change in this beat is not plausible."
    elif not SHORTEST_SYSTOLE_S <= systole_s <= LONGEST_SYSTOLE_S:
        reason = "The time from end-diastole to end-systole is not plausible."
    elif (cycle_s > LONGEST_CYCLE_S and not (is_believed and ends_with_clip)) or (
        cycle_s < SHORTEST_CYCLE_S and not ends_with_clip
    ):
        reason = "The length of this beat is not plausible."
    return beat if reason is None else replace(beat, excluded=reason)


def _without_strangers(beats: tuple[EchoBeat, ...], believed_idx: Collection[int] = ()) -> tuple[EchoBeat, ...]:
    """Exclude a beat whose end-diastolic volume is far from that of the others."""
    volumes = [beat.edv for beat in beats if beat.excluded is None and beat.edv is not None]
    if len(volumes) < 3:
        return beats
    usual = float(np.median(volumes))
    reason = "The end-diastolic volume of this beat is far from that of the others."

    def strange(beat: EchoBeat) -> bool:
        if beat.ed_idx in believed_idx:
            return False
        return beat.excluded is None and beat.edv is not None and abs(beat.edv - usual) > OTHER_VOLUME * usual

    return tuple(replace(beat, excluded=reason) if strange(beat) else beat for beat in beats)


def _rate_from_r(r_waves: Array) -> float | None:
    return 60 / float(np.diff(r_waves).mean()) if len(r_waves) >= 2 else None


def _rate_from_beats(beats: tuple[EchoBeat, ...], times_s: Array) -> float | None:
    """From the intervals between end-systoles and between complete end-diastoles; None with fewer than two."""
    systoles = times_s[[beat.es_idx for beat in beats]]
    diastoles = times_s[[beat.ed_idx for beat in beats if beat.excluded != STARTS_INSIDE]]
    gaps = np.concatenate([np.diff(systoles), np.diff(diastoles)])
    if not len(gaps):
        return _rate_of_one(beats, times_s)
    period_s = float(gaps.mean())
    return 60 / period_s if SHORTEST_CYCLE_S <= period_s <= LONGEST_CYCLE_S else None


def _rate_of_one(beats: tuple[EchoBeat, ...], times_s: Array) -> float | None:
    whole = [beat for beat in beats if beat.excluded is None and beat.end_idx < len(times_s) - 1]
    return 60 / float(times_s[whole[0].end_idx] - times_s[whole[0].ed_idx]) if whole else None
