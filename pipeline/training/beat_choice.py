"""Choose limits, features and rules of the beat classes on records that the choice does not judge.

For every pair of folds, trees are grown without both: they judge the one when the choice for the other is made. So a
record is judged by trees that never saw it, at limits and by rules that were chosen without it, on beats that the trees
of that choice had not seen either. The search goes once through a list of settings and keeps what is better.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement, product
from typing import Any

import numpy as np

from pipeline.ecg.beat_classes import among_kin, decided, known_rows
from pipeline.ecg.beat_features import FEATURES
from pipeline.ecg.beat_runs import RunRules
from pipeline.ecg.tree_ensemble import ensemble_from_arrays
from pipeline.records import Array
from pipeline.training.beat_growth import VARIANTS, LabelledBeats, TrainingConfig, directions_of, fit

JUDGED_WAYS = ("all", "first lead")
_F1_SHARE = 0.01  # settles what is nearly equal


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen; as it stands here the search begins, with every rule left out."""

    variant_v: str = "all features"
    variant_s: str = "all features"
    least_v: float = 0.0  # log odds from which on a class is claimed
    least_s: float = 0.0
    kin_alike: float | None = None
    early: float | None = None
    still_fast: float = 0.85
    abrupt: bool = False

    @property
    def rules(self) -> RunRules:
        return RunRules(
            kin_alike=self.kin_alike,
            early=self.early,
            still_fast=self.still_fast,
            abrupt=self.abrupt,
        )


_LEAST_V = tuple(np.arange(-2.0, 1.51, 0.25).tolist())
_LEAST_S = tuple(np.arange(-2.5, 1.51, 0.25).tolist())
SEARCH: tuple[Mapping[str, tuple[Any, ...]], ...] = (  # settings of one step are tried in every combination
    {"least_v": _LEAST_V},
    {"least_s": _LEAST_S},
    {"kin_alike": (None, 0.9, 0.95)},
    {"least_v": _LEAST_V},
    {"variant_v": tuple(VARIANTS["V"])},
    {"variant_s": tuple(VARIANTS["S"])},
    {"early": (None, 0.8, 0.86, 0.9), "still_fast": (0.85, 0.8, 0.9)},
    {"abrupt": (False, True)},
    {"least_s": _LEAST_S},
    {"least_v": _LEAST_V},
)

Seen = Mapping[int, Mapping[tuple[str, str], Array]]
"""Log odds (n_beats,) of a set of beats, by its place among the beats, of (class, variant)."""


def seen_by_folds(
    beats: Sequence[LabelledBeats], folds: Mapping[str, int], config: TrainingConfig
) -> dict[int, dict[int, dict[tuple[str, str], Array]]]:
    """For every fold: what trees without that fold, and without the fold of the beats themselves, say of all beats."""
    seen: dict[int, dict[int, dict[tuple[str, str], Array]]] = {k: {} for k in range(config.folds)}
    for one, two in combinations_with_replacement(range(config.folds), 2):
        kept = [part for part in beats if folds[part.record] not in (one, two)]
        for letter in VARIANTS:
            for variant in VARIANTS[letter]:
                trees = ensemble_from_arrays(fit(letter, variant, kept, config), letter)
                columns = [FEATURES.index(name) for name in directions_of(letter, variant)]
                for i, part in enumerate(beats):
                    own = folds[part.record]
                    if own in (one, two) and part.way in JUDGED_WAYS:
                        known, _ = known_rows(part.table)
                        place = seen[two if own == one else one].setdefault(i, {})
                        place[letter, variant] = trees.decision(known[:, columns])
    return seen


