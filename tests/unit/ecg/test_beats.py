from __future__ import annotations

import numpy as np
import pytest

from pipeline.cancellation import CancelToken
from pipeline.ecg.beat_shapes import familiarity
from pipeline.ecg.beats import classify_beats, detect_r_peaks
from pipeline.ecg.envelope import fill_gaps, qrs_envelope
from pipeline.errors import RunCancelledError


def _scores(found, truth, tolerance):
    """Sensitivity and positive predictive value."""
    if found.size == 0:
        return 0.0, 0.0
    distance = np.abs(found[:, None] - truth[None, :])
    return float(np.mean(distance.min(axis=0) <= tolerance)), float(np.mean(distance.min(axis=1) <= tolerance))


def test_every_beat_is_found_within_a_few_milliseconds(sinus):
    found = detect_r_peaks(sinus.signal_mv, sinus.sampling_rate_hz)
    assert found.dtype == np.int64
    assert found.size == sinus.r_idx.size
    assert np.abs(found - sinus.r_idx).max() <= 5


@pytest.mark.parametrize("rate_hz", [100.0, 128.0, 250.0, 360.0, 1000.0])
@pytest.mark.parametrize("bpm", [35, 70, 180])
def test_all_sampling_and_heart_rates(make_ecg, rate_hz, bpm):
    phantom = make_ecg(np.arange(0.5, 29.0, 60.0 / bpm), rate_hz=rate_hz, n_leads=2, noise_mv=0.01)
    found = detect_r_peaks(phantom.signal_mv, rate_hz)
    assert _scores(found, phantom.r_idx, 0.04 * rate_hz) == (1.0, 1.0)


def test_ratchet_in_noise(make_ecg):
    """Single lead, noise a tenth of the R wave and drift three times as large: the accuracy may only rise."""
    rng = np.random.default_rng(1)
    times = 0.5 + np.cumsum(rng.uniform(0.55, 1.0, 300))
    phantom = make_ecg(times, rate_hz=250.0, n_leads=1, noise_mv=0.12, drift_mv=0.4)
    sensitivity, predictive = _scores(detect_r_peaks(phantom.signal_mv, 250.0), phantom.r_idx, 37)
    assert sensitivity >= 0.997
    assert predictive >= 0.997


def test_a_noisy_lead_does_not_spoil_a_clear_one(make_ecg):
    phantom = make_ecg(np.arange(0.5, 59.0, 0.8), rate_hz=250.0, n_leads=2)
    signal = phantom.signal_mv.copy()
    signal[1] = 3.0 * np.random.default_rng(2).standard_normal(signal.shape[1])
    assert _scores(detect_r_peaks(signal, 250.0), phantom.r_idx, 12) == (1.0, 1.0)


def test_a_lead_that_is_noisy_for_some_seconds_is_silent_for_these(make_ecg):
    phantom = make_ecg(np.arange(0.5, 59.0, 0.8), rate_hz=250.0, n_leads=2, noise_mv=0.01)
    signal = phantom.signal_mv.copy()
    signal[0, :] *= 0.5  # the lead that becomes noisy is the clearer one elsewhere
    rng = np.random.default_rng(4)
    for first in (3000, 7000, 11000):
        signal[1, first : first + 1000] += 1.5 * rng.standard_normal(1000)
    assert _scores(detect_r_peaks(signal, 250.0), phantom.r_idx, 12) == (1.0, 1.0)


