"""Frontal axes of P, QRS and T from their net areas in the limb leads.

Source: AHA/ACCF/HRS 2009 part III, doi 10.1161/CIRCULATIONAHA.108.191095 (the mean frontal axis). The vertical part is
that of aVF, 2 / sqrt(3) of its value, because an augmented lead is drawn that much smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.ecg.median_beat import MedianBeat
from pipeline.records import Array

LEAST_AREA_UV_S: dict[str, float] = {"p": 0.5, "qrs": 1.0, "t": 2.0}
"""Ours: below, the wave is as much up as down in both leads, and its axis would be that of noise."""
MOST_SPREAD_DEG = 30.0
"""Ours: standard deviation over beats beyond which an axis is that of noise."""
_LEVEL_MS = 20.0
_HALF_WIDTH = 1.96
_MAD_TO_SD = 1.4826  # of a bell curve; a single ectopic beat does not move it


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontalAxis:
    """An axis in degrees, -180..180, with the standard deviation over beats."""

    angle_deg: float
    spread_deg: float
    n_beats: int

    @property
    def interval_deg(self) -> tuple[float, float] | None:
        """95 % interval of the mean; None from fewer than three beats."""
        if self.n_beats < 3:
            return None
        half = _HALF_WIDTH * self.spread_deg / float(np.sqrt(self.n_beats))
        return self.angle_deg - half, self.angle_deg + half


def frontal_axis(beat: MedianBeat, leads: Sequence[str], wave: str, *, ii_over_i: float = 1.0) -> FrontalAxis | None:
    """Axis of one wave.

    Parameters
    ----------
    beat
        Rows named by `leads`; of the limb leads I and II, or I and aVF, are looked at.
    wave
        "p", "qrs" or "t".
    ii_over_i
        What II is multiplied by to stand on lead I's scale (see `pipeline.ecg.limb_scales`).

    Returns
    -------
    None where the leads or the wave's boundaries are missing, where the net area is nearly nought, or where the axis
    varies so much between beats that it is that of noise.
    """
    first, last = beat.first(wave), beat.last(wave)
    places = {name: row for row, name in enumerate(leads) if np.isfinite(beat.signal_mv[row]).all()}
    if first is None or last is None or last - first < 2 or first < beat.steps(_LEVEL_MS) or "I" not in places:
        return None
    level = (beat.first("qrs") or first) if wave == "t" else first
    one = _areas_uv_s(beat, places["I"], first, last, level, wave)
    if "II" in places:
        foot = ii_over_i * _areas_uv_s(beat, places["II"], first, last, level, wave) - 0.5 * one
    elif "aVF" in places:
        foot = _areas_uv_s(beat, places["aVF"], first, last, level, wave)
    else:
        return None
    return _axis(one, foot * 2.0 / np.sqrt(3.0), LEAST_AREA_UV_S[wave])


def _axis(one: Array, foot: Array, least_uv_s: float) -> FrontalAxis | None:
    """Axis of the median areas; entry 0 of both is the median beat, the others are the beats."""
    if float(np.hypot(one[0], foot[0])) < least_uv_s:
        return None
    angle = float(np.arctan2(foot[0], one[0]))
    turned = np.angle(np.exp(1j * (np.arctan2(foot[1:], one[1:]) - angle)))
    spread_deg = float(np.degrees(_MAD_TO_SD * np.median(np.abs(turned))))
    if spread_deg > MOST_SPREAD_DEG:
        return None
    return FrontalAxis(angle_deg=float(np.degrees(angle)), spread_deg=spread_deg, n_beats=one.size - 1)


def _areas_uv_s(beat: MedianBeat, row: int, first: int, last: int, level: int, wave: str) -> Array:
    """Net area in microvolt seconds of the median beat and of every beat, float64 (1 + n_beats,)."""
    shapes = np.concatenate([beat.signal_mv[row][None, :], beat.beats_mv[row]])
    part = shapes[:, first : last + 1]
    if wave == "p":  # drift is as large as a P wave: the line between its ends is nought
        share = np.linspace(0.0, 1.0, part.shape[1])[None, :]
        part = part - (part[:, :1] * (1.0 - share) + part[:, -1:] * share)
    else:
        part = part - np.median(shapes[:, level - beat.steps(_LEVEL_MS) : level], axis=1)[:, None]
    return np.asarray(part.sum(axis=1) / beat.sampling_rate_hz * 1000.0)
