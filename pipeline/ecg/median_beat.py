"""The median beat: the usual beat of every lead, aligned by its R peak, with the median of its wave boundaries.

Source: AHA/ACC/HRS 2007 part I, doi 10.1161/CIRCULATIONAHA.106.180200: amplitudes are measured in a representative beat
of aligned, similar beats, so that noise averages out and ectopic beats do not enter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.ecg.intervals import outer_rank
from pipeline.ecg.waves import windows
from pipeline.records import Array, Delineation

BEFORE_S, AFTER_S = 0.35, 0.65
_MOST_BEATS = 200  # evenly spaced over a long record: more do not change a median that can be seen
_LEAST_SHARE = 0.5  # of the beats that must show a wave before the median beat has it


@dataclass(frozen=True, slots=True, kw_only=True)
class MedianBeat:
    """One beat over all leads. Boundaries are steps of `signal_mv`, NaN where a lead has no such wave."""

    beats_mv: Array  # float64 (n_leads, n_beats, n_steps), the aligned beats themselves
    signal_mv: Array  # float64 (n_leads, n_steps)
    sampling_rate_hz: float
    p_on: Array  # float64 (n_leads,), as are the others
    p_off: Array
    qrs_on: Array
    qrs_off: Array
    t_on: Array
    t_off: Array

    @property
    def r_step(self) -> int:
        """Where the R peaks lie."""
        return round(BEFORE_S * self.sampling_rate_hz)

    @property
    def n_beats(self) -> int:
        return int(self.beats_mv.shape[1])

    def steps(self, milliseconds: float) -> int:
        """Number of steps of a duration, at least one."""
        return max(1, round(milliseconds * self.sampling_rate_hz / 1000.0))

    def first(self, name: str) -> int | None:
        """Onset of "p", "qrs" or "t" over all leads; None where no lead has the wave."""
        return _extreme(getattr(self, f"{name}_on"), sign=1)

    def last(self, name: str) -> int | None:
        """End of "p", "qrs" or "t" over all leads; None where no lead has the wave."""
        return _extreme(getattr(self, f"{name}_off"), sign=-1)


def usual_beats(classes: Array) -> Array:
    """Bool (n_beats,): the beats of class N; all where none is of the usual shape."""
    normal = np.asarray(classes) == "N"
    return normal if normal.any() else np.ones(normal.size, bool)


def median_beat(
    signal_mv: Array, sampling_rate_hz: float, r_peaks_idx: Array, delineation: Delineation, chosen: Array
) -> MedianBeat | None:
    """Build it from the chosen beats.

    Parameters
    ----------
    signal_mv
        float (n_leads, n_samples), mV; a lead that is NaN stays NaN.
    r_peaks_idx
        int (n_beats,).
    chosen
        bool (n_beats,), the beats of the usual shape.

    Returns
    -------
    MedianBeat, or None where no chosen beat lies wholly inside the record.
    """
    before, after = round(BEFORE_S * sampling_rate_hz), round(AFTER_S * sampling_rate_hz)
    inside = (r_peaks_idx >= before) & (r_peaks_idx + after < signal_mv.shape[1])
    beats = np.flatnonzero(np.asarray(chosen, bool) & inside)
    if beats.size == 0:
        return None
    if beats.size > _MOST_BEATS:
        beats = beats[np.linspace(0, beats.size - 1, _MOST_BEATS).astype(np.int64)]
    peaks = r_peaks_idx[beats]
    parts = np.asarray(windows(signal_mv, peaks[:, None] + np.arange(-before, after + 1)[None, :]), np.float64)
    bounds = {
        name: _median_bound(getattr(delineation, name)[:, beats] - peaks[None, :]) + before
        for name in ("p_on", "p_off", "qrs_on", "qrs_off", "t_on", "t_off")
    }
    return MedianBeat(beats_mv=parts, signal_mv=np.median(parts, axis=1), sampling_rate_hz=sampling_rate_hz, **bounds)


def _median_bound(offsets: Array) -> Array:
    """Median over beats of (n_leads, n_beats); NaN where most beats lack the wave."""
    known = np.isfinite(offsets)
    enough = known.mean(axis=1) >= _LEAST_SHARE
    medians = np.full(offsets.shape[0], np.nan)
    for row in np.flatnonzero(enough & known.any(axis=1)):
        medians[row] = np.median(offsets[row, known[row]])
    return medians


def _extreme(bounds: Array, *, sign: int) -> int | None:
    """The boundary over all leads, of the smallest (sign 1) or largest (sign -1) of the known bounds."""
    known = np.sort(sign * bounds[np.isfinite(bounds)])
    if known.size == 0:
        return None
    return sign * round(float(known[outer_rank(known.size)]))
