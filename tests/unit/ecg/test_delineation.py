from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from pipeline.cancellation import CancelToken
from pipeline.ecg.delineation import delineate
from pipeline.ecg.waves import (
    first_true,
    last_true,
    running_mean,
    running_median,
    toward_median,
    without_baseline,
)
from pipeline.errors import RunCancelledError

FIELDS = ("p_on", "p_off", "qrs_on", "qrs_off", "t_on", "t_off")
# Ratchet: largest |mean| and standard deviation of the error on the phantom, ms. May only fall.
LIMITS_MS = {
    "p_on": (16, 4),
    "p_off": (14, 4),
    "qrs_on": (8, 4),
    "qrs_off": (8, 4),
    "t_on": (35, 5),
    "t_off": (30, 5),
}


def _errors_ms(phantom, found, field):
    truth = getattr(phantom, field)
    return 1000.0 * (getattr(found, field) - truth[None, :]) / phantom.sampling_rate_hz


@pytest.mark.parametrize("rate_hz", [250.0, 500.0, 1000.0])
def test_ratchet_of_the_boundaries(make_ecg, rate_hz):
    phantom = make_ecg(np.arange(0.5, 9.6, 0.8), duration_s=10.0, rate_hz=rate_hz, noise_mv=0.01, drift_mv=0.1)
    found = delineate(phantom.signal_mv, rate_hz)
    for field, (mean_ms, sd_ms) in LIMITS_MS.items():
        errors = _errors_ms(phantom, found, field)[:, 1:-1]
        known = errors[np.isfinite(errors)]
        assert known.size > 0.7 * errors.size, field
        assert abs(known.mean()) <= mean_ms, (field, known.mean())
        assert known.std() <= sd_ms, (field, known.std())


def test_shapes_and_order(sinus):
    found = delineate(sinus.signal_mv, 500.0)
    assert all(getattr(found, field).shape == (12, sinus.r_idx.size) for field in FIELDS)
    stacked = np.stack([getattr(found, field) for field in FIELDS])[:, :, 1:-1]
    whole = np.isfinite(stacked).all(axis=0)
    assert whole.mean() > 0.7
    assert (np.diff(stacked[:, whole], axis=0) > 0).all()


def test_no_p_wave_is_invented_in_fibrillation(fibrillating):
    found = delineate(fibrillating.signal_mv, 500.0)
    assert np.isnan(found.p_on).all()
    assert np.isfinite(found.qrs_on).all()


@pytest.mark.parametrize("seed", range(5))
def test_no_p_wave_is_invented_in_noise(make_ecg, seed):
    times = np.arange(0.5, 9.6, 0.8)
    phantom = make_ecg(times, duration_s=10.0, n_leads=1, with_p=False, noise_mv=0.06, seed=seed)
    found = delineate(phantom.signal_mv, 500.0, phantom.r_idx.astype(int))
    assert np.isnan(found.p_on).all()


@pytest.mark.parametrize("n_leads", [2, 3, 12])
@pytest.mark.parametrize("noise_mv", [0.004, 0.02])
def test_no_p_wave_is_invented_in_a_regular_rhythm_without(make_ecg, n_leads, noise_mv):
    phantom = make_ecg(np.arange(0.5, 9.6, 0.8), n_leads=n_leads, with_p=False, noise_mv=noise_mv, seed=n_leads)
    found = delineate(phantom.signal_mv, 500.0, phantom.r_idx.astype(int))
    assert np.isnan(found.p_on).all()
    assert np.isfinite(found.t_off).all()


def test_no_p_wave_is_invented_from_pacing_spikes(make_ecg):
    phantom = make_ecg(np.arange(0.5, 9.6, 0.8), letters="V" * 12, noise_mv=0.01)
    signal = phantom.signal_mv.copy()
    for r in phantom.r_idx.astype(int):
        signal[:, r - 45 : r - 43] += 1.0
    assert np.isnan(delineate(signal, 500.0, phantom.r_idx.astype(int)).p_on).all()


def test_no_p_wave_is_invented_from_fibrillatory_waves(make_ecg):
    rng = np.random.default_rng(5)
    phantom = make_ecg(0.5 + np.cumsum(rng.uniform(0.4, 1.1, 14)), with_p=False, noise_mv=0.01)
    time_s = np.arange(phantom.signal_mv.shape[1]) / 500.0
    wave = 0.06 * np.sin(2 * np.pi * (6 * time_s + 0.6 * np.sin(np.pi * time_s)))
    signal = phantom.signal_mv + wave * np.linspace(-1, 1, 12)[:, None]
    assert np.isnan(delineate(signal, 500.0, phantom.r_idx.astype(int)).p_on).all()


@pytest.mark.parametrize("n_beats", [1, 2])
def test_no_p_wave_from_one_beat_or_two_unlike_ones(make_ecg, n_beats):
    phantom = make_ecg(np.array([0.8, 1.7])[:n_beats], with_p=False, noise_mv=0.03, n_leads=2)
    assert np.isnan(delineate(phantom.signal_mv, 500.0, phantom.r_idx.astype(int)).p_on).all()


