"""Train the beat classes on MIT-BIH style records: `python -m pipeline.training.beats --data DIR --output DIR`.

DIR holds WFDB records with reference beats (.hea, .dat, .atr). Patients are kept apart: the figures in the model card
come from folds in which no record was seen in the training of its judge; what is shipped is trained on all records.
The same data and seed give the same trees. Runs on one thread.

Source of the data: Moody and Mark, IEEE Eng Med Biol 20(3):45-50, 2001, doi 10.1109/51.932724.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.ecg.beat_classes import beat_letters
from pipeline.ecg.beat_features import FEATURES, beat_features, described_beats
from pipeline.ecg.beat_model import BeatModel, class_model
from pipeline.ecg.beats import detect_r_peaks
from pipeline.records import Array
from pipeline.training.beat_card import write_model

AAMI = {
    **dict.fromkeys("NLRej", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VE", "V"),
    "F": "F",
    **dict.fromkeys("/fQ", "Q"),
}
"""ANSI/AAMI EC57: classes of the annotation symbols; a record with paced beats ('/') is left out, as there."""

MATCH_S = 0.15  # ANSI/AAMI EC57: how far a detected beat may lie from its reference

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
    least_v: float = -0.5  # log odds from which on a class is claimed
    least_s: float = -1.0


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


def labelled(path: Path, config: TrainingConfig) -> list[LabelledBeats]:
    """One record with all its leads, with its first lead alone, and in short strips; [] where it is paced."""
    import wfdb

    annotation = wfdb.rdann(str(path), "atr")
    if "/" in annotation.symbol:
        return []
    record = wfdb.rdrecord(str(path))
    signal_mv, rate_hz = np.ascontiguousarray(record.p_signal.T), float(record.fs)
    truth = [(s, AAMI[c]) for s, c in zip(annotation.sample, annotation.symbol, strict=True) if c in AAMI]
    peaks = detect_r_peaks(signal_mv, rate_hz)
    letters = matched(peaks, np.array([s for s, _ in truth]), [c for _, c in truth], MATCH_S * rate_hz)
    reference = {letter: sum(c == letter for _, c in truth) for letter in "NSVFQ"}

    def seen(way: str, table: Array, kept: Array, shapes: tuple[Array, ...] = ()) -> LabelledBeats:
        return LabelledBeats(
            record=path.name,
            way=way,
            table=table,
            times_s=peaks[kept] / rate_hz,
            letters=letters[kept],
            reference=reference,
            shapes=shapes,
        )

    everything = np.arange(peaks.size)
    both, one = (described_beats(part, rate_hz, peaks) for part in (signal_mv, signal_mv[:1]))
    strips, kept = _strips(signal_mv, rate_hz, peaks, config)
    return [
        seen("all", both[0], everything, both[1]),
        seen("first lead", one[0], everything, one[1]),
        seen("strips", strips, kept),
    ]


def _strips(signal_mv: Array, rate_hz: float, peaks: Array, config: TrainingConfig) -> tuple[Array, Array]:
    """Features of the beats of short strips, and which beats they are."""
    rng = np.random.default_rng(config.seed)
    tables, kept = [np.empty((0, len(FEATURES)))], [np.empty(0, np.int64)]
    for _ in range(config.strips):
        length = int(rng.uniform(10.0, 30.0) * rate_hz)
        first = int(rng.integers(0, max(1, signal_mv.shape[1] - length)))
        inside = np.flatnonzero((peaks >= first) & (peaks < first + length))
        if inside.size >= 4:
            tables.append(beat_features(signal_mv[:, first : first + length], rate_hz, peaks[inside] - first))
            kept.append(inside)
    return np.concatenate(tables), np.concatenate(kept)


def matched(peaks: Array, truth: Array, letters: Sequence[str], reach: float) -> Array:
    """Reference class of every detected beat, "-" where no reference beat lies within reach."""
    found = np.full(peaks.size, "-")
    for i, peak in enumerate(peaks):
        nearest = int(np.abs(truth - peak).argmin()) if truth.size else -1
        if nearest >= 0 and abs(int(truth[nearest]) - int(peak)) <= reach:
            found[i] = letters[nearest]
    return found


def fit(letter: str, beats: Sequence[LabelledBeats], config: TrainingConfig) -> dict[str, Array]:
    """Grow the trees of one class; the arrays that are stored, by their names."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped]

    columns = [FEATURES.index(name) for name in DIRECTIONS[letter]]
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
        monotonic_cst=list(DIRECTIONS[letter].values()),
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


