"""Curves of a length over a beat: its change since end-diastole in %, brought back to zero at the next one.

The longitudinal strain of the ventricle is the change of the endocardial contour's length from annulus over apex to
annulus (L / L_ED - 1). It is geometry, not speckle tracking: sliding of the muscle along the contour is not seen.
Sources: Voigt et al. 2015, EACVI/ASE strain standard, doi 10.1093/ehjci/jeu184 (Lagrangian strain, end-diastole as
the zero, peak systolic strain, linear drift compensation).
"""

from __future__ import annotations

import numpy as np

from pipeline.records import Array, EchoBeat


def beat_curves(values: Array, beats: tuple[EchoBeat, ...], times_s: Array) -> Array:
    """Change of lengths since the end-diastole of their beat.

    Parameters
    ----------
    values : float64 (n_frames, n_values)
        Lengths in any unit; NaN where a frame has none.
    beats : tuple of EchoBeat
        Those that count.
    times_s : float64 (n_frames,)

    Returns
    -------
    float64 (n_frames, n_values)
        %, NaN outside the beats. What is left at the next end-diastole is taken off in proportion to the time since
        the last one; a beat that the end of the clip cuts stays as it is.
    """
    curves = np.full(values.shape, np.nan)
    for beat in beats:
        part = slice(beat.ed_idx, beat.end_idx + 1)
        change = 100 * (values[part] / np.where(values[beat.ed_idx] > 0, values[beat.ed_idx], np.nan) - 1)
        if is_whole(beat, len(values)):
            elapsed = times_s[part] - times_s[beat.ed_idx]
            change = change - np.nan_to_num(change[-1]) * (elapsed / elapsed[-1])[:, None]
        curves[part] = change
    return curves


def bridged(values: Array, times_s: Array) -> Array:
    """Lengths (n_frames, n_values) with single missing frames filled from their neighbours in time; ends stay NaN."""
    filled = values.copy()
    for column in filled.T:
        known = np.flatnonzero(np.isfinite(column))
        if len(known):
            inside = slice(known[0], known[-1] + 1)
            column[inside] = np.interp(times_s[inside], times_s[known], column[known])
    return filled


def is_whole(beat: EchoBeat, n_frames: int) -> bool:
    """Whether a beat ends with the next end-diastole and not with the clip."""
    return beat.end_idx < n_frames - 1


def peak_systolic_pct(curve: Array, beat: EchoBeat) -> float:
    """The strongest shortening of a curve (n_frames,) from end-diastole to end-systole, in %; NaN without a curve."""
    systole = curve[beat.ed_idx : beat.es_idx + 1]
    return float(np.nanmin(systole)) if np.isfinite(systole).any() else float("nan")
