from __future__ import annotations

import numpy as np

from pipeline.ecg.beat_classes import among_kin
from pipeline.ecg.beats import classify_beats


def _classes(phantom):
    return "".join(classify_beats(phantom.signal_mv, phantom.sampling_rate_hz, phantom.r_idx.astype(int)))


def test_a_sudden_fast_run_is_supraventricular_until_the_rate_falls_back(make_ecg):
    rr = np.concatenate([np.full(30, 0.85), np.full(12, 0.45), [0.95], np.full(30, 0.85)])
    found = _classes(make_ecg(0.5 + np.cumsum(rr), n_leads=2, noise_mv=0.02))
    assert found[30:42] == "S" * 12
    assert set(found[:29] + found[43:]) == {"N"}


def test_a_sinus_rate_that_rises_slowly_is_normal(make_ecg):
    rr = np.concatenate([np.full(30, 0.9), np.linspace(0.9, 0.5, 40), np.full(30, 0.5)])
    assert set(_classes(make_ecg(0.5 + np.cumsum(rr), n_leads=2, noise_mv=0.02))) == {"N"}


def test_early_beats_mean_nothing_in_fibrillation(fibrillating):
    assert "S" not in _classes(fibrillating)


def test_ventricular_runs_and_couplets(make_ecg):
    letters = "N" * 20 + "VVV" + "N" * 15 + "VV" + "N" * 15
    rr = np.array([0.45 if letter == "V" else 0.85 for letter in letters])
    rr[[23, 40]] = 1.1
    found = _classes(make_ecg(0.5 + np.cumsum(rr), letters=letters, n_leads=3, noise_mv=0.02))
    assert found == letters


def test_the_same_beats_at_any_rate_and_number_of_leads(make_ecg):
    letters = "NNNNNNVNNNNN" * 3
    rr = np.tile(np.array([0.8] * 6 + [0.5, 1.1] + [0.8] * 4), 3)
    for rate_hz in (200.0, 500.0, 1000.0):
        for n_leads in (1, 3, 12):
            phantom = make_ecg(0.5 + np.cumsum(rr), letters=letters, n_leads=n_leads, rate_hz=rate_hz, noise_mv=0.01)
            assert _classes(phantom) == letters, (rate_hz, n_leads)


def test_the_pause_after_ventricular_beats_makes_no_run_of_what_follows(make_ecg):
    letters = "N" * 12 + "VN" * 12 + "N" * 12
    rr = np.concatenate([np.full(12, 0.8), np.tile([0.5, 1.3], 12), np.full(12, 0.8)])
    found = _classes(make_ecg(0.5 + np.cumsum(rr), letters=letters, n_leads=2, noise_mv=0.02))
    assert "S" not in found


def test_a_rate_that_jumps_within_a_few_beats_begins_a_run(make_ecg):
    """From 67/min over two beats to 125/min: no beat is a third earlier than the one before it."""
    rr_s = np.concatenate([np.full(14, 0.9), [0.74, 0.61], np.full(25, 0.48)])
    phantom = make_ecg(0.5 + np.cumsum(rr_s), n_leads=2, noise_mv=0.005)
    letters = classify_beats(phantom.signal_mv, 500.0, phantom.r_idx.astype(int))
    assert set(letters[:13].tolist()) == {"N"}
    assert set(letters[18:-1].tolist()) == {"S"}


def test_beats_of_one_shape_are_judged_together():
    shapes = np.array([[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 2, np.float32)
    margin = np.array([1.0, 1.0, -0.5, -1.0, -1.0])
    np.testing.assert_allclose(among_kin(margin, (shapes,), 0.95), [0.5, 0.5, 0.5, -1.0, -1.0])
    np.testing.assert_array_equal(among_kin(margin, (), 0.95), margin)
    np.testing.assert_array_equal(among_kin(margin, (np.empty((5, 0), np.float32),), 0.95), margin)
    np.testing.assert_array_equal(among_kin(margin, (shapes,), None), margin)