def settings(config: TrainingConfig) -> dict[str, dict[str, Any]]:
    """The part of the manifest that says what each class looks at and when it is claimed."""
    least = {"V": config.least_v, "S": config.least_s}
    return {letter: {"features": list(DIRECTIONS[letter]), "least": least[letter]} for letter in DIRECTIONS}


def grown(beats: Sequence[LabelledBeats], config: TrainingConfig) -> tuple[dict[str, Array], BeatModel]:
    """Both classes trained on these beats: the arrays to store, and the model that they make."""
    arrays = fit("V", beats, config) | fit("S", beats, config)
    parts = settings(config)
    model = BeatModel(
        ventricular=class_model(arrays, "V", parts["V"]), supraventricular=class_model(arrays, "S", parts["S"])
    )
    return arrays, model


def fold_of(beats: Sequence[LabelledBeats], n_folds: int) -> dict[str, int]:
    """Fold of every record: those with many ectopic beats are spread, there and back."""
    heavy = {part.record: -(2 * part.reference["S"] + part.reference["V"]) for part in beats}
    order = sorted(heavy, key=lambda record: (heavy[record], record))
    there_and_back = [*range(n_folds), *reversed(range(n_folds))]
    return {record: there_and_back[i % (2 * n_folds)] for i, record in enumerate(order)}


def figures(beats: Sequence[LabelledBeats], config: TrainingConfig) -> dict[str, Any]:
    """Confusion of every record judged by trees that never saw it."""
    folds = fold_of(beats, config.folds)
    rows: dict[str, dict[str, dict[str, Any]]] = {way: {} for way in WEIGHTS}
    for k in range(config.folds):
        _, model = grown([part for part in beats if folds[part.record] != k], config)
        for part in (part for part in beats if folds[part.record] == k):
            found = beat_letters(part.table, part.shapes, part.times_s, np.zeros(part.times_s.size, bool), model)
            rows[part.way][part.record] = _row(part, found) | {"fold": k}
        print(json.dumps({"fold": k, "records": sorted(r for r, f in folds.items() if f == k)}), flush=True)
    return {"records": rows["all"]} | {way: _totals(rows[way]) for way in rows if way != "strips"}


def _row(part: LabelledBeats, found: Array) -> dict[str, Any]:
    """Counts of one record; F and Q beats called V or S are counted apart, as ANSI/AAMI EC57 does."""
    row: dict[str, Any] = {}
    for letter in "VS":
        right = int(np.sum((found == letter) & (part.letters == letter)))
        wrong = int(np.sum((found == letter) & np.isin(part.letters, list("NSV")) & (part.letters != letter)))
        row[letter] = {"right": right, "wrong": wrong, "missed": part.reference[letter] - right}
    return row | {"fusion_called_v": int(np.sum((found == "V") & (part.letters == "F")))}


def _totals(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    totals: dict[str, Any] = {}
    for letter in "VS":
        right, wrong, missed = (sum(row[letter][key] for row in rows.values()) for key in ("right", "wrong", "missed"))
        se, ppv = 100.0 * right / max(right + missed, 1), 100.0 * right / max(right + wrong, 1)
        totals[letter] = {"se": round(se, 1), "ppv": round(ppv, 1), "right": right, "wrong": wrong, "missed": missed}
    return totals | {"fusion_called_v": sum(row["fusion_called_v"] for row in rows.values())}


def train(data: Path, output: Path, config: TrainingConfig) -> dict[str, Any]:
    """Folds for the figures, then trees from all records; writes the model folder and returns its manifest."""
    beats = [part for path in sorted(data.glob("*.atr")) for part in labelled(path.with_suffix(""), config)]
    if not beats:
        raise FileNotFoundError(f"no annotated records without pacing in {data.name}")
    measured = figures(beats, config)
    print(json.dumps({key: value for key, value in measured.items() if key != "records"}), flush=True)
    arrays, _ = grown(beats, config)
    return write_model(
        output,
        arrays=arrays,
        classes=settings(config),
        figures=measured,
        config=asdict(config),
        records=sorted({part.record for part in beats}),
    )


def main() -> None:
    """Command line of the training."""
    usual = TrainingConfig()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with .hea, .dat and .atr files")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=usual.seed)
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # read when the first tree is grown
    train(args.data, args.output, TrainingConfig(seed=args.seed))


if __name__ == "__main__":
    main()
