"""P waves that no QRS follows, and P waves that go their own way.

What a QRS and its T wave leave is looked at: the usual beat is taken away, and in the long intervals a wave of the
shape of the conducted P waves is looked for, where the next P wave is due. Where no P wave keeps a place before the QRS
and the ventricles are slow and regular, the rest is compared with itself one and two cycles later: atria that beat
on their own return at their own cycle.

Source: that second degree block shows as a P wave in time without a QRS, and third degree block as P waves and QRS
complexes each regular and independent, is in ACC/AHA/HRS 2018 bradycardia, doi 10.1161/CIR.0000000000000628. How such
waves are recognised, and all limits, are this project's own, set on phantoms and so that records without such a block
raise none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.ecg.waves import smooth, windows, without_baseline
from pipeline.records import Array, Delineation

_RATE_HZ = 125.0
_SIGMA_MS = 10.0
_BEAT_S = (-0.07, 0.60)  # around R, of the usual beat that is taken away
_NEXT_P_S = 0.30  # before the next R the usual beat ends: a conducted P wave is none of it
_MARGIN_S = 0.016  # beside the P wave's boundaries
_LONG_RR = 1.4  # times the usual RR, from which a beat may have been dropped
_FIRST_S, _LAST_S = 0.16, 0.10  # after R, and before the conducted P wave: where a blocked one may lie
_TIMING = 0.2  # of the atrial cycle: how far from its time a blocked P wave may lie; an early one is an ectopic
_LEAST_ALIKE, _LEAST_ALIKE_HALF = 0.8, 0.85
_GAIN, _GAIN_HALF = (0.5, 1.8), (0.6, 1.6)
_LEAST_P_SHARE = 0.5  # of the normal beats that must show a P wave, for its shape to be known
_LEAST_BEATS = 4
_NEIGHBOURS = 8  # intervals that make up the usual RR
_LEAST_OF_OVERALL = 0.9  # it is no less than this share of the record's, or a run would make the next beat late
_MISSED_BEAT = 0.4  # of the size of an R wave: what is larger in a gap is a beat that was missed
_SLOW_RR_S = 0.85  # two to one block: the atria beat at 140/min at most
_STEADY_RR = 0.12
_MOST_BLOCKED = 9
_OWN_CYCLES_S = np.arange(0.45, 1.2, 0.008)
_OWN_RR_S, _OWN_SPREAD = 0.75, 0.1  # ventricles of a complete block, escaping or paced: slow and regular
_OWN_ALIKE = 0.42
_P_BAND_HZ = (1.5, 12.0)
_BLANK_S = (0.08, 0.12)


@dataclass(frozen=True, slots=True)
class _Trace:
    """Known leads at about 125 Hz, the usual beats taken away, and R and P in its steps."""

    level: Array  # (n_leads, n_steps)
    rest: Array
    beats: Array
    rate_hz: float


def blocked_p_waves(
    signal_mv: Array, sampling_rate_hz: float, peaks: Array, classes: Array, delineation: Delineation
) -> Array:
    """Number of P waves without a QRS between each beat and the next.

    Parameters
    ----------
    signal_mv
        float (n_leads, n_samples), mV; NaN where missing or not usable.
    peaks
        int (n_beats,); `classes` are their letters, `delineation` their boundaries.

    Returns
    -------
    uint8 (n_beats,); all 0 where the shape of the P waves is not known.
    """
    blocked = np.zeros(peaks.size, np.uint8)
    normal = classes == "N"
    onset, width = _p_places(delineation, normal)
    seen = normal & np.isfinite(onset)
    if peaks.size < _LEAST_BEATS or seen.sum() < max(3.0, _LEAST_P_SHARE * float(normal.sum())):
        return blocked
    trace = _trace(signal_mv, sampling_rate_hz, peaks, normal)
    if trace is None:
        return blocked
    starts = (
        np.where(np.isfinite(onset), onset, peaks + np.median(onset[seen] - peaks[seen])) - _MARGIN_S * sampling_rate_hz
    )
    starts = np.round(starts / sampling_rate_hz * trace.rate_hz).astype(np.int64)
    n_steps = round((width / sampling_rate_hz + 2.0 * _MARGIN_S) * trace.rate_hz)
    template = np.median(_flat(windows(trace.level, starts[seen, None] + np.arange(n_steps))), axis=1)
    rr = np.diff(trace.beats)
    usual = _usual_rr(rr, normal)
    between = normal[:-1] & normal[1:]
    for i in np.flatnonzero(between & (rr >= _LONG_RR * usual)):
        blocked[i] = _in_gap(trace, template, starts[i : i + 2], int(i), float(usual[i]))
    steady = between & (np.abs(rr - usual) <= _STEADY_RR * usual) & (rr >= _SLOW_RR_S * trace.rate_hz)
    t_end = _t_ends(delineation, peaks) / sampling_rate_hz * trace.rate_hz
    half_way = _half_way(trace, template, starts, t_end, np.flatnonzero(steady))
    if half_way.sum() >= max(3.0, 0.7 * float(steady.sum())):
        blocked[np.flatnonzero(steady)[half_way]] = 1
    return blocked


def _p_places(delineation: Delineation, normal: Array) -> tuple[Array, float]:
    """Onset of each beat's P wave over the leads, float64 (n_beats,), NaN where there is none; the usual width."""
    onset, width = np.full(normal.size, np.nan), 0.0
    known = np.isfinite(delineation.p_on).any(axis=0)
    if known.any():
        onset[known] = np.nanmedian(delineation.p_on[:, known], axis=0)
        width = float(np.median(np.nanmedian(delineation.p_off[:, known], axis=0) - onset[known]))
    return onset, width


