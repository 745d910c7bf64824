"""The area-length method on half ellipsoids, whose volume it gives exactly."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.echo.other_method import area_length
from pipeline.records import StudyResults


@pytest.fixture(scope="module")
def ellipses() -> Any:
    """The phantoms of the review: outlines that are half ellipses."""
    path = Path(__file__).parents[1] / "review" / "conftest.py"
    spec = importlib.util.spec_from_file_location("ellipses_of_known_volume", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parts(study: StudyResults) -> tuple[Any, Any, Any]:
    return study.cines[0], study.detections[0], study.clip_analyses[0]


def test_half_an_ellipsoid_has_its_own_volume(ellipses: Any) -> None:
    cine, detection, analysis = parts(ellipses.results())
    found = area_length(cine, detection, analysis)
    beats = [b for b in analysis.beats if b.excluded is None]
    edv = sum(ellipses.half_ellipsoid_ml(*ellipses.sizes(b.ed_idx)) for b in beats) / len(beats)
    esv = sum(ellipses.half_ellipsoid_ml(*ellipses.sizes(b.es_idx)) for b in beats) / len(beats)
    assert found is not None
    assert found.edv_ml == pytest.approx(edv, rel=0.01)
    assert found.esv_ml == pytest.approx(esv, rel=0.01)
    assert found.ef_pct == pytest.approx(100 * (1 - esv / edv), abs=0.5)


def test_without_calibration_there_is_only_the_fraction(ellipses: Any) -> None:
    cine, detection, analysis = parts(ellipses.results(ellipses.cine(calibrated=False)))
    found = area_length(cine, detection, analysis)
    assert found is not None
    assert (found.edv_ml, found.esv_ml) == (None, None)
    assert 40 < found.ef_pct < 70


def test_a_missing_outline_or_beat_gives_nothing(ellipses: Any) -> None:
    cine, detection, analysis = parts(ellipses.results())
    lines = detection.lv_endocardium.copy()
    lines[analysis.beats[1].ed_idx] = math.nan
    assert area_length(cine, replace(detection, lv_endocardium=lines), analysis) is None
    assert area_length(cine, detection, replace(analysis, beats=())) is None
