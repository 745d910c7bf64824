"""Build Measurement records from rows of the metrics catalogue."""

from __future__ import annotations

import math

from pipeline.records import Measurement, Metric, Source


def measured(
    metric: Metric,
    value: float | str,
    *,
    source: Source,
    interval: tuple[float, float] | None = None,
    band: str | None = None,
    method: str | None = None,
) -> Measurement:
    """A measured value, rounded to two digits more than shown; a number that is not finite is withheld."""
    if isinstance(value, float) and not math.isfinite(value):
        return withheld(metric, "The computation gave no finite number.", source=source)
    rounded = round(value, metric.digits + 2) if isinstance(value, float) else value
    limits = (
        None if interval is None else (round(interval[0], metric.digits + 2), round(interval[1], metric.digits + 2))
    )
    return Measurement(
        name=metric.name,
        label=metric.label,
        value=rounded,
        unit=metric.unit,
        status="measured",
        method=method or metric.method,
        reference=metric.reference,
        source=source,
        digits=metric.digits,
        interval=limits,
        band=band,
    )


def withheld(metric: Metric, reason: str, *, source: Source | None = None) -> Measurement:
    """No value, and the plain sentence that says why."""
    return Measurement(
        name=metric.name,
        label=metric.label,
        value=None,
        unit=metric.unit,
        status="withheld",
        method=metric.method,
        reference=metric.reference,
        source=source or Source(),
        digits=metric.digits,
        reason=reason,
    )