def _t_ends(delineation: Delineation, peaks: Array) -> Array:
    """End of each beat's T wave over the leads, float64 (n_beats,); the R peak where there is none."""
    ends = peaks.astype(np.float64)
    known = np.isfinite(delineation.t_off).any(axis=0)
    if known.any():
        ends[known] = np.nanmedian(delineation.t_off[:, known], axis=0)
    return ends


def _trace(signal_mv: Array, sampling_rate_hz: float, peaks: Array, normal: Array) -> _Trace | None:
    known = np.isfinite(signal_mv).mean(axis=1) > 0.9
    step = max(1, round(sampling_rate_hz / _RATE_HZ))
    rate_hz, n_steps = sampling_rate_hz / step, signal_mv.shape[1] // step
    if not known.any() or n_steps < rate_hz:
        return None
    thin = np.nan_to_num(signal_mv[known][:, : n_steps * step]).reshape(int(known.sum()), n_steps, step).mean(axis=2)
    level = smooth(without_baseline(thin, rate_hz), _SIGMA_MS, rate_hz)
    beats = np.minimum(peaks // step, n_steps - 1)  # the last samples may not fill a step
    return _Trace(level, _without_beats(level, beats, rate_hz, normal), beats, rate_hz)


def _without_beats(level: Array, beats: Array, rate_hz: float, normal: Array) -> Array:
    """Take the median QRS and T away from every beat, as far as the next P wave may begin."""
    grid = np.arange(int(_BEAT_S[0] * rate_hz), int(_BEAT_S[1] * rate_hz))
    following = np.concatenate([beats[1:], [level.shape[1] + int(_NEXT_P_S * rate_hz)]])
    room = (following - beats)[:, None] - int(_NEXT_P_S * rate_hz) > grid[None, :]
    parts = windows(level, beats[:, None] + grid[None, :])
    parts[:, ~room] = np.nan
    chosen = parts[:, normal]
    usual = np.zeros((level.shape[0], grid.size))
    seen = np.isfinite(chosen[0]).sum(axis=0) >= 3
    usual[:, seen] = np.nanmedian(chosen[:, :, seen], axis=1)
    rest = level.copy()
    for beat, fits in zip(beats, room, strict=True):
        places = beat + grid[fits]
        inside = (places >= 0) & (places < level.shape[1])
        rest[:, places[inside]] -= usual[:, fits][:, inside]
    return rest


def _usual_rr(rr: Array, normal: Array) -> Array:
    """Median of the intervals around each, of those between normal beats; float64 (n_intervals,)."""
    between = normal[:-1] & normal[1:]
    overall = float(np.median(rr[between])) if between.any() else float(np.median(rr))
    usual = np.full(rr.size, overall)
    for i in range(rr.size):
        near = slice(max(0, i - _NEIGHBOURS // 2), i + _NEIGHBOURS // 2 + 1)
        values = rr[near][between[near]]
        if values.size >= 3:
            usual[i] = max(float(np.median(values)), _LEAST_OF_OVERALL * overall)
    return usual


def _flat(parts: Array) -> Array:
    """Windows without the straight line from their first to their last step."""
    share = np.linspace(0.0, 1.0, parts.shape[-1])
    return np.asarray(parts - (parts[..., :1] * (1.0 - share) + parts[..., -1:] * share))


def _match(level: Array, template: Array, starts: Array) -> tuple[Array, Array]:
    """Likeness to the template over all leads and gain of the windows that begin at `starts`, (n,) each."""
    parts = _flat(windows(level, starts[:, None] + np.arange(template.shape[1])))
    product = np.einsum("lns,ls->n", parts, template)
    energy = float(np.sum(template**2)) + 1e-12
    return product / np.sqrt(np.sum(parts**2, axis=(0, 2)) * energy + 1e-12), product / energy


def _in_gap(trace: _Trace, template: Array, own: Array, number: int, cycle: float) -> int:
    """P waves in time between a beat and the next; `own` are the starts of the two beats' conducted ones."""
    first = trace.beats[number] + int(_FIRST_S * trace.rate_hz)
    last = int(own[1]) - int(_LAST_S * trace.rate_hz)
    due, found = float(own[0]), 0
    if last <= first or _size(trace.rest[:, first:last]).max() > _MISSED_BEAT * np.median(
        _size(trace.level[:, trace.beats])
    ):
        return 0
    while found < _MOST_BLOCKED and (due := due + cycle) - _TIMING * cycle <= last:
        starts = np.arange(max(first, int(due - _TIMING * cycle)), min(last, int(due + _TIMING * cycle)) + 1)
        if starts.size == 0:
            break
        alike, gain = _match(trace.rest, template, starts)
        best = int(alike.argmax())
        if alike[best] < _LEAST_ALIKE or not _GAIN[0] <= gain[best] <= _GAIN[1]:
            break
        found, due = found + 1, float(starts[best])
    return found


def _size(level: Array) -> Array:
    """Size over all leads of (n_leads, n_steps)."""
    return np.asarray(np.sqrt(np.sum(level**2, axis=0)))


def _half_way(trace: _Trace, template: Array, starts: Array, t_end: Array, numbers: Array) -> Array:
    """Bool (n,): a P wave lies half-way between the conducted ones of a beat and the next.

    Looked for in the trace itself: a wave that keeps its place in every beat is part of the usual one. It must begin
    where the T wave has ended, since a T wave may look like a P wave.
    """
    found = np.zeros(numbers.size, bool)
    reach = max(1, int(0.03 * trace.rate_hz))
    for place, i in enumerate(numbers):
        middle = (starts[i] + starts[i + 1]) // 2
        if middle - reach < trace.beats[i] + int(_FIRST_S * trace.rate_hz):
            continue
        around = np.arange(middle - 4 * reach, middle + 4 * reach + 1)
        alike, gain = _match(trace.level, template, around)
        best = int(alike.argmax())
        near = abs(int(around[best]) - int(middle)) <= reach and around[best] + reach >= t_end[i]
        found[place] = near and alike[best] >= _LEAST_ALIKE_HALF and _GAIN_HALF[0] <= gain[best] <= _GAIN_HALF[1]
    return found


def own_atrial_cycle_s(signal_mv: Array, sampling_rate_hz: float, peaks: Array, classes: Array) -> float | None:
    """Cycle of atria that beat independently of slow, regular ventricles; None where nothing of the kind shows."""
    rr_s = np.diff(peaks) / sampling_rate_hz
    if rr_s.size < _LEAST_BEATS - 1 or float(np.median(rr_s)) < _OWN_RR_S:
        return None
    usual_s = float(np.median(rr_s))
    if float(np.percentile(rr_s, 90) - np.percentile(rr_s, 10)) > _OWN_SPREAD * usual_s:
        return None
    normal = np.ones(peaks.size, bool) if not (classes == "N").any() else classes == "N"
    trace = _trace(signal_mv, sampling_rate_hz, peaks, normal)
    if trace is None:
        return None
    seen = np.ones(trace.rest.shape[1], bool)
    for beat in trace.beats:
        seen[max(0, beat - int(_BLANK_S[0] * trace.rate_hz)) : beat + int(_BLANK_S[1] * trace.rate_hz)] = False
    return _best_cycle_s(_likeness(_p_band(trace, seen), seen), trace.rate_hz, usual_s)


def _p_band(trace: _Trace, seen: Array) -> Array:
    """The rest outside the QRS complexes in the band of P waves."""
    from scipy.signal import butter, sosfiltfilt

    band = butter(2, _P_BAND_HZ, "band", fs=trace.rate_hz, output="sos")
    return np.asarray(sosfiltfilt(band, np.where(seen, trace.rest, 0.0), axis=1))


def _likeness(rest: Array, seen: Array) -> Array:
    """Likeness of the seen rest to itself at every lag, over all leads together, (n_lags,)."""
    weight = seen.astype(np.float64)
    centred = (rest - rest[:, seen].mean(axis=1, keepdims=True)) * weight
    length = 2 * rest.shape[1]
    own = np.fft.rfft(centred, length)
    power, mask = np.fft.rfft(centred**2, length), np.fft.rfft(weight, length)
    n_lags = rest.shape[1] // 2

    def back(spectrum: Array) -> Array:
        return np.asarray(np.fft.irfft(spectrum, length)[..., :n_lags])

    energy = back(np.conj(power) * mask).sum(axis=0) * back(power * np.conj(mask)).sum(axis=0)
    return np.asarray(back(np.abs(own) ** 2).sum(axis=0) / np.sqrt(np.maximum(energy, 1e-18)))


def _best_cycle_s(alike: Array, rate_hz: float, usual_rr_s: float) -> float | None:
    reach = max(1, int(0.04 * rate_hz))
    best, cycle_s = _OWN_ALIKE, None
    for candidate_s in _OWN_CYCLES_S:
        ratio = usual_rr_s / candidate_s
        if ratio < 1.2 or abs(ratio - round(ratio)) < 0.06:  # in step with the ventricles: nothing independent
            continue
        lags = [round(k * candidate_s * rate_hz) for k in (1, 2, 3)]
        if lags[-1] + reach >= alike.size:
            continue
        peaks = [float(alike[lag - reach : lag + reach + 1].max()) for lag in lags]
        half = float(alike[round(1.5 * candidate_s * rate_hz)])
        strength = min(peaks[:2]) - max(half, 0.0)
        if strength > best and peaks[2] > 0.0:
            best, cycle_s = strength, float(candidate_s)
    return cycle_s
