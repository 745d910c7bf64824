"""Heart rate variability as measurements: each index, or why it must not be given."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.ecg import hrv
from pipeline.ecg.metrics import ecg_metric
from pipeline.measurements import measured, withheld
from pipeline.records import Array, Measurement, Source

_DIRECT: dict[str, Callable[[hrv.NormalIntervals], float]] = {
    "rmssd": hrv.rmssd_ms,
    "sdnn": hrv.sdnn_ms,
    "pnn50": hrv.pnn50_pct,
    "sdann": hrv.sdann_ms,
    "triangular_index": hrv.triangular_index,
    "dfa_alpha1": hrv.dfa_alpha1,
    "sample_entropy": hrv.sample_entropy,
    "ulf": hrv.ulf_power_ms2,
}


def variability(
    intervals: hrv.NormalIntervals,
    *,
    record_s: float,
    classes: Array,
    af_share: float,
    paced: bool,
    source: Source,
) -> list[Measurement]:
    """Every index in the order of `hrv.LEAST_RECORD_S`.

    Parameters
    ----------
    classes
        str (n_beats,), class letters of all beats.
    af_share
        0..1, share of beats in suspected atrial fibrillation.
    source
        The normal beats.
    """
    ectopic_share = float(np.isin(classes, ("V", "S")).mean())
    reasons = {
        name: hrv.refusal(
            name, intervals, record_s=record_s, ectopic_share=ectopic_share, af_share=af_share, paced=paced
        )
        for name in hrv.LEAST_RECORD_S
    }
    values = _values(intervals, {name for name, reason in reasons.items() if reason is None})
    found = []
    for name, reason in reasons.items():
        metric = ecg_metric(name)
        if reason is not None:
            found.append(withheld(metric, reason))
            continue
        indicative = name == "sdnn" and record_s < hrv.SDNN_INDICATIVE_S
        method = f"{metric.method}; indicative only: {record_s:.0f} s" if indicative else None
        found.append(measured(metric, values[name], source=source, method=method))
    return found


def _values(intervals: hrv.NormalIntervals, allowed: set[str]) -> dict[str, float]:
    """Values of the indices that may be given."""
    values = {name: formula(intervals) for name, formula in _DIRECT.items() if name in allowed}
    if allowed & {"hf", "lf", "vlf", "lf_hf"}:
        powers = hrv.band_powers_ms2(intervals)
        values.update({name: power for name, power in powers.items() if name in allowed})
        values["lf_hf"] = powers["lf"] / powers["hf"] if powers["hf"] > 0 else float("nan")
    return values
