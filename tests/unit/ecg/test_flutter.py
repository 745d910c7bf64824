from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pipeline.ecg.analysis import analyse_ecg
from pipeline.ecg.flutter import atrial_periodicity, flutter_beats
from pipeline.ecg.rhythm import af_burden
from pipeline.records import Metadata


def _waves(signal, rate_hz, cycle_s):
    """Add saw-tooth like atrial waves of a steady cycle to every lead."""
    phase = 2 * np.pi * np.arange(signal.shape[1]) / (rate_hz * cycle_s)
    return signal + 0.12 * (np.sin(phase) + 0.35 * np.sin(2 * phase))[None, :]


def _usual(phantom):
    return np.zeros(phantom.r_idx.size, bool)


@pytest.mark.parametrize("cycle_s", [0.19, 0.22, 0.26])
@pytest.mark.parametrize("n_leads", [1, 3, 12])
def test_waves_that_go_on_through_irregular_beats_are_found(make_ecg, cycle_s, n_leads):
    rr = np.random.default_rng(1).choice([3, 4, 5], 40) * cycle_s
    phantom = make_ecg(0.5 + np.cumsum(rr), with_p=False, n_leads=n_leads, noise_mv=0.01)
    signal = _waves(phantom.signal_mv, 500.0, cycle_s)
    called = flutter_beats(signal, 500.0, phantom.r_idx.astype(int), _usual(phantom))
    assert called.mean() >= 0.3


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
    rr = np.random.default_rng(5).choice([2, 3, 4, 5], 60) * 0.22
    phantom = make_ecg(0.5 + np.cumsum(rr), with_p=False, n_leads=2, noise_mv=0.01)
    signal = _waves(phantom.signal_mv, 500.0, 0.22)
    assert af_burden(phantom.r_idx.astype(int), 500.0).mean() > 0.5
    assert af_burden(phantom.r_idx.astype(int), 500.0, signal).mean() < 0.1


def test_ventricular_beats_hide_the_atria(make_ecg):
    rr = np.random.default_rng(1).choice([2, 3, 4], 30) * 0.22
    phantom = make_ecg(0.5 + np.cumsum(rr), with_p=False, n_leads=2)
    signal = _waves(phantom.signal_mv, 500.0, 0.22)
    assert not flutter_beats(signal, 500.0, phantom.r_idx.astype(int), np.ones(30, bool)).any()


def test_without_a_lead_nothing_is_said():
    assert atrial_periodicity(np.full((2, 5000), np.nan), 500.0, np.arange(500, 4500, 400)) == (0.0, 0.0)


def test_the_analysis_states_flutter_and_withholds_pr(make_ecg, prepare):
    rr = np.random.default_rng(1).choice([3, 4, 5], 12) * 0.22
    phantom = make_ecg(0.5 + np.cumsum(rr), with_p=False, n_leads=12, noise_mv=0.01)
    flutter = dataclasses.replace(phantom, signal_mv=_waves(phantom.signal_mv, 500.0, 0.22))
    analysis = analyse_ecg(prepare(flutter), Metadata())
    codes = {statement.code for statement in analysis.rhythm}
    assert "flutter_suspected" in codes
    assert not codes & {"sinus", "af_suspected", "first_degree_av_block"}
    withheld = {m.name: m.reason for m in analysis.measurements if m.value is None}
    assert "flutter" in withheld["pr"]
    assert "flutter" in withheld["rmssd"]
