"""What all beats of a clip share."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.echo.periodic_fit import periodic_fit

TIMES = np.arange(200) / 50
CURVE = 85 + 35 * np.cos(2 * np.pi * TIMES / 0.8)


def test_noise_of_single_beats_goes() -> None:
    noisy = CURVE + np.random.default_rng(3).normal(0, 1.5, len(CURVE))
    fit = periodic_fit(noisy, TIMES, 0.81)
    assert fit is not None
    assert np.std(fit - CURVE) < 0.5 * np.std(noisy - CURVE)


@pytest.mark.parametrize("kept", [60, 20])
def test_fewer_than_two_cycles_share_nothing(kept: int) -> None:
    assert periodic_fit(CURVE[:kept], TIMES[:kept], 0.8) is None


def test_beats_of_different_lengths_share_nothing() -> None:
    phase = np.cumsum(1 / (0.8 + 0.25 * np.sin(2 * np.pi * TIMES / 3))) / 50
    assert periodic_fit(85 + 35 * np.cos(2 * np.pi * phase), TIMES, 0.8) is None
