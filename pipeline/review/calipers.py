"""Lengths and areas that a reader measures in a frame, in the frame's own calibration or in pixels."""

from __future__ import annotations

import numpy as np

from pipeline.echo.outline import signed_area
from pipeline.records import Array

MM2_PER_CM2 = 100.0


def caliper_value(points_px: Array, spacing_mm: tuple[float, float] | None) -> tuple[float, str]:
    """A length between two points, or the area inside a closed line of three or more.

    Parameters
    ----------
    points_px : float (n_points, 2)
        (x, y).
    spacing_mm : (row, column) or None
        Rows and columns may differ; without it pixels are counted: better pixels than wrong millimetres.

    Returns
    -------
    (value, unit)
        mm, cm², px or px².
    """
    scale = np.array([1.0, 1.0] if spacing_mm is None else [spacing_mm[1], spacing_mm[0]])
    points = np.asarray(points_px, float) * scale
    if len(points) == 2:
        return float(np.hypot(*(points[1] - points[0]))), "px" if spacing_mm is None else "mm"
    area = abs(signed_area(points))
    return (area, "px²") if spacing_mm is None else (area / MM2_PER_CM2, "cm²")
