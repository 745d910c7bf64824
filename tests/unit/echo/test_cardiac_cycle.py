"""End-diastole, end-systole, rate, and what is not counted, on curves whose beats are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.echo.cardiac_cycle import (
    ENDS_INSIDE,
    NOT_BEATING,
    STARTS_INSIDE,
    TOO_SHORT,
    find_cycle,
    smooth,
    without_outliers,
)


def curve(seconds: float, *, rate_hz: float = 30.0, bpm: float = 72.0, start: float = 0.9, noise: float = 0.0) -> Any:
    """Times and volumes between 120 and 50 mL; end-diastole at whole phases, end-systole 0.35 later."""
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    phase = (start + times * bpm / 60) % 1
    falling = 0.5 - 0.5 * np.cos(np.pi * phase / 0.35)
    filling = 0.15 + 0.85 * (0.5 + 0.5 * np.cos(np.pi * (phase - 0.35) / 0.25))
    kick = 0.15 * (0.5 + 0.5 * np.cos(np.pi * (phase - 0.85) / 0.15))
    systole = np.select([phase < 0.35, phase < 0.6, phase < 0.85], [falling, filling, 0.15], kick)
    return times, 120 - 70 * systole + np.random.default_rng(1).normal(0, noise, len(times))


@pytest.mark.parametrize("noise_ml", [0.0, 2.0])
@pytest.mark.parametrize("bpm", [50.0, 72.0, 110.0])
@pytest.mark.parametrize("rate_hz", [25.0, 30.0, 60.0])
def test_beats_within_one_frame_and_one_point(bpm: float, rate_hz: float, noise_ml: float) -> None:
    times, volumes = curve(4.2, bpm=bpm, rate_hz=rate_hz, noise=noise_ml)
    found = find_cycle(volumes, times)
    period = 60 / bpm
    # A plateau of noise has no sharp summit: one frame more.
    reach_s = (1.05 if noise_ml == 0 else 2.05) / rate_hz
    assert len(found.included) >= int(4.2 / period) - 1
    for beat in found.included:
        ed_phase, es_phase = (0.9 * period + times[i] for i in (beat.ed_idx, beat.es_idx))
        assert abs((ed_phase + period / 2) % period - period / 2) <= reach_s
        assert abs((es_phase - 0.35 * period + period / 2) % period - period / 2) <= reach_s
    ef = np.mean([beat.ef_pct for beat in found.included])
    assert ef == pytest.approx(58.3, abs=1.0 if noise_ml == 0 else 2.5)
    assert found.heart_rate_bpm == pytest.approx(bpm, rel=0.03)


def test_r_waves_choose_the_beats() -> None:
    times, volumes = curve(3.0)
    r_waves = tuple(float(t) for t in (np.arange(1, 4) - 0.9) * 60 / 72)
    found = find_cycle(volumes, times, r_waves)
    assert [round(times[b.ed_idx] - r, 2) for b, r in zip(found.beats, r_waves, strict=True)] == pytest.approx(
        [0, 0, 0], abs=0.04
    )
    assert found.heart_rate_bpm == pytest.approx(72.0)
    assert len(found.included) == 3


def test_r_waves_too_close_are_not_believed() -> None:
    times, volumes = curve(3.0)
    assert find_cycle(volumes, times, (0.1, 0.2, 0.3)).heart_rate_bpm == pytest.approx(72.0, rel=0.03)


def test_beats_cut_by_the_clip_are_excluded_with_the_reason() -> None:
    times, volumes = curve(2.2, start=0.2)  # starts in mid-systole
    found = find_cycle(volumes, times)
    assert found.beats[0].excluded == STARTS_INSIDE
    assert all(beat.excluded is None for beat in found.beats[1:])
    r_waves = tuple(float(t) for t in (np.arange(1, 4) - 0.2) * 60 / 72)
    cut = find_cycle(volumes[:53], times[:53], r_waves)
    assert cut.beats[-1].excluded == ENDS_INSIDE


def test_a_clip_that_starts_at_end_diastole_keeps_its_first_beat() -> None:
    times, volumes = curve(1.0, start=0.0)
    found = find_cycle(volumes, times)
    assert [beat.excluded for beat in found.beats] == [None]
    assert found.beats[0].ef_pct == pytest.approx(58.3, abs=1.0)
    assert found.beats[0].ed_idx <= 1


@pytest.mark.parametrize("n_frames", [1, 4, 7])
def test_short_clips_give_no_beat(n_frames: int) -> None:
    times, volumes = curve(2.0)
    found = find_cycle(volumes[:n_frames], times[:n_frames])
    assert found.beats == ()
    assert found.reason == TOO_SHORT


@pytest.mark.parametrize("noise_ml", [0.0, 1.0, 15.0])
def test_a_still_heart_does_not_beat(noise_ml: float) -> None:
    volumes = 100 + np.random.default_rng(3).normal(0, noise_ml, 90)
    found = find_cycle(volumes, np.arange(90) / 30)
    assert found.included == ()
    assert found.reason == NOT_BEATING


def test_half_a_systole_is_no_beat() -> None:
    times, volumes = curve(0.33, start=0.0, bpm=45)  # end-systole would come at 0.47 s
    found = find_cycle(volumes, times)
    assert found.included == ()
    assert found.reason == ENDS_INSIDE


@pytest.mark.parametrize(("start", "seconds"), [(0.0, 0.36), (0.6, 0.66)])
def test_a_clip_from_end_diastole_to_end_systole_is_enough(start: float, seconds: float) -> None:
    times, volumes = curve(seconds, start=start)
    found = find_cycle(volumes, times)
    assert [beat.excluded for beat in found.beats] == [None]
    assert found.beats[0].ef_pct == pytest.approx(58.3, abs=2.0)
    assert found.heart_rate_bpm is None


def test_no_cavity_at_all() -> None:
    found = find_cycle(np.full(60, np.nan), np.arange(60) / 30)
    assert (found.beats, found.reason) == ((), TOO_SHORT)


def test_single_frames_that_leap_are_bridged() -> None:
    times, volumes = curve(3.0)
    hurt = volumes.copy()
    hurt[[20, 41]] = 200.0, 5.0
    hurt[55] = np.nan
    clean, outliers = without_outliers(hurt, times)
    assert outliers == (20, 41)
    assert np.isnan(clean[[20, 41, 55]]).all()
    plain = np.mean([b.ef_pct for b in find_cycle(volumes, times).included])
    assert np.mean([b.ef_pct for b in find_cycle(hurt, times).included]) == pytest.approx(plain, abs=1.0)
    assert np.isfinite(find_cycle(hurt, times).smoothed).all()


def test_a_beating_curve_has_no_outliers() -> None:
    for bpm in (45.0, 72.0, 120.0):
        times, volumes = curve(4.0, bpm=bpm)
        assert without_outliers(volumes, times)[1] == ()


def test_smoothing_does_not_flatten() -> None:
    times, volumes = curve(3.0)
    smoothed = smooth(volumes, times)
    assert smoothed.max() == pytest.approx(volumes.max(), abs=1.0)
    assert smoothed.min() == pytest.approx(volumes.min(), abs=1.0)


def test_a_beat_unlike_the_others_is_left_out() -> None:
    times, volumes = curve(5.0)
    r_waves = tuple(float(t) for t in (np.arange(1, 7) - 0.9) * 60 / 72)
    early = (times > 2.45 / 1.2) & (times < 3.45 / 1.2)  # from one end-systole to the next: hardly filled
    volumes = np.where(early, 50 + 0.2 * (volumes - 50), volumes)
    found = find_cycle(volumes, times, r_waves)
    assert any(beat.excluded and "others" in beat.excluded for beat in found.beats)
    assert np.mean([b.ef_pct for b in found.included]) == pytest.approx(58.3, abs=2.0)
