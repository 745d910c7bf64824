"""Quality of leads: each fault is found, and a good lead keeps its full mark."""

import numpy as np
import pytest

from pipeline.ecg.filters import LeadFilter, fill_gaps
from pipeline.ecg.quality import LeadQuality, lead_quality, second_features, second_quality

RATE_HZ = 500.0


def clean_lead(duration_s: float = 10.0, rate_hz: float = RATE_HZ) -> np.ndarray:
    phase_s = np.mod(np.arange(round(duration_s * rate_hz)) / rate_hz, 0.8)
    noise = np.random.default_rng(5).normal(0, 0.005, phase_s.size)
    return np.exp(-((phase_s - 0.3) ** 2) / (2 * 0.012**2)) + 0.2 * np.exp(-((phase_s - 0.55) ** 2) / 0.003) + noise


def verdict_of(raw: np.ndarray, rate_hz: float = RATE_HZ) -> LeadQuality:
    filtered = LeadFilter(rate_hz).apply(fill_gaps(raw)[0])
    return lead_quality(raw, second_features(raw, filtered, rate_hz))


@pytest.mark.parametrize("rate_hz", [125.0, 250.0, 500.0, 1000.0])
def test_a_clean_lead_is_good_at_every_rate(rate_hz: float) -> None:
    verdict = verdict_of(clean_lead(rate_hz=rate_hz), rate_hz)
    assert verdict.usable
    assert verdict.reason is None
    assert verdict.quality > 0.9


@pytest.mark.parametrize("rate_hz", [250.0, 1000.0])
def test_white_noise_is_refused_at_every_rate(rate_hz: float) -> None:
    verdict = verdict_of(np.random.default_rng(2).normal(0, 0.5, int(10 * rate_hz)), rate_hz)
    assert not verdict.usable
    assert verdict.quality == 0.0
    assert verdict.reason == "its noise hides the heartbeats"


def test_a_flat_lead_is_refused() -> None:
    for flat in (np.zeros(5000), np.full(5000, 3.3), np.random.default_rng(0).normal(0, 0.001, 5000)):
        verdict = verdict_of(flat)
        assert not verdict.usable
        assert "flat" in (verdict.reason or "")


def test_a_lead_that_falls_off_is_refused_when_most_is_gone() -> None:
    lead = clean_lead()
    lead[1000:] = 0.0
    assert not verdict_of(lead).usable
    lead = clean_lead()
    lead[4000:] = 0.0
    assert verdict_of(lead).usable


def test_missing_samples_lower_the_quality_and_then_refuse() -> None:
    lead = clean_lead()
    lead[:1000] = np.nan
    some = verdict_of(lead)
    assert some.usable
    assert some.quality == pytest.approx(0.8, abs=0.05)
    lead[:3000] = np.nan
    assert verdict_of(lead).reason == "most of its samples are missing"
    assert not verdict_of(np.full(5000, np.nan)).usable


def test_a_clipped_lead_is_refused_and_a_rounded_top_is_not() -> None:
    # a square-topped QRS at a low limit spends far more than 5 % of the time there
    clipped = np.clip(clean_lead() * 3.0, -0.02, 0.1)
    verdict = verdict_of(clipped)
    assert not verdict.usable
    assert "clipped" in (verdict.reason or "")
    coarse = np.round(clean_lead() / 0.01) * 0.01
    assert verdict_of(coarse).reason is None


def test_a_perfectly_calm_baseline_is_not_clipped() -> None:
    calm = np.round(np.maximum(clean_lead(), 0.02) / 0.02) * 0.02
    assert np.mean(calm == calm.min()) > 0.5
    verdict = verdict_of(calm)
    assert verdict.usable
    assert verdict.reason is None


def test_values_of_another_unit_are_refused() -> None:
    verdict = verdict_of(clean_lead() * 1000.0 + np.random.default_rng(3).normal(0, 90.0, 5000))
    assert not verdict.usable
    assert "larger than any ECG" in (verdict.reason or "")


def test_noise_lowers_the_quality_step_by_step() -> None:
    rng = np.random.default_rng(4)
    marks = [verdict_of(clean_lead() + rng.normal(0, noise_mv, 5000)).quality for noise_mv in (0.0, 0.05, 0.1)]
    assert marks[0] > marks[1] > marks[2] > 0.0


def test_the_map_shows_the_bad_second() -> None:
    lead = clean_lead()
    lead[2000:2500] += np.random.default_rng(6).normal(0, 0.4, 500)
    lead[3500:4000] = np.nan
    filtered = LeadFilter(RATE_HZ).apply(fill_gaps(lead)[0])
    marks = second_quality(second_features(lead, filtered, RATE_HZ))
    assert marks.shape == (10,)
    assert marks.dtype == np.float32
    assert marks[7] == 0.0
    assert marks[4] < 0.3
    assert (marks[[0, 1, 2, 5, 9]] > 0.8).all()


@pytest.mark.parametrize(("n_samples", "n_seconds"), [(5000, 10), (5200, 10), (5250, 11), (200, 1)])
def test_a_last_second_counts_from_half_its_samples(n_samples: int, n_seconds: int) -> None:
    lead = clean_lead(11.0)[:n_samples]
    features = second_features(lead, LeadFilter(RATE_HZ).apply(lead), RATE_HZ)
    assert features.range_mv.shape == (n_seconds,)


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_mains_noise_alone_is_named(mains_hz: float) -> None:
    hum = 0.5 * np.sin(2 * np.pi * mains_hz * np.arange(5000) / RATE_HZ)
    filtered = LeadFilter(RATE_HZ, mains_hz).apply(hum)
    verdict = lead_quality(hum, second_features(hum, filtered, RATE_HZ))
    assert not verdict.usable
    assert verdict.reason == "it holds mains noise or drift only, as from a disconnected electrode"


def test_microvolts_declared_as_millivolts_are_refused_even_with_a_calm_baseline() -> None:
    verdict = verdict_of(clean_lead() * 1000.0)
    assert not verdict.usable
    assert verdict.reason == "its values are larger than any ECG"
    assert verdict_of(clean_lead() * 8.0).usable


def test_millivolts_declared_as_microvolts_are_refused() -> None:
    assert not verdict_of(clean_lead() / 1000.0).usable


def test_the_stretch_in_which_a_lead_was_off_is_named() -> None:
    lead = clean_lead(20.0)
    lead[3000:7000] = 0.0
    verdict = verdict_of(lead)
    assert verdict.usable
    assert verdict.reason in {
        f"it is flat from second {first} to {last}, as from a disconnected electrode"
        for first in (6, 7, 8)
        for last in (12, 13, 14)
    }
