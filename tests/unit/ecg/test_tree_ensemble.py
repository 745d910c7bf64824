from __future__ import annotations

import hashlib
import json
import shutil

import numpy as np
import pytest

import resources
from pipeline.ecg.beat_features import FEATURES, beat_features
from pipeline.ecg.beat_model import load_beat_model
from pipeline.ecg.tree_ensemble import ensemble_from_arrays
from pipeline.errors import HardStopError, ModelError
from pipeline.model_files import BEATS

# one tree: x0 <= 1 -> (x1 <= 0 -> -2, else 3), else 5; and one that is a single leaf of 0.25
ARRAYS = {
    "T.feature": np.array([[0, 1, 0, 0, 0], [0, 0, 0, 0, 0]], np.int16),
    "T.threshold": np.array([[1.0, 0.0, 0, 0, 0], [0.0] * 5]),
    "T.left": np.array([[1, 3, 2, 3, 4], [0, 0, 0, 0, 0]], np.int16),
    "T.right": np.array([[2, 4, 2, 3, 4], [0, 0, 0, 0, 0]], np.int16),
    "T.value": np.array([[0, 0, 5, -2, 3], [0.25, 0, 0, 0, 0]], np.float32),
    "T.baseline": np.array([0.5]),
    "T.depth": np.array([2]),
}


def test_rows_fall_into_their_leaves():
    table = np.array([[1.0, 0.0], [0.0, 0.1], [1.1, -9.0]])
    found = ensemble_from_arrays(ARRAYS, "T").decision(table)
    np.testing.assert_allclose(found, [-2 + 0.75, 3 + 0.75, 5 + 0.75])


def test_no_rows():
    assert ensemble_from_arrays(ARRAYS, "T").decision(np.empty((0, 2))).size == 0


def test_trees_that_point_beyond_their_nodes_are_refused():
    wrong = ARRAYS | {"T.left": np.full((2, 5), 5, np.int16)}
    with pytest.raises(ValueError, match="beyond"):
        ensemble_from_arrays(wrong, "T")


@pytest.fixture
def model_copy(tmp_path):
    return shutil.copytree(resources.path(BEATS.place), tmp_path / "model")


def test_a_changed_byte_is_a_hard_stop(model_copy):
    trees = model_copy / "beats.safetensors"
    content = bytearray(trees.read_bytes())
    content[-1] ^= 1
    trees.write_bytes(bytes(content))
    with pytest.raises(HardStopError) as caught:
        load_beat_model(model_copy)
    assert caught.value.code == "E_HARD_003"
    assert caught.value.details["found_sha256"] == hashlib.sha256(bytes(content)).hexdigest()


@pytest.mark.parametrize("text", ["{", "{}", "[]"])
def test_a_manifest_without_sense_is_a_hard_stop(model_copy, text):
    (model_copy / "manifest.json").write_text(text)
    with pytest.raises(HardStopError):
        load_beat_model(model_copy)


def test_a_manifest_that_asks_for_unknown_features_is_a_hard_stop(model_copy):
    path = model_copy / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["classes"]["V"]["features"][0] = "shoe size"
    path.write_text(json.dumps(manifest))
    with pytest.raises(HardStopError):
        load_beat_model(model_copy)


def test_a_missing_model_can_be_tried_again(tmp_path):
    with pytest.raises(ModelError):
        load_beat_model(tmp_path / "nowhere")


def test_the_card_tells_the_hash_of_what_is_shipped():
    folder = resources.path(BEATS.place)
    digest = hashlib.sha256((folder / "beats.safetensors").read_bytes()).hexdigest()
    assert digest in (folder / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_features_do_not_depend_on_the_gain(sinus):
    peaks = sinus.r_idx.astype(int)
    usual = beat_features(sinus.signal_mv, 500.0, peaks)
    assert usual.shape == (peaks.size, len(FEATURES))
    np.testing.assert_allclose(beat_features(3.0 * sinus.signal_mv, 500.0, peaks), usual, atol=0.05)


def test_a_wide_early_beat_stands_out(make_ecg):
    letters = "NNNNNNVNNNNN"
    times = 0.5 + np.cumsum([0.8] * 6 + [0.5, 1.1] + [0.8] * 4)
    phantom = make_ecg(times, letters=letters, n_leads=2, noise_mv=0.01)
    table = beat_features(phantom.signal_mv, 500.0, phantom.r_idx.astype(int))
    column = {name: table[:, i] for i, name in enumerate(FEATURES)}
    for name in ("alike", "pre", "p_alike", "t_alike"):
        assert column[name].argmin() == 6, name
    for name in ("width", "surplus", "p_surplus"):
        assert column[name].argmax() == 6, name


def test_a_p_wave_on_the_t_wave_before_is_seen(make_ecg):
    """An early beat whose P wave lies on the T wave before keeps its P wave once the T wave is taken away."""
    rr = np.where(np.arange(40) % 10 == 7, 0.45, 0.85)
    phantom = make_ecg(0.5 + np.cumsum(rr), n_leads=2, noise_mv=0.005)
    table = beat_features(phantom.signal_mv, 500.0, phantom.r_idx.astype(int))
    assert table[rr < 0.5, FEATURES.index("p_alike")].min() > 0.85
