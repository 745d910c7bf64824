"""Millimetres only from a region that can be believed."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pipeline.echo.calibration import calibrate, read_regions

GOOD: dict[str, Any] = {
    "RegionSpatialFormat": 1,
    "RegionDataType": 1,
    "PhysicalUnitsXDirection": 3,
    "PhysicalUnitsYDirection": 3,
    "PhysicalDeltaX": 0.04,
    "PhysicalDeltaY": 0.05,
    "RegionLocationMinX0": 10,
    "RegionLocationMinY0": 20,
    "RegionLocationMaxX1": 109,
    "RegionLocationMaxY1": 89,
}
OUTSIDE = "The calibrated region lies outside the image."
SCALE = "The region's pixel size is absent, not in centimetres or not plausible."
NONE = "The file holds no calibrated two-dimensional tissue region."


def test_rows_and_columns_are_scaled_apart() -> None:
    calibration, box = calibrate(read_regions([GOOD]), 100, 120)
    assert calibration.spacing_mm == pytest.approx((0.5, 0.4))
    assert (calibration.method, calibration.reason) == ("ultrasound region", None)
    assert box == (20, 10, 90, 110)


@pytest.mark.parametrize(
    ("changes", "reason", "has_box"),
    [
        ({"RegionSpatialFormat": 2}, NONE, False),  # M-mode
        ({"RegionDataType": 2}, NONE, False),  # colour flow
        ({"PhysicalUnitsXDirection": 4}, SCALE, True),  # seconds
        ({"PhysicalUnitsYDirection": 0}, SCALE, True),
        ({"PhysicalDeltaX": 0.0}, SCALE, True),
        ({"PhysicalDeltaY": -0.05}, SCALE, True),
        ({"PhysicalDeltaY": math.inf}, SCALE, True),
        ({"PhysicalDeltaX": math.nan}, SCALE, True),
        ({"PhysicalDeltaX": None}, SCALE, True),
        ({"PhysicalDeltaX": "many"}, SCALE, True),
        ({"PhysicalDeltaX": 0.51}, SCALE, True),
        ({"PhysicalDeltaX": 0.0009}, SCALE, True),
        ({"RegionLocationMaxX1": 121}, OUTSIDE, False),
        ({"RegionLocationMaxY1": 101}, OUTSIDE, False),
        ({"RegionLocationMinX0": -1}, OUTSIDE, False),
        ({"RegionLocationMaxX1": 5}, OUTSIDE, False),  # right of it is left of it
        ({"RegionLocationMinX0": None}, OUTSIDE, False),
    ],
)
def test_doubt_means_pixels(changes: dict[str, Any], reason: str, has_box: bool) -> None:
    calibration, box = calibrate(read_regions([GOOD | changes]), 100, 120)
    assert calibration.spacing_mm is None
    assert calibration.reason == reason
    assert (box is not None) is has_box


@pytest.mark.parametrize("delta", [0.001, 0.5])
def test_plausible_range_includes_its_ends(delta: float) -> None:
    calibration, _ = calibrate(read_regions([GOOD | {"PhysicalDeltaX": delta}]), 100, 120)
    assert calibration.spacing_mm == pytest.approx((0.5, delta * 10))


def test_a_region_that_names_its_end_is_clipped() -> None:
    edges = {"RegionLocationMaxX1": 120, "RegionLocationMaxY1": 100}
    calibration, box = calibrate(read_regions([GOOD | edges]), 100, 120)
    assert calibration.spacing_mm is not None
    assert box == (20, 10, 100, 120)


def test_largest_usable_region_is_taken() -> None:
    small = GOOD | {"RegionLocationMaxX1": 20, "PhysicalDeltaX": 0.01}
    outside = GOOD | {"RegionLocationMaxX1": 5000, "PhysicalDeltaX": 0.02}
    doppler = GOOD | {"RegionSpatialFormat": 3, "RegionLocationMinX0": 0}
    calibration, box = calibrate(read_regions([small, outside, doppler, GOOD]), 100, 120)
    assert calibration.spacing_mm == pytest.approx((0.5, 0.4))
    assert box == (20, 10, 90, 110)


def with_second(**changes: Any) -> tuple[Any, Any]:
    return calibrate(read_regions([GOOD, GOOD | changes]), 100, 240)


def test_two_scales_for_one_part_of_the_image_are_none() -> None:
    calibration, box = with_second(PhysicalDeltaX=0.02, PhysicalDeltaY=0.025, RegionLocationMaxX1=80)
    assert calibration.spacing_mm is None
    assert calibration.reason == "The file states two different pixel sizes for one part of the image."
    assert box == (20, 10, 90, 110)


@pytest.mark.parametrize(
    "changes",
    [
        {},  # the region said twice
        {"PhysicalDeltaY": 0.0501},  # rounded
        {"PhysicalDeltaY": 0.02, "RegionLocationMinX0": 120, "RegionLocationMaxX1": 210},  # beside it
        {"PhysicalDeltaY": 0.02, "RegionLocationMaxX1": 22},  # an inset
        {"PhysicalDeltaY": 0.02, "RegionSpatialFormat": 3},  # Doppler
        {"PhysicalUnitsXDirection": 4, "PhysicalDeltaX": 0.02},  # no length
    ],
)
def test_a_second_region_that_disputes_nothing(changes: dict[str, Any]) -> None:
    calibration, box = with_second(**changes)
    assert calibration.spacing_mm == pytest.approx((0.5, 0.4), rel=0.005)
    assert box == (20, 10, 90, 110)
