"""Mass of the left ventricle on shells of known volume, and what hides its outer border."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.echo.analysis import analyse_echo
from pipeline.echo.beam import edge_distance_px
from pipeline.echo.chambers import NO_OUTER_BORDER
from pipeline.echo.contours import frame_contours
from pipeline.echo.detection import detect_chambers
from pipeline.echo.mass import border_seen, lv_mass_g
from pipeline.records import Measurement, Metadata


def shell_g(phantoms: Any, length_mm: float, radius_mm: float) -> float:
    """A half ellipsoid with a wall of 9 mm, as the phantoms have it."""
    return 1.05 * (phantoms.volume_ml(length_mm + 9, radius_mm + 9) - phantoms.volume_ml(length_mm, radius_mm))


@pytest.mark.parametrize("spacing_mm", [(0.5, 0.5), (0.62, 0.4)])
@pytest.mark.parametrize("tilt", [0.0, 0.2])
def test_mass_of_a_known_shell(phantoms: Any, spacing_mm: tuple[float, float], tilt: float) -> None:
    shape = (round(160 / spacing_mm[0]), round(150 / spacing_mm[1]))
    lines = frame_contours(
        phantoms.labels(85, 24, spacing_mm=spacing_mm, shape=shape, tilt=tilt, base_part=0.75), spacing_mm
    )
    found = lv_mass_g(lines.lv_endocardium, lines.lv_epicardium, spacing_mm)
    assert found == pytest.approx(shell_g(phantoms, 85, 24), rel=0.03)


def test_a_missing_or_inner_outer_border_has_no_mass(phantoms: Any) -> None:
    lines = frame_contours(phantoms.labels(85, 24), phantoms.spacing_mm)
    absent = np.full_like(lines.lv_epicardium, np.nan)
    assert math.isnan(lv_mass_g(lines.lv_endocardium, absent, (0.5, 0.5)))
    assert math.isnan(lv_mass_g(lines.lv_epicardium, lines.lv_endocardium, (0.5, 0.5)))


def test_a_border_along_the_beams_edge_is_not_seen(phantoms: Any) -> None:
    outer = frame_contours(phantoms.labels(85, 24), phantoms.spacing_mm).lv_epicardium
    whole = np.ones((300, 260), bool)
    assert border_seen(outer, edge_distance_px(whole))
    cut = whole.copy()
    cut[:, : int(np.percentile(outer[:, 0], 40))] = False  # the left wall lies in the dark
    assert not border_seen(outer, edge_distance_px(cut))
    assert not border_seen(np.full_like(outer, np.nan), edge_distance_px(whole))


def measurement(found: Any, name: str) -> Measurement:
    return next(m for m in found.measurements if m.name == name)


def test_mass_and_index_of_a_beating_heart(phantoms: Any, usual_heart: Any) -> None:
    cine = phantoms.cine(usual_heart.labels, usual_heart.times_s)
    detection = detect_chambers(cine, phantoms.segmenter(usual_heart.labels))
    found = analyse_echo((cine,), (detection,), Metadata(sex="male", bsa_m2=2.0))
    mass, index = measurement(found, "lv_mass"), measurement(found, "lv_mass_index")
    assert mass.value == pytest.approx(shell_g(phantoms, 90, 25.2), rel=0.04)
    assert index.value == pytest.approx(float(mass.value or 0) / 2.0, rel=0.001)
    assert mass.source.frame_idx == tuple(b.ed_idx for b in found.cines[0].beats if b.excluded is None)
    assert mass.band is None  # the published ranges are for another method
    assert "A4C" in mass.method
    unseen = replace(detection, lv_epicardium=np.full_like(detection.lv_epicardium, np.nan))
    assert measurement(analyse_echo((cine,), (unseen,), Metadata()), "lv_mass").reason == NO_OUTER_BORDER