def test_no_t_wave_is_invented(make_ecg):
    phantom = make_ecg(np.arange(0.5, 9.6, 0.8), n_leads=2, noise_mv=0.004)
    signal = phantom.signal_mv.copy()
    for r in phantom.r_idx.astype(int):
        signal[:, r + 40 : r + 220] = 0.0
    found = delineate(signal, 500.0, phantom.r_idx.astype(int))
    assert np.isnan(found.t_off).all()
    assert np.isfinite(found.qrs_off).all()


def test_a_missing_lead_and_a_gap_get_no_boundaries(make_ecg):
    phantom = make_ecg(np.arange(0.5, 9.6, 0.8), n_leads=3, noise_mv=0.01)
    signal = phantom.signal_mv.copy()
    signal[1] = np.nan
    gap = int(phantom.r_idx[5])
    signal[0, gap - 20 : gap + 20] = np.nan
    found = delineate(signal, 500.0, phantom.r_idx.astype(int))
    assert np.isnan(found.qrs_on[1]).all()
    assert np.isnan(found.qrs_on[0, 5])
    assert np.isfinite(found.qrs_on[0, [4, 6]]).all()
    assert np.isfinite(found.qrs_on[2]).all()


def test_blocks_join_without_a_seam(make_ecg):
    phantom = make_ecg(np.arange(0.5, 99.0, 0.8), rate_hz=250.0, n_leads=2, noise_mv=0.01)
    seen = []
    found = delineate(
        phantom.signal_mv, 250.0, phantom.r_idx.astype(int), progress=lambda fraction, text: seen.append(fraction)
    )
    errors = _errors_ms(phantom, found, "qrs_on")
    assert np.isfinite(errors).all()
    assert np.abs(errors - np.median(errors)).max() < 20
    assert len(seen) > 2
    assert seen[-1] == 1.0


def test_a_cancel_stops_it(sinus):
    token = CancelToken()
    token.cancel()
    with pytest.raises(RunCancelledError):
        delineate(sinus.signal_mv, 500.0, sinus.r_idx.astype(int), cancel=token)


def test_a_real_twelve_lead_record():
    dataset = pydicom.dcmread(get_testdata_file("waveform_ecg.dcm"))
    signal_mv = dataset.waveform_array(0).T / 1000.0
    found = delineate(signal_mv, 1000.0)
    assert found.qrs_on.shape[1] == 10
    width_ms = found.qrs_off - found.qrs_on
    assert 60 < np.nanmedian(width_ms) < 110
    assert 120 < np.nanmedian(found.qrs_on - found.p_on) < 190
    assert 330 < np.nanmedian(found.t_off - found.qrs_on) < 430


@pytest.mark.parametrize("kind", ["flat", "noise", "steps", "nan", "huge", "square"])
@pytest.mark.parametrize("n_samples", [1000, 3000])
def test_never_an_exception_on_any_signal(kind, n_samples):
    rng = np.random.default_rng(n_samples)
    signal = {
        "flat": np.zeros((2, n_samples)),
        "noise": rng.standard_normal((2, n_samples)),
        "steps": np.cumsum(rng.integers(-1, 2, (2, n_samples)), axis=1).astype(float),
        "nan": np.where(rng.random((2, n_samples)) < 0.5, np.nan, 1.0),
        "huge": 1e6 * rng.standard_normal((2, n_samples)),
        "square": np.sign(np.sin(np.arange(2 * n_samples) / 40.0)).reshape(2, n_samples),
    }[kind]
    peaks = np.arange(5, n_samples, 331)
    found = delineate(signal, 500.0, peaks)
    for field in FIELDS:
        values = getattr(found, field)
        assert values.shape == (2, peaks.size)
        inside = values[np.isfinite(values)]
        assert ((inside >= 0) & (inside <= n_samples - 1)).all()


def test_without_baseline_removes_drift_only(make_ecg):
    clean = make_ecg(np.arange(0.5, 9.6, 0.8), duration_s=10.0, n_leads=2)
    drifting = make_ecg(np.arange(0.5, 9.6, 0.8), duration_s=10.0, n_leads=2, drift_mv=0.5)
    difference = without_baseline(drifting.signal_mv, 500.0) - without_baseline(clean.signal_mv, 500.0)
    assert np.abs(difference[:, 500:-500]).max() < 0.15


def test_first_and_last_true():
    mask = np.array([[False, True, True, False], [False] * 4])
    np.testing.assert_array_equal(first_true(mask), [1, 4])
    np.testing.assert_array_equal(last_true(mask), [2, -1])


def test_toward_median_limits_and_shares():
    np.testing.assert_allclose(
        toward_median(np.array([[0.0], [10.0], [14.0], [11.0]]), 0.5, 6), [[7.5], [10.25], [12.25], [10.75]]
    )


def test_running_median_and_mean_of_few_values():
    values = np.array([1.0, 2.0, 9.0])
    np.testing.assert_allclose(running_median(values, 5), [2, 2, 2])
    np.testing.assert_allclose(running_mean(values, 5), [4, 4, 4])
    np.testing.assert_allclose(running_median(np.arange(9.0), 3)[1:-1], np.arange(1.0, 8.0))
