from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import save

from pipeline.ecg.wave_model import load_wave_network, network_of
from pipeline.ecg.wave_network import SHAPES
from pipeline.ecg.wave_windows import BEFORE_S, FIELDS, N_CHANNELS, N_STEPS, beat_windows, network_input
from pipeline.errors import HardStopError, ModelError
from pipeline.training.delineation import TrainingConfig, _with_other_atria, batch, example, fit, targets
from pipeline.training.ludb import LabelledEcg, _lead
from pipeline.training.wave_card import WEIGHTS_NAME, wave_card
from pipeline.training.wave_figures import errors_ms, totals
from pipeline.training.wave_net import WaveNet, fused_arrays


@pytest.fixture
def labelled() -> list[LabelledEcg]:
    """Three made-up records: a QRS of 80 ms, no P, and a T wave."""
    ecgs = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        peaks = np.arange(400, 4600, 400)
        signal = 0.01 * rng.standard_normal((12, 5000))
        truth = np.full((6, 12, peaks.size), np.nan)
        for i, peak in enumerate(peaks):
            signal[:, peak - 20 : peak + 20] += np.hanning(40)
            signal[:, peak + 100 : peak + 180] += 0.3 * np.hanning(80)
            truth[2:, :, i] = np.array([peak - 20, peak + 20, peak + 100, peak + 180])[:, None]
        ecgs.append(
            LabelledEcg(
                name=str(seed),
                signal_mv=signal,
                level_mv=signal,
                sampling_rate_hz=500.0,
                r_peaks_idx=peaks,
                truth=truth,
                known=np.ones(truth.shape, bool),
                p_waves=(np.empty((0, 2)),) * 12,
            )
        )
    return ecgs


def test_numpy_gives_what_torch_gives():
    torch.manual_seed(3)
    network = WaveNet()
    network.train()(torch.randn(4, 3, N_CHANNELS, N_STEPS))  # moves the statistics of the normalisation
    x = torch.randn(5, 2, N_CHANNELS, N_STEPS)
    with torch.no_grad():
        expected = network.eval()(x).numpy()
    ours = network_of(save(fused_arrays(network))).logits(x.numpy())
    np.testing.assert_allclose(ours.transpose(0, 1, 3, 2), expected, atol=2e-4)


@pytest.mark.slow
def test_a_few_steps_teach_and_the_same_seed_gives_the_same_weights(labelled, tmp_path):
    config = TrainingConfig(steps=20, records=1)
    log = tmp_path / "log.jsonl"
    first = fused_arrays(fit(labelled, config, log))
    again = fused_arrays(fit(labelled, config, log))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert rows[0]["loss"] < 4.5  # a network that knows nothing has ln 145 = 4.98
    assert rows[0]["loss"] == rows[1]["loss"]


