"""The ventricle's volumes by the area-length method, for readers who compare with a laboratory that uses it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.echo.volumes import area_length_ml, disc_profile, enclosed_area_mm2
from pipeline.records import CineAnalysis, EchoCine, EchoDetection


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaLength:
    """Means over the beats that count; volumes are None without calibration."""

    edv_ml: float | None
    esv_ml: float | None
    ef_pct: float


def area_length(cine: EchoCine, detection: EchoDetection, analysis: CineAnalysis) -> AreaLength | None:
    """Volumes and ejection fraction of one plane, 8/(3 pi) * A^2 / L of the very outlines that the discs rest on.

    None where no beat counts or an outline is missing. Source: Lang et al. 2015, ASE/EACVI,
    doi 10.1016/j.echo.2014.10.003 (an alternative where the apex cannot be followed; discs are recommended).
    """
    spacing_mm = cine.calibration.spacing_mm or (1.0, 1.0)

    def volume(frame_idx: int) -> float:
        contour = np.asarray(detection.lv_endocardium[frame_idx], float)
        if not np.isfinite(contour).all():
            return float("nan")
        return area_length_ml(enclosed_area_mm2(contour, spacing_mm), disc_profile(contour, spacing_mm)[1])

    pairs = np.array([(volume(b.ed_idx), volume(b.es_idx)) for b in analysis.beats if b.excluded is None])
    if not pairs.size or not np.isfinite(pairs).all() or np.any(pairs[:, 0] <= 0):
        return None
    is_ml = cine.calibration.spacing_mm is not None
    return AreaLength(
        edv_ml=float(pairs[:, 0].mean()) if is_ml else None,
        esv_ml=float(pairs[:, 1].mean()) if is_ml else None,
        ef_pct=float(np.mean(100.0 * (1.0 - pairs[:, 1] / pairs[:, 0]))),
    )
