from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pipeline.ecg.analysis import analyse_ecg
from pipeline.ecg.flutter import atrial_periodicity, flutter_beats
from pipeline.ecg.rhythm import af_burden
from pipeline.records import Metadata


def _sawtooth(turns, rate_hz):
    """Slow descent, quick ascent, corners rounded over 12 ms."""
    from scipy.ndimage import gaussian_filter1d

    part = np.mod(turns, 1.0)
    return gaussian_filter1d(np.where(part < 0.65, 1 - 2 * part / 0.65, -1 + 2 * (part - 0.65) / 0.35), 0.012 * rate_hz)


def _flutter(make_ecg, seed, *, cycle_s=0.22, ratios=(2, 3, 4), duration_s=10.0, n_leads=12, height_mv=0.15):
    """A phantom of typical flutter: cycles that vary by 1 %, conduction by 12 ms, noise, drift; one wave axis, -70°."""
    rng = np.random.default_rng(seed)
    cycles = cycle_s * (1 + 0.01 * rng.standard_normal(int(duration_s / cycle_s) + 30))
    starts = np.concatenate([[0.0], np.cumsum(cycles)]) - 3 * cycle_s * rng.random()
    taken = 3 + np.cumsum(rng.choice(ratios, starts.size))
    r_s = starts[taken[taken < starts.size]]
    r_s = r_s + 0.15 * cycle_s + 0.012 * rng.standard_normal(r_s.size)
    r_s = r_s[(r_s > 0.3) & (r_s < duration_s - 0.3)]
    phantom = make_ecg(
        r_s, duration_s=duration_s, with_p=False, n_leads=n_leads, noise_mv=0.015, drift_mv=0.1, seed=seed
    )
    time_s = np.arange(phantom.signal_mv.shape[1]) / 500.0
    waves = _sawtooth(np.interp(time_s, starts, np.arange(starts.size)), 500.0)
    angle = np.radians(-70.0 - np.array([0.0, 60.0, 120.0, -150.0, -30.0, 90.0, 110.0, 85.0, 60.0, 40.0, 20.0, 0.0]))
    shares = np.cos(angle)[[1] if n_leads == 1 else range(n_leads)]
    return dataclasses.replace(phantom, signal_mv=phantom.signal_mv + height_mv * shares[:, None] * waves[None, :])


def _called(phantom):
    return flutter_beats(phantom.signal_mv, 500.0, phantom.r_idx.astype(int), _usual(phantom)).mean()


def _usual(phantom):
    return np.zeros(phantom.r_idx.size, bool)


@pytest.mark.parametrize("cycle_s", [0.19, 0.22, 0.26])
@pytest.mark.parametrize("n_leads", [1, 3, 12])
def test_ten_seconds_of_irregular_conduction_are_found(make_ecg, cycle_s, n_leads):
    found = [_called(_flutter(make_ecg, seed, cycle_s=cycle_s, n_leads=n_leads)) == 1.0 for seed in range(10)]
    assert sum(found) >= 8


@pytest.mark.parametrize(("ratio", "least"), [(4, 9), (3, 9), (2, 3)])
def test_ten_seconds_of_steady_conduction(make_ecg, ratio, least):
    found = [_called(_flutter(make_ecg, seed, ratios=(ratio,), n_leads=12)) == 1.0 for seed in range(10)]
    assert sum(found) >= least  # two to one, every wave lies at the same place of the beat: mostly missed


def test_a_minute_of_flutter_is_found_nearly_throughout(make_ecg):
    assert _called(_flutter(make_ecg, 1, duration_s=60.0, n_leads=2)) >= 0.8


def test_sinus_rhythm_is_not_flutter(sinus):
    assert not flutter_beats(sinus.signal_mv, 500.0, sinus.r_idx.astype(int), _usual(sinus)).any()


def test_fibrillation_is_not_flutter(fibrillating):
    rng = np.random.default_rng(2)
    cycles = np.repeat(rng.uniform(0.12, 0.25, 300), 60)[: fibrillating.signal_mv.shape[1]]
    waves = 0.08 * np.sin(np.cumsum(2 * np.pi / (500.0 * cycles)))
    signal = fibrillating.signal_mv + np.pad(waves, (0, fibrillating.signal_mv.shape[1] - waves.size))
    peaks = fibrillating.r_idx.astype(int)
    assert not flutter_beats(signal, 500.0, peaks, _usual(fibrillating)).any()
    assert af_burden(peaks, 500.0, signal).all()


def test_flutter_with_irregular_conduction_is_not_called_fibrillation(make_ecg):
    phantom = _flutter(make_ecg, 5, ratios=(2, 3, 4, 5), duration_s=60.0, n_leads=2)
    peaks = phantom.r_idx.astype(int)
    assert af_burden(peaks, 500.0).mean() > 0.5
    assert af_burden(peaks, 500.0, phantom.signal_mv).mean() < 0.2


def test_ventricular_beats_hide_the_atria(make_ecg):
    phantom = _flutter(make_ecg, 1, n_leads=2)
    peaks = phantom.r_idx.astype(int)
    assert not flutter_beats(phantom.signal_mv, 500.0, peaks, np.ones(peaks.size, bool)).any()


def test_without_a_lead_nothing_is_said():
    assert atrial_periodicity(np.full((2, 5000), np.nan), 500.0, np.arange(500, 4500, 400)) == (0.0, 0.0)


def test_the_analysis_states_flutter_and_withholds_pr(make_ecg, prepare):
    flutter = _flutter(make_ecg, 1)
    analysis = analyse_ecg(prepare(flutter), Metadata())
    codes = {statement.code for statement in analysis.rhythm}
    assert "flutter_suspected" in codes
    assert not codes & {"sinus", "af_suspected", "first_degree_av_block"}
    withheld = {m.name: m.reason for m in analysis.measurements if m.value is None}
    assert "flutter" in withheld["pr"]
    assert "flutter" in withheld["rmssd"]


def test_flutter_waves_are_not_marked_as_p_waves(make_ecg, prepare):
    found = analyse_ecg(prepare(_flutter(make_ecg, 1, duration_s=30.0, ratios=(4,))), Metadata())
    assert any("flutter" in statement.code for statement in found.rhythm)
    assert np.isnan(found.delineation.p_on).all()
    assert np.isfinite(found.delineation.qrs_on).mean() > 0.9
