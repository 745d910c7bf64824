"""How far a labelled frame, and a labelled clip, can be trusted.

The limits separate the held-out CAMUS stills (lowest certainty 0.91, lowest wall share 0.78) from ultrasound
of other organs, noise and graphics (highest certainty 0.81, highest wall share 0.62).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from pipeline.records import Array

CAVITY, MYOCARDIUM, ATRIUM = 1, 2, 3
Ramp = tuple[float, float]
CERTAINTY: Ramp = (0.80, 0.92)
"""Mean largest probability over the heart: worthless at the first, full marks at the second."""
WALL: Ramp = (0.55, 0.75)
"""Part of the cavity's rim that is myocardium."""
RIM: Ramp = (0.70, 0.90)
"""Part of the cavity's rim that is myocardium or atrium."""
AGREEMENT: Ramp = (0.45, 0.70)
"""Overlap (intersection over union) of the whole heart with that of the neighbouring frames."""
CAVITY_PART = (0.003, 0.40)
"""Part of the frame that a cavity can fill."""
RIM_PX = 4
TRUSTED = 0.5
TRUSTED_PART = 0.8
HEART_CERTAINTY = 0.70
HEART_WALL = 0.40
HEART_PART = 0.5

LOW_CONFIDENCE = "The chambers could be found only with low confidence in this clip, so that function is not measured."


def _mark(value: float, limits: Ramp) -> float:
    low, high = limits
    return float(np.clip((value - low) / (high - low), 0, 1))


def rim_shares(labels: Array) -> tuple[float, float]:
    """Parts of the rim around the cavity of a labelled frame that are myocardium, and atrium; 0, 0 without cavity."""
    from scipy import ndimage

    cavity = labels == CAVITY
    rows, columns = np.flatnonzero(cavity.any(1)), np.flatnonzero(cavity.any(0))
    if not len(rows):
        return 0.0, 0.0
    window = (
        slice(max(0, rows[0] - RIM_PX), rows[-1] + RIM_PX + 1),
        slice(max(0, columns[0] - RIM_PX), columns[-1] + RIM_PX + 1),
    )
    inside = cavity[window]
    rim = labels[window][ndimage.binary_dilation(inside, iterations=RIM_PX) & ~inside]
    if not len(rim):
        return 0.0, 0.0
    return float(np.mean(rim == MYOCARDIUM)), float(np.mean(rim == ATRIUM))


def is_heart(labels: Array, certainty: float) -> bool:
    """Whether a labelled frame, uint8 (height, width), shows a ventricle at all."""
    part = np.count_nonzero(labels == CAVITY) / labels.size
    wall, _ = rim_shares(labels)
    sized = CAVITY_PART[0] <= part <= CAVITY_PART[1]
    return bool(sized and certainty >= HEART_CERTAINTY and wall >= HEART_WALL)


def frame_confidence(labels: Array, certainty: float, agreement: float) -> float:
    """Confidence 0..1 in one labelled frame: the worst of its marks."""
    part = np.count_nonzero(labels == CAVITY) / labels.size
    if not CAVITY_PART[0] <= part <= CAVITY_PART[1]:
        return 0.0
    wall, atrium = rim_shares(labels)
    marks = (_mark(certainty, CERTAINTY), _mark(wall, WALL), _mark(wall + atrium, RIM), _mark(agreement, AGREEMENT))
    return min(marks) if _atrium_is_below(labels) else 0.0


def _atrium_is_below(labels: Array) -> bool:
    """False when the atrium lies above the ventricle: then this is no apical view with the apex at the top."""
    atrium = np.flatnonzero((labels == ATRIUM).any(1))
    cavity = np.flatnonzero((labels == CAVITY).any(1))
    return not len(atrium) or bool(atrium.mean() > cavity.mean())


def overlaps(labels: Array) -> Array:
    """Agreement float64 (n_frames,) of each frame's heart with its neighbours'; 1 for a single frame."""
    heart = labels > 0
    if len(heart) < 2:
        return np.ones(len(heart))
    both = np.array([np.count_nonzero(a & b) for a, b in pairwise(heart)], float)
    either = np.array([np.count_nonzero(a | b) for a, b in pairwise(heart)], float)
    pairs = both / np.maximum(either, 1)
    # The better neighbour: one bad frame must not mark down the good ones beside it.
    return np.asarray(np.maximum(np.append(pairs, pairs[-1]), np.insert(pairs, 0, pairs[0])))


def low_confidence_reason(confidence: Array) -> str | None:
    """Why function must not be measured in a clip with these confidences (n_frames,); None when it may."""
    return LOW_CONFIDENCE if np.mean(confidence >= TRUSTED) < TRUSTED_PART else None
