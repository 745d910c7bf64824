"""How far the measures of held-out patients are from the cardiologist's, for the intervals of the application."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.echo.beam import edge_distance_px, is_cut
from pipeline.echo.contours import frame_contours
from pipeline.echo.error_model import Certainty, Scale, conformal_reach, difficulties
from pipeline.echo.mass import border_seen, lv_mass_g
from pipeline.echo.volumes import (
    area_length_ml,
    atrium_length_mm,
    disc_profile,
    enclosed_area_mm2,
    volume_of_profiles,
    wall_length_mm,
)
from pipeline.echo.wall_motion import segment_sizes
from pipeline.echo.wall_scores import INWARD_PLACES, STRAIN_PLACES, score_of, wall_motion_score_index
from pipeline.records import Array

PHASES = ("ED", "ES")
MEASURES: dict[str, tuple[Scale, tuple[str, ...]]] = {
    "lvef": ("points", PHASES),
    "edv": ("relative", ("ED",)),
    "esv": ("relative", ("ES",)),
    "sv": ("relative", PHASES),
    "lv_length_ed": ("relative", ("ED",)),
    "lv_length_es": ("relative", ("ES",)),
    "gls": ("points", PHASES),
    "lv_mass": ("relative", ("ED",)),
    "la_area": ("relative", ("ES",)),
    "la_volume": ("relative", ("ES",)),
    **dict.fromkeys(INWARD_PLACES, ("points", PHASES)),
    **dict.fromkeys(STRAIN_PLACES, ("points", PHASES)),
    "wmsi": ("points", PHASES),
}
"""Scale of the error, and the phases whose certainty tells its difficulty."""
FOLDS, REPEATS = 5, 40


@dataclass(frozen=True, slots=True)
class Still:
    """What one labelled still gives; NaN where the structure is absent, or cut by the sector."""

    volume_ml: float
    length_mm: float
    wall_mm: float
    atrium_mm2: float
    atrium_length_mm: float
    mass_g: float
    radii_mm: tuple[float, ...]
    """Mean distances of the six wall segments from the long axis."""
    lengths_mm: tuple[float, ...]
    """Lengths of the six wall segments."""


@dataclass(frozen=True, slots=True)
class Patient:
    """Both phases of a patient, measured in the network's labels and in the cardiologist's."""

    found: dict[str, float]
    truth: dict[str, float]
    certainty: dict[str, float]  # by phase


def measure_still(labels: Array, spacing_mm: tuple[float, float], sector: Array) -> Still:
    """The measures of one frame as the application takes them; `sector` bool (height, width) is what the beam sees."""
    lines = frame_contours(labels, spacing_mm)
    endocardium, atrium = lines.lv_endocardium, lines.left_atrium
    profile = disc_profile(endocardium, spacing_mm) if np.isfinite(endocardium).all() else None
    edge_px = edge_distance_px(sector)
    seen = np.isfinite(atrium).all() and not is_cut(atrium, edge_px)
    outer = lines.lv_epicardium
    bordered = np.isfinite(outer).all() and border_seen(outer, edge_px)
    sizes = segment_sizes(endocardium, spacing_mm)
    return Still(
        volume_ml=volume_of_profiles(profile) if profile else math.nan,
        length_mm=profile[1] if profile else math.nan,
        wall_mm=wall_length_mm(endocardium, spacing_mm),
        atrium_mm2=enclosed_area_mm2(atrium, spacing_mm) if seen else math.nan,
        atrium_length_mm=atrium_length_mm(atrium, endocardium, spacing_mm) if seen else math.nan,
        mass_g=lv_mass_g(endocardium, outer, spacing_mm) if bordered else math.nan,
        radii_mm=tuple(sizes[:, 0].tolist()),
        lengths_mm=tuple(sizes[:, 1].tolist()),
    )


def measures_of(ed: Still, es: Still) -> dict[str, float]:
    """One patient's measures by the names of the metrics; the wall's are those of the four-chamber view."""
    inward = [100 * (1 - late / early) for early, late in zip(ed.radii_mm, es.radii_mm, strict=True)]
    strain = [100 * (late / early - 1) for early, late in zip(ed.lengths_mm, es.lengths_mm, strict=True)]
    return {
        "lvef": 100 * (1 - es.volume_ml / ed.volume_ml),
        "edv": ed.volume_ml,
        "esv": es.volume_ml,
        "sv": ed.volume_ml - es.volume_ml,
        "lv_length_ed": ed.length_mm,
        "lv_length_es": es.length_mm,
        "gls": 100 * (es.wall_mm / ed.wall_mm - 1),
        "lv_mass": ed.mass_g,
        "la_area": es.atrium_mm2,
        "la_volume": area_length_ml(es.atrium_mm2, es.atrium_length_mm),
        **dict(zip(INWARD_PLACES, inward, strict=True)),
        **dict(zip(STRAIN_PLACES, strain, strict=True)),
        "wmsi": _score_index(inward),
    }


def _score_index(inward_pct: list[float]) -> float:
    if not np.isfinite(inward_pct).all():
        return math.nan
    return wall_motion_score_index([score_of(place, value) for place, value in enumerate(inward_pct)])


def error_figures(patients: list[Patient]) -> dict[str, Any]:
    """What the manifest says for the intervals: typical certainty, and for each measure its reach and its coverage.

    `coverage` is that of patients who were left out when the reach was taken (repeated five-fold cross-fitting);
    a measure with too few patients for a reach is left out.
    """
    certainty = np.array([value for patient in patients for value in patient.certainty.values()])
    typical = _typical(certainty)
    rows = {}
    for name in MEASURES:
        errors, doubts = _errors(patients, name)
        reach = conformal_reach(errors, difficulties(doubts.mean(1), typical)) if len(errors) else math.inf
        if math.isfinite(reach) and reach > 0:
            rows[name] = {
                "scale": MEASURES[name][0],
                "reach": round(reach, 4),
                "patients": len(errors),
                **_cross_fitted(errors, doubts),
            }
    return {"certainty": {"median": typical.median, "p5": typical.low}, "errors": rows}


def _typical(certainty: Array) -> Certainty:
    median, low = np.percentile(certainty, [50, 5])
    return Certainty(median=round(float(median), 5), low=round(float(low), 5))


def _errors(patients: list[Patient], name: str) -> tuple[Array, Array]:
    """Distance (n,) between found and true where both exist, and the certainties (n, n_phases) that go with it."""
    scale, phases = MEASURES[name]
    errors, doubts = [], []
    for patient in patients:
        found, truth = patient.found[name], patient.truth[name]
        if not (math.isfinite(found) and math.isfinite(truth)) or (scale == "relative" and min(found, truth) <= 0):
            continue
        errors.append(abs(found - truth) if scale == "points" else abs(math.log(found / truth)))
        doubts.append([patient.certainty[phase] for phase in phases])
    return np.array(errors), np.array(doubts).reshape(-1, len(phases))


def _cross_fitted(errors: Array, certainties: Array) -> dict[str, float]:
    """Part of left-out patients inside their interval, and the mean reach, with reaches from the other patients."""
    rng = np.random.default_rng(0)
    inside, reaches = [], []
    for _ in range(REPEATS):
        for held in np.array_split(rng.permutation(len(errors)), FOLDS):
            others = np.setdiff1d(np.arange(len(errors)), held)
            typical = _typical(certainties[others])
            reach = conformal_reach(errors[others], difficulties(certainties[others].mean(1), typical))
            reach_here = reach * difficulties(certainties[held].mean(1), typical)
            inside += list(errors[held] <= reach_here)
            reaches += list(reach_here)
    return {"coverage": round(float(np.mean(inside)), 3), "mean_reach": round(float(np.mean(reaches)), 4)}
