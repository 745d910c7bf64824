"""The training of the beat classes: what it reads, how it keeps patients apart, and that it repeats itself."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from pipeline.ecg.beat_features import FEATURES
from pipeline.ecg.beat_model import load_beat_model
from pipeline.training.beat_card import write_model
from pipeline.training.beats import (
    DIRECTIONS,
    LabelledBeats,
    TrainingConfig,
    fit,
    fold_of,
    grown,
    matched,
    settings,
)

QUICK = TrainingConfig(trees=5, leaves=3, least_leaf=2, every_normal=1, folds=2)


@pytest.fixture(scope="module")
def beats():
    """Two made-up records: ventricular beats are unlike, supraventricular ones early, all else is noise."""
    rng = np.random.default_rng(7)
    records = []
    for name in ("1", "2"):
        letters = rng.choice(list("NSV"), 300)
        table = rng.normal(0.0, 0.1, (300, len(FEATURES)))
        table[:, FEATURES.index("alike")] = np.where(letters == "V", 0.2, 0.98)
        table[:, FEATURES.index("pre")] = np.where(letters == "S", -0.4, 0.0)
        table[:, FEATURES.index("patternless")] = 0.0
        reference = {letter: int(np.sum(letters == letter)) for letter in "NSVFQ"}
        times_s = np.cumsum(np.full(300, 0.8))
        records.append(
            LabelledBeats(record=name, way="all", table=table, times_s=times_s, letters=letters, reference=reference)
        )
    return records


def test_stored_trees_decide_as_the_library_that_grew_them(beats):
    from sklearn.ensemble import HistGradientBoostingClassifier

    from pipeline.ecg.tree_ensemble import ensemble_from_arrays
    from pipeline.training.beats import tree_arrays

    table, target = beats[0].table, beats[0].letters == "V"
    forest = HistGradientBoostingClassifier(max_iter=7, max_leaf_nodes=6, early_stopping=False).fit(table, target)
    ours = ensemble_from_arrays(tree_arrays(forest, "V"), "V").decision(beats[1].table)
    np.testing.assert_allclose(ours, forest.decision_function(beats[1].table), atol=1e-5)


def test_the_classes_are_learnt(beats):
    _, model = grown(beats[:1], QUICK)
    table, letters = beats[1].table, beats[1].letters
    assert np.array_equal(model.ventricular.margin(table) > 0.5, letters == "V")


def test_the_same_seed_gives_the_same_trees(beats):
    first, second = fit("S", beats, QUICK), fit("S", beats, QUICK)
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])


def test_what_is_written_can_be_loaded(beats, tmp_path):
    arrays, model = grown(beats, QUICK)
    row = {"right": 1, "wrong": 0, "missed": 0}
    total = {"V": {"se": 1.0, "ppv": 1.0}, "S": {"se": 1.0, "ppv": 1.0}, "fusion_called_v": 0}
    figures = {"records": {"1": {"fold": 0, "V": row, "S": row}}, "all": total}
    manifest = write_model(
        tmp_path,
        arrays=arrays,
        classes=settings(QUICK),
        figures=figures,
        config=dataclasses.asdict(QUICK),
        records=["1", "2"],
    )
    loaded = load_beat_model(tmp_path)
    table = beats[0].table
    np.testing.assert_array_equal(loaded.ventricular.margin(table), model.ventricular.margin(table))
    assert manifest["sha256"] in (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "manifest.json").read_text())["trained_on"] == ["1", "2"]


def test_a_record_is_in_one_fold(beats):
    folds = fold_of(beats, 2)
    assert sorted(folds) == ["1", "2"]
    assert set(folds.values()) == {0, 1}


def test_reference_beats_are_matched_within_reach():
    found = matched(np.array([100, 205, 400]), np.array([98, 200, 300]), list("NVS"), 5)
    assert found.tolist() == ["N", "V", "-"]


def test_every_feature_that_is_asked_for_exists():
    for directions in DIRECTIONS.values():
        assert set(directions) <= set(FEATURES)
        assert set(directions.values()) <= {-1, 0, 1}
