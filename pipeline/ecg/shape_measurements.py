"""Axes and voltages of the median beat as measurements."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.clinical.reference_ranges import axis_band
from pipeline.ecg.axis import FrontalAxis
from pipeline.ecg.hypertrophy import CORNELL_LEADS, SOKOLOW_LEADS, cornell_mv, sokolow_lyon_mv
from pipeline.ecg.metrics import ecg_metric
from pipeline.ecg.shape import BeatShape
from pipeline.ecg.shape_facts import SCALE_REASON, SWAPPED_REASON
from pipeline.ecg.sources import beat_source
from pipeline.measurements import measured, withheld
from pipeline.records import Array, LeadWaves, Measurement, PreparedEcg, Source

_NO_AXIS = "Its net area is too small or too variable, or its boundaries are unknown."


def shape_measurements(shape: BeatShape, ecg: PreparedEcg, usual_idx: Array) -> list[Measurement]:
    """Axes of QRS, P and T, Sokolow-Lyon and Cornell; `usual_idx` are the beats that the median was made of."""
    limb_source = beat_source(ecg.file_sha256, usual_idx, "I, II")
    reason = _limb_reason(shape, ecg)
    p_axis, qrs_axis, t_axis = shape.axes
    found = [
        _axis("axis", qrs_axis, shape, reason, limb_source, axis_band),
        _axis("p_axis", p_axis, shape, reason, limb_source, None),
        _axis("t_axis", t_axis, shape, reason, limb_source, None),
    ]
    for name, leads, formula in (
        ("sokolow_lyon", SOKOLOW_LEADS, sokolow_lyon_mv),
        ("cornell", CORNELL_LEADS, cornell_mv),
    ):
        source = beat_source(ecg.file_sha256, usual_idx, ", ".join(leads))
        found.append(_voltage(name, leads, formula, shape, source))
    return found


def _axis(
    name: str,
    axis: FrontalAxis | None,
    shape: BeatShape,
    reason: str | None,
    source: Source,
    band: Callable[[float], str | None] | None,
) -> Measurement:
    metric = ecg_metric(name)
    if reason is not None or axis is None:
        return withheld(metric, reason or _NO_AXIS)
    scaled = shape.scales is not None and bool(shape.scales.scaled)
    return measured(
        metric,
        axis.angle_deg,
        source=source,
        interval=axis.interval_deg,
        band=None if band is None else band(axis.angle_deg),
        method=f"{metric.method}; lead II brought to the scale of lead I by Einthoven's rule" if scaled else None,
    )


def _limb_reason(shape: BeatShape, ecg: PreparedEcg) -> str | None:
    """Why no axis may be given; None where it may."""
    usable = {name for name, good in zip(ecg.record.leads, ecg.lead_usable, strict=True) if good}
    if "I" not in usable or not usable & {"II", "aVF"}:
        return "Lead I and one of the leads II and aVF are not both there and usable."
    if shape.scales is not None and shape.scales.broken:
        return "The limb leads do not agree with each other."
    return SWAPPED_REASON if shape.limb_swap is not None else None


def _voltage(
    name: str,
    leads: tuple[str, ...],
    formula: Callable[[dict[str, LeadWaves]], float],
    shape: BeatShape,
    source: Source,
) -> Measurement:
    metric, waves = ecg_metric(name), shape.by_lead
    if not set(leads) <= set(waves):
        return withheld(metric, f"Not all of {', '.join(leads)} are there, usable and clear.")
    if not shape.scales_agree:
        return withheld(metric, SCALE_REASON)
    if shape.limb_swap is not None and "aVL" in leads:
        return withheld(metric, SWAPPED_REASON)
    return measured(metric, formula(waves), source=source)