class _Judge:
    """Letters of beats under a choice; what the kin of a beat say is kept, since many choices share it."""

    def __init__(self, beats: Sequence[LabelledBeats], seen: Seen) -> None:
        self._beats, self._seen = beats, seen
        self.places = tuple(seen)
        self._known = {i: known_rows(beats[i].table) for i in seen}
        self._kin: dict[tuple[int, str, float | None], Array] = {}

    def row(self, i: int, choice: Choice) -> dict[str, Any]:
        """Counts of one record seen in one way."""
        part = self._beats[i]
        key = (i, choice.variant_v, choice.kin_alike)
        if key not in self._kin:
            self._kin[key] = among_kin(self._seen[i]["V", choice.variant_v], part.shapes, choice.kin_alike)
        known, unclear = self._known[i]
        ventricular = self._kin[key] - choice.least_v
        supraventricular = self._seen[i]["S", choice.variant_s] - choice.least_s
        return _row(part, decided(ventricular, supraventricular, known, unclear, part.times_s, choice.rules))


def rows_of(
    beats: Sequence[LabelledBeats], places: Sequence[int], seen: Seen, choice: Choice
) -> dict[str, dict[str, dict[str, Any]]]:
    """Counts of the beats at these places, by way and record."""
    return _rows(beats, _Judge(beats, {i: seen[i] for i in places if i in seen}), choice)


def _rows(beats: Sequence[LabelledBeats], judge: _Judge, choice: Choice) -> dict[str, dict[str, dict[str, Any]]]:
    rows: dict[str, dict[str, dict[str, Any]]] = {way: {} for way in JUDGED_WAYS}
    for i in judge.places:
        rows[beats[i].way][beats[i].record] = judge.row(i, choice)
    return rows


def chosen_for(
    beats: Sequence[LabelledBeats],
    folds: Mapping[str, int],
    seen: Mapping[int, Seen],
    *,
    without: int | None,
) -> Choice:
    """The choice made on all records but those of a fold; on all of them for what is shipped."""
    if without is None:
        known: Seen = {i: seen[folds[part.record]][i] for i, part in enumerate(beats) if part.way in JUDGED_WAYS}
    else:
        known = {i: found for i, found in seen[without].items() if folds[beats[i].record] != without}
    judge = _Judge(beats, known)
    return searched(lambda choice: _score(_rows(beats, judge, choice)))


def searched(score: Callable[[Choice], float]) -> Choice:
    """The best choice that one walk through `SEARCH` finds; of equals the earlier one, so that a rule must earn it."""
    best = Choice()
    highest = score(best)
    for step in SEARCH:
        for values in product(*step.values()):
            candidate = replace(best, **dict(zip(step, values, strict=True)))
            if candidate != best and (reached := score(candidate)) > highest:
                best, highest = candidate, reached
    return best


def _score(rows: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> float:
    """The lesser of sensitivity and PPV, averaged over classes and ways: neither is bought with the other."""
    parts = []
    for found in rows.values():
        total = totals(found)
        for letter in "VS":
            se, ppv = total[letter]["se"], total[letter]["ppv"]
            parts.append(min(se, ppv) + _F1_SHARE * 2.0 * se * ppv / max(se + ppv, 1.0))
    return float(np.mean(parts))


def _row(part: LabelledBeats, found: Array) -> dict[str, Any]:
    """Counts of one record; F and Q beats called V or S are counted apart, as ANSI/AAMI EC57 does."""
    row: dict[str, Any] = {}
    for letter in "VS":
        right = int(np.sum((found == letter) & (part.letters == letter)))
        wrong = int(np.sum((found == letter) & np.isin(part.letters, list("NSV")) & (part.letters != letter)))
        row[letter] = {"right": right, "wrong": wrong, "missed": part.reference[letter] - right}
    return row | {"fusion_called_v": int(np.sum((found == "V") & (part.letters == "F")))}


def totals(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Sensitivity and PPV in percent over records."""
    found: dict[str, Any] = {}
    for letter in "VS":
        right, wrong, missed = (sum(row[letter][key] for row in rows.values()) for key in ("right", "wrong", "missed"))
        se, ppv = 100.0 * right / max(right + missed, 1), 100.0 * right / max(right + wrong, 1)
        found[letter] = {"se": round(se, 1), "ppv": round(ppv, 1), "right": right, "wrong": wrong, "missed": missed}
    return found | {"fusion_called_v": sum(row["fusion_called_v"] for row in rows.values())}