def test_usual_beats_are_found_where_a_lead_is_ruled_by_tall_ectopic_ones(make_ecg):
    """Bigeminy whose ectopic beats are ten times as tall as the usual ones in the second, otherwise quiet lead."""
    times = np.arange(0.5, 58.0, 0.8)
    letters = "NV" * (times.size // 2) + "N" * (times.size % 2)
    phantom = make_ecg(times, rate_hz=250.0, n_leads=2, letters=letters, noise_mv=0.02)
    signal = phantom.signal_mv.copy()
    signal[0] += 0.05 * np.random.default_rng(3).standard_normal(signal.shape[1])
    signal[1] = np.where(np.abs(signal[1]) > 0.7, 3.0 * signal[1], 0.3 * signal[1])
    assert _scores(detect_r_peaks(signal, 250.0), phantom.r_idx, 20) == (1.0, 1.0)


def test_tall_t_waves_are_not_beats(make_ecg):
    phantom = make_ecg(np.arange(0.5, 29.0, 0.9), n_leads=1)
    times = np.arange(phantom.signal_mv.shape[1]) / 500.0
    signal = phantom.signal_mv.copy()
    for r in phantom.r_idx / 500.0:
        signal[0] += np.exp(-0.5 * ((times - r - 0.3) / 0.045) ** 2)
    assert detect_r_peaks(signal, 500.0).size == phantom.r_idx.size


def test_a_small_beat_is_searched_back(make_ecg):
    phantom = make_ecg(np.arange(0.5, 39.0, 0.8), n_leads=1, noise_mv=0.01)
    signal = phantom.signal_mv.copy()
    small = int(phantom.r_idx[20])
    signal[0, small - 60 : small + 60] *= 0.3
    assert np.abs(detect_r_peaks(signal, 500.0) - small).min() < 15


@pytest.mark.parametrize("value", [0.0, 1.7, np.nan])
def test_a_flat_line_has_no_beats(value):
    assert detect_r_peaks(np.full((3, 5000), value), 500.0).size == 0


def test_white_noise_has_hardly_any_beats():
    noise = np.random.default_rng(5).standard_normal((2, 60_000))
    assert detect_r_peaks(noise, 500.0).size < 10


@pytest.mark.parametrize("n_samples", [0, 1, 10, 249, 250, 600, 1000])
@pytest.mark.parametrize("n_leads", [0, 1, 12])
def test_any_length_is_accepted(n_leads, n_samples):
    signal = np.random.default_rng(n_samples).standard_normal((n_leads, n_samples))
    found = detect_r_peaks(signal, 500.0)
    assert classify_beats(signal, 500.0, found).size == found.size


def test_gaps_and_missing_leads(make_ecg):
    phantom = make_ecg(np.arange(0.5, 29.0, 0.8), n_leads=3, noise_mv=0.01)
    signal = phantom.signal_mv.copy()
    signal[1] = np.nan
    signal[:, 5000:5600] = np.nan
    found = detect_r_peaks(signal, 500.0)
    outside = (phantom.r_idx < 4950) | (phantom.r_idx > 5650)
    assert _scores(found, phantom.r_idx[outside], 20)[0] == 1.0
    assert not ((found > 5050) & (found < 5550)).any()


def test_chunks_join_without_a_seam(make_ecg, monkeypatch):
    phantom = make_ecg(np.arange(0.5, 299.0, 0.83), rate_hz=200.0, n_leads=1, noise_mv=0.02)
    whole = detect_r_peaks(phantom.signal_mv, 200.0)
    monkeypatch.setattr("pipeline.ecg.beats._CHUNK_S", 37.0)
    seen = []
    parts = detect_r_peaks(phantom.signal_mv, 200.0, progress=lambda fraction, text: seen.append(fraction))
    np.testing.assert_array_equal(parts, whole)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_a_cancel_stops_the_search(sinus):
    token = CancelToken()
    token.cancel()
    with pytest.raises(RunCancelledError):
        detect_r_peaks(sinus.signal_mv, 500.0, cancel=token)


def test_the_signal_is_left_alone(sinus):
    before = sinus.signal_mv.copy()
    peaks = detect_r_peaks(sinus.signal_mv, 500.0)
    classify_beats(sinus.signal_mv, 500.0, peaks)
    np.testing.assert_array_equal(sinus.signal_mv, before)


def test_wide_early_beats_are_ventricular(make_ecg):
    times, letters = [0.5], "N"
    for i in range(60):
        early = i % 9 == 5
        late = i % 9 == 6
        times.append(times[-1] + (0.5 if early else 1.15 if late else 0.8))
        letters += "V" if early else "N"
    phantom = make_ecg(np.array(times), letters=letters, n_leads=2, noise_mv=0.02)
    classes = classify_beats(phantom.signal_mv, 500.0, phantom.r_idx.astype(int))
    np.testing.assert_array_equal(classes == "V", np.array(list(letters)) == "V")


def test_early_beats_of_usual_shape_are_supraventricular(make_ecg):
    rr = np.where(np.arange(60) % 12 == 7, 0.55, 0.85)
    phantom = make_ecg(0.5 + np.cumsum(rr), n_leads=2, noise_mv=0.02)
    classes = classify_beats(phantom.signal_mv, 500.0, phantom.r_idx.astype(int))
    np.testing.assert_array_equal(np.flatnonzero(classes == "S"), np.flatnonzero(rr < 0.6))


def test_a_beat_cut_by_the_end_is_unknown(make_ecg):
    phantom = make_ecg(np.arange(0.5, 8.2, 0.8), duration_s=7.73, n_leads=2)
    classes = classify_beats(phantom.signal_mv, 500.0, phantom.r_idx.astype(int))
    assert classes[-1] == "Q"
    assert set(classes[:-1]) == {"N"}


def test_no_clear_lead_means_unknown():
    classes = classify_beats(np.full((2, 5000), np.nan), 500.0, np.array([1000, 2000, 3000]))
    assert classes.tolist() == ["Q", "Q", "Q"]


def test_fill_gaps_draws_straight_lines():
    filled = fill_gaps(np.array([[0.0, np.nan, np.nan, 3.0], [np.nan] * 4]))
    np.testing.assert_allclose(filled, [[0, 1, 2, 3], [0, 0, 0, 0]])


def test_the_envelope_is_about_one_at_a_beat(sinus):
    envelope = qrs_envelope(sinus.signal_mv, 500.0)
    at_beats = envelope.height[(sinus.r_idx / envelope.step).astype(int)]
    assert np.all((at_beats > 0.7) & (at_beats < 1.3))
    assert envelope.lead_clarity.shape == (12,)


def test_a_wide_beat_is_placed_in_its_qrs_and_not_on_its_t_wave(make_ecg):
    letters = "NNNNV" * 8
    phantom = make_ecg(0.6 + 0.9 * np.arange(len(letters)), letters=letters, n_leads=2, noise_mv=0.01)
    found = detect_r_peaks(phantom.signal_mv, 500.0)
    assert found.size == len(letters)
    assert np.abs(found - phantom.r_idx).max() < 0.1 * 500.0


def test_a_lone_artefact_is_less_familiar_than_the_beats(sinus):
    signal = np.array(sinus.signal_mv[:2])
    at = int(0.5 * (sinus.r_idx[2] + sinus.r_idx[3]))
    signal[:, at - 20 : at + 20] += np.random.default_rng(1).normal(0.0, 0.8, (2, 40))
    envelope = qrs_envelope(signal, 500.0)
    steps = (np.append(sinus.r_idx, at) / envelope.step).astype(int)
    marks = familiarity(envelope.shapes, envelope.rate_hz, steps)
    assert marks[-1] < marks[:-1].min()
