"""The shipped trees that tell ventricular and supraventricular ectopic beats from the usual ones."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.ecg.beat_features import FEATURES
from pipeline.ecg.beat_runs import RunRules
from pipeline.ecg.tree_ensemble import TreeEnsemble, ensemble_from_arrays
from pipeline.model_files import BEATS
from pipeline.records import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassModel:
    """One class against the others: its trees, the columns they look at, and the log odds it needs."""

    trees: TreeEnsemble
    columns: tuple[int, ...]
    least: float

    def margin(self, table: Array) -> Array:
        """How far above its limit each row of a feature table lies, float64 (n_beats,)."""
        return self.trees.decision(table[:, list(self.columns)]) - self.least


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatModel:
    """Both ectopic classes, and how beats are judged together."""

    ventricular: ClassModel
    supraventricular: ClassModel
    rules: RunRules


@functools.cache
def load_beat_model(folder: Path | None = None) -> BeatModel:
    """Read the model; its SHA-256 is checked before anything parses it.

    Raises
    ------
    HardStopError
        E_HARD_003 when manifest or trees are not what was shipped.
    ModelError
        When they cannot be read now.
    """
    return BEATS.load(_parsed, folder)


def _parsed(content: bytes, manifest: Mapping[str, Any]) -> BeatModel:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(content)
    except SafetensorError as error:
        raise ValueError("these bytes are no trees") from error
    classes = manifest["classes"]
    return BeatModel(
        ventricular=class_model(arrays, "V", classes["V"]),
        supraventricular=class_model(arrays, "S", classes["S"]),
        rules=RunRules(**manifest["rules"]),
    )


def class_model(arrays: Mapping[str, Array], letter: str, settings: Mapping[str, object]) -> ClassModel:
    """One class out of stored arrays and its part of the manifest."""
    names, least = settings["features"], settings["least"]
    if not isinstance(names, list) or not isinstance(least, float | int):
        raise ValueError(f"the settings of class {letter} make no sense")
    columns = tuple(FEATURES.index(str(name)) for name in names)
    return ClassModel(trees=ensemble_from_arrays(arrays, letter), columns=columns, least=float(least))
