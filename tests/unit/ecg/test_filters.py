"""Filters: their response, their phase, and the mains notch that is used only where it is needed."""

import numpy as np
import pytest

from pipeline.cancellation import CancelToken
from pipeline.ecg.filters import BLOCK_S, LeadFilter, fill_gaps, mains_hz_of
from pipeline.errors import RunCancelledError

RATE_HZ = 500.0


def heartbeats(duration_s: float, rate_hz: float = RATE_HZ) -> np.ndarray:
    """R and T waves as Gaussians at 60/min, 1 mV."""
    time_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    phase_s = np.mod(time_s, 1.0)
    r_wave = np.exp(-((phase_s - 0.3) ** 2) / (2 * 0.012**2))
    return r_wave + 0.25 * np.exp(-((phase_s - 0.6) ** 2) / (2 * 0.04**2))


def gain_at(frequency_hz: float, rate_hz: float, mains_hz: float | None = None) -> float:
    """Amplitude of a sine after the filter, away from the edges."""
    time_s = np.arange(round(60 * rate_hz)) / rate_hz
    filtered = LeadFilter(rate_hz, mains_hz).apply(np.sin(2 * np.pi * frequency_hz * time_s))
    middle = filtered[filtered.size // 3 : -filtered.size // 3]
    return float(np.sqrt(2.0) * np.std(middle))


@pytest.mark.parametrize("rate_hz", [360.0, 500.0, 1000.0])
def test_the_band_is_what_the_text_says(rate_hz: float) -> None:
    assert LeadFilter(rate_hz).text == "0.5-150 Hz zero-phase"
    assert gain_at(0.5, rate_hz) == pytest.approx(0.707, abs=0.02)
    assert gain_at(150.0, rate_hz) == pytest.approx(0.707, abs=0.02)
    assert gain_at(10.0, rate_hz) == pytest.approx(1.0, abs=0.01)
    assert gain_at(0.1, rate_hz) < 0.02


def test_a_slow_recording_ends_at_half_its_rate() -> None:
    assert LeadFilter(250.0).text == "0.5-125 Hz zero-phase"
    assert gain_at(100.0, 250.0) == pytest.approx(1.0, abs=0.02)


def test_waves_are_neither_moved_nor_flattened() -> None:
    lead = heartbeats(10.0)
    filtered = LeadFilter(RATE_HZ).apply(lead)
    for beat in range(1, 9):
        window = slice(int(beat * RATE_HZ), int((beat + 1) * RATE_HZ))
        assert abs(int(filtered[window].argmax()) - int(lead[window].argmax())) <= 1
        assert np.ptp(filtered[window]) == pytest.approx(np.ptp(lead[window]), rel=0.06)


def test_offset_and_slow_wander_are_removed() -> None:
    lead = heartbeats(20.0)
    time_s = np.arange(lead.size) / RATE_HZ
    wandering = lead + 5.0 + np.sin(2 * np.pi * 0.1 * time_s)
    difference = LeadFilter(RATE_HZ).apply(wandering) - LeadFilter(RATE_HZ).apply(lead)
    assert np.abs(difference[2500:-2500]).max() < 0.03


@pytest.mark.parametrize("line_hz", [50.0, 60.0])
def test_mains_noise_is_found_and_removed(line_hz: float) -> None:
    lead = heartbeats(10.0)
    noisy = lead + 0.1 * np.sin(2 * np.pi * line_hz * np.arange(lead.size) / RATE_HZ)
    assert mains_hz_of([lead, noisy], RATE_HZ) == line_hz
    lead_filter = LeadFilter(RATE_HZ, line_hz)
    assert lead_filter.text == f"0.5-150 Hz zero-phase, {line_hz:g} Hz notch"
    left = lead_filter.apply(noisy) - LeadFilter(RATE_HZ).apply(lead)
    assert np.sqrt(np.mean(left[500:-500] ** 2)) < 0.02


def test_a_clean_recording_gets_no_notch() -> None:
    lead = heartbeats(10.0) + np.random.default_rng(0).normal(0, 0.02, 5000)
    assert mains_hz_of([lead], RATE_HZ) is None


def test_mains_noise_above_half_the_rate_is_not_looked_for() -> None:
    assert mains_hz_of([heartbeats(10.0, 100.0)], 100.0) is None


def test_gaps_are_bridged_and_remembered() -> None:
    lead = heartbeats(4.0).astype(np.float32)
    lead[100:200] = np.nan
    lead[-5:] = np.inf
    before = lead.copy()
    filled, missing = fill_gaps(lead)
    assert np.isfinite(filled).all()
    assert missing.sum() == 105
    assert filled[150] == pytest.approx((lead[99] + lead[200]) / 2, abs=0.02)
    np.testing.assert_array_equal(filled[-5:], lead[-6])
    np.testing.assert_array_equal(lead, before)


def test_a_lead_without_samples_becomes_zeros() -> None:
    filled, missing = fill_gaps(np.full(10, np.nan))
    assert missing.all()
    np.testing.assert_array_equal(filled, 0.0)


def test_blocks_join_without_a_seam() -> None:
    rate_hz = 100.0
    lead = heartbeats(BLOCK_S + 60.0, rate_hz) + np.random.default_rng(1).normal(0, 0.1, int((BLOCK_S + 60) * rate_hz))
    blocked = LeadFilter(rate_hz).apply(lead)
    whole = LeadFilter(rate_hz)._both_ways(lead)
    seam = int(BLOCK_S * rate_hz)
    np.testing.assert_allclose(blocked[seam - 500 : seam + 500], whole[seam - 500 : seam + 500], atol=1e-5)


def test_the_input_is_not_changed_and_the_output_is_float32() -> None:
    lead = heartbeats(3.0)
    before = lead.copy()
    assert LeadFilter(RATE_HZ).apply(lead).dtype == np.float32
    np.testing.assert_array_equal(lead, before)


def test_cancel_is_heard() -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(RunCancelledError):
        LeadFilter(RATE_HZ).apply(heartbeats(3.0), cancel=token)
