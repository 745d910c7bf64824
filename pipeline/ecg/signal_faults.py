"""What is wrong with a second of a lead: one fault, the gravest, for the report and the person who looks at the lead.

The limits are those of `pipeline.ecg.quality`. A second without QRS, in a pause or in a lead of low voltage, has no
fault: only what moves less than any recorder's last digit counts as flat.
"""

from __future__ import annotations

import numpy as np

from pipeline.ecg.quality import (
    DEAD_RANGE_MV,
    FLAT_RANGE_MV,
    LARGEST_RANGE_MV,
    MAX_CLIPPED_SHARE,
    MAX_MISSING_SHARE,
    MAX_NOISE_SHARE,
    WANDER_SHARE,
    SecondFeatures,
    second_quality,
)
from pipeline.ecg.rhythm_facts import runs
from pipeline.records import Array
from pipeline.records.ecg_quality import SIGNAL_FAULTS, EcgQuality

MOST_LISTED = 20
_GRAVE_WANDER = 2.0 * WANDER_SHARE


def second_faults(features: SecondFeatures) -> Array:
    """The gravest fault of each second, uint8 (n_seconds,) of places in SIGNAL_FAULTS."""
    present = features.missing_share < MAX_MISSING_SHARE
    usual_mv = float(np.median(features.range_mv[present])) if present.any() else 0.0
    size_mv = np.maximum(np.maximum(features.range_mv, usual_mv), 1e-6)  # a pause has no QRS to compare noise with
    small = features.range_mv < FLAT_RANGE_MV
    swings = np.maximum(2.0 * features.mains_mv, features.raw_range_mv) > FLAT_RANGE_MV
    tests = {
        "wander": features.wander_mv > _GRAVE_WANDER * size_mv,
        "noise": features.noise_mv > MAX_NOISE_SHARE * size_mv,
        "mains": 2.0 * features.mains_mv > np.maximum(features.range_mv, FLAT_RANGE_MV),
        "unit": features.range_mv > LARGEST_RANGE_MV,
        "saturated": features.clipped_share > MAX_CLIPPED_SHARE,
        "off": small & swings & (2.0 * features.mains_mv > FLAT_RANGE_MV),
        "flat": (features.range_mv < DEAD_RANGE_MV) & (features.raw_range_mv < FLAT_RANGE_MV),
        "missing": features.missing_share > MAX_MISSING_SHARE,
    }
    found = np.zeros(features.range_mv.size, np.uint8)
    for name, applies in tests.items():  # the gravest is tried last and stays
        found[applies] = SIGNAL_FAULTS.index(name)
    return found


def quality_of(features: list[SecondFeatures], reasons: tuple[str | None, ...]) -> EcgQuality:
    """The stored result from the features and the verdicts of every lead."""
    return EcgQuality(
        quality=np.stack([second_quality(of_lead) for of_lead in features]),
        fault=np.stack([second_faults(of_lead) for of_lead in features]),
        reasons=reasons,
    )


def fault_stretches(fault: Array) -> list[tuple[str, int, int]]:
    """(fault, first second, second after the last) of one lead, longest first, at most twenty; then in time.

    `fault` is uint8 (n_seconds,).
    """
    found = [
        (name, first, last + 1)
        for number, name in enumerate(SIGNAL_FAULTS)
        if number > 0
        for first, last in runs(fault == number)
    ]
    found.sort(key=lambda stretch: stretch[1] - stretch[2])
    return sorted(found[:MOST_LISTED], key=lambda stretch: stretch[1])
