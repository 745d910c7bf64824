"""How familiar the shape of a candidate is.

Beats of one focus look alike, and so do the T and P waves that follow them; noise looks like nothing. The commonest
shapes of a record are found by leader clustering; a candidate that resembles none of them is less likely a beat.

Source: leader clustering of beats by correlation is that of Lagerholm et al., IEEE Trans Biomed Eng 2000,
doi 10.1109/10.846677, reduced here to what a detector needs.
"""

from __future__ import annotations

import numpy as np

from pipeline.records import Array

_BEFORE_S, _AFTER_S = 0.10, 0.13
_LAGS = 3
_MOST_LOOKED_AT = 400  # candidates that make the shapes, spread evenly
_MOST_SHAPES = 12
_LEAST_MEMBERS, _LEAST_SHARE = 3, 0.008
_ALIKE = 0.85


def familiarity(shapes: Array, rate_hz: float, candidates: Array) -> Array:
    """Largest correlation of every candidate with a shape that is common in the record.

    Parameters
    ----------
    shapes
        float32 (n_leads, n_steps), the leads in the band of the shapes.
    candidates
        int (n_candidates,), positions in steps.

    Returns
    -------
    float64 (n_candidates,), -1 to 1; 1 for all where no shape is common, because then nothing can be told.
    """
    lagged = _lagged_windows(shapes, rate_hz, candidates)
    templates = _templates(lagged)
    if not len(templates):
        return np.ones(candidates.size)
    return np.asarray(np.max([(templates @ rows.T).max(axis=0) for rows in lagged], axis=0), np.float64)


def _lagged_windows(shapes: Array, rate_hz: float, candidates: Array) -> list[Array]:
    """For every lag the windows around the candidates as rows of unit energy, float32 (n, n_leads * n_steps)."""
    before, after = int(_BEFORE_S * rate_hz) + _LAGS, int(_AFTER_S * rate_hz) + _LAGS
    steps = np.clip(candidates[:, None] + np.arange(-before, after + 1), 0, shapes.shape[1] - 1)
    windows = np.moveaxis(shapes[:, steps], 0, 1)
    length = before + after + 1 - 2 * _LAGS
    lagged = []
    for lag in range(2 * _LAGS + 1):
        part = windows[:, :, lag : lag + length].reshape(candidates.size, -1)
        energy = np.sqrt(np.einsum("ij,ij->i", part, part))
        lagged.append(part / np.maximum(energy, 1e-6)[:, None])
    return lagged


def _templates(lagged: list[Array]) -> Array:
    """Mean shapes of the largest groups of candidates that look alike, float32 (n_shapes, n_leads * n_steps)."""
    n = lagged[0].shape[0]
    looked_at = np.unique(np.linspace(0, n - 1, min(n, _MOST_LOOKED_AT)).astype(np.int64))
    centred = lagged[_LAGS][looked_at]
    near = np.max([rows[looked_at] @ centred.T for rows in lagged], axis=0) > _ALIKE
    left = np.ones(looked_at.size, bool)
    templates: list[Array] = []
    while left.any() and len(templates) < _MOST_SHAPES:
        sizes = (near & left).sum(axis=1) * left
        leader = int(sizes.argmax())
        if sizes[leader] < max(_LEAST_MEMBERS, _LEAST_SHARE * looked_at.size):
            break
        mean = centred[near[leader] & left].mean(axis=0)
        templates.append(mean / np.sqrt(mean @ mean))
        left &= ~near[leader]
        left[leader] = False
    return np.array(templates, np.float32).reshape(-1, centred.shape[1])
