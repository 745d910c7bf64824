"""Clips that no one would choose: a number that can be believed, or none and its reason."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline.echo.analysis import analyse_echo
from pipeline.echo.cardiac_cycle import NOT_BEATING, TOO_SHORT, find_cycle
from pipeline.echo.cine_study import study_cine
from pipeline.echo.detection import detect_chambers
from pipeline.echo.steadiness import without_flicker
from pipeline.errors import DetectionError
from pipeline.records import Measurement, Metadata

EF = 100 * (1 - 49.8 / 119.7)


def lvef_of(phantoms: Any, heart: Any, labels: np.ndarray | None = None) -> Measurement:
    shown = heart.labels if labels is None else labels
    cine = phantoms.cine(shown, heart.times_s)
    detection = detect_chambers(cine, phantoms.segmenter(shown))
    found = analyse_echo((cine,), (detection,), Metadata())
    return next(m for m in found.measurements if m.name == "lvef")


CLIPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("one frame", {"n_frames": 1}),
    ("three frames", {"n_frames": 3}),
    ("two frames a second", {"n_frames": 12, "rate_hz": 2.0}),
    ("a third of a cycle", {"n_frames": 8, "start_phase": 0.1}),
    ("filling only", {"n_frames": 10, "start_phase": 0.38}),
)


@pytest.mark.parametrize(("name", "changes"), CLIPS, ids=[name for name, _ in CLIPS])
def test_too_little_to_measure_is_withheld_with_its_reason(phantoms: Any, name: str, changes: dict[str, Any]) -> None:
    found = lvef_of(phantoms, phantoms.beating(**changes))
    assert found.status == "withheld", name
    assert str(found.reason).endswith(".")


SMALL = {"spacing_mm": (2.2, 2.2), "shape": (66, 64)}
FINE: tuple[tuple[str, dict[str, Any], float], ...] = (
    ("64 pixels across", {"n_frames": 45, **SMALL}, 3.0),
    ("ten frames a second", {"n_frames": 40, "rate_hz": 10.0}, 6.0),
    ("a fast heart", {"n_frames": 60, "heart_rate_bpm": 140.0}, 4.0),
    ("a slow heart", {"n_frames": 90, "heart_rate_bpm": 40.0}, 1.5),
)


@pytest.mark.parametrize(("name", "changes", "reach"), FINE, ids=[row[0] for row in FINE])
def test_an_unusual_clip_is_measured_within_its_interval(
    phantoms: Any, name: str, changes: dict[str, Any], reach: float
) -> None:
    found = lvef_of(phantoms, phantoms.beating(**changes))
    assert found.value == pytest.approx(EF, abs=reach), name
    assert found.interval is not None
    assert found.interval[0] <= EF <= found.interval[1]


def test_blank_frames_inside_a_clip_are_bridged(phantoms: Any, usual_heart: Any) -> None:
    labels = usual_heart.labels.copy()
    labels[[14, 15, 37]] = 0
    assert lvef_of(phantoms, usual_heart, labels).value == pytest.approx(EF, abs=1.5)


def test_a_clip_of_blank_frames_shows_no_heart(phantoms: Any, usual_heart: Any) -> None:
    with pytest.raises(DetectionError):
        lvef_of(phantoms, usual_heart, np.zeros_like(usual_heart.labels))


def _still(times: Any) -> Any:
    return np.full(len(times), 100.0)


def _nothing(times: Any) -> Any:
    return np.full(len(times), np.nan)


def _drifting(times: Any) -> Any:
    return 100 + 3 * times


@pytest.mark.parametrize(
    ("curve", "reasons"), [(_still, {NOT_BEATING}), (_nothing, {TOO_SHORT}), (_drifting, {NOT_BEATING, None})]
)
def test_curves_without_beats(curve: Callable[[Any], Any], reasons: set[str | None]) -> None:
    times = np.arange(60) / 30
    found = find_cycle(curve(times), times)
    assert found.included == ()
    assert found.reason in reasons


def test_the_r_waves_of_the_clip_choose_its_beats(phantoms: Any, usual_heart: Any) -> None:
    r_waves = tuple(float(t) for t in (np.arange(1, 4) - 0.9) * 60 / 72)
    cine = phantoms.cine(usual_heart.labels, usual_heart.times_s, r_wave_times_s=r_waves)
    study = study_cine(cine, detect_chambers(cine, phantoms.segmenter(usual_heart.labels)))
    assert study.cycle.heart_rate_bpm == pytest.approx(72.0)
    firsts = [usual_heart.times_s[beat.ed_idx] for beat in study.cycle.beats]
    assert firsts == pytest.approx(r_waves, abs=0.05)


@pytest.mark.slow
def test_ten_thousand_frames_take_memory_in_proportion() -> None:
    """Five minutes at 30 frames/s: the curve and its smoothing hold a few copies of it, not a square of it."""
    times = np.arange(10_000) / 30
    volumes = 85 + 35 * np.cos(2 * np.pi * 1.2 * times)
    tracemalloc.start()
    try:
        smoothed = without_flicker(volumes[:, None], times, 0.17)[:, 0]
        found = find_cycle(smoothed, times)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40e6
    assert len(found.included) == pytest.approx(400, abs=2)
    assert found.heart_rate_bpm == pytest.approx(72.0, rel=0.01)
