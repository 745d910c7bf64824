"""A suggested wall-motion score of a segment, from its inward motion, and the mean of the scores.

The guideline's four classes are judged by eye and have no figures (Lang et al. 2015, doi 10.1016/j.echo.2014.10.003:
1 normal, 2 hypokinetic, 3 akinetic with absent or negligible, 4 dyskinetic with outward motion). Here a segment is
compared with the spread of normal hearts at the same place, as in the centerline method (Sheehan et al. 1986,
doi 10.1161/01.CIR.74.2.293): the limits are the 5th percentiles of 174 patients with an ejection fraction of 54 % or
more, measured in the cardiologist's four-chamber contours of the CAMUS training set (Leclerc et al. 2019,
doi 10.1109/TMI.2019.2900516). Thickening, which the guideline weighs more, is not judged.
"""

from __future__ import annotations

from collections.abc import Sequence

NEGLIGIBLE_PCT = 5.0
"""Motion in either direction below this part of the distance from the long axis counts as none (our choice)."""
NORMAL_FROM_PCT = (6.8, 17.7, 14.7, 19.2, 23.8, 17.1)
"""Lower limit of normal inward motion in the four-chamber view: left wall from base to apex, then the right one."""
_WALL = tuple(f"{side}_{level}" for side in ("left", "right") for level in ("basal", "mid", "apical"))
INWARD_PLACES = tuple(f"inward_{place}" for place in _WALL)
STRAIN_PLACES = tuple(f"strain_{place}" for place in _WALL)
"""Names of the segments' inward motion and strain among the errors of the model."""
SCORED_VIEW = "A4C"
NO_LIMITS = "Limits of normal motion are known for the four-chamber view only."
UNCERTAIN = "The inward motion is too uncertain for a score: its interval reaches over more than two classes."


def score_of(place: int, inward_pct: float) -> int:
    """The class of a segment's inward motion in % of its end-diastolic distance from the long axis.

    `place` is 0 to 5: the left wall from base to apex, then the right one. The basal septum moves so little in
    normal hearts that it goes almost from normal to akinetic.
    """
    if inward_pct < -NEGLIGIBLE_PCT:
        return 4
    if inward_pct < NEGLIGIBLE_PCT:
        return 3
    return 2 if inward_pct < NORMAL_FROM_PCT[place] else 1


def score_range(place: int, interval: tuple[float, float]) -> tuple[int, int]:
    """The lowest and the highest class that the 90 % interval of a segment's inward motion reaches."""
    reached = [score_of(place, value) for value in interval]
    return min(reached), max(reached)


def certain_score(place: int, inward_pct: float, reached: tuple[int, int] | None) -> int | None:
    """The score, or None where the interval of the motion reaches over more than two classes."""
    return None if reached and reached[1] - reached[0] > 1 else score_of(place, inward_pct)


def wall_motion_score_index(scores: Sequence[int]) -> float:
    """Mean of the scored segments; at least one is needed. Source: Lang et al. 2015."""
    return sum(scores) / len(scores)
