"""Volumes against bodies whose volume is known."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest

from pipeline.echo.contours import wall_contour
from pipeline.echo.volumes import (
    area_length_ml,
    disc_profile,
    disc_volume_from_contour,
    disc_volume_ml,
    enclosed_area_mm2,
    wall_length_mm,
)
from pipeline.errors import AnalysisError


@pytest.mark.parametrize("spacing_mm", [(0.5, 0.5), (0.6, 0.4), (0.31, 0.16), (0.16, 0.31)])
@pytest.mark.parametrize("tilt", [0.0, 0.3, -0.4])
def test_half_ellipsoid_within_one_percent(phantoms: Any, spacing_mm: tuple[float, float], tilt: float) -> None:
    shape = (round(160 / spacing_mm[0]), round(150 / spacing_mm[1]))
    labels = phantoms.labels(90, 25, spacing_mm=spacing_mm, shape=shape, tilt=tilt, base_part=0.8, atrium_mm=0)
    assert disc_volume_ml(labels == 1, spacing_mm) == pytest.approx(phantoms.volume_ml(90, 25), rel=0.01)


def test_long_axis_is_taken_per_phase(phantoms: Any) -> None:
    """EDV 120 and ESV 50 with axes of 9.0 and 7.5 cm: one disc height for both would give EF 50.0 %."""
    volumes = []
    for volume_ml, length_mm in ((120, 90), (50, 75)):
        radius = math.sqrt(volume_ml * 1000 * 3 / (2 * math.pi * length_mm))
        labels = phantoms.labels(length_mm, radius, base_part=0.8, atrium_mm=0)
        volumes.append(disc_volume_ml(labels == 1, (0.5, 0.5)))
    edv, esv = volumes
    assert (edv, esv) == (pytest.approx(120, rel=0.01), pytest.approx(50, rel=0.01))
    assert 100 * (edv - esv) / edv == pytest.approx(58.3, abs=0.5)


def test_biplane_multiplies_the_two_views(phantoms: Any) -> None:
    first = phantoms.labels(90, 25, base_part=0.8, atrium_mm=0) == 1
    second = phantoms.labels(90, 20, spacing_mm=(0.4, 0.7), shape=(350, 180), base_part=0.8, atrium_mm=0) == 1
    expected = 2 / 3 * math.pi * 90 * 25 * 20 / 1000
    assert disc_volume_ml(first, (0.5, 0.5), second, (0.4, 0.7)) == pytest.approx(expected, rel=0.01)


def test_biplane_takes_the_longer_axis(phantoms: Any) -> None:
    long, short = (phantoms.labels(length, 25, base_part=0.8, atrium_mm=0) == 1 for length in (90, 80))
    both = disc_volume_ml(long, (0.5, 0.5), short)
    assert both == pytest.approx(phantoms.volume_ml(90, 25), rel=0.015)


def test_an_ellipse_without_corners_is_still_measured() -> None:
    y, x = np.mgrid[:300, :300] * 0.5
    whole = ((y - 75) / 45) ** 2 + ((x - 75) / 25) ** 2 <= 1
    assert disc_volume_ml(whole, (0.5, 0.5)) == pytest.approx(4 / 3 * math.pi * 45 * 25**2 / 1000, rel=0.02)


@pytest.mark.parametrize("n_pixels", [0, 3])
def test_a_mask_without_a_cavity_is_refused(n_pixels: int) -> None:
    mask = np.zeros((80, 80), bool)
    mask[40, 40 : 40 + n_pixels] = True
    with pytest.raises(AnalysisError, match="no cavity"):
        disc_volume_ml(mask, (0.5, 0.5))


def test_pointed_base_is_measured() -> None:
    """A cavity that ends in a tip below has no two corners down there."""
    y, x = np.mgrid[:200, :200]
    diamond = np.abs(x - 100) / 35 + np.abs(y - 100) / 70 <= 1
    assert disc_volume_ml(diamond, (0.5, 0.5)) == pytest.approx(2 / 3 * math.pi * 17.5**2 * 35 / 1000, rel=0.05)


def test_contour_gives_the_volume_of_its_mask_at_once(phantoms: Any) -> None:
    mask = phantoms.labels(90, 25) == 1
    contour = wall_contour(mask, (0.5, 0.5))
    best_s = math.inf
    for _ in range(10):
        start = time.perf_counter()
        volume = disc_volume_from_contour(contour, (0.5, 0.5))
        best_s = min(best_s, time.perf_counter() - start)
    assert volume == pytest.approx(disc_volume_ml(mask, (0.5, 0.5)))
    assert best_s < 0.010


def test_absent_contours_give_no_number() -> None:
    absent = np.full((97, 2), np.nan)
    assert math.isnan(disc_volume_from_contour(absent, (1, 1)))
    assert math.isnan(wall_length_mm(absent, (1, 1)))
    assert math.isnan(enclosed_area_mm2(absent, (1, 1)))
    assert math.isnan(area_length_ml(10, math.nan))


def test_length_and_area_use_both_spacings() -> None:
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], float)
    assert enclosed_area_mm2(square, (0.5, 2.0)) == pytest.approx(100.0)
    line = np.array([[0, 0], [0, 10], [10, 10]], float)
    assert wall_length_mm(line, (0.5, 2.0)) == pytest.approx(5 + 20)


def test_profile_finds_length_and_diameters(phantoms: Any) -> None:
    contour = wall_contour(phantoms.labels(80, 20) == 1, (0.5, 0.5))
    diameters, length_mm = disc_profile(contour, (0.5, 0.5))
    assert length_mm == pytest.approx(80, abs=0.7)
    assert diameters[0] == pytest.approx(40, abs=0.7)
    assert diameters[10] == pytest.approx(40 * math.sqrt(1 - (10.5 / 20) ** 2), abs=0.7)


def test_area_length_of_a_sphere() -> None:
    assert area_length_ml(math.pi * 20**2, 40) == pytest.approx(4 / 3 * math.pi * 20**3 / 1000)
