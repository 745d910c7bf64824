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


def region_at(regions: Sequence[Region], row: float, column: float) -> Region | None:
    """The smallest 2-D tissue region under a point, None where there is none."""
    under = [r for r in regions if r.is_tissue_2d and r.box_px is not None and _holds(r.box_px, row, column)]
    return min(under, key=_area, default=None)


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
        the region fits the image but its scale is not usable.
    """
    tissue = sorted((r for r in regions if r.is_tissue_2d), key=_area, reverse=True)
    if not tissue:
        return _uncalibrated("The file holds no calibrated two-dimensional tissue region."), None
    inside = [r for r in tissue if _fits(r, height, width)]
    if not inside:
        return _uncalibrated("The calibrated region lies outside the image."), None
    for region in inside:
        if region.spacing_mm is not None:
            calibration = Calibration(spacing_mm=region.spacing_mm, method="ultrasound region")
            return calibration, _clipped(region, height, width)
    reason = "The region's pixel size is absent, not in centimetres or not plausible."
    return _uncalibrated(reason), _clipped(inside[0], height, width)


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


def _holds(box_px: tuple[int, int, int, int], row: float, column: float) -> bool:
    return box_px[0] <= row < box_px[2] and box_px[1] <= column < box_px[3]


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
