"""Whether the limb leads keep Einthoven's and Goldberger's relations, in shape and in scale.

Each relation lead = a * I + b * II is tried as it stands and with a free positive scale for every lead. Where only
the free scales fit, the leads were scaled one by one in the file: signs and durations can be read, voltages cannot be
compared between leads. Where no scales fit, leads are swapped, inverted or out of step in the file.

Source: Einthoven 1913 and Goldberger 1942, as in AHA/ACC/HRS 2007 part I, doi 10.1161/CIRCULATIONAHA.106.180200. The
tolerances are ours: 12-bit recorders quantise at 5 uV, and recorders that filter leads one by one leave some percent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.ecg.leads import LIMB_RELATIONS
from pipeline.records import Array, Remark

TOLERANCE_MV, TOLERANCE_SHARE = 0.015, 0.05
"""Root mean square of a residual that is tolerated: 15 uV, or 5 % of the lead and its prediction together."""
FREE_TOLERANCE_SHARE = 0.15
"""A swapped or inverted lead leaves more than this even with free scales; recorders' own filters leave less."""
_EXPLAINED = 0.5  # free scales must take away at least half of the residual to be the cause
PROBE_SAMPLES = 120_000
_DRIFT_S, _NOISE_S = 1.0, 0.02  # what is slower is drift, what is faster mostly noise of one lead


@dataclass(frozen=True, slots=True, kw_only=True)
class LimbScales:
    """Outcome for the relations that could be checked."""

    broken: tuple[str, ...]  # relations that no scales mend
    scaled: tuple[str, ...]  # relations that hold with other scales only
    worst_share: float  # largest residual as it stands, as a share of lead and prediction together
    ii_over_i: float  # what II must be multiplied by to stand on lead I's scale; 1 where the relations hold

    @property
    def agree(self) -> bool:
        return not self.broken and not self.scaled


def limb_scales(signal_mv: Array, sampling_rate_hz: float, leads: Sequence[str]) -> LimbScales | None:
    """Check the limb leads against each other; never derive or repair a lead.

    Parameters
    ----------
    signal_mv
        float (n_leads, n_samples) in mV, NaN where missing. Offset, drift and fast noise are ignored.
    leads
        Names in the order of the rows.

    Returns
    -------
    None where lead I or II or all the others are absent or empty. Electrodes exchanged on the patient keep the
    relations and cannot be seen here.
    """
    if "I" not in leads or "II" not in leads:
        return None
    one, two = (_probe(signal_mv[leads.index(name)], sampling_rate_hz) for name in ("I", "II"))
    broken, scaled, shares, ratios = [], [], [0.0], []
    n_checked = 0
    for name, a, b, text in LIMB_RELATIONS:
        if name not in leads:
            continue
        found = _probe(signal_mv[leads.index(name)], sampling_rate_hz)
        valid = np.isfinite(found) & np.isfinite(one) & np.isfinite(two)
        if valid.sum() < 2:
            continue
        n_checked += 1
        share, free_share, ratio = _fit(found[valid], a * one[valid], b * two[valid])
        shares.append(share)
        if share == 0.0:
            continue
        if free_share <= min(FREE_TOLERANCE_SHARE, _EXPLAINED * share) and ratio is not None:
            scaled.append(text)
            ratios.append(ratio)
        else:
            broken.append(text)
    if n_checked == 0:
        return None
    ii_over_i = float(np.median(ratios)) if ratios and not broken else 1.0
    return LimbScales(broken=tuple(broken), scaled=tuple(scaled), worst_share=max(shares), ii_over_i=ii_over_i)


def limb_remarks(signal_mv: Array, sampling_rate_hz: float, leads: Sequence[str]) -> tuple[Remark, ...]:
    """W_EINTHOVEN where leads do not fit each other, W_LIMB_SCALES where only their scales do not, or nothing."""
    scales = limb_scales(signal_mv, sampling_rate_hz, leads)
    if scales is None or scales.agree:
        return ()
    size = f"off by up to {100 * scales.worst_share:.0f} % of the leads' size"
    if scales.broken:
        text = f"The limb leads do not agree: {', '.join(scales.broken)}, {size}. Leads may be swapped or inverted."
        return (Remark(code="W_EINTHOVEN", text=text),)
    text = (
        f"The limb leads agree in shape but not in scale: {', '.join(scales.scaled)}, {size}. "
        "Voltages cannot be compared between leads."
    )
    return (Remark(code="W_LIMB_SCALES", text=text),)


def _fit(found: Array, first: Array, second: Array) -> tuple[float, float, float | None]:
    """(residual share as it stands, with free scales, scale of the second part over the first); shares 0 if tolerated.

    `first` and `second` are the two parts whose sum should be `found`.
    """
    from scipy.optimize import nnls

    found, first, second = (part - part.mean() for part in (found, first, second))
    size = float(np.sqrt(np.mean(found**2) + np.mean((first + second) ** 2)))
    residual = float(np.sqrt(np.mean((found - first - second) ** 2)))
    if residual <= TOLERANCE_MV or residual <= TOLERANCE_SHARE * size:
        return 0.0, 0.0, None
    scales, free = nnls(np.stack([first, second], axis=1).astype(np.float64), found.astype(np.float64))
    free_share = float(free) / float(np.sqrt(np.sum(found**2)) + 1e-12)
    ratio = float(scales[1] / scales[0]) if scales.min() > 0.0 else None
    return residual / size, free_share, ratio


def _probe(row: Array, sampling_rate_hz: float) -> Array:
    """The middle of a long lead between drift and noise, float64; NaN near missing samples."""
    from scipy.ndimage import uniform_filter1d

    start = max(0, (row.size - PROBE_SAMPLES) // 2)
    part = row[start : start + PROBE_SAMPLES].astype(np.float64)
    missing = ~np.isfinite(part)
    part[missing] = np.median(part[~missing]) if not missing.all() else 0.0
    slow, fast = (max(1, round(seconds * sampling_rate_hz)) for seconds in (_DRIFT_S, _NOISE_S))
    band = uniform_filter1d(part, fast) - uniform_filter1d(part, slow)
    near_gap = uniform_filter1d(missing.astype(np.float64), slow) > 0.0
    band[near_gap] = np.nan
    return np.asarray(band)
