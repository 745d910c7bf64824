"""The time of a segment's peak on curves whose true peak is known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from pipeline.echo.peak_time import NO_MOTION, NO_WHOLE_BEAT, NOISE_UNKNOWN, beat_noise_pct, peak_time
from pipeline.records import EchoBeat

CYCLE_S, PEAK_S, HEIGHT_PCT = 0.85, 0.34, 25.0


def motion(since_s: np.ndarray, peak_s: float = PEAK_S) -> np.ndarray:
    """Inward motion in % that rises and falls as half a cosine each."""
    rising = 0.5 - 0.5 * np.cos(np.pi * since_s / peak_s)
    falling = 0.5 + 0.5 * np.cos(np.pi * (since_s - peak_s) / (CYCLE_S - peak_s))
    return HEIGHT_PCT * np.where(since_s < peak_s, rising, falling)


def clip(
    rng: np.random.Generator, n_beats: int, rate_hz: float, noise_pct: float
) -> tuple[np.ndarray, list[EchoBeat], np.ndarray]:
    """Motion, beats and times of a clip of whole beats; the noise is as smooth as steadied contours leave it."""
    times_s = np.arange(round(n_beats * CYCLE_S * rate_hz) + 3) / rate_hz + rng.uniform(0, 1 / rate_hz)
    starts = [int(np.argmin(np.abs(times_s - number * CYCLE_S))) for number in range(n_beats + 1)]
    beats = [
        EchoBeat(ed_idx=a, es_idx=(a + b) // 2, end_idx=b, edv=None, esv=None, ef_pct=None) for a, b in pairwise(starts)
    ]
    raw = rng.normal(size=len(times_s))
    noise = gaussian_filter1d(raw, max(0.05 * rate_hz / 2, 0.3))
    return motion(times_s % CYCLE_S) + noise_pct * noise / noise.std(), beats, times_s


@pytest.mark.parametrize("noise_pct", [0.5, 2.0])
@pytest.mark.parametrize("rate_hz", [20.0, 40.0, 80.0])
@pytest.mark.parametrize("n_beats", [2, 4])
def test_the_true_time_lies_in_nine_of_ten_intervals(n_beats: int, rate_hz: float, noise_pct: float) -> None:
    rng = np.random.default_rng(7)
    inside, widths = [], []
    for _ in range(120):
        found, reason = peak_time(*clip(rng, n_beats, rate_hz, noise_pct), None)
        assert found is not None, reason
        low, high = found.interval_ms
        assert low <= found.time_ms <= high
        inside.append(low <= 1000 * PEAK_S <= high)
        widths.append(high - low)
    assert np.mean(inside) >= 0.9
    assert 2000 / rate_hz <= np.median(widths) <= 2000 / rate_hz + 350


def test_noise_widens_the_interval() -> None:
    rng = np.random.default_rng(1)
    widths = []
    for noise_pct in (0.2, 1.0, 3.0):
        found = [peak_time(*clip(rng, 3, 40.0, noise_pct), None)[0] for _ in range(20)]
        widths.append(np.mean([each.interval_ms[1] - each.interval_ms[0] for each in found if each]))
    assert widths[0] < widths[1] < widths[2]


def test_noise_is_what_the_beats_differ_by() -> None:
    rng = np.random.default_rng(2)
    found = [beat_noise_pct(*clip(rng, 4, 40.0, 2.0)) for _ in range(40)]
    assert np.mean([each for each in found if each is not None]) == pytest.approx(2.0, rel=0.2)
    assert beat_noise_pct(*clip(rng, 1, 40.0, 2.0)) is None


def test_one_beat_takes_the_error_of_the_motion() -> None:
    inward, beats, times_s = clip(np.random.default_rng(3), 1, 40.0, 0.0001)
    assert peak_time(inward, beats, times_s, None) == (None, NOISE_UNKNOWN)
    found, _ = peak_time(inward, beats, times_s, HEIGHT_PCT / 2)
    assert found is not None
    # Half the height is reached after half the rise, and lost after half the fall
    assert found.interval_ms == pytest.approx((500 * PEAK_S, 500 * (PEAK_S + CYCLE_S)), abs=2 * 25)
    assert found.time_pct == pytest.approx(100 * PEAK_S / CYCLE_S, abs=5)
    assert found.interval_pct[0] < found.time_pct < found.interval_pct[1]


def test_what_has_no_peak_has_a_reason() -> None:
    inward, beats, times_s = clip(np.random.default_rng(4), 2, 40.0, 0.1)
    assert peak_time(inward / 10, beats, times_s, 10.0) == (None, NO_MOTION)
    assert peak_time(inward, [], times_s, 10.0) == (None, NO_WHOLE_BEAT)
    cut = EchoBeat(ed_idx=0, es_idx=10, end_idx=len(inward) - 1, edv=None, esv=None, ef_pct=None)
    assert peak_time(inward, [cut], times_s, 10.0) == (None, NO_WHOLE_BEAT)
    inward[beats[0].ed_idx + 3] = np.nan
    found, _ = peak_time(inward, beats, times_s, 10.0)
    assert found is not None  # by the other beat alone
