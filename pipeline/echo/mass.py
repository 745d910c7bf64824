"""Mass of the left ventricle's muscle from the inner and the outer border of one apical view.

Both borders are taken as bodies of revolution by the area-length method and the volume between them is weighed:
mass = 1.05 g/mL * 8 / (3 pi) * (A_outer^2 / L_outer - A_inner^2 / L_inner), at end-diastole.
Source: Schiller et al. 1989, ASE, doi 10.1016/S0894-7317(89)80014-8 (density, and volume by area and length); the
guideline's own mass takes the areas from a short-axis view, so that its reference ranges do not apply here.
"""

from __future__ import annotations

import math

from pipeline.echo.beam import part_at_edge
from pipeline.echo.volumes import area_length_ml, disc_profile, enclosed_area_mm2
from pipeline.records import Array

MUSCLE_G_PER_ML = 1.05
SEEN_PART = 0.7
"""The outer border counts when this part of it lies inside the beam and not along its edge."""


def lv_mass_g(endocardium: Array, epicardium: Array, spacing_mm: tuple[float, float]) -> float:
    """Mass in g between two wall contours (n_points, 2) in pixels; NaN when one is absent or they do not nest."""
    inner_ml, outer_ml = (_body_ml(contour, spacing_mm) for contour in (endocardium, epicardium))
    return MUSCLE_G_PER_ML * (outer_ml - inner_ml) if outer_ml > inner_ml else math.nan


def border_seen(epicardium: Array, edge_px: Array) -> bool:
    """Whether most of an outer border (n_points, 2) lies inside the beam, by the map of distances to its edge."""
    return part_at_edge(epicardium, edge_px) <= 1 - SEEN_PART


def _body_ml(contour: Array, spacing_mm: tuple[float, float]) -> float:
    area_mm2 = enclosed_area_mm2(contour, spacing_mm)
    return area_length_ml(area_mm2, disc_profile(contour, spacing_mm)[1]) if math.isfinite(area_mm2) else math.nan
