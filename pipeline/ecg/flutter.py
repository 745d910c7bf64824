"""Atrial flutter: regular atrial waves at 204 to 360 a minute that go on whatever the ventricles do.

The QRS complexes are blanked, and the rest is looked at in two ways. First it is compared with itself one, two and
three flutter cycles later: with the usual beat, and after that was taken away. Second, a steady oscillation and its
first harmonic are fitted beside a curve that is the same after every beat; what share of the trace the oscillation
alone explains is high in flutter, and low in fibrillation, whose waves change their length. P waves are explained too
where RR is steady; so the fit is made again beside a curve that is the same before every beat as well.

Source: the rates of typical flutter are those of the 2023 ACC/AHA/ACCP/HRS atrial fibrillation guideline, doi
10.1161/CIR.0000000000001193; the measures and their limits are this project's own, chosen on three patients with
flutter among 150 of LUDB, on phantoms, and so that no stretch without flutter of the MIT-BIH Arrhythmia
Database's given half is called flutter. Flutter conducted two to one, all of its waves at the same places of the
beat, is found in four of ten phantoms only. docs/ecg.md gives the figures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pipeline.ecg.envelope import fill_gaps
from pipeline.records import Array

_WINDOW_S = 10.0
_RATE_HZ = 125.0
_BAND_HZ = (2.0, 20.0)
_BLANK_S = (0.06, 0.10)  # around R
_BEAT_S = (0.10, 0.45)  # around R, of the usual beat that is taken away
_NEXT_BEAT_S = 0.1  # before the next R the usual beat ends
_CYCLES_S = np.arange(0.167, 0.286, 0.002)
_STEPS = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0])  # cycles
_LEAST_BEATS = 5
_LEAST_STRENGTH, _LEAST_AFTER = 0.26, 0.15
_MOST_VENTRICULAR = 0.3  # share of ventricular beats beyond which waves are not the atria's
_LEAST_OVERLAP = 0.15
_FIT_HZ = np.arange(3.4, 6.01, 0.05)
_ONE_IN = 6  # stretches of steady beats that are looked at in a recording of many hours
_FAST_RR_S = 0.6
_SLOWER_HZ = np.arange(1.2, 3.2, 0.05)
_WIDE_BAND_HZ = (1.0, 20.0)
_HARMONICS = 2
_LOCKED_BEFORE_S = 0.3  # before R, of the second fit
_EDGE_S = 0.2  # of a stretch, where the filter rings
_MOST_ALIKE = 1e4  # condition of a fit beyond which oscillation and beat cannot be told apart
_UNSTEADY = 0.15  # spread of RR over its median from which P waves no longer pass for an oscillation
_LEAST_OVER_SLOWER = 3.0
_BESIDE = 0.6  # of that strength is enough beside a stretch of flutter
_UNSTEADY_SHARES, _STEADY_SHARES = (0.30, 0.10), (0.40, 0.42)  # least shares explained, of the first and second fit


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Known leads in the band of flutter at about 125 Hz, and what of them lies outside the QRS complexes."""

    level: Array  # (n_leads, n_steps)
    wide: Array  # (n_leads, n_steps), with what is slower than flutter
    beats: Array  # steps
    rate_hz: float
    seen: Array  # bool (n_steps,)


