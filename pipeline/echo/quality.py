"""How far one labelled frame looks like an apical view of a heart, part by part.

Each part is marked from 0 (worthless) to 1 (full marks) along a ramp; a frame is as good as its weakest part.
The ramps of shape begin well outside what the 100 held-out CAMUS stills show and end before what ultrasound of
other organs, noise and graphics show; the ramp of certainty is taken from the weights' own held-out stills.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from pipeline.echo.error_model import Certainty
from pipeline.echo.labels import heart_window
from pipeline.records import Array

CAVITY, MYOCARDIUM, ATRIUM = 1, 2, 3
Ramp = tuple[float, float]
WALL: Ramp = (0.55, 0.75)
"""Part of the cavity's rim that is myocardium; held-out stills: 0.78 to 0.88."""
RIM: Ramp = (0.70, 0.90)
"""Part of the cavity's rim that is myocardium or atrium; held-out stills: 0.99 or more."""
BASE: Ramp = (0.02, 0.07)
"""Part of the rim that is not myocardium: an apical cavity opens to the atrium; held-out stills: 0.12 or more."""
SOLID: Ramp = (0.78, 0.88)
"""Area of the cavity against that of its convex hull; held-out stills: 0.91 or more."""
LONG: Ramp = (1.0, 1.15)
"""Length of the cavity against its width; held-out stills: 1.24 or more."""
LEAN_DEG: Ramp = (75.0, 55.0)
"""Angle between the cavity's long axis and the vertical; held-out stills: 29 or less."""
CONTRAST: Ramp = (0.0, 0.05)
"""(muscle - cavity) / (muscle + cavity) in grey levels; held-out stills: 0.08 or more."""
AGREEMENT: Ramp = (0.45, 0.70)
"""Overlap (intersection over union) of the whole heart with that of the neighbouring frames."""
SMALLEST_PART: Ramp = (0.002, 0.004)
LARGEST_PART: Ramp = (0.50, 0.40)
"""Part of the frame that a cavity can fill."""
CUT: Ramp = (0.30, 0.05)
"""Pixels of the ventricle on the edge of the image, against its height and width; held-out stills: 0.06 or less."""
CERTAINTY_REACH = 6.0
"""Certainty is worthless this many times as far below the median as the 5th percentile of held-out stills lies."""
LEAST_SPREAD = 0.005
RIM_PX = 4
TRUSTED = 0.5
FRAME_PARTS = ("certainty", "size", "whole", "wall", "base", "shape", "axis", "atrium", "contrast", "agreement")


def mark(value: float, ramp: Ramp) -> float:
    """Where a value lies on a ramp: 0 at its first end, 1 at its second."""
    low, high = ramp
    return min(1.0, max(0.0, (value - low) / (high - low)))


def certainty_ramp(typical: Certainty) -> Ramp:
    """The ramp of the network's certainty, from that of its held-out stills."""
    spread = max(LEAST_SPREAD, typical.median - typical.low)
    return typical.median - CERTAINTY_REACH * spread, typical.median - spread


