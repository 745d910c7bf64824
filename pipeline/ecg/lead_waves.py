"""Amplitudes and durations of the waves in each lead's median beat.

Source: what counts as a wave (20 uV, 6 ms) and that all amplitudes are taken from the level before the QRS follow the
CSE Working Party, Eur Heart J 1985, doi 10.1093/oxfordjournals.eurheartj.a061982 (confirm). We differ: 30 uV and 8 ms,
because the median of ten seconds still carries noise, and never less than twice that noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.ecg.median_beat import MedianBeat
from pipeline.records import Array, LeadWaves

ST_MS = 60.0
_LEVEL_MS = 20.0  # of the PR segment, just before the QRS
_LEAST_WAVE_MV, _LEAST_WAVE_MS = 0.03, 8.0
_NOISE_FACTOR = 2.0
_HALF_WIDTH = 1.96 * 1.2533  # of a median: 95 % of a bell curve
_MAD_TO_SD = 1.4826
_SECOND_PEAK = 0.8  # a notched R: a later peak this high counts as its peak
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class _Deflection:
    """A run of one sign inside the QRS; steps from the QRS onset, end excluded."""

    first: int
    last: int
    peak: int
    height_mv: float


def lead_waves(beat: MedianBeat, leads: Sequence[str]) -> tuple[LeadWaves, ...]:
    """Measure every lead that shows beats; none where the QRS has no boundaries.

    `leads` names the rows of the beat. Onset and end of the QRS are those over all leads.
    """
    onset, end = beat.first("qrs"), beat.last("qrs")
    if onset is None or end is None or end <= onset or onset < beat.steps(_LEVEL_MS):
        return ()
    clear = np.isfinite(beat.signal_mv).all(axis=1) & np.isfinite(beat.qrs_on)
    return tuple(_lead(beat, row, name, onset, end) for row, name in enumerate(leads) if clear[row])


def _lead(beat: MedianBeat, row: int, name: str, onset: int, end: int) -> LeadWaves:
    shape = beat.signal_mv[row]
    level_mv = float(np.median(shape[onset - beat.steps(_LEVEL_MS) : onset]))
    noise_mv = float(np.std(np.diff(shape[onset - beat.steps(_LEVEL_MS) : onset + 1])))
    found = _deflections(shape[onset:end] - level_mv, beat, noise_mv)
    named = _named(found)
    ms = 1000.0 / beat.sampling_rate_hz
    last_r = named.get("r2") or named.get("r")
    st_mv, interval = _st_level(beat, row, onset, end)
    return LeadWaves(
        lead=name,
        n_beats=beat.n_beats,
        p_mv=_p_mv(beat, row),
        t_mv=_t_mv(beat, row, level_mv),
        j_mv=round(float(shape[min(end, shape.size - 1)]) - level_mv, _DIGITS),
        st60_mv=st_mv,
        st60_interval_mv=interval,
        **{f"{wave}_mv": _height(named.get(wave)) for wave in ("q", "r", "s", "r2")},
        **{f"{wave}_ms": _duration_ms(named.get(wave), ms) for wave in ("q", "r", "s")},
        r_peak_ms=None if last_r is None else round(last_r.peak * ms, 1),
    )


def _height(wave: _Deflection | None) -> float | None:
    return None if wave is None else round(wave.height_mv, _DIGITS)


def _duration_ms(wave: _Deflection | None, ms: float) -> float | None:
    return None if wave is None else round((wave.last - wave.first) * ms, 1)


def _deflections(qrs_mv: Array, beat: MedianBeat, noise_mv: float) -> list[_Deflection]:
    """Runs of one sign that are tall and long enough to be waves, in their order."""
    least_mv = max(_LEAST_WAVE_MV, _NOISE_FACTOR * noise_mv)
    edges = np.flatnonzero(np.diff(np.concatenate([[0.0], np.sign(qrs_mv), [0.0]])))
    found: list[_Deflection] = []
    for first, last in pairwise(edges.tolist()):
        part = qrs_mv[first:last]
        peak = int(np.abs(part).argmax())
        if abs(part[peak]) < least_mv or last - first < beat.steps(_LEAST_WAVE_MS):
            continue
        if found and np.sign(found[-1].height_mv) == np.sign(part[peak]):
            first = found[-1].first  # a wave too small to count lay between the two
            part = qrs_mv[first:last]
            peak = int(np.abs(part).argmax())
            found.pop()
        if last == qrs_mv.size and abs(part[peak] - qrs_mv[-1]) < least_mv:
            continue  # the beginning of a raised or lowered ST segment
        height_mv = float(part[peak])
        found.append(_Deflection(first, last, first + _last_peak(np.abs(part), peak), height_mv))
    return found


def _last_peak(height: Array, peak: int) -> int:
    """Step of the last local maximum that is nearly as high as the highest."""
    inner = height[1:-1]
    is_top = (inner >= height[:-2]) & (inner > height[2:]) & (inner >= _SECOND_PEAK * height[peak])
    tops = np.flatnonzero(is_top) + 1
    return int(tops[-1]) if tops.size else peak


def _named(found: list[_Deflection]) -> dict[str, _Deflection]:
    """Q, R, S and R' by their order; a wholly negative complex is a Q (that is, QS)."""
    named: dict[str, _Deflection] = {}
    for wave in found:
        is_upright, has_r = wave.height_mv > 0, "r" in named
        name = {(True, False): "r", (True, True): "r2", (False, False): "q", (False, True): "s"}[is_upright, has_r]
        named.setdefault(name, wave)
    return named


def _p_mv(beat: MedianBeat, row: int) -> float | None:
    """Largest deflection of the P wave from the line between its ends."""
    if not (np.isfinite(beat.p_on[row]) and np.isfinite(beat.p_off[row])):
        return None
    first, last = max(0, round(beat.p_on[row])), round(beat.p_off[row])
    part = beat.signal_mv[row, first : last + 1]
    if part.size < 3:
        return None
    above = part - np.linspace(part[0], part[-1], part.size)
    return round(float(above[np.abs(above).argmax()]), _DIGITS)


def _t_mv(beat: MedianBeat, row: int, level_mv: float) -> float | None:
    if not (np.isfinite(beat.t_on[row]) and np.isfinite(beat.t_off[row])):
        return None
    part = beat.signal_mv[row, round(beat.t_on[row]) : round(beat.t_off[row]) + 1] - level_mv
    return round(float(part[np.abs(part).argmax()]), _DIGITS) if part.size else None


def _st_level(beat: MedianBeat, row: int, onset: int, end: int) -> tuple[float | None, tuple[float, float] | None]:
    """ST level 60 ms after the QRS, median over beats, and its interval; NaN-free."""
    step, width = end + beat.steps(ST_MS), beat.steps(4.0)
    if step + width >= beat.signal_mv.shape[1]:
        return None, None
    beats = beat.beats_mv[row]
    level_mv = np.median(beats[:, onset - beat.steps(_LEVEL_MS) : onset], axis=1)
    st_mv = np.median(beats[:, step - width : step + width + 1], axis=1) - level_mv
    centre = float(np.median(st_mv))
    if st_mv.size < 3:
        return round(centre, _DIGITS), None
    spread = _MAD_TO_SD * float(np.median(np.abs(st_mv - centre)))
    half = _HALF_WIDTH * spread / float(np.sqrt(st_mv.size))
    return round(centre, _DIGITS), (round(centre - half, _DIGITS), round(centre + half, _DIGITS))
