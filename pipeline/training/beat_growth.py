"""Grow the trees of one class out of labelled beats, in the variants among which the training chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.ecg.beat_features import FEATURES
from pipeline.records import Array

# Each class looks at these features. A sign says that its odds may only fall (-1) or rise (+1) with the feature, which
# keeps trees grown on twenty patients from learning those patients by heart.
DIRECTIONS: dict[str, dict[str, int]] = {
    "V": {
        **dict.fromkeys(("pre", "pre_over_post", "pre_long", "alike", "gain", "t_alike", "common"), -1),
        **dict.fromkeys(("kin_pre", "close_pre", "p_alike"), -1),
        **dict.fromkeys(("post", "width", "width_s", "surplus", "kin_post", "close_post", "p_surplus"), 1),
        **dict.fromkeys(("pre_over_earlier", "pair", "alike_before", "alike_after", "like_previous", "like_next"), 0),
        **dict.fromkeys(("energy", "slope", "p_gain", "p_energy"), 0),
    },
    "S": {
        **dict.fromkeys(("pre", "pre_over_post", "pre_over_earlier", "near", "pre_long", "run_long", "p_alike"), -1),
        "p_surplus": 1,
        **dict.fromkeys(("post", "after_next", "pair", "post_long", "steady", "alike", "width", "surplus"), 0),
        **dict.fromkeys(("t_alike", "p_gain", "p_energy", "kin_pre"), 0),
    },
}


_P_WAVE = frozenset(("p_alike", "p_surplus", "p_gain", "p_energy"))
_KINSHIP = frozenset(("kin_pre", "kin_post", "close_pre", "close_post", "common"))
_SHAPE = frozenset(("alike", "width", "surplus", "t_alike", "kin_pre"))


VARIANTS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "V": {"all features": frozenset(), "without P": _P_WAVE, "without kinship": _KINSHIP},
    "S": {"all features": frozenset(), "without P": _P_WAVE, "without shape": _SHAPE},
}
"""Features that are left out, by class and the name of the variant."""


def directions_of(letter: str, variant: str) -> dict[str, int]:
    """The features that a variant looks at, with their signs."""
    left_out = VARIANTS[letter][variant]
    return {name: sign for name, sign in DIRECTIONS[letter].items() if name not in left_out}


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything that decides the result, beside the data."""

    seed: int = 1
    folds: int = 5
    trees: int = 60
    leaves: int = 14
    rate: float = 0.1
    l2: float = 10.0
    least_leaf: int = 80
    every_normal: int = 5  # one of so many normal beats is learnt from
    fair_beats: int = 100  # a record's beats of one class beyond these count by their square root
    strips: int = 20  # of 10 to 30 s, so that short records are learnt too


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledBeats:
    """Beats of one record seen in one way."""

    record: str
    way: str  # "all", "first lead" or "strips"
    table: Array  # float64 (n_beats, n_features)
    times_s: Array
    letters: Array  # reference class of each detected beat, "-" where there is none
    reference: Mapping[str, int]  # reference beats of each class in the whole record
    shapes: tuple[Array, ...] = ()  # of all beats, as `described_beats` gives them


WEIGHTS = {"all": 1.0, "first lead": 0.4, "strips": 0.6}


def fit(letter: str, variant: str, beats: Sequence[LabelledBeats], config: TrainingConfig) -> dict[str, Array]:
    """Grow the trees of one class; the arrays that are stored, by their names."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped]

    directions = directions_of(letter, variant)
    columns = [FEATURES.index(name) for name in directions]
    tables, targets, weights = [], [], []
    for part in beats:
        turn = np.arange(part.letters.size) % config.every_normal == 0
        chosen = (part.letters == letter) | ((part.letters == "N") & turn)
        if letter == "V":
            chosen |= part.letters == "S"
        chosen &= np.isfinite(part.table).all(axis=1)
        target = part.letters[chosen] == letter
        weight = np.where(part.letters[chosen] == "N", float(config.every_normal), 1.0)
        weight[target] *= np.sqrt(min(1.0, config.fair_beats / max(int(target.sum()), 1)))
        tables.append(part.table[chosen][:, columns])
        targets.append(target)
        weights.append(weight * WEIGHTS[part.way])
    forest = HistGradientBoostingClassifier(
        max_iter=config.trees,
        learning_rate=config.rate,
        max_leaf_nodes=config.leaves,
        min_samples_leaf=config.least_leaf,
        l2_regularization=config.l2,
        monotonic_cst=list(directions.values()),
        early_stopping=False,
        max_bins=64,
        random_state=config.seed,
    )
    forest.fit(np.concatenate(tables), np.concatenate(targets), sample_weight=np.concatenate(weights))
    return tree_arrays(forest, letter)


def tree_arrays(forest: Any, prefix: str) -> dict[str, Array]:
    """The trees of a fitted two-class gradient boosting as arrays (n_trees, n_nodes), leaves pointing at themselves."""
    trees = [stage[0].nodes for stage in forest._predictors]
    shape = (len(trees), max(tree.size for tree in trees))
    feature, left, right = (np.zeros(shape, np.int16) for _ in range(3))
    threshold, value = np.zeros(shape, np.float64), np.zeros(shape, np.float32)
    for row, tree in enumerate(trees):
        n, leaf, own = tree.size, tree["is_leaf"].astype(bool), np.arange(tree.size)
        feature[row, :n] = np.where(leaf, 0, tree["feature_idx"])
        threshold[row, :n] = np.where(leaf, 0.0, tree["num_threshold"])
        left[row, :n] = np.where(leaf, own, tree["left"])
        right[row, :n] = np.where(leaf, own, tree["right"])
        value[row, :n] = tree["value"]
    depth = max(int(tree["depth"].max()) for tree in trees)
    arrays = {"feature": feature, "threshold": threshold, "left": left, "right": right, "value": value}
    arrays |= {"baseline": np.asarray(forest._baseline_prediction, np.float64).reshape(1), "depth": np.array([depth])}
    return {f"{prefix}.{name}": array for name, array in arrays.items()}
