"""DETECTION of the echo branch: chambers, contours and confidence for every frame of one cine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.echo.confidence import NO_HEART, judge_clip, judge_frames, shows_heart
from pipeline.echo.contours import N_ATRIUM_POINTS, N_WALL_POINTS, frame_contours
from pipeline.echo.labels import heart_window
from pipeline.echo.second_look import chosen_frames
from pipeline.echo.segmentation import DEFAULT_BATCH, SegmentedBatch, Segmenter
from pipeline.echo.steadiness import steady_contours
from pipeline.errors import DetectionError
from pipeline.records import Array, EchoCine, EchoDetection, empty_contours

SQUARE_PIXELS_MM = (1.0, 1.0)
SEGMENTING_PART = 0.85
"""Share of the time that the network takes; the rest goes to contours."""
CONTOUR_MARGIN_PX = 8


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

    batches = segmenter.segment(cine.frames, spacing_mm, batch_size=batch_size, progress=segmenting, cancel=cancel)
    labels, certainty = _collected(batches, cine.frames.shape)
    marks = judge_frames(labels, cine.frames, certainty, segmenter.manifest.certainty, spacing_mm[0] / spacing_mm[1])
    if not shows_heart(marks):
        raise DetectionError(NO_HEART)
    second = segmenter.look_again(cine.frames, chosen_frames(len(labels)), spacing_mm)
    quality = judge_clip(marks, labels, certainty, second)
    lines = _all_contours(labels, spacing_mm, progress, cancel)
    confidence = np.min(list(marks.values()), axis=0)
    endocardium, epicardium, atrium = (steady_contours(line, cine.frame_times_s, confidence) for line in lines)
    return EchoDetection(
        labels=labels,
        lv_endocardium=endocardium,
        lv_epicardium=epicardium,
        left_atrium=atrium,
        confidence=confidence,
        model_sha256=segmenter.model_sha256,
        low_confidence_reason=quality.low_confidence_reason,
        certainty=certainty,
        quality=quality,
    )


def _collected(batches: Iterator[SegmentedBatch], shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Labels uint8 (n_frames, height, width) and certainty float64 (n_frames,) of all batches."""
    labels, certainty = np.zeros(shape, np.uint8), np.zeros(shape[0])
    done = 0
    for batch in batches:
        chosen = slice(done, done + len(batch.labels))
        labels[chosen], certainty[chosen] = batch.labels, batch.certainty
        done = chosen.stop
    return labels, certainty


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
        window = heart_window(frame, CONTOUR_MARGIN_PX)
        found = frame_contours(frame[window], spacing_mm)
        corner = np.array([window[1].start, window[0].start], np.float32)
        endocardium[i], epicardium[i] = found.lv_endocardium + corner, found.lv_epicardium + corner
        atrium[i] = found.left_atrium + corner
        progress(SEGMENTING_PART + (1 - SEGMENTING_PART) * (i + 1) / n_frames, "Drew the contours of the chambers")
    return endocardium, epicardium, atrium
