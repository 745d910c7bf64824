"""The training of the beat classes: what it reads, how it keeps patients apart, and that it repeats itself."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from pipeline.ecg.beat_features import FEATURES
from pipeline.ecg.beat_model import load_beat_model
from pipeline.training import beat_choice
from pipeline.training.beat_card import write_model
from pipeline.training.beat_choice import SEARCH, Choice, chosen_for, searched, seen_by_folds
from pipeline.training.beat_growth import DIRECTIONS, VARIANTS, LabelledBeats, TrainingConfig, fit, tree_arrays
from pipeline.training.beats import figures, fold_of, grown, matched, settings

QUICK = TrainingConfig(trees=5, leaves=3, least_leaf=2, every_normal=1, folds=2)
THREE = dataclasses.replace(QUICK, folds=3)
CHOICE = Choice(variant_v="without P", least_v=1.0, early=0.8, abrupt=True)


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

    table, target = beats[0].table, beats[0].letters == "V"
    forest = HistGradientBoostingClassifier(max_iter=7, max_leaf_nodes=6, early_stopping=False).fit(table, target)
    ours = ensemble_from_arrays(tree_arrays(forest, "V"), "V").decision(beats[1].table)
    np.testing.assert_allclose(ours, forest.decision_function(beats[1].table), atol=1e-5)


def test_the_classes_are_learnt(beats):
    _, model = grown(beats[:1], Choice(), QUICK)
    table, letters = beats[1].table, beats[1].letters
    assert np.array_equal(model.ventricular.margin(table) > 0.0, letters == "V")


def test_the_same_seed_gives_the_same_trees(beats):
    first, second = fit("S", "all features", beats, QUICK), fit("S", "all features", beats, QUICK)
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])


def test_what_is_written_can_be_loaded(beats, tmp_path):
    arrays, model = grown(beats, CHOICE, QUICK)
    row = {"right": 1, "wrong": 0, "missed": 0}
    total = {"V": {"se": 1.0, "ppv": 1.0}, "S": {"se": 1.0, "ppv": 1.0}, "fusion_called_v": 0}
    choices = [dataclasses.asdict(Choice())] * 2
    measured = {"records": {"1": {"fold": 0, "V": row, "S": row}}, "choices": choices, "all": total}
    manifest = write_model(
        tmp_path,
        arrays=arrays,
        classes=settings(CHOICE),
        rules=dataclasses.asdict(CHOICE.rules),
        figures=measured,
        config=dataclasses.asdict(QUICK) | {"choice": dataclasses.asdict(CHOICE)},
        records=["1", "2"],
    )
    loaded = load_beat_model(tmp_path)
    table = beats[0].table
    np.testing.assert_array_equal(loaded.ventricular.margin(table), model.ventricular.margin(table))
    assert loaded.rules == CHOICE.rules
    card = (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert manifest["sha256"] in card
    assert "| abrupt | off | off | on |" in card
    assert "| least_v | 0.0 | 0.0 | 1.0 |" in card
    assert json.loads((tmp_path / "manifest.json").read_text())["trained_on"] == ["1", "2"]


def test_a_record_is_in_one_fold(beats):
    folds = fold_of(beats, 2)
    assert sorted(folds) == ["1", "2"]
    assert set(folds.values()) == {0, 1}


def test_reference_beats_are_matched_within_reach():
    found = matched(np.array([100, 205, 400]), np.array([98, 200, 300]), list("NVS"), 5)
    assert found.tolist() == ["N", "V", "-"]


def test_every_feature_that_is_asked_for_exists():
    for letter, variants in VARIANTS.items():
        assert all(left_out <= set(DIRECTIONS[letter]) for left_out in variants.values())
    for directions in DIRECTIONS.values():
        assert set(directions) <= set(FEATURES)
        assert set(directions.values()) <= {-1, 0, 1}


@pytest.fixture
def short_search(monkeypatch):
    """One variant a class and two settings to choose: what is proved does not depend on how many there are."""
    one = {letter: {"all features": frozenset()} for letter in "VS"}
    monkeypatch.setattr(beat_choice, "VARIANTS", one)
    monkeypatch.setattr(beat_choice, "SEARCH", ({"least_v": (-1.0, 0.0, 1.0)}, {"abrupt": (False, True)}))


@pytest.mark.slow
@pytest.mark.usefixtures("short_search")
def test_a_fold_has_no_part_in_what_is_chosen_for_it(beats):
    """Other letters in the record that is judged change nothing in the choice made for it."""
    folds = {"1": 0, "2": 1}
    chosen = []
    for changed in (beats, [beats[0], dataclasses.replace(beats[1], letters=beats[1].letters[::-1])]):
        seen = seen_by_folds([*changed, dataclasses.replace(beats[0], record="3")], folds | {"3": 2}, THREE)
        everything = [*changed, dataclasses.replace(beats[0], record="3")]
        chosen.append(chosen_for(everything, folds | {"3": 2}, seen, without=1))
    assert chosen[0] == chosen[1]


def test_a_rule_that_earns_nothing_is_left_out():
    assert searched(lambda choice: 1.0) == Choice()
    best = searched(lambda choice: float(choice.abrupt) - abs(choice.least_s + 1.25))
    assert best == Choice(abrupt=True, least_s=-1.25)
    assert all(set(step) <= {field.name for field in dataclasses.fields(Choice)} for step in SEARCH)


@pytest.mark.usefixtures("short_search")
def test_every_record_is_judged_once(beats):
    measured, shipped = figures([*beats, dataclasses.replace(beats[0], record="3")], THREE)
    assert set(measured["records"]) == {"1", "2", "3"}
    assert len(measured["choices"]) == 3
    assert measured["all"]["V"]["se"] > 95.0
    assert isinstance(shipped, Choice)
