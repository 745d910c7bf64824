"""Calipers on an ECG strip: what two lines tell, and where their distance falls again over the strip. Knows no Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipeline.records import Array
from pipeline.review.ecg_targets import Caliper

MOST_MARCHED = 400  # lines drawn at most
LEAST_MS = 20.0  # below, marching out would fill the strip


@dataclass(frozen=True, slots=True, kw_only=True)
class CaliperText:
    """What stands beside a caliper."""

    time: str
    rate: str
    voltage: str

    @property
    def line(self) -> str:
        return " · ".join(part for part in (self.time, self.rate, self.voltage) if part)


def caliper_text(caliper: Caliper) -> CaliperText:
    """Duration in ms, the rate of a cycle of that length, and the difference of the two levels in mV."""
    span_ms = abs(caliper.end_ms - caliper.start_ms)
    rate = f"{60_000.0 / span_ms:.0f} bpm" if span_ms >= LEAST_MS else ""
    return CaliperText(time=f"{span_ms:.0f} ms", rate=rate, voltage=f"{caliper.high_mv - caliper.low_mv:+.2f} mV")


def marched_ms(caliper: Caliper, first_ms: float, last_ms: float) -> Array:
    """Times at which the caliper's interval repeats between two times of the record, its own two lines left out.

    Returns
    -------
    float64 (n_lines,), ascending; empty for an interval under 20 ms.
    """
    span_ms = abs(caliper.end_ms - caliper.start_ms)
    if span_ms < LEAST_MS or last_ms <= first_ms:
        return np.empty(0)
    start_ms = min(caliper.start_ms, caliper.end_ms)
    low = math.ceil((first_ms - start_ms) / span_ms - 1e-9)
    high = math.floor((last_ms - start_ms) / span_ms + 1e-9)
    steps = np.arange(low, min(high, low + MOST_MARCHED) + 1)
    return np.asarray(start_ms + steps[(steps != 0) & (steps != 1)] * span_ms, float)
