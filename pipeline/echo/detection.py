"""DETECTION of the echo branch: chambers, contours and confidence for every frame of one cine."""

from __future__ import annotations

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.echo.contours import N_ATRIUM_POINTS, N_WALL_POINTS, frame_contours
from pipeline.echo.quality import HEART_PART, frame_confidence, is_heart, low_confidence_reason, overlaps
from pipeline.echo.segmentation import DEFAULT_BATCH, Segmenter
from pipeline.errors import DetectionError
from pipeline.records import Array, EchoCine, EchoDetection, empty_contours

SQUARE_PIXELS_MM = (1.0, 1.0)
NO_HEART = (
    "No heart chamber could be found in this clip: it does not look like an apical view with the apex at the top."
)
SEGMENTING_PART = 0.85
"""Share of the time that the network takes; the rest goes to contours."""


def pixel_shape_mm(cine: EchoCine) -> tuple[float, float]:
    """The calibrated pixel size, or square pixels of 1 where there is none: enough for shapes and ratios."""
    return cine.calibration.spacing_mm or SQUARE_PIXELS_MM


def detect_chambers(
    cine: EchoCine,
    segmenter: Segmenter,
    *,
    batch_size: int = DEFAULT_BATCH,
    progress: Progress = no_progress,
    cancel: CancelToken | None = None,
) -> EchoDetection:
    """Label every frame and draw its contours.

    Parameters
    ----------
    cine : EchoCine
        A preprocessed clip; its frames are not changed.
    segmenter : Segmenter
    batch_size : int
        Frames that go through the network together; the result does not depend on it.
    progress, cancel
        Called and checked between batches and between frames.

    Returns
    -------
    EchoDetection
        `low_confidence_reason` is set when function must not be measured in this clip.

    Raises
    ------
    DetectionError
        When most frames show no ventricle.
    RunCancelledError
        When cancelled.
    """
    spacing_mm = pixel_shape_mm(cine)

    def segmenting(fraction: float, text: str) -> None:
        progress(SEGMENTING_PART * fraction, text)

    labels, certainty = np.zeros(cine.frames.shape, np.uint8), np.zeros(len(cine.frames))
    done = 0
    for batch in segmenter.segment(cine.frames, spacing_mm, batch_size=batch_size, progress=segmenting, cancel=cancel):
        chosen = slice(done, done + len(batch.labels))
        labels[chosen], certainty[chosen] = batch.labels, batch.certainty
        done = chosen.stop
    hearts = [is_heart(frame, value) for frame, value in zip(labels, certainty, strict=True)]
    if np.mean(hearts) < HEART_PART:
        raise DetectionError(NO_HEART)
    lines = _all_contours(labels, spacing_mm, progress, cancel)
    confidence = np.array(
        [frame_confidence(*frame) for frame in zip(labels, certainty, overlaps(labels), strict=True)], np.float64
    )
    return EchoDetection(
        labels=labels,
        lv_endocardium=lines[0],
        lv_epicardium=lines[1],
        left_atrium=lines[2],
        confidence=confidence,
        model_sha256=segmenter.model_sha256,
        low_confidence_reason=low_confidence_reason(confidence),
    )


def _all_contours(
    labels: Array, spacing_mm: tuple[float, float], progress: Progress, cancel: CancelToken | None
) -> tuple[Array, Array, Array]:
    """Endocardium, epicardium and atrium of every frame."""
    n_frames = len(labels)
    endocardium, epicardium = empty_contours(n_frames, N_WALL_POINTS), empty_contours(n_frames, N_WALL_POINTS)
    atrium = empty_contours(n_frames, N_ATRIUM_POINTS)
    for i, frame in enumerate(labels):
        if cancel is not None:
            cancel.check()
        found = frame_contours(frame, spacing_mm)
        endocardium[i], epicardium[i], atrium[i] = found.lv_endocardium, found.lv_epicardium, found.left_atrium
        progress(SEGMENTING_PART + (1 - SEGMENTING_PART) * (i + 1) / n_frames, "Drew the contours of the chambers")
    return endocardium, epicardium, atrium
