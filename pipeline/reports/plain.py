"""Records to plain JSON values: sorted names, rounded floats, None for what is not finite."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

DIGITS = 6
"""Digits after the point in a report: below the noise of every measurement, above that of floating point."""


def plain(node: Any) -> Any:
    """Turn mappings, sequences, NumPy scalars and arrays into JSON values, the same ones on every run.

    Floats are rounded to DIGITS digits; NaN and infinities become None; mappings are sorted by name.
    """
    if isinstance(node, Mapping):
        return {str(key): plain(node[key]) for key in sorted(node, key=str)}
    if isinstance(node, list | tuple):
        return [plain(value) for value in node]
    if isinstance(node, np.ndarray | np.generic):
        return plain(node.tolist())
    if isinstance(node, float):
        # adding 0.0 turns -0.0 into 0.0
        return round(node, DIGITS) + 0.0 if math.isfinite(node) else None
    return node
