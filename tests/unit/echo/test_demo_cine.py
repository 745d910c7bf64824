"""The real cine that an installed package ships, through the shipped network: nothing in it flickers or leaps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from pipeline.echo.analysis import analyse_echo
from pipeline.echo.cine_study import CineStudy, study_cine
from pipeline.echo.detection import detect_chambers
from pipeline.echo.preprocessing import prepare_clip
from pipeline.echo.readers import read_echo
from pipeline.echo.segmentation import Segmenter, load_segmenter
from pipeline.gates import Limits
from pipeline.records import EchoCine, Measurement, Metadata

pytestmark = pytest.mark.slow
FLICKER = 0.02
LEAP = 0.12
"""Parts of the curve's range: the usual disagreement of a frame with its neighbours, and the largest of any frame."""


@pytest.fixture(scope="module")
def cine() -> EchoCine:
    path = Path(str(get_testdata_file("color3d_jpeg_baseline.dcm")))
    return prepare_clip(read_echo(path, Limits()), "0" * 64)


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return load_segmenter()


@pytest.fixture(scope="module")
def study(cine: EchoCine, segmenter: Segmenter) -> CineStudy:
    return study_cine(cine, detect_chambers(cine, segmenter))


def disagreement(volumes: Any) -> Any:
    """How far each volume lies from the cubic through its two neighbours on either side, as a part of the range."""
    middle = (4 * (volumes[1:-3] + volumes[3:-1]) - volumes[:-4] - volumes[4:]) / 6
    return np.abs(volumes[2:-2] - middle) / np.nanmax(np.abs(volumes - np.nanmin(volumes)))


def test_no_flicker_and_no_single_frame_leaps(study: CineStudy) -> None:
    volumes = study.analysis.volume_curve
    assert np.count_nonzero(np.isnan(volumes)) <= 0.03 * len(volumes)
    found = disagreement(volumes)
    assert np.nanmedian(found) < FLICKER
    assert np.nanmax(found) < LEAP


def test_the_check_sees_a_leap(study: CineStudy) -> None:
    volumes = study.analysis.volume_curve.copy()
    at = 2 + int(np.nanargmin(disagreement(volumes)))
    volumes[at] += 0.25 * np.ptp(volumes[np.isfinite(volumes)])
    assert np.nanmax(disagreement(volumes)) > LEAP


def test_beats_are_alike_and_possible(study: CineStudy) -> None:
    beats = study.cycle.included
    assert len(beats) >= 3
    fractions = [beat.ef_pct or 0.0 for beat in beats]
    assert min(fractions) > 25
    assert max(fractions) < 85
    assert np.ptp(fractions) < 15
    assert 45 < (study.cycle.heart_rate_bpm or 0) < 100


def fraction(cine: EchoCine, segmenter: Segmenter, step: int = 1) -> Measurement:
    """The ejection fraction from every frame, or from some."""
    some = replace(cine, frames=cine.frames[::step], frame_times_s=cine.frame_times_s[::step])
    found = analyse_echo((some,), (detect_chambers(some, segmenter),), Metadata())
    return next(m for m in found.measurements if m.name == "lvef")


def test_a_slow_clip_hides_no_more_than_its_interval_says(cine: EchoCine, segmenter: Segmenter) -> None:
    whole = fraction(cine, segmenter).value
    for step in (2, 3):  # 15 and 10 frames a second
        slow = fraction(cine, segmenter, step)
        assert isinstance(whole, float)
        assert isinstance(slow.value, float)
        assert slow.interval is not None
        added = slow.interval[1] + slow.interval[0] - 2 * slow.value  # only what lies between frames makes it uneven
        assert whole - 3.5 <= slow.value <= whole + 1.0
        assert whole <= slow.value + added + 1.0
