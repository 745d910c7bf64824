"""Left atrium and left ventricular mass: what is measured once a beat in the chambers' outlines."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from pipeline.clinical.reference_ranges import la_volume_index_band
from pipeline.echo import metrics
from pipeline.echo.cine_study import BeatFigures
from pipeline.echo.subject import NO_BODY_SURFACE, Subject, interval_of, no_length, phase_of, source_of
from pipeline.echo.volumes import area_length_ml
from pipeline.measurements import measured, withheld
from pipeline.records import Measurement, Metric

MM2_PER_CM2 = 100.0
ATRIUM_CUT = "The left atrium is cut by the edge of the image."
NO_ATRIUM = "The left atrium is not visible at end-systole."
NO_OUTER_BORDER = "The outer border of the left ventricle is not visible on most of its length at end-diastole."


def atrium(subject: Subject) -> Iterator[Measurement]:
    """Area, volume and volume index of the left atrium at end-systole."""
    reason, view = _no_atrium(subject), subject.main.cine.view
    areas_cm2 = [f.atrium_mm2 / MM2_PER_CM2 for f, _ in subject.pairs]
    volumes_ml = [_atrium_ml(*pair) for pair in subject.pairs]
    yield _mean(subject, metrics.LA_AREA, areas_cm2, reason, view)
    yield _mean(subject, metrics.LA_VOLUME, volumes_ml, reason, subject.way)
    yield _index(subject, metrics.LA_VOLUME_INDEX, volumes_ml, reason, subject.way)


def mass(subject: Subject) -> Iterator[Measurement]:
    """Mass of the left ventricle and its index, from the main view at end-diastole; no reference band exists."""
    reason, view = _no_mass(subject), subject.main.cine.view
    masses_g = [figures.mass_g for figures, _ in subject.pairs]
    yield _mean(subject, metrics.LV_MASS, masses_g, reason, view)
    yield _index(subject, metrics.LV_MASS_INDEX, masses_g, reason, view)


def _no_atrium(subject: Subject) -> str | None:
    reason = no_length(subject)
    if reason:
        return reason
    figures = [f for pair in subject.pairs for f in pair if f is not None]
    if any(math.isnan(f.atrium_mm2) for f in figures):
        return NO_ATRIUM
    return ATRIUM_CUT if any(f.atrium_cut for f in figures) else None


def _no_mass(subject: Subject) -> str | None:
    seen = all(f.outer_border_seen and math.isfinite(f.mass_g) for f, _ in subject.pairs)
    return no_length(subject) or (None if seen else NO_OUTER_BORDER)


def _atrium_ml(figures: BeatFigures, other: BeatFigures | None) -> float:
    if other is None:
        return area_length_ml(figures.atrium_mm2, figures.atrium_length_mm)
    # The shorter of the two lengths. Source: Lang et al. 2015.
    return area_length_ml(figures.atrium_mm2, min(figures.atrium_length_mm, other.atrium_length_mm), other.atrium_mm2)


def _mean(subject: Subject, metric: Metric, beats: list[float], reason: str | None, way: str) -> Measurement:
    phase = phase_of(metric)
    contour = "left_atrium" if phase == "es" else "lv_epicardium"
    source = source_of(subject, contour=contour, phase=phase)
    if reason:
        return withheld(metric, reason, source=source)
    value, interval = float(np.mean(beats)), interval_of(subject, metric, beats, phase)
    band = la_volume_index_band(value) if metric is metrics.LA_VOLUME_INDEX else None
    return measured(metric, value, source=source, interval=interval, band=band, method=f"{metric.method}, {way}")


def _index(subject: Subject, metric: Metric, beats: list[float], reason: str | None, way: str) -> Measurement:
    surface_m2 = subject.metadata.bsa_m2
    reason = reason or (None if surface_m2 else NO_BODY_SURFACE)
    return _mean(subject, metric, [value / (surface_m2 or math.nan) for value in beats], reason, way)
