"""Ectopic beats as counts, as a share of all beats, and for each hour that was read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.ecg.metrics import ecg_metric
from pipeline.measurements import measured, withheld
from pipeline.records import Array, Measurement, Source

LEAST_FOR_RATE_S = 600.0
"""Ours: one beat more or less in ten minutes changes the hourly figure by six; in less time it means nothing."""
_HOUR_S = 3600.0
_KINDS = (("pvc", "V"), ("pac", "S"))


def burden(classes: Array, read_s: float, source_of: Callable[[Array], Source]) -> list[Measurement]:
    """Counts, shares and hourly figures of ventricular and supraventricular ectopic beats.

    Parameters
    ----------
    classes
        str (n_beats,), letters of all beats.
    read_s
        Time in which beats could be seen: noise and gaps are no part of it.
    source_of
        The source from beat numbers.
    """
    numbers = {name: np.flatnonzero(classes == letter) for name, letter in _KINDS}
    found = [
        measured(ecg_metric(f"{name}_count"), float(beats.size), source=source_of(beats))
        for name, beats in numbers.items()
    ]
    for name, beats in numbers.items():
        metric = ecg_metric(f"{name}_burden")
        found.append(measured(metric, 100.0 * beats.size / max(classes.size, 1), source=source_of(beats)))
    for name, beats in numbers.items():
        metric = ecg_metric(f"{name}_per_hour")
        if read_s < LEAST_FOR_RATE_S:
            reason = f"Only {read_s:.0f} s could be read; at least {LEAST_FOR_RATE_S / 60:.0f} min are needed."
            found.append(withheld(metric, reason))
        else:
            found.append(measured(metric, beats.size * _HOUR_S / read_s, source=source_of(beats)))
    return found