def flutter_beats(
    signal_mv: Array, sampling_rate_hz: float, peaks: Array, is_ventricular: Array, *, sparing: bool = False
) -> Array:
    """Whether each beat lies in a stretch of suspected atrial flutter.

    Parameters
    ----------
    signal_mv
        float (n_leads, n_samples), mV; NaN where a sample is missing.
    peaks
        int (n_beats,), ascending; `is_ventricular` is bool (n_beats,).

    sparing
        Look at one stretch a minute where the beats are steady and at most 100 a minute, and at their neighbours where
        it shows flutter: for recordings of many hours.

    Returns
    -------
    bool (n_beats,), decided in stretches of about 10 s; False where a stretch has fewer than five beats.
    """
    found = np.zeros(peaks.size, bool)
    n_windows = max(1, round(signal_mv.shape[1] / (_WINDOW_S * sampling_rate_hz)))
    edges = np.linspace(0, signal_mv.shape[1], n_windows + 1).astype(np.int64)
    window = np.clip(np.searchsorted(edges, peaks, side="right") - 1, 0, n_windows - 1)
    strength = np.full(n_windows, np.nan)

    def look(numbers: Iterable[int]) -> None:
        for number in numbers:
            inside = window == number
            strength[number] = 0.0
            if inside.sum() >= _LEAST_BEATS and is_ventricular[inside].mean() <= _MOST_VENTRICULAR:
                first, last = edges[number : number + 2]
                strength[number] = _strength(signal_mv[:, first:last], sampling_rate_hz, peaks[inside] - first)

    chosen = np.arange(n_windows) % (_ONE_IN if sparing else 1) == 0
    for number in np.flatnonzero(~chosen).tolist():
        chosen[number] = _is_lively(peaks[window == number], sampling_rate_hz)
    look(np.flatnonzero(chosen).tolist())
    near = np.convolve(np.nan_to_num(strength) >= 1.0, np.ones(2 * _ONE_IN + 1), "full")[_ONE_IN : _ONE_IN + n_windows]
    look(np.flatnonzero((near > 0) & np.isnan(strength)).tolist())
    strength = np.nan_to_num(strength)
    is_found = strength >= 1.0
    padded = np.pad(is_found, 1)
    beside = padded[:-2] | padded[2:]
    found[:] = (is_found | (beside & (strength >= _BESIDE)))[window]
    return found


def _is_lively(peaks: Array, sampling_rate_hz: float) -> bool:
    """Whether the beats of a stretch are unsteady or faster than 100 a minute."""
    rr_s = np.diff(peaks) / sampling_rate_hz
    if rr_s.size < _LEAST_BEATS - 1:
        return False
    usual_s = float(np.median(rr_s))
    return usual_s < _FAST_RR_S or float(np.percentile(rr_s, 90) - np.percentile(rr_s, 10)) > _UNSTEADY * usual_s


def _strength(signal_mv: Array, sampling_rate_hz: float, peaks: Array) -> float:
    """How clearly the waves of one stretch return in step or are explained by a steady oscillation; 1 decides."""
    stretch = _stretch(signal_mv, sampling_rate_hz, peaks)
    if stretch is None:
        return 0.0
    before, after = _in_step(stretch)
    together = float(np.sqrt(max(before, 0.0) * max(after, 0.0)))
    in_step = min(together / _LEAST_STRENGTH, after / _LEAST_AFTER)
    if in_step >= 1.0:
        return in_step
    rr = np.diff(peaks)
    unsteady = float(np.percentile(rr, 90) - np.percentile(rr, 10)) > _UNSTEADY * float(np.median(rr))
    first, second = _UNSTEADY_SHARES if unsteady else _STEADY_SHARES
    explained = _oscillating_share(stretch, 0.0) / first
    if explained < _BESIDE:
        return explained
    strength = min(explained, _oscillating_share(stretch, _LOCKED_BEFORE_S) / second)
    if strength < _BESIDE or not unsteady:
        return strength
    return min(strength, _over_slower(stretch) / _LEAST_OVER_SLOWER)


def atrial_periodicity(signal_mv: Array, sampling_rate_hz: float, peaks: Array) -> tuple[float, float]:
    """How well the atrial waves return in step, -1 to 1: with the usual beat, and after it was taken away.

    It is that of the second best lead, so that one lead's artefact is not enough; of the only one where there is one.
    """
    stretch = _stretch(signal_mv, sampling_rate_hz, peaks)
    return (0.0, 0.0) if stretch is None else _in_step(stretch)


def _in_step(stretch: _Stretch) -> tuple[float, float]:
    level, seen, rate_hz = stretch.level, stretch.seen, stretch.rate_hz
    return (
        _second_best(_periodicity(level, seen, rate_hz)),
        _second_best(_periodicity(_without_usual_beat(level, stretch.beats, rate_hz), seen, rate_hz)),
    )


