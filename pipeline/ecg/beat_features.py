"""What the beat classifier looks at: timing and shape of every beat against the patient's own usual beat.

Source: the comparison of RR and shape with the patient's own rhythm follows de Chazal et al., IEEE Trans Biomed Eng
2004, doi 10.1109/TBME.2004.827359. We differ: every feature is relative to the record, and any number of leads will do.
"""

from __future__ import annotations

import numpy as np

from pipeline.ecg.beat_morphology import SHAPE_FEATURES, shape_features
from pipeline.ecg.beat_timing import TIMING_FEATURES, on_time, timing_features
from pipeline.records import Array

FEATURES: tuple[str, ...] = (*TIMING_FEATURES, *SHAPE_FEATURES)

_BLOCK_BEATS, _CONTEXT_BEATS = 300, 50  # the usual beat may change over a record: about five minutes


def beat_features(signal_mv: Array, sampling_rate_hz: float, peaks: Array) -> Array:
    """Features of every beat.

    Parameters
    ----------
    signal_mv
        float (n_leads, n_samples), mV; NaN where a sample is missing.
    peaks
        int (n_beats,), ascending.

    Returns
    -------
    float64 (n_beats, n_features) in the order of `FEATURES`; the shape features are NaN where no lead is clear.
    """
    return described_beats(signal_mv, sampling_rate_hz, peaks)[0]


def described_beats(signal_mv: Array, sampling_rate_hz: float, peaks: Array) -> tuple[Array, tuple[Array, ...]]:
    """The table of `beat_features`, and for every block of beats their shapes as rows of energy 1, float32.

    The blocks follow each other and hold all beats; a block has no columns where no lead is clear.
    """
    timing = timing_features(peaks, sampling_rate_hz)
    usual = on_time(timing)
    table = np.full((peaks.size, len(FEATURES)), np.nan)
    for column, name in enumerate(TIMING_FEATURES):
        table[:, column] = timing[name]
    blocks = []
    for start in range(0, peaks.size, _BLOCK_BEATS):
        stop = min(start + _BLOCK_BEATS, peaks.size)
        wide = slice(max(0, start - _CONTEXT_BEATS), min(peaks.size, stop + _CONTEXT_BEATS))
        found = shape_features(
            signal_mv, sampling_rate_hz, peaks[wide], usual[wide], timing["pre"][wide], timing["post"][wide]
        )
        if found is None:
            blocks.append(np.empty((stop - start, 0), np.float32))
            continue
        shapes, rows = found
        inside = slice(start - wide.start, stop - wide.start)
        blocks.append(rows[inside])
        for column, name in enumerate(SHAPE_FEATURES, start=len(TIMING_FEATURES)):
            table[start:stop, column] = shapes[name][inside]
    return table, tuple(blocks)
