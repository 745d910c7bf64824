"""Whatever finite signal comes, beats, classes and boundaries are found or withheld; nothing is raised."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.ecg.analysis import analyse_ecg
from pipeline.ecg.beats import classify_beats, detect_r_peaks
from pipeline.ecg.delineation import delineate
from pipeline.errors import AnalysisError
from pipeline.records import Metadata

FIELDS = ("p_on", "p_off", "qrs_on", "qrs_off", "t_on", "t_off")
KINDS = ("noise", "walk", "steps", "spikes", "square", "constant", "beats")


def _lead(kind, n_samples, rate_hz, rng):
    time_s = np.arange(n_samples) / rate_hz
    if kind == "noise":
        return rng.standard_normal(n_samples)
    if kind == "walk":
        return np.cumsum(rng.standard_normal(n_samples))
    if kind == "steps":
        return np.repeat(rng.standard_normal(n_samples // 50 + 1), 50)[:n_samples]
    if kind == "spikes":
        return np.where(rng.random(n_samples) < 0.01, 5.0, 0.0)
    if kind == "square":
        return np.sign(np.sin(2.0 * np.pi * rng.uniform(0.1, 60.0) * time_s))
    if kind == "constant":
        return np.full(n_samples, rng.standard_normal())
    centres = np.arange(0.3, max(n_samples / rate_hz, 0.4), rng.uniform(0.25, 1.5))
    return np.exp(-0.5 * ((time_s[:, None] - centres[None, :]) / rng.uniform(0.004, 0.04)) ** 2).sum(axis=1)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32 - 1),
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=3),
    n_samples=st.integers(0, 2500),
    rate_hz=st.sampled_from([100.0, 128.0, 257.3, 500.0, 2000.0]),
    scale=st.sampled_from([1e-9, 1e-3, 1.0, 1e6]),
    missing=st.sampled_from([0.0, 0.0, 0.02, 0.6]),
)
def test_no_signal_raises(seed, kinds, n_samples, rate_hz, scale, missing):
    rng = np.random.default_rng(seed)
    signal_mv = np.stack([scale * _lead(kind, n_samples, rate_hz, rng) for kind in kinds])
    signal_mv[rng.random(signal_mv.shape) < missing] = np.nan
    peaks = detect_r_peaks(signal_mv, rate_hz)
    assert np.all(np.diff(peaks) > 0)
    assert np.all((peaks >= 0) & (peaks < max(n_samples, 1)))
    letters = classify_beats(signal_mv, rate_hz, peaks)
    assert letters.shape == peaks.shape
    assert set(letters.tolist()) <= set("NSVFQ")
    found = delineate(signal_mv, rate_hz, peaks)
    for field in FIELDS:
        places = getattr(found, field)
        assert places.shape == (len(kinds), peaks.size)
        known = places[np.isfinite(places)]
        assert ((known >= 0) & (known <= n_samples - 1)).all()


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_hum_alone_has_no_beat_but_perhaps_one_at_the_edge(mains_hz):
    time_s = np.arange(5000) / 500.0
    signal_mv = np.stack([np.sin(2.0 * np.pi * mains_hz * time_s + phase) for phase in (0.0, 1.0)])
    peaks = detect_r_peaks(signal_mv, 500.0)
    assert peaks.size <= 1
    assert ((peaks < 100) | (peaks > 4900)).all()


def test_half_a_second_has_at_most_one_beat(make_ecg):
    phantom = make_ecg(np.array([0.25]), duration_s=0.5, n_leads=2)
    peaks = detect_r_peaks(phantom.signal_mv, 500.0)
    assert peaks.size <= 1
    assert delineate(phantom.signal_mv, 500.0, peaks).qrs_on.shape == (2, peaks.size)


def test_a_clipped_lead_still_shows_its_beats(make_ecg):
    phantom = make_ecg(np.arange(0.5, 9.6, 0.8), n_leads=1, noise_mv=0.005)
    signal_mv = np.clip(phantom.signal_mv, -0.3, 0.6)
    peaks = detect_r_peaks(signal_mv, 500.0)
    assert peaks.size == phantom.r_idx.size
    assert np.abs(peaks - phantom.r_idx).max() <= 15
    assert set(classify_beats(signal_mv, 500.0, peaks).tolist()) == {"N"}


@pytest.mark.parametrize("rate_hz", [100.0, 2000.0])
def test_slow_and_fast_sampling_give_the_same_intervals(make_ecg, rate_hz):
    phantom = make_ecg(np.arange(0.5, 9.6, 0.8), rate_hz=rate_hz, n_leads=3, noise_mv=0.005)
    found = delineate(phantom.signal_mv, rate_hz)
    width_ms = 1000.0 / rate_hz * np.nanmedian(found.qrs_off - found.qrs_on)
    assert 70.0 < width_ms < 120.0
    assert np.isfinite(found.p_on).mean() > 0.8


def test_forty_leads(make_ecg):
    phantom = make_ecg(np.arange(0.5, 9.6, 0.8), rate_hz=250.0, noise_mv=0.01)
    signal_mv = np.concatenate([phantom.signal_mv] * 4)[:40]
    peaks = detect_r_peaks(signal_mv, 250.0)
    assert peaks.size == phantom.r_idx.size
    assert delineate(signal_mv, 250.0, peaks).qrs_on.shape == (40, peaks.size)
    assert set(classify_beats(signal_mv, 250.0, peaks).tolist()) == {"N"}


@pytest.mark.parametrize("value", [np.nan, 0.0, 1.7])
def test_no_lead_no_beat_is_said_in_a_sentence(make_ecg, prepare, value):
    phantom = make_ecg(np.arange(0.5, 9.6, 0.8), n_leads=2)
    phantom.signal_mv[:] = value
    with pytest.raises(AnalysisError, match=r"No heart beat|No lead"):
        analyse_ecg(prepare(phantom), Metadata())


@pytest.mark.parametrize("n_leads", [1, 2])
def test_one_lead_with_gaps_is_analysed(make_ecg, prepare, n_leads):
    phantom = make_ecg(np.arange(0.5, 19.6, 0.8), n_leads=n_leads, noise_mv=0.01)
    phantom.signal_mv[:, 3000:3400] = np.nan
    analysis = analyse_ecg(prepare(phantom), Metadata())
    assert len(analysis.beat_classes) == analysis.r_peaks_idx.size >= 22
    withheld = [m for m in analysis.measurements if m.value is None]
    assert all(m.reason for m in withheld)
