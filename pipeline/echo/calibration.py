"""Physical size of a pixel from the ultrasound regions of a DICOM header.

Better pixels than wrong millimetres: a region that does not fit its image calibrates nothing.

Source: DICOM PS3.3 C.8.5.5 (US Region Calibration Module).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.records import Calibration

SPATIAL_FORMAT_2D = 1  # (0018,6012)
DATA_TYPE_TISSUE = 1  # (0018,6014)
UNIT_CM = 3  # (0018,6024), (0018,6026)
MM_PER_CM = 10.0
# A 4 cm to 30 cm deep sector on 60 to 4000 rows lies well inside these bounds.
DELTA_CM = (0.001, 0.5)
DISPUTED_SHARE = 0.2  # of the region: a small inset in its corner leaves the heart to one scale
SAME_SCALE = 0.005  # relative; headers round


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One ultrasound region as the header describes it; None where a value is absent or not a number."""

    spatial_format: int | None
    data_type: int | None
    unit_x: int | None
    unit_y: int | None
    delta_x: float | None  # in the region's unit, per pixel
    delta_y: float | None
    box_px: tuple[int, int, int, int] | None  # (top, left, bottom, right), end exclusive

    @property
    def is_tissue_2d(self) -> bool:
        return self.spatial_format == SPATIAL_FORMAT_2D and self.data_type == DATA_TYPE_TISSUE

    @property
    def spacing_mm(self) -> tuple[float, float] | None:
        """(row, column) spacing, None unless both are centimetres in a plausible range."""
        deltas = (self.delta_y, self.delta_x)
        if (self.unit_x, self.unit_y) != (UNIT_CM, UNIT_CM):
            return None
        if any(d is None or not math.isfinite(d) or not DELTA_CM[0] <= d <= DELTA_CM[1] for d in deltas):
            return None
        return (deltas[0] or 0.0) * MM_PER_CM, (deltas[1] or 0.0) * MM_PER_CM


def read_regions(items: Sequence[Mapping[str, Any]]) -> tuple[Region, ...]:
    """Regions from items that map DICOM keywords to values."""
    return tuple(_region(item) for item in items)


def _region(item: Mapping[str, Any]) -> Region:
    left, top, right, bottom = (
        _whole(item.get(f"RegionLocation{edge}")) for edge in ("MinX0", "MinY0", "MaxX1", "MaxY1")
    )
    box = None
    if left is not None and top is not None and right is not None and bottom is not None:
        box = (top, left, bottom + 1, right + 1)  # the header names the last pixel inside
    return Region(
        spatial_format=_whole(item.get("RegionSpatialFormat")),
        data_type=_whole(item.get("RegionDataType")),
        unit_x=_whole(item.get("PhysicalUnitsXDirection")),
        unit_y=_whole(item.get("PhysicalUnitsYDirection")),
        delta_x=_number(item.get("PhysicalDeltaX")),
        delta_y=_number(item.get("PhysicalDeltaY")),
        box_px=box,
    )


def calibrate(
    regions: Sequence[Region], height: int, width: int
) -> tuple[Calibration, tuple[int, int, int, int] | None]:
    """Spacing and box of the largest usable 2-D tissue region.

    Parameters
    ----------
    regions
        All regions of the header.
    height, width
        Size of the image in pixels.

    Returns
    -------
    calibration, region_px
        Without a usable region: spacing None with the reason. The box stands without a spacing when
        the region fits the image but its scale is not usable, or another region over it states another scale.
        The sector is looked for inside the box, so that the scale is that of what is measured; one header
        holds for all frames of a clip (US Multi-frame Image: the regions are not per frame).
    """
    tissue = sorted((r for r in regions if r.is_tissue_2d), key=_area, reverse=True)
    if not tissue:
        return _uncalibrated("The file holds no calibrated two-dimensional tissue region."), None
    inside = [r for r in tissue if _fits(r, height, width)]
    if not inside:
        return _uncalibrated("The calibrated region lies outside the image."), None
    usable = [r for r in inside if r.spacing_mm is not None]
    if not usable:
        reason = "The region's pixel size is absent, not in centimetres or not plausible."
        return _uncalibrated(reason), _clipped(inside[0], height, width)
    box_px = _clipped(usable[0], height, width)
    if _disputed(usable[0], usable):
        return _uncalibrated("The file states two different pixel sizes for one part of the image."), box_px
    return Calibration(spacing_mm=usable[0].spacing_mm, method="ultrasound region"), box_px


def _uncalibrated(reason: str) -> Calibration:
    return Calibration(spacing_mm=None, method="none", reason=reason)


def _fits(region: Region, height: int, width: int) -> bool:
    """Inside the image; one pixel over is allowed, since some machines name the end, not the last pixel."""
    if region.box_px is None:
        return False
    top, left, bottom, right = region.box_px
    return 0 <= top < bottom <= height + 1 and 0 <= left < right <= width + 1


def _clipped(region: Region, height: int, width: int) -> tuple[int, int, int, int]:
    top, left, bottom, right = region.box_px or (0, 0, height, width)
    return top, left, min(bottom, height), min(right, width)


def _disputed(chosen: Region, usable: Sequence[Region]) -> bool:
    """Whether another region with another scale lies over a good part of the chosen one."""
    return any(
        _shared_px(chosen, other) >= DISPUTED_SHARE * _area(chosen) and not _same_scale(chosen, other)
        for other in usable
        if other is not chosen
    )


def _shared_px(one: Region, other: Region) -> int:
    if one.box_px is None or other.box_px is None:
        return 0
    height, width = (min(one.box_px[i + 2], other.box_px[i + 2]) - max(one.box_px[i], other.box_px[i]) for i in (0, 1))
    return max(height, 0) * max(width, 0)


def _same_scale(one: Region, other: Region) -> bool:
    pairs = zip(one.spacing_mm or (), other.spacing_mm or (), strict=True)
    return all(math.isclose(a, b, rel_tol=SAME_SCALE) for a, b in pairs)


def _area(region: Region) -> int:
    if region.box_px is None:
        return 0
    top, left, bottom, right = region.box_px
    return max(bottom - top, 0) * max(right - left, 0)


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return None if number is None else int(number)
