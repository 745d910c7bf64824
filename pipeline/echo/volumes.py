"""Volumes of the left ventricle and the left atrium from outlines.

Source: Lang et al. 2015, ASE/EACVI chamber quantification, doi 10.1016/j.echo.2014.10.003.
"""

from __future__ import annotations

import math

import numpy as np

from pipeline.echo.contours import wall_contour
from pipeline.echo.outline import arc_length, signed_area
from pipeline.errors import AnalysisError
from pipeline.records import Array

N_DISCS = 20
MM3_PER_ML = 1000.0
CLINICAL_ATRIUM = 8 / (3 * math.pi)
"""Area-length factor 0.85 of an ellipsoid. Source: Lang et al. 2015."""


def disc_volume_ml(
    mask: Array,
    spacing_mm: tuple[float, float],
    mask_b: Array | None = None,
    spacing_b_mm: tuple[float, float] | None = None,
) -> float:
    """Cavity volume by the method of discs from one view, or from two.

    Parameters
    ----------
    mask, mask_b : bool (height, width)
        Cavity in one phase, apex at the top; `mask_b` is the same phase in the other apical view.
    spacing_mm, spacing_b_mm : (row, column)
        Pixel size; rows and columns may differ. The second defaults to the first.

    Returns
    -------
    float
        mL. V = pi/4 * sum(a_i * b_i) * L / 20 over 20 discs; one view: a = b. L runs from the middle of the
        annulus to the farthest point of the cavity, for this phase and view; of two views the longer counts.

    Raises
    ------
    AnalysisError
        For a mask without a cavity.
    """
    profiles = [disc_profile(_contour(mask, spacing_mm), spacing_mm)]
    if mask_b is not None:
        spacing_b = spacing_b_mm or spacing_mm
        profiles.append(disc_profile(_contour(mask_b, spacing_b), spacing_b))
    return volume_of_profiles(*profiles)


def disc_volume_from_contour(contour: Array, spacing_mm: tuple[float, float]) -> float:
    """Volume in mL of one endocardium (n_points, 2) in pixels; NaN when the contour is absent."""
    if not np.isfinite(contour).all():
        return math.nan
    return volume_of_profiles(disc_profile(contour, spacing_mm))


def volume_of_profiles(first: tuple[Array, float], second: tuple[Array, float] | None = None) -> float:
    """Volume in mL of one or two (diameters_mm (20,), length_mm) of the same phase."""
    diameters, length_mm = first
    others, other_length_mm = second or first
    discs = float(np.sum(diameters * others))
    return math.pi / 4 * discs * max(length_mm, other_length_mm) / N_DISCS / MM3_PER_ML


def disc_profile(contour: Array, spacing_mm: tuple[float, float]) -> tuple[Array, float]:
    """Diameters of the 20 discs in mm, from annulus to apex, and the long axis in mm.

    The apex is looked for again, so that an edited contour need not keep its middle point there.
    """
    points = np.asarray(contour, float) * np.array([spacing_mm[1], spacing_mm[0]])
    middle = (points[0] + points[-1]) / 2
    reach = points - middle
    apex = reach[int(np.argmax((reach**2).sum(1)))]
    length_mm = float(np.hypot(*apex))
    if length_mm <= 0:
        return np.zeros(N_DISCS), 0.0
    axis = apex / length_mm
    along = reach @ axis
    aside = reach @ np.array([-axis[1], axis[0]])
    levels = (np.arange(N_DISCS) + 0.5) / N_DISCS * length_mm
    return _widths(along, aside, levels), length_mm


def _widths(along: Array, aside: Array, levels: Array) -> Array:
    """Length inside a closed line on each level: crossings with alternating sign, papillary notches left out."""
    a0, a1 = along, np.roll(along, -1)
    s0, s1 = aside, np.roll(aside, -1)
    upward = (a0[None] <= levels[:, None]) & (a1[None] > levels[:, None])
    downward = (a1[None] <= levels[:, None]) & (a0[None] > levels[:, None])
    rise = np.where(a1 == a0, 1.0, a1 - a0)
    at = s0 + (levels[:, None] - a0) / rise * (s1 - s0)
    return np.asarray(np.abs(np.where(upward, at, 0).sum(1) - np.where(downward, at, 0).sum(1)))


def _contour(mask: Array, spacing_mm: tuple[float, float]) -> Array:
    contour = wall_contour(np.asarray(mask, bool), spacing_mm)
    if not np.isfinite(contour).all():
        raise AnalysisError("There is no cavity to measure in this frame.")
    return contour


def wall_length_mm(contour: Array, spacing_mm: tuple[float, float]) -> float:
    """Length of the endocardial line from annulus to annulus in mm; NaN when absent."""
    if not np.isfinite(contour).all():
        return math.nan
    return float(arc_length(np.asarray(contour, float) * np.array([spacing_mm[1], spacing_mm[0]]))[-1])


def enclosed_area_mm2(contour: Array, spacing_mm: tuple[float, float]) -> float:
    """Area inside a closed contour (n_points, 2) in mm²; NaN when absent."""
    if not np.isfinite(contour).all():
        return math.nan
    return abs(signed_area(np.asarray(contour, float))) * spacing_mm[0] * spacing_mm[1]


def area_length_ml(area_mm2: float, length_mm: float, area_b_mm2: float | None = None) -> float:
    """Atrial volume 8/(3 pi) * A1 * A2 / L in mL; one view: A1 = A2. NaN without length."""
    if not length_mm > 0:
        return math.nan
    other = area_mm2 if area_b_mm2 is None else area_b_mm2
    return CLINICAL_ATRIUM * area_mm2 * other / length_mm / MM3_PER_ML


def atrium_length_mm(atrium: Array, endocardium: Array, spacing_mm: tuple[float, float]) -> float:
    """From the middle of the mitral annulus to the farthest point of the atrium's outline, in mm."""
    if not (np.isfinite(atrium).all() and np.isfinite(endocardium).all()):
        return math.nan
    scale = np.array([spacing_mm[1], spacing_mm[0]])
    middle = (endocardium[0] + endocardium[-1]) / 2 * scale
    return float(np.sqrt(((np.asarray(atrium, float) * scale - middle) ** 2).sum(1).max()))
