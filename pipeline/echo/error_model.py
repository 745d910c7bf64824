"""The 90 % interval of an echo measure: the model's error on held-out patients, and the spread of the beats.

Split conformal prediction, normalised by difficulty: on each held-out patient the error is divided by how uncertain
the network was there, and the 90th percentile of these quotients, times the uncertainty in a new clip, is the reach
of its interval. For patients like the held-out ones it covers the cardiologist's value 9 times in 10.
Source: Lei et al. 2018, doi 10.1080/01621459.2017.1307116 (section 5.2, locally weighted).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pipeline.records import Array

COVERAGE = 0.90
TWO_SIDED_90 = 1.645
"""Standard deviations on either side of the mean that hold 90 % of a normal distribution."""
EASIEST = 0.5
"""No clip counts as less than half as difficult as the typical one: certainty alone proves no precision."""
Scale = Literal["points", "relative"]
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorModel:
    """How far one measure was from the cardiologist's on held-out patients.

    `reach` is for a clip of typical difficulty: in the measure's unit ("points"), or as a natural logarithm of the
    quotient ("relative").
    """

    scale: Scale
    reach: float
    patients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Certainty:
    """The network's certainty on the held-out stills: its median and its 5th percentile."""

    median: float
    low: float


def read_error_models(content: Mapping[str, Any]) -> dict[str, ErrorModel]:
    """The models of a manifest, by name of the measure; raises KeyError, TypeError or ValueError on nonsense."""
    found = {}
    for name, row in content.items():
        scale, reach = row["scale"], float(row["reach"])
        if scale not in ("points", "relative") or not 0 < reach < math.inf:
            raise ValueError(name)
        found[name] = ErrorModel(scale=scale, reach=reach, patients=int(row["patients"]))
    return found


def difficulty(certainty: Array | Sequence[float], typical: Certainty) -> float:
    """How difficult frames with these certainties (n,) are; 1 is a typical held-out still, without frames too."""
    if not len(certainty):
        return 1.0
    return float(difficulties(np.mean(certainty, keepdims=True), typical)[0])


def difficulties(certainty: Array, typical: Certainty) -> Array:
    """The same for many clips, whose mean certainty (n,) is known; float64 (n,)."""
    return np.asarray(np.maximum(EASIEST, (1 - certainty) / max(1 - typical.median, 1e-6)))


def mean_interval(model: ErrorModel, beats: Sequence[float], hardness: float) -> Interval | None:
    """90 % interval of the mean over beats; None where the measure's scale does not hold its values.

    The model's error is the same in every beat of a clip, so that only the spread of the beats shrinks with their
    number: reach² = (hardness reach_model)² + (1.645 sd_beats)² / n.
    """
    values = np.asarray(beats, float)
    if not len(values) or not np.isfinite(values).all():
        return None
    if model.scale == "relative":
        if values.min() <= 0:
            return None
        reach = _reach(model, np.log(values), hardness)
        mean = float(values.mean())
        return mean * math.exp(-reach), mean * math.exp(reach)
    reach = _reach(model, values, hardness)
    mean = float(values.mean())
    return mean - reach, mean + reach


def _reach(model: ErrorModel, values: Array, hardness: float) -> float:
    spread = float(np.var(values, ddof=1)) / len(values) if len(values) > 1 else 0.0
    return math.hypot(hardness * model.reach, TWO_SIDED_90 * math.sqrt(spread))


def conformal_reach(errors: Array, hardness: Array) -> float:
    """The quotient error / difficulty (n,) that COVERAGE of new patients stay below; infinite when n is too small.

    The rank ceil((n + 1) 0.9) instead of 0.9 n pays for the finite number of patients.
    """
    quotients = np.sort(np.asarray(errors, float) / np.asarray(hardness, float))
    rank = math.ceil((len(quotients) + 1) * COVERAGE)
    return float(quotients[rank - 1]) if rank <= len(quotients) else math.inf
