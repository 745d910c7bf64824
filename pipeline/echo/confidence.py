"""How far a labelled clip can be trusted, and why it is refused when it cannot."""

from __future__ import annotations

import numpy as np

from pipeline.echo.error_model import Certainty
from pipeline.echo.quality import AGREEMENT, FRAME_PARTS, TRUSTED, Ramp, certainty_ramp, frame_parts, mark, overlaps
from pipeline.echo.second_look import SecondLook, same_heart
from pipeline.records import Array, EchoQuality

FOUND_AGAIN: Ramp = (0.70, 0.90)
"""Overlap of the cavity with that found in the turned frame; held-out stills: 0.97 or more."""
CLEARER = 0.01
"""An image is upside down when the network is this much more certain of it the other way round.

Held-out stills are always more certain as they are, by 0.05 in the median."""
TRUSTED_PART = 0.8
HEART_PART = 0.5
HEART_MARK = 0.05
"""A frame with a certainty, size or wall below this shows no ventricle at all."""

LOW_CONFIDENCE = "The chambers could be found only with low confidence in this clip, so that function is not measured."
NO_HEART = (
    "No heart chamber could be found in this clip: it does not look like an apical view with the apex at the top."
)
WORDS = {
    "certainty": "the outlines of the chambers are unclear",
    "size": "what was found is too small or too large for a ventricle",
    "whole": "the ventricle is cut by the edge of the image",
    "wall": "the cavity is not surrounded by heart muscle",
    "base": "the cavity is closed all round, as in a short-axis view, not open to the atrium as in an apical one",
    "shape": "the cavity does not have the shape of a ventricle",
    "axis": "the ventricle lies across the image instead of upright",
    "atrium": "the atrium lies above the ventricle",
    "contrast": "the muscle is not brighter than the cavity",
    "agreement": "the outlines leap from frame to frame",
    "found_again": "the cavity is found elsewhere when the image is turned a little",
    "upright": "the clip seems to be upside down; show it with the apex at the top",
}
"""Each part in plain words, as the cause of low confidence."""


def judge_frames(labels: Array, frames: Array, certainty: Array, typical: Certainty, aspect: float) -> dict[str, Array]:
    """The marks of every frame, float64 (n_frames,) by part.

    Parameters
    ----------
    labels, frames : uint8 (n_frames, height, width)
    certainty : float64 (n_frames,)
    typical : Certainty
        That of the weights on their held-out stills.
    aspect : float
        Row spacing / column spacing.
    """
    ramp = certainty_ramp(typical)
    rows = [
        frame_parts(each, frame, float(value), ramp, aspect)
        for each, frame, value in zip(labels, frames, certainty, strict=True)
    ]
    marks = {name: np.array([row[name] for row in rows], float) for name in FRAME_PARTS[:-1]}
    return marks | {"agreement": np.array([mark(float(value), AGREEMENT) for value in overlaps(labels)])}


def shows_heart(marks: dict[str, Array]) -> bool:
    """Whether most frames show a ventricle at all, however poorly."""
    least = np.min([marks[name] for name in ("certainty", "size", "wall")], axis=0)
    return bool(np.mean(least >= HEART_MARK) >= HEART_PART)


def judge_clip(marks: dict[str, Array], labels: Array, certainty: Array, second: SecondLook) -> EchoQuality:
    """The clip's score, parts and reasons, from the marks of its frames and from a second look."""
    again = [same_heart(labels[i], seen) for i, seen in zip(second.frame_idx, second.labels, strict=True)]
    gain = float(np.mean(second.certainty_upside_down) - np.mean(certainty[second.frame_idx]))
    looks = {"found_again": mark(float(np.mean(again)), FOUND_AGAIN), "upright": 0.0 if gain > CLEARER else 1.0}
    frame_scores = np.min(list(marks.values()), axis=0)
    parts = {name: round(float(values.mean()), 4) for name, values in marks.items()} | looks
    score = min(float(frame_scores.mean()), *looks.values())
    return EchoQuality(
        frame_parts=marks,
        clip_parts=parts,
        score=round(score, 4),
        low_confidence_reason=_reason(frame_scores, looks, marks),
    )


def _reason(frame_scores: Array, looks: dict[str, float], marks: dict[str, Array]) -> str | None:
    """Why function must not be measured in a clip; None when it may."""
    causes = [name for name, value in looks.items() if value < TRUSTED]
    if np.mean(frame_scores >= TRUSTED) < TRUSTED_PART:
        bad = {name: float(np.mean(values < TRUSTED)) for name, values in marks.items()}
        causes.append(max(bad, key=lambda name: bad[name]))
    return f"{LOW_CONFIDENCE} The reason: {'; '.join(WORDS[name] for name in causes)}." if causes else None