def rim_shares(labels: Array) -> tuple[float, float]:
    """Parts of the rim around the cavity of a labelled frame that are myocardium, and atrium; 0, 0 without cavity."""
    import cv2

    cavity = (labels == CAVITY).view(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    rim = labels[(cv2.dilate(cavity, cross, iterations=RIM_PX) > 0) & (labels != CAVITY)]
    if not len(rim) or not cavity.any():
        return 0.0, 0.0
    counts = np.bincount(rim, minlength=ATRIUM + 1) / len(rim)
    return float(counts[MYOCARDIUM]), float(counts[ATRIUM])


def frame_parts(labels: Array, frame: Array, certainty: float, ramp: Ramp, aspect: float = 1.0) -> dict[str, float]:
    """The marks of one labelled frame but for its agreement with others.

    Parameters
    ----------
    labels, frame : uint8 (height, width)
    certainty : float
        The network's mean largest probability over the heart.
    ramp : (float, float)
        As `certainty_ramp` gives it.
    aspect : float
        Row spacing / column spacing.
    """
    window = heart_window(labels, RIM_PX + 1)
    seen, grey = labels[window], frame[window]
    n_cavity = np.count_nonzero(seen == CAVITY)
    if not n_cavity:
        return dict.fromkeys(FRAME_PARTS[:-1], 0.0)
    part = n_cavity / labels.size
    wall, atrium = rim_shares(seen)
    solid, long, lean_deg = _shape(seen, aspect)
    return {
        "certainty": mark(certainty, ramp),
        "size": min(mark(part, SMALLEST_PART), mark(part, LARGEST_PART)),
        "whole": mark(_cut_share(labels), CUT),
        "wall": min(mark(wall, WALL), mark(wall + atrium, RIM)),
        "base": mark(1 - wall, BASE),
        "shape": min(mark(solid, SOLID), mark(long, LONG)),
        "axis": mark(lean_deg, LEAN_DEG),
        "atrium": 1.0 if _atrium_is_below(seen) else 0.0,
        "contrast": mark(_contrast(seen, grey), CONTRAST),
    }


def _shape(labels: Array, aspect: float) -> tuple[float, float, float]:
    """Solidity, length / width, and lean of the long axis from the vertical in degrees, of the cavity."""
    import cv2

    cavity = (labels == CAVITY).view(np.uint8)
    outlines, _ = cv2.findContours(cavity, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=cv2.contourArea)
    hull = cv2.contourArea(cv2.convexHull(outline))
    solid = cv2.contourArea(outline) / hull if hull else 0.0
    m = cv2.moments(cavity, binaryImage=True)
    down, aside, mixed = m["mu02"] * aspect**2, m["mu20"], m["mu11"] * aspect
    half, apart = (down + aside) / 2, math.hypot((down - aside) / 2, mixed)
    long = math.sqrt((half + apart) / max(half - apart, 1e-9))
    lean_deg = abs(math.degrees(math.atan2(2 * mixed, down - aside))) / 2
    return solid, long, lean_deg


def _cut_share(labels: Array) -> float:
    """Pixels of cavity and wall on the edge of the frame, against the height and width of both."""
    ventricle = (labels == CAVITY) | (labels == MYOCARDIUM)
    rows, columns = np.flatnonzero(ventricle.any(1)), np.flatnonzero(ventricle.any(0))
    edges = (ventricle[0], ventricle[-1], ventricle[:, 0], ventricle[:, -1])
    return sum(np.count_nonzero(edge) for edge in edges) / (np.ptp(rows) + np.ptp(columns) + 2)


def _contrast(labels: Array, frame: Array) -> float:
    import cv2

    muscle, cavity = (
        cv2.mean(np.ascontiguousarray(frame), (labels == k).view(np.uint8))[0] for k in (MYOCARDIUM, CAVITY)
    )
    return float((muscle - cavity) / max(muscle + cavity, 1.0))


def _atrium_is_below(labels: Array) -> bool:
    """False when the atrium lies above the ventricle: then this is no apical view with the apex at the top."""
    atrium = np.flatnonzero((labels == ATRIUM).any(1))
    cavity = np.flatnonzero((labels == CAVITY).any(1))
    return not len(atrium) or bool(atrium.mean() > cavity.mean())


def overlaps(labels: Array) -> Array:
    """Agreement float64 (n_frames,) of each frame's heart with its neighbours'; 1 for a single frame."""
    if len(labels) < 2:
        return np.ones(len(labels))
    window = heart_window(labels.max(0), 0)
    hearts = labels[(slice(None), *window)] > 0
    areas = np.count_nonzero(hearts, axis=(1, 2))
    both = np.array([np.count_nonzero(a & b) for a, b in pairwise(hearts)], float)
    pairs = both / np.maximum(areas[:-1] + areas[1:] - both, 1)
    # The better neighbour: one bad frame must not mark down the good ones beside it.
    return np.asarray(np.maximum(np.append(pairs, pairs[-1]), np.insert(pairs, 0, pairs[0])))
