"""Where P and T waves have their peaks, between the boundaries that were found or set."""

from __future__ import annotations

import numpy as np

from pipeline.records import Array


def wave_peaks(signal_mv: Array, onsets: Array, ends: Array) -> Array:
    """The point of each wave that lies farthest from the line between its ends.

    Parameters
    ----------
    signal_mv
        float (n_leads, n_samples), no NaN.
    onsets, ends
        float (n_leads, n_beats), sample positions, NaN where there is no such wave.

    Returns
    -------
    float64 (n_leads, n_beats), NaN where a boundary is missing or the wave has no inner sample.
    """
    found = np.full(onsets.shape, np.nan)
    for lead, values in enumerate(signal_mv):
        known = np.flatnonzero(np.isfinite(onsets[lead]) & np.isfinite(ends[lead]))
        first = np.clip(np.ceil(onsets[lead, known]).astype(np.int64), 0, values.size - 1)
        last = np.clip(np.floor(ends[lead, known]).astype(np.int64), 0, values.size - 1)
        is_wave = last - first >= 2
        known, first, last = known[is_wave], first[is_wave], last[is_wave]
        if known.size == 0:
            continue
        steps = np.arange(int((last - first).max()) + 1)
        places = np.minimum(first[:, None] + steps, last[:, None])
        share = np.minimum(steps / (last - first)[:, None], 1.0)
        line = values[first][:, None] * (1.0 - share) + values[last][:, None] * share
        found[lead, known] = first + np.abs(values[places] - line).argmax(axis=1)
    return found
