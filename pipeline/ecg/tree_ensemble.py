"""A sum of regression trees held as plain arrays: what gradient boosting leaves behind, without its library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.records import Array

_BLOCK_ROWS = 4096  # keeps memory small however many beats there are


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEnsemble:
    """Every array but `baseline` is (n_trees, n_nodes); a leaf is its own left and right."""

    feature: Array  # int16, column of the table
    threshold: Array  # float64, not above it: to the left
    left: Array  # int16
    right: Array  # int16
    value: Array  # float32, of a leaf
    baseline: float
    depth: int  # steps from a root to its deepest leaf

    def decision(self, table: Array) -> Array:
        """Log odds (n_rows,) of rows of a float table (n_rows, n_features) without NaN."""
        blocks = [self._block(table[i : i + _BLOCK_ROWS]) for i in range(0, table.shape[0], _BLOCK_ROWS)]
        return np.concatenate(blocks) if blocks else np.empty(0)

    def _block(self, table: Array) -> Array:
        trees = np.arange(self.feature.shape[0])[None, :]
        rows = np.arange(table.shape[0])[:, None]
        node = np.zeros((table.shape[0], trees.size), np.int64)
        for _ in range(self.depth):
            below = table[rows, self.feature[trees, node]] <= self.threshold[trees, node]
            node = np.where(below, self.left[trees, node], self.right[trees, node])
        return np.asarray(self.baseline + self.value[trees, node].astype(np.float64).sum(axis=1))


def ensemble_from_arrays(arrays: Mapping[str, Array], prefix: str) -> TreeEnsemble:
    """The ensemble stored under names that begin with `prefix` and a dot; raises KeyError or ValueError if unfit."""
    parts = {
        name: np.asarray(arrays[f"{prefix}.{name}"]) for name in ("feature", "threshold", "left", "right", "value")
    }
    shape = parts["feature"].shape
    if len(shape) != 2 or any(part.shape != shape for part in parts.values()):
        raise ValueError(f"the trees of {prefix} have different shapes")
    if min(parts["left"].min(), parts["right"].min()) < 0 or max(parts["left"].max(), parts["right"].max()) >= shape[1]:
        raise ValueError(f"the trees of {prefix} point beyond their nodes")
    depth, baseline = arrays[f"{prefix}.depth"], arrays[f"{prefix}.baseline"]
    return TreeEnsemble(**parts, baseline=float(baseline.item()), depth=int(depth.item()))
