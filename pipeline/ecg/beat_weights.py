"""What each lead is worth at each beat, once beats are known.

The height of a lead's own beats over the highest that lies between them says how well it tells the two apart there.
A lead in which the ectopic beats are tall and the usual ones small is scaled by the beats nearby, and no longer by the
tallest; a lead that is noisy for some beats is silent for these.
"""

from __future__ import annotations

import numpy as np

from pipeline.ecg.envelope import LeadBands, QrsEnvelope
from pipeline.records import Array

_AT_BEAT_S, _OF_BEAT_S = 0.08, 0.16  # a beat's height lies within the first, nothing between beats within the second
_USUAL_BEATS, _NOISE_BEATS = 9, 3
_RATIO_RANGE = (0.05, 50.0)
_LEAST_MV = 1e-4
LEAST_BEATS = 5
"""Fewer beats say nothing about a lead."""


def envelope_by_beats(bands: LeadBands, beats: Array) -> QrsEnvelope:
    """The envelope with leads scaled and weighed by the beats found so far, int (n_beats,) ascending steps."""
    from scipy.ndimage import maximum_filter1d, median_filter

    n_steps = bands.heights.shape[1]
    steps = np.arange(n_steps)
    near, far = int(_AT_BEAT_S * bands.rate_hz), int(_OF_BEAT_S * bands.rate_hz)
    is_between = np.ones(n_steps, bool)
    is_between[np.clip(beats[:, None] + np.arange(-far, far + 1), 0, n_steps - 1)] = False
    starts = np.concatenate([[0], beats[:-1]])
    starts[1:] = np.maximum(starts[1:], 1)
    scale, weight = np.empty_like(bands.heights), np.empty_like(bands.heights)
    for row, height in enumerate(bands.heights):
        usual = median_filter(maximum_filter1d(height, 2 * near + 1)[beats], _USUAL_BEATS, mode="nearest")
        before = np.maximum.reduceat(np.where(is_between, height, 0.0), starts)
        between = np.maximum(before, np.concatenate([before[1:], before[-1:]]))
        noise = np.maximum(median_filter(between, _NOISE_BEATS, mode="nearest"), _LEAST_MV)
        scale[row] = np.interp(steps, beats, usual)
        weight[row] = np.interp(steps, beats, np.clip(usual / noise, *_RATIO_RANGE) ** 2)
    return bands.together(scale, weight)