def _oscillating_share(stretch: _Stretch, locked_before_s: float) -> float:
    """Largest share, 0 to 1, of the blanked trace over all leads that one steady oscillation explains.

    A curve that repeats after every R is taken away from trace and oscillations alike, which is the same as fitting
    both together; with `locked_before_s` also one that repeats before every R.
    """
    return float(_shares(stretch, stretch.level, (*_FIT_HZ,), _HARMONICS, locked_before_s).max())


def _over_slower(stretch: _Stretch) -> float:
    """Share that the best plain oscillation at the rate of flutter explains over that of the best slower one.

    P waves of a heart that drops beats repeat too, but at their own slow rate and all of its multiples.
    """
    shares = _shares(stretch, stretch.wide, (*_SLOWER_HZ, *_FIT_HZ), 1, 0.0)
    return float(shares[_SLOWER_HZ.size :].max() / max(shares[: _SLOWER_HZ.size].max(), 1e-6))


def _shares(
    stretch: _Stretch, level: Array, frequencies_hz: tuple[float, ...], harmonics: int, locked_before_s: float
) -> Array:
    """Share of the level that an oscillation of each frequency explains, float64 (n_frequencies,)."""
    seen, edge = stretch.seen.copy(), int(_EDGE_S * stretch.rate_hz)
    seen[:edge] = seen[-edge:] = False
    explained = np.zeros(len(frequencies_hz))
    repeating = _repeating(stretch.beats, level.shape[1], stretch.rate_hz, locked_before_s)[seen]
    if repeating.size == 0:
        return explained
    waves = _oscillations(level.shape[1], stretch.rate_hz, frequencies_hz, harmonics)[:, seen]
    rest, left = _without(level[:, seen].astype(np.float32), repeating), _without(waves, repeating)
    left = left.reshape(explained.size, -1, repeating.size)
    alike, shared = left @ left.transpose(0, 2, 1), left @ rest.T
    told_apart = np.linalg.cond(alike) < _MOST_ALIKE
    if told_apart.any():
        fits = np.linalg.solve(alike[told_apart], shared[told_apart])
        explained[told_apart] = np.sum(fits * shared[told_apart], axis=(1, 2))
    return explained / max(float(np.sum(rest**2)), 1e-12)


@lru_cache(maxsize=4)
def _oscillations(n_steps: int, rate_hz: float, frequencies_hz: tuple[float, ...], harmonics: int) -> Array:
    """Cosines and sines of every frequency and its harmonics, float32 (n_frequencies * 2 * harmonics, n_steps)."""
    turn = np.exp(2j * np.pi * np.arange(n_steps)[None, :] / rate_hz * np.array(frequencies_hz)[:, None])
    rows = [part for k in range(1, harmonics + 1) for part in ((turn**k).real, (turn**k).imag)]
    return np.stack(rows, axis=1).reshape(-1, n_steps).astype(np.float32)


def _repeating(beats: Array, n_steps: int, rate_hz: float, locked_before_s: float) -> Array:
    """Which step of the repeating curve each step of the trace is, int (n_steps,); 0 where it is free."""
    start, usual_rr = int(_BEAT_S[0] * rate_hz), float(np.median(np.diff(beats)))
    end = int(min(_BEAT_S[1] * rate_hz, usual_rr - _NEXT_BEAT_S * rate_hz))
    before = int(locked_before_s * rate_hz)
    number = np.zeros(n_steps, np.int64)
    for beat in beats:
        after = np.arange(beat + start, min(n_steps, beat + end))
        number[after] = after - beat
        ahead = np.arange(max(0, beat - before), beat)
        number[ahead] = ahead - beat + before + n_steps
    return number


def _without(rows: Array, number: Array) -> Array:
    """Rows (n_rows, n) without their mean at each number of (n,)."""
    from scipy.sparse import csr_matrix

    _, place, count = np.unique(number, return_inverse=True, return_counts=True)
    spread = csr_matrix((np.ones(place.size, np.float32), (np.arange(place.size), place)), (place.size, count.size))
    means = (spread.T @ rows.T) / count[:, None].astype(np.float32)
    return np.asarray(rows - (spread @ means).T)


