"""Intervals: they cover what they promise, follow the difficulty, and shrink with the beats only as far as beats go."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pipeline.echo.analysis import analyse_echo
from pipeline.echo.detection import detect_chambers
from pipeline.echo.error_model import (
    EASIEST,
    Certainty,
    ErrorModel,
    conformal_reach,
    difficulty,
    mean_interval,
    read_error_models,
)
from pipeline.echo.manifest import read_manifest
from pipeline.records import Measurement, Metadata

POINTS = ErrorModel(scale="points", reach=10.0, patients=50)
RELATIVE = ErrorModel(scale="relative", reach=0.2, patients=50)
TYPICAL = Certainty(median=0.94, low=0.92)


def test_new_patients_are_covered_nine_times_in_ten() -> None:
    rng = np.random.default_rng(4)
    covered = []
    for _ in range(300):
        hardness = rng.uniform(0.6, 2.0, 100)
        errors = np.abs(rng.normal(0, 5 * hardness))
        reach = conformal_reach(errors[:50], hardness[:50])
        covered.append(np.mean(errors[50:] <= reach * hardness[50:]))
    assert 0.89 <= np.mean(covered) <= 0.93


def test_too_few_patients_give_no_reach() -> None:
    assert conformal_reach(np.ones(8), np.ones(8)) == math.inf
    assert conformal_reach(np.arange(1.0, 10.0), np.ones(9)) == 9.0


def test_difficulty_follows_the_doubt() -> None:
    assert difficulty([0.94, 0.94], TYPICAL) == pytest.approx(1.0)
    assert difficulty([0.94, 0.88], TYPICAL) == pytest.approx(1.5)
    assert difficulty([1.0], TYPICAL) == EASIEST
    assert difficulty([], TYPICAL) == 1.0


def test_a_difficult_clip_has_a_wider_interval() -> None:
    assert mean_interval(POINTS, [50.0], 1.0) == pytest.approx((40, 60))
    assert mean_interval(POINTS, [50.0], 1.5) == pytest.approx((35, 65))
    assert mean_interval(RELATIVE, [100.0], 1.0) == pytest.approx((100 * math.exp(-0.2), 100 * math.exp(0.2)))


def test_more_beats_narrow_only_their_own_spread() -> None:
    widths = [float(np.ptp(mean_interval(POINTS, [44.0, 56.0] * n, 1.0) or ())) for n in (1, 3, 40)]
    assert widths[0] > widths[1] > widths[2] > 20
    assert widths[2] < 20.4


@pytest.mark.parametrize("beats", [[], [50.0, math.nan], [-3.0]])
def test_values_outside_the_scale_have_no_interval(beats: list[float]) -> None:
    assert mean_interval(RELATIVE, beats, 1.0) is None


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"scale": "metres", "reach": 1, "patients": 5},
        {"scale": "points", "reach": 0, "patients": 5},
        {"scale": "points", "reach": "inf", "patients": 5},
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError)):
        read_error_models({"lvef": row})


def measures(phantoms: Any, heart: Any, certainty: float) -> dict[str, Measurement]:
    labels, times_s = heart.labels[::2], heart.times_s[::2]
    cine = phantoms.cine(labels, times_s)
    detection = detect_chambers(cine, phantoms.segmenter(labels, certainty))
    return {m.name: m for m in analyse_echo((cine,), (detection,), Metadata(sex="male", bsa_m2=1.9)).measurements}


def test_every_measure_with_a_known_error_carries_its_interval(phantoms: Any, usual_heart: Any) -> None:
    clear, vague = measures(phantoms, usual_heart, 0.96), measures(phantoms, usual_heart, 0.91)
    segments = ("inward_", "strain_")
    names = {name for name in read_manifest().errors if not name.startswith(segments)}
    assert {"lvef", "edv", "esv", "sv", "lv_mass", "wmsi"} <= names
    for name in (names - {"wmsi"}) | {"edv_index", "esv_index", "la_volume_index"}:
        inner, outer = clear[name].interval, vague[name].interval
        assert inner is not None, name
        assert outer is not None, name
        assert outer[0] < inner[0] < float(clear[name].value or 0) < inner[1] < outer[1], name
    assert (vague["lvef"].interval or (0,))[0] >= 0
    index = clear["wmsi"]  # its scale begins at 1, where the value of a usual heart lies
    assert index.interval is not None
    assert vague["wmsi"].interval is not None
    assert 1.0 == index.interval[0] == index.value < index.interval[1] < vague["wmsi"].interval[1] <= 4.0
