"""Smoothing in time: flicker goes, end-diastole and end-systole stay as large and as small as they are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pipeline.echo.cardiac_cycle import find_cycle
from pipeline.echo.contours import frame_contours
from pipeline.echo.steadiness import (
    leaps,
    local_parabolas,
    repeat_period_s,
    steady_contours,
    window_s,
    without_flicker,
)
from pipeline.echo.volumes import disc_volume_from_contour

EDV, ESV = 120.0, 50.0


def beating_volumes(bpm: float, rate_hz: float, *, start: float, seconds: float = 4.2) -> tuple[Any, Any, float]:
    """Times, volumes in mL and the systole's length in s, which follows the root of the cycle as a heart's does."""
    cycle_s = 60 / bpm
    systole_s = 0.29 * math.sqrt(cycle_s / 0.833)
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    at = (start * cycle_s + times) % cycle_s
    filled_s = systole_s + 0.6 * (cycle_s - systole_s)
    emptied = 0.5 - 0.5 * np.cos(np.pi * at / systole_s)
    filling = 0.15 + 0.85 * (0.5 + 0.5 * np.cos(np.pi * (at - systole_s) / (filled_s - systole_s)))
    kick = 0.15 * (0.5 + 0.5 * np.cos(np.pi * (at - filled_s) / (cycle_s - filled_s)))
    part = np.select([at < systole_s, at < filled_s], [emptied, filling], kick)
    return times, EDV - (EDV - ESV) * part, systole_s


def steadied(volumes: Any, times: Any) -> Any:
    return without_flicker(volumes[:, None], times, window_s(repeat_period_s(volumes, times)))[:, 0]


@pytest.mark.parametrize("noise_ml", [0.0, 1.2])
@pytest.mark.parametrize("bpm", [45.0, 63.0, 88.0, 110.0])
@pytest.mark.parametrize("rate_hz", [30.0, 50.0, 80.0])
def test_one_frame_and_one_point(rate_hz: float, bpm: float, noise_ml: float) -> None:
    cycle_s = 60 / bpm
    for start in (0.9, 0.55):
        times, volumes, systole_s = beating_volumes(bpm, rate_hz, start=start)
        noisy = volumes + np.random.default_rng(7).normal(0, noise_ml, len(volumes))
        found = find_cycle(steadied(noisy, times), times)
        assert len(found.included) >= int(4.2 / cycle_s) - 1
        reach_s = 1.1 / rate_hz if noise_ml == 0 else max(1.1 / rate_hz, 0.027)  # noise moves flat summits
        for beat in found.included:
            for idx, truth_s in ((beat.ed_idx, 0.0), (beat.es_idx, systole_s)):
                late_s = start * cycle_s + times[idx] - truth_s
                assert abs((late_s + cycle_s / 2) % cycle_s - cycle_s / 2) <= reach_s
        ef = np.mean([beat.ef_pct for beat in found.included])
        assert ef == pytest.approx(100 * (1 - ESV / EDV), abs=1.0)
        assert found.heart_rate_bpm == pytest.approx(bpm, rel=0.03)


@pytest.mark.parametrize("rate_hz", [12.0, 15.0, 20.0])
def test_a_slow_frame_rate_loses_no_true_end_systole(rate_hz: float) -> None:
    """At few frames a beat the lowest frame stands alone: it is no outlier."""
    times, volumes, _ = beating_volumes(130, rate_hz, start=0.9)
    assert leaps(volumes, times) == ()


def test_noise_shrinks_and_the_extremes_stay() -> None:
    times, volumes, _ = beating_volumes(72, 50, start=0.9)
    noisy = volumes + np.random.default_rng(2).normal(0, 2, len(volumes))
    assert np.std(steadied(noisy, times) - volumes) < 0.65 * np.std(noisy - volumes)
    clean = steadied(volumes, times)
    assert clean.max() == pytest.approx(volumes.max(), abs=0.5)
    assert clean.min() == pytest.approx(volumes.min(), abs=0.5)


def test_a_parabola_is_kept_at_uneven_times_and_at_the_ends() -> None:
    times = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.05, 40))
    values = np.stack([3 * times**2 - times, times], -1)
    values[11] = np.nan
    found = local_parabolas(values, times, 0.25)
    known = np.delete(np.arange(40), 11)
    assert found[known] == pytest.approx(values[known], abs=1e-9)
    assert np.isnan(found[11]).all()


@pytest.mark.parametrize("n_rows", [1, 4])
def test_few_rows_stay_as_they_are(n_rows: int) -> None:
    values = np.random.default_rng(0).normal(size=(n_rows, 2))
    assert np.array_equal(local_parabolas(values, np.arange(n_rows) / 30, 0.2), values)


@pytest.mark.parametrize("bpm", [45.0, 72.0, 140.0])
def test_the_period_is_that_of_the_heart(bpm: float) -> None:
    times, volumes, _ = beating_volumes(bpm, 30, start=0.3)
    assert repeat_period_s(volumes, times) == pytest.approx(60 / bpm, rel=0.06)


def test_no_period_in_noise_or_in_half_a_beat() -> None:
    times = np.arange(300) / 30
    assert repeat_period_s(np.random.default_rng(1).normal(size=300), times) is None
    half = beating_volumes(60, 30, start=0.0, seconds=0.5)
    assert repeat_period_s(half[1], half[0]) is None
    assert window_s(None) < window_s(0.8) < window_s(1.3)


def test_contours_lose_their_flicker_and_keep_their_volumes(phantoms: Any, usual_heart: Any) -> None:
    spacing_mm, times = phantoms.spacing_mm, usual_heart.times_s
    true = np.stack([frame_contours(frame, spacing_mm).lv_endocardium for frame in usual_heart.labels])
    scale = np.random.default_rng(5).normal(1, 0.012, (len(true), 1, 1))
    flickering = ((true - true.mean(1, keepdims=True)) * scale + true.mean(1, keepdims=True)).astype(np.float32)
    flickering[30] *= 1.4  # a frame that leaps
    flickering[41] = np.nan
    confidence = np.ones(len(true))
    confidence[50] = 0.0
    found = steady_contours(flickering, times, confidence)
    assert np.array_equal(found[[30, 50]], flickering[[30, 50]])
    assert np.isnan(found[41]).all()

    def error(contours: Any) -> float:
        kept = [i for i in range(len(true)) if i not in (30, 41, 50)]
        volumes = np.array([disc_volume_from_contour(contours[i], spacing_mm) for i in kept])
        return float(np.std(volumes - usual_heart.volumes_ml[kept]))

    assert error(found) < 0.75 * error(flickering)