def _stretch(signal_mv: Array, sampling_rate_hz: float, peaks: Array) -> _Stretch | None:
    """The stretch made ready; None without a lead that is known nearly throughout."""
    step = max(1, round(sampling_rate_hz / _RATE_HZ))
    rate_hz, n_steps = sampling_rate_hz / step, signal_mv.shape[1] // step
    known = np.isfinite(signal_mv).mean(axis=1) > 0.9
    if n_steps < rate_hz or not known.any() or peaks.size < 2:
        return None
    slow = fill_gaps(signal_mv[known])[:, : n_steps * step].reshape(int(known.sum()), n_steps, step).mean(axis=2)
    beats = peaks // step
    seen = np.ones(n_steps, bool)
    for beat in beats:
        seen[max(0, beat - int(_BLANK_S[0] * rate_hz)) : beat + int(_BLANK_S[1] * rate_hz)] = False
    return _Stretch(_band_passed(slow, rate_hz), _band_passed(slow, rate_hz, _WIDE_BAND_HZ), beats, rate_hz, seen)


def _second_best(strengths: Array) -> float:
    return float(np.sort(strengths)[-min(2, strengths.size)])


def _band_passed(level: Array, rate_hz: float, band_hz: tuple[float, float] = _BAND_HZ) -> Array:
    """Flutter waves and their first harmonics: zero phase, edges mirrored."""
    from scipy.signal import sosfiltfilt

    return np.asarray(sosfiltfilt(_band(rate_hz, band_hz), level, axis=1))


@lru_cache(maxsize=4)
def _band(rate_hz: float, band_hz: tuple[float, float]) -> Array:
    from scipy.signal import butter

    return np.asarray(butter(2, band_hz, "band", fs=rate_hz, output="sos"))


def _without_usual_beat(level: Array, beats: Array, rate_hz: float) -> Array:
    """Take the median beat away from every beat."""
    usual_rr = float(np.median(np.diff(beats)))
    before = int(_BEAT_S[0] * rate_hz)
    after = int(min(_BEAT_S[1] * rate_hz, usual_rr - _NEXT_BEAT_S * rate_hz))
    whole = beats[(beats >= before) & (beats + after < level.shape[1])]
    if after <= 0 or whole.size < 3:
        return level
    spots = whole[:, None] + np.arange(-before, after)[None, :]
    usual = np.median(level[:, spots], axis=1)
    rest = level.copy()
    for beat in whole:
        rest[:, beat - before : beat + after] -= usual
    return rest


def _periodicity(level: Array, seen: Array, rate_hz: float) -> Array:
    """Best over the cycle lengths: high after whole cycles, low after half ones, (n_leads,)."""
    alike = _self_likeness(level, seen)
    n_lags = alike.shape[1]
    lags = np.minimum(np.rint(_CYCLES_S[:, None] * _STEPS[None, :] * rate_hz).astype(np.int64), n_lags - 1)
    half, whole = alike[:, lags[:, ::2]], alike[:, lags[:, 1::2]]
    contrast = 0.5 * (whole.mean(axis=2) - half.mean(axis=2))
    return np.asarray(np.minimum(contrast, whole.min(axis=2)).max(axis=1))


def _self_likeness(level: Array, seen: Array) -> Array:
    """Correlation (n_leads, n_lags) of the seen samples with those a lag later; 0 where too few are seen."""
    weight = seen.astype(np.float64)
    centred = (level - level[:, seen].mean(axis=1, keepdims=True)) * weight
    length = 2 * level.shape[1]
    own, power, mask = (np.fft.rfft(part, length) for part in (centred, centred**2, weight))
    n_lags = level.shape[1] // 2

    def back(spectrum: Array) -> Array:
        return np.asarray(np.fft.irfft(spectrum, length)[..., :n_lags])

    energy = back(np.conj(power) * mask) * back(power * np.conj(mask))
    alike = back(np.abs(own) ** 2) / np.sqrt(np.maximum(energy, 1e-18))
    alike[:, back(np.abs(mask) ** 2) < _LEAST_OVERLAP * seen.sum()] = 0.0
    return np.asarray(alike)