def test_a_batch_has_one_number_of_leads(labelled):
    rng = np.random.default_rng(0)
    config = TrainingConfig(few_leads=1.0)
    x, taught = batch(labelled, config, rng)
    n_leads = x.shape[1]
    assert n_leads < 12
    assert x.shape == (3, n_leads, N_CHANNELS, N_STEPS)
    assert taught.shape == (3, n_leads, len(FIELDS), N_STEPS // 2 + 1)
    np.testing.assert_allclose(taught.sum(-1).numpy(), 1.0, rtol=1e-5)
    assert (taught[:, :, :2, -1] == 1).all()  # no P wave: all on "not there"


def test_p_waves_are_taken_out_of_the_signal_and_taught_as_absent(labelled):
    with_p = labelled[0].signal_mv.copy()
    waves = np.array([[peak - 100.0, peak - 50.0] for peak in labelled[0].r_peaks_idx])
    truth = labelled[0].truth.copy()
    for i, (onset, end) in enumerate(waves.astype(int)):
        with_p[:, onset:end] += 0.2 * np.hanning(end - onset)
        truth[:2, :, i] = np.array([onset, end])[:, None]
    ecg = replace(labelled[0], signal_mv=with_p, level_mv=with_p, truth=truth, p_waves=(waves,) * 12)
    config = TrainingConfig(without_p=1.0, f_wave_mv=0.0)
    left = _with_other_atria(ecg, np.arange(12), config, np.random.default_rng(1))
    assert np.abs(with_p - left).max() > 0.15
    assert np.abs(left - labelled[0].signal_mv).max() < 0.06
    _, taught = example(ecg, np.arange(12), config, np.random.default_rng(1))
    assert (taught[:, :2, -1] == 1.0).all()
    assert (taught[:, 2:, -1] == 0.0).all()


def test_what_is_taught_lies_at_the_boundary():
    taught = targets(np.array([0.1, np.nan, 0.1, 9.0]), np.array([True, True, False, True]), 1.0).numpy()
    steps = np.arange(taught.shape[1])
    assert (taught[0] * steps).sum() * 0.008 - BEFORE_S == pytest.approx(0.1, abs=1e-4)
    assert taught[1, -1] == 1.0
    assert not taught[2].any()
    assert not taught[3].any()


def test_the_first_p_and_the_last_t_are_not_known_unless_annotated():
    peaks = np.array([100, 500, 900, 1300])
    waves = {
        "p": np.array([[420.0, 460.0]]),
        "N": np.array([[480.0, 520.0], [880.0, 920.0]]),
        "t": np.array([[600.0, 680.0]]),
    }
    truth, known = _lead(waves, peaks, 500.0)
    np.testing.assert_array_equal(known[2], [False, True, True, False])
    np.testing.assert_array_equal(truth[:, 1], [420, 460, 480, 520, 600, 680])
    assert known[0, 2]  # annotated stretch, no P wave there
    assert np.isnan(truth[0, 2])
    assert not known[4, 2]


def test_matching_counts_missed_and_wrong_ones():
    errors, missed, wrong = errors_ms(np.array([105.0, 900.0, 1500.0]), np.array([100.0, 880.0, 3000.0]))
    assert errors == [5.0, 20.0]
    assert (missed, wrong) == (1, 1)


def test_totals_and_card_tell_the_figures():
    row = {field: ([1.0, 3.0], 1, 0) for field in FIELDS} | {"pr_ms": 4.0, "qrs_ms": None, "qt_ms": -2.0}
    figures = totals([row, row])
    assert figures["p_on"] == {"mean_ms": 2.0, "sd_ms": 1.0, "se": 66.67, "ppv": 100.0, "n": 6}
    assert figures["qrs_ms"]["n"] == 0
    texts = ("published_with", "file", "sha256", "licence", "citation", "training")
    manifest = dict.fromkeys(texts, "text") | {
        "size_bytes": 1,
        "parameters": 2,
        "trained_on": 3,
        "folds_measured": [0],
        "config": {"folds": 5},
        "figures": figures,
    }
    assert "| p_on | 66.67 | 100.0 | 2.0 | 1.0 | 6 |" in wave_card(manifest)


def test_input_shows_the_usual_beat(labelled):
    ecg = labelled[0]
    parts = beat_windows(ecg.level_mv, 500.0, ecg.r_peaks_idx)
    x = network_input(parts, np.ones(parts.shape[1], bool))
    assert x.shape == (parts.shape[1], 12, N_CHANNELS, N_STEPS)
    assert np.ptp(x[:, :, 2], axis=0).max() == 0.0
    peak = round(BEFORE_S * 250)
    assert abs(int(parts[0, 0].argmax()) - peak) <= 1


def test_windows_are_the_same_at_any_rate():
    times = [np.arange(int(4 * rate)) / rate for rate in (250.0, 1000.0)]
    waves = [np.sin(2 * np.pi * 3 * t)[None] for t in times]
    slow, fast = (beat_windows(w, r, np.array([int(2 * r)])) for w, r in zip(waves, (250.0, 1000.0), strict=True))
    np.testing.assert_allclose(slow, fast, atol=2e-3)


@pytest.fixture
def model_folder(tmp_path):
    content = save({k: v.astype(np.float16) for k, v in fused_arrays(WaveNet()).items()})
    (tmp_path / WEIGHTS_NAME).write_bytes(content)
    manifest = {"file": WEIGHTS_NAME, "sha256": hashlib.sha256(content).hexdigest()}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def test_a_whole_model_is_read(model_folder):
    assert set(load_wave_network(model_folder).weights) == set(SHAPES)


def test_one_changed_byte_stops_before_it_is_parsed(model_folder):
    place = model_folder / "waves.safetensors"
    content = bytearray(place.read_bytes())
    content[-1] ^= 1
    place.write_bytes(bytes(content))
    with pytest.raises(HardStopError) as caught:
        load_wave_network(model_folder)
    assert caught.value.code == "E_HARD_003"
    assert caught.value.details["found_sha256"] != caught.value.details["expected_sha256"]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"file": 1, "sha256": 2}'])
def test_a_manifest_without_sense_is_damage(model_folder, text):
    (model_folder / "manifest.json").write_text(text)
    with pytest.raises(HardStopError):
        load_wave_network(model_folder)


def test_a_missing_model_may_be_tried_again(model_folder):
    shutil.rmtree(model_folder)
    with pytest.raises(ModelError):
        load_wave_network(model_folder)


@pytest.mark.parametrize("change", ["shape", "nan", "missing", "no tensors"])
def test_weights_that_are_no_network_are_refused(change):
    arrays = fused_arrays(WaveNet())
    if change == "shape":
        arrays["stem.weight"] = arrays["stem.weight"][:-1]
    elif change == "nan":
        arrays["place.bias"] = np.full_like(arrays["place.bias"], np.nan)
    elif change == "missing":
        del arrays["fine.bias"]
    content = b"nothing" if change == "no tensors" else save({k: np.ascontiguousarray(v) for k, v in arrays.items()})
    with pytest.raises((ValueError, KeyError)):
        network_of(content)
