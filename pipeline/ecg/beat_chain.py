"""The chain of candidates that explains the trace best, by dynamic programming.

A likely candidate gains, two candidates closer than a T wave cost the more the more their heights differ, and a gap
costs when a beat seems to be missing. A missed beat is thus searched back, and a T wave dropped, by one rule.
"""

from __future__ import annotations

from operator import sub

import numpy as np

from pipeline.records import Array

REFRACTORY_S = 0.18
"""No two ventricular activations are closer."""

_T_WAVE_S, _T_WAVE_FADE_S, _T_WAVE_COST = 0.34, 0.16, 2.5  # a T wave peaks within this time of its QRS
_GAP_COST, _GAP_RATIO = 0.4, 1.5  # a gap costs from 1.5 usual RR on
_IRREGULAR_COST = 0.05
_LOOK_BACK = 10  # candidates before this one that may be its predecessor


def _usual_rr_s(times_s: Array, beats: Array) -> Array:
    """Median RR around each candidate, from `beats`, bool (n,): those that are surely beats."""
    from scipy.ndimage import median_filter

    sure = times_s[beats]
    if sure.size < 3:
        return np.full(times_s.size, 0.8)
    usual = median_filter(np.clip(np.diff(sure), 0.25, 2.5), 15, mode="nearest")
    return np.interp(times_s, 0.5 * (sure[1:] + sure[:-1]), usual)


def best_chain(times_s: Array, heights: Array, gains: Array, likely: Array) -> Array:
    """Which candidates form the best chain, bool (n_candidates,).

    Parameters
    ----------
    times_s, heights, gains
        float (n_candidates,), ascending in time: height over the usual QRS, and what the candidate adds to the
        score when it is a beat.
    likely
        bool (n_candidates,): those that make the usual RR.
    """
    costs = _step_costs(times_s, heights, _usual_rr_s(times_s, likely)).tolist()
    n = len(costs)
    scores, came_from = gains.tolist(), [-1] * n
    for i in range(1, n):
        earlier = scores[i - 1 :: -1] if i <= _LOOK_BACK else scores[i - 1 : i - 1 - _LOOK_BACK : -1]
        reached = list(map(sub, earlier, costs[i]))
        best = max(reached)
        if best > (0.0 if i < _LOOK_BACK else -np.inf):
            scores[i] += best
            came_from[i] = i - 1 - reached.index(best)
    i = max(range(max(0, n - _LOOK_BACK), n), key=scores.__getitem__)
    chosen = np.zeros(n, bool)
    while i >= 0:
        chosen[i] = True
        i = came_from[i]
    return chosen


def _step_costs(times_s: Array, heights: Array, rr_s: Array) -> Array:
    """Cost of reaching each candidate from each of the `_LOOK_BACK` before it, float64 (n, _LOOK_BACK)."""
    earlier = np.arange(times_s.size)[:, None] - np.arange(1, _LOOK_BACK + 1)[None, :]
    exists = earlier >= 0
    earlier = np.maximum(earlier, 0)
    gap_s = times_s[:, None] - times_s[earlier]
    ratio = np.maximum(gap_s, 1e-3) / rr_s[:, None]
    log_height = np.log(heights)
    unlike = np.abs(log_height[:, None] - log_height[earlier])
    nearness = np.clip((_T_WAVE_S - gap_s) / _T_WAVE_FADE_S, 0.0, 1.0)
    cost = _IRREGULAR_COST * np.minimum(np.abs(np.log(ratio)), 1.0)
    cost += _GAP_COST * np.maximum(ratio - _GAP_RATIO, 0.0) + _T_WAVE_COST * unlike * nearness
    return np.where(exists & (gap_s > REFRACTORY_S), cost, np.inf)
