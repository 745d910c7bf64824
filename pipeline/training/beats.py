"""Train the beat classes on MIT-BIH style records: `python -m pipeline.training.beats --data DIR --output DIR`.

DIR holds WFDB records with reference beats (.hea, .dat, .atr). Patients are kept apart: the figures in the model card
come from folds in which no record was seen by the trees that judge it, nor by the choice of their limits and rules
(`pipeline.training.beat_choice`); what is shipped is grown and chosen on all records.
The same data and seed give the same trees. Runs on one thread.

Source of the data: Moody and Mark, IEEE Eng Med Biol 20(3):45-50, 2001, doi 10.1109/51.932724.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.ecg.beat_features import FEATURES, beat_features, described_beats
from pipeline.ecg.beat_model import BeatModel, class_model
from pipeline.ecg.beats import detect_r_peaks
from pipeline.records import Array
from pipeline.training.beat_card import write_model
from pipeline.training.beat_choice import Choice, chosen_for, rows_of, seen_by_folds, totals
from pipeline.training.beat_growth import LabelledBeats, TrainingConfig, directions_of, fit

AAMI = {
    **dict.fromkeys("NLRej", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VE", "V"),
    "F": "F",
    **dict.fromkeys("/fQ", "Q"),
}
"""ANSI/AAMI EC57: classes of the annotation symbols; a record with paced beats ('/') is left out, as there."""

MATCH_S = 0.15  # ANSI/AAMI EC57: how far a detected beat may lie from its reference


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


def settings(choice: Choice) -> dict[str, dict[str, Any]]:
    """The part of the manifest that says what each class looks at and when it is claimed."""
    least = {"V": choice.least_v, "S": choice.least_s}
    variants = {"V": choice.variant_v, "S": choice.variant_s}
    return {
        letter: {"features": list(directions_of(letter, variants[letter])), "least": least[letter]} for letter in "VS"
    }


def grown(beats: Sequence[LabelledBeats], choice: Choice, config: TrainingConfig) -> tuple[dict[str, Array], BeatModel]:
    """Both classes trained on these beats: the arrays to store, and the model that they make."""
    arrays = fit("V", choice.variant_v, beats, config) | fit("S", choice.variant_s, beats, config)
    parts = settings(choice)
    model = BeatModel(
        ventricular=class_model(arrays, "V", parts["V"]),
        supraventricular=class_model(arrays, "S", parts["S"]),
        rules=choice.rules,
    )
    return arrays, model


def fold_of(beats: Sequence[LabelledBeats], n_folds: int) -> dict[str, int]:
    """Fold of every record: those with many ectopic beats are spread, there and back."""
    heavy = {part.record: -(2 * part.reference["S"] + part.reference["V"]) for part in beats}
    order = sorted(heavy, key=lambda record: (heavy[record], record))
    there_and_back = [*range(n_folds), *reversed(range(n_folds))]
    return {record: there_and_back[i % (2 * n_folds)] for i, record in enumerate(order)}


def figures(beats: Sequence[LabelledBeats], config: TrainingConfig) -> tuple[dict[str, Any], Choice]:
    """Confusion of every record judged by trees and a choice that never saw it; and the choice over all records."""
    folds = fold_of(beats, config.folds)
    seen = seen_by_folds(beats, folds, config)
    rows: dict[str, dict[str, dict[str, Any]]] = {"all": {}, "first lead": {}}
    choices = []
    for k in range(config.folds):
        choice = chosen_for(beats, folds, seen, without=k)
        for way, found in rows_of(
            beats, [i for i, part in enumerate(beats) if folds[part.record] == k], seen[k], choice
        ).items():
            rows[way] |= {record: row | {"fold": k} for record, row in found.items()}
        choices.append(asdict(choice))
        print(json.dumps({"fold": k, "choice": choices[-1]}), flush=True)
    measured = {"records": rows["all"], "choices": choices} | {way: totals(found) for way, found in rows.items()}
    return measured, chosen_for(beats, folds, seen, without=None)


def train(data: Path, output: Path, config: TrainingConfig) -> dict[str, Any]:
    """Folds for the figures, then trees from all records; writes the model folder and returns its manifest."""
    beats = [part for path in sorted(data.glob("*.atr")) for part in labelled(path.with_suffix(""), config)]
    if not beats:
        raise FileNotFoundError(f"no annotated records without pacing in {data.name}")
    measured, choice = figures(beats, config)
    print(json.dumps({"shipped": asdict(choice), "all": measured["all"], "first lead": measured["first lead"]}))
    arrays, _ = grown(beats, choice, config)
    return write_model(
        output,
        arrays=arrays,
        classes=settings(choice),
        rules=asdict(choice.rules),
        figures=measured,
        config=asdict(config) | {"choice": asdict(choice)},
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
