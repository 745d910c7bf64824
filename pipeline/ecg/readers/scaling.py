"""Units of ECG samples: how a file's unit becomes mV, and whether the result can be an ECG."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.errors import InputError
from pipeline.records import Array, Remark

MV_PER_UNIT: tuple[tuple[str, float], ...] = (
    ("mv", 1.0),
    ("millivolt", 1.0),
    ("millivolts", 1.0),
    ("uv", 1e-3),
    ("microvolt", 1e-3),
    ("microvolts", 1e-3),
    ("nv", 1e-6),
    ("nanovolt", 1e-6),
    ("nanovolts", 1e-6),
    ("v", 1e3),
    ("volt", 1e3),
    ("volts", 1e3),
)
IMPLAUSIBLE_MV = 50.0
"""Median distance from a lead's own median above which its unit must be wrong.

Ours, not from a guideline: the largest R waves are below 10 mV and spend less than a tenth of a
beat there. Measured from the median, because DC-coupled recorders add offsets of 100 mV and more.
"""
PROBE_SAMPLES = 200_000


def mv_per_unit(unit: str) -> float | None:
    """Factor from `unit` to mV; None when the unit is not a voltage."""
    key = unit.strip().replace("µ", "u").replace("μ", "u").casefold()
    return dict(MV_PER_UNIT).get(key)


def require_mv_per_unit(unit: str) -> float:
    """As `mv_per_unit`; raises InputError E_INPUT_UNSUPPORTED when the unit is not a voltage."""
    factor = mv_per_unit(unit)
    if factor is None:
        raise InputError("The ECG's unit is not a voltage, so mV cannot be computed.", code="E_INPUT_UNSUPPORTED")
    return factor


def typical_size_mv(lead_mv: Array) -> float:
    """Median distance from the median in mV over at most PROBE_SAMPLES samples; 0 without samples."""
    probe = lead_mv[:: max(1, lead_mv.size // PROBE_SAMPLES)]
    probe = probe[np.isfinite(probe)]
    return float(np.median(np.abs(probe - np.median(probe)))) if probe.size else 0.0


def implausible_leads(signal_mv: Array, leads: Sequence[str]) -> tuple[str, ...]:
    """Names of the leads whose values are too large for mV; `signal_mv` is (n_leads, n_samples)."""
    return tuple(name for name, row in zip(leads, signal_mv, strict=True) if typical_size_mv(row) > IMPLAUSIBLE_MV)


def unit_remarks(signal_mv: Array, leads: Sequence[str]) -> tuple[Remark, ...]:
    """W_ECG_UNITS for leads whose values are too large for mV."""
    names = implausible_leads(signal_mv, leads)
    if not names:
        return ()
    return (
        Remark(
            code="W_ECG_UNITS",
            text=f"The values of {', '.join(names)} are too large for an ECG in mV: the unit may be wrong.",
        ),
    )
