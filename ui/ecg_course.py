"""A day of ECG at any zoom: what is drawn of each lead, and where to jump. Knows no Qt.

Three depths: the run's own extremes of each second; extremes of eighths of a second, read hour by hour when they come
into sight; the samples. A depth that is not there yet is replaced by the one above it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pipeline.records import Array, EcgAnalysis, EcgEpisode, PreparedEcg
from ui.ecg_layout import envelope
from ui.ecg_samples import EcgSamples

HOUR_S, BINS_A_SECOND = 3600, 8
LEAST_SPAN_S = 5.0
EPISODE_NAMES = {
    "af": "Atrial fibrillation",
    "flutter": "Atrial flutter",
    "paced": "Paced rhythm",
    "ventricular_run": "Ventricular run",
    "supraventricular_run": "Supraventricular run",
    "pause": "Pause",
}
EPISODE_MARKS = {
    "af": "AF",
    "flutter": "AFL",
    "paced": "PM",
    "ventricular_run": "V",
    "supraventricular_run": "S",
    "pause": "P",
}
MOST_HOURS = 30


class Course:
    """The whole of a long record, asked for stretches of it."""

    def __init__(self, ecg: PreparedEcg, samples: EcgSamples) -> None:
        assert ecg.overview is not None
        self._samples = samples
        self._second_s = max(1, round(samples.rate_hz)) / samples.rate_hz
        self._low, self._high = ecg.overview.low_mv, ecg.overview.high_mv
        self._hours: dict[int, Array] = {}
        self._wanted: set[int] = set()
        self.duration_s = samples.n_samples / samples.rate_hz
        spread = np.percentile(self._high, 90, axis=1) - np.percentile(self._low, 10, axis=1)
        self.range_mv: float = max(1.0, 1.6 * float(spread.max()))
        self.middle_mv: Array = 0.5 * (np.median(self._high, axis=1) + np.median(self._low, axis=1))

    def trace(self, lead_idx: int, start_s: float, end_s: float, n_columns: int) -> tuple[Array, Array]:
        """Points to draw between two times: times in s and levels in mV, float (n_points,), no NaN.

        At most about two points a column and no peak lost.
        """
        column_s = (end_s - start_s) / max(n_columns, 1)
        if column_s * BINS_A_SECOND < 1.0:
            found = self._sampled(lead_idx, start_s, end_s, column_s)
            if found is not None:
                return found
        if column_s < self._second_s:
            found = self._fine(lead_idx, start_s, end_s, column_s)
            if found is not None:
                return found
        pair = self._low[lead_idx], self._high[lead_idx]
        return _reduced(*pair, self._second_s, (start_s, end_s), column_s, 0)

    def _sampled(self, lead_idx: int, start_s: float, end_s: float, column_s: float) -> tuple[Array, Array] | None:
        rate_hz = self._samples.rate_hz
        first = max(0, math.floor(start_s * rate_hz) - 1)
        values = self._samples.stretch(lead_idx, first, min(self._samples.n_samples, math.ceil(end_s * rate_hz) + 1))
        if values.size == 0 or np.isnan(values).any():
            return None
        positions, levels = envelope(values, first, column_s * rate_hz)
        return positions / rate_hz, levels

    def _fine(self, lead_idx: int, start_s: float, end_s: float, column_s: float) -> tuple[Array, Array] | None:
        hour_s = HOUR_S * self._second_s
        first, last = int(max(start_s, 0.0) // hour_s), int(min(end_s, self.duration_s - 1e-6) // hour_s)
        missing = [hour for hour in range(first, last + 1) if hour not in self._hours]
        if missing:
            self._wanted.update(missing)
            return None
        pair = np.concatenate([self._hours[hour][:, lead_idx] for hour in range(first, last + 1)], axis=1)
        bin_s = self._second_s / BINS_A_SECOND
        return _reduced(pair[0], pair[1], bin_s, (start_s, end_s), column_s, first * HOUR_S * BINS_A_SECOND)

    def take_wishes(self) -> tuple[int, ...]:
        """Hours that were looked for and not there; asking forgets them."""
        wanted = tuple(sorted(self._wanted))
        self._wanted.clear()
        return wanted

    def lacks(self, hour: int) -> bool:
        """Whether an hour lies in the record and its extremes are not there."""
        return 0 <= hour < self.duration_s / (HOUR_S * self._second_s) and hour not in self._hours

    def put_hour(self, hour: int, extremes_mv: Array) -> None:
        """Take the extremes of an hour, float (2, n_leads, n_columns)."""
        self._hours[hour] = extremes_mv
        while len(self._hours) > MOST_HOURS:
            del self._hours[next(iter(self._hours))]


def _reduced(
    low: Array, high: Array, bin_s: float, span_s: tuple[float, float], column_s: float, offset: int
) -> tuple[Array, Array]:
    """The extremes of every column; `offset` is the number of the first bin given."""
    first = max(0, math.floor(span_s[0] / bin_s) - offset)
    end = min(low.size, math.ceil(span_s[1] / bin_s) - offset + 1)
    if end <= first:
        return np.empty(0), np.empty(0)
    step = max(1, int(column_s / bin_s))
    # Columns are counted from the record's start, so that the trace does not shimmer while it is moved.
    edges = np.unique(np.r_[0, np.arange(-(first + offset) % step, end - first, step)])
    lows, highs = np.minimum.reduceat(low[first:end], edges), np.maximum.reduceat(high[first:end], edges)
    times_s = (first + offset + edges) * bin_s
    return np.repeat(times_s, 2), np.column_stack((lows, highs)).ravel().astype(float)


def zoomed(span_s: tuple[float, float], factor: float, around_s: float, length_s: float) -> tuple[float, float]:
    """A span made longer or shorter around a time, inside the record."""
    wished = min(max((span_s[1] - span_s[0]) * factor, LEAST_SPAN_S), length_s)
    share = (around_s - span_s[0]) / max(span_s[1] - span_s[0], 1e-9)
    start = around_s - share * wished
    return inside((start, start + wished), length_s)


def inside(span_s: tuple[float, float], length_s: float) -> tuple[float, float]:
    """A span pushed into the record."""
    size = min(span_s[1] - span_s[0], length_s)
    start = min(max(span_s[0], 0.0), length_s - size)
    return start, start + size


def clock(time_s: float) -> str:
    """Time into the record, h:mm:ss."""
    whole = int(time_s)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def time_ticks(start_s: float, end_s: float, most: int) -> list[float]:
    """Round times between two, at most so many."""
    for step in (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10800, 21600, 43200):
        if (end_s - start_s) / step <= most:
            return [float(n * step) for n in range(math.ceil(start_s / step), math.floor(end_s / step) + 1)]
    return []


def in_time(episodes: Sequence[EcgEpisode]) -> tuple[EcgEpisode, ...]:
    """Episodes by their beginning."""
    return tuple(sorted(episodes, key=lambda e: (e.start_s, e.end_s)))


def next_episode(episodes: Sequence[EcgEpisode], time_s: float, by: int) -> EcgEpisode | None:
    """The first episode that begins after a time, or the last that begins before it; None where there is none."""
    ordered = in_time(episodes)
    if by > 0:
        return next((e for e in ordered if e.start_s > time_s + 0.5), None)
    return next((e for e in reversed(ordered) if e.start_s < time_s - 0.5), None)


def longest_pause_s(analysis: EcgAnalysis, rate_hz: float) -> tuple[float, float] | None:
    """(beginning, length) of the longest known RR interval in s; None where none is known."""
    if analysis.long is None or not analysis.long.rr_known.any():
        return None
    times_s = np.asarray(analysis.r_peaks_idx) / rate_hz
    rr_s = np.where(analysis.long.rr_known, np.diff(times_s), -1.0)
    place = int(rr_s.argmax())
    return float(times_s[place]), float(rr_s[place])
