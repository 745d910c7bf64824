"""What a reader of the echo numbers must know beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.clinical.reference_ranges import FORESHORTENING_PCT
from pipeline.echo.cine_study import BeatFigures, CineStudy
from pipeline.records import Remark

Pairs = Sequence[tuple[BeatFigures, BeatFigures | None]]
CLIP_LEFT_OUT = Remark(
    code="W_ECHO_CLIP_LEFT_OUT",
    text="A clip in which the chambers were found only with low confidence was left out.",
)
FURTHER_CLIPS = Remark(
    code="W_ECHO_FURTHER_CLIPS",
    text="The numbers come from the clip with most beats of each view; further clips are shown only.",
)
OUTLIERS = Remark(
    code="W_ECHO_OUTLIERS",
    text="Single frames whose volume leapt out of the curve were bridged from their neighbours.",
)
BEATS_EXCLUDED = Remark(
    code="W_ECHO_BEATS_EXCLUDED", text="Some beats were left out of the means; each has its reason."
)
ENDS_AT_SYSTOLE = Remark(
    code="W_ECHO_ENDS_AT_SYSTOLE",
    text="The clip ends about at end-systole: the smallest volume, and so the ejection fraction, may lie beyond.",
)
SIDES_ASSUMED = Remark(
    code="W_ECHO_SIDES_ASSUMED",
    text=(
        "The names of the walls assume the usual display: the septum, or in a two-chamber view the inferior wall, "
        "on the left. In a mirrored display they are exchanged."
    ),
)
FORESHORTENED = Remark(
    code="W_ECHO_FORESHORTENED",
    text=f"The long axes of the two views differ by more than {FORESHORTENING_PCT:.0f} %: one may be foreshortened.",
)


def study_remarks(studies: Sequence[CineStudy], pairs: Pairs, n_left_out: int) -> Iterator[Remark]:
    """Remarks on the measured cines; `pairs` are the beats that the numbers come from, in one view or in two."""
    n_views = 2 if any(other is not None for _, other in pairs) else 1
    told = (
        (n_left_out > 0, CLIP_LEFT_OUT),
        (len(studies) > n_views, FURTHER_CLIPS),
        (any(study.cycle.outliers_idx for study in studies), OUTLIERS),
        (any(beat.excluded for study in studies for beat in study.cycle.beats), BEATS_EXCLUDED),
        (any(_ends_at_systole(study) for study in studies), ENDS_AT_SYSTOLE),
        # Nothing in the file or in the shape of the chambers tells which side is which.
        (any(segment.reason is None for study in studies for segment in study.analysis.segments), SIDES_ASSUMED),
        (_foreshortened(pairs), FORESHORTENED),
    )
    return (remark for applies, remark in told if applies)


def _ends_at_systole(study: CineStudy) -> bool:
    last = len(study.analysis.volume_curve) - 2
    return any(beat.es_idx >= last for beat in study.cycle.included)


def _foreshortened(pairs: Pairs) -> bool:
    lengths = [(a.ed_profile[1], b.ed_profile[1]) for a, b in pairs if b is not None]
    if not lengths:
        return False
    first, second = np.mean(lengths, axis=0)
    return bool(abs(first - second) > FORESHORTENING_PCT / 100 * max(first, second))
