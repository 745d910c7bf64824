"""DETECTION of the echo branch: chambers, contours and confidence for every frame of one cine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.echo.confidence import NO_HEART, judge_clip, judge_frames, shows_heart
from pipeline.echo.contours import N_ATRIUM_POINTS, N_WALL_POINTS, frame_contours
from pipeline.echo.second_look import chosen_frames
from pipeline.echo.segmentation import DEFAULT_BATCH, SegmentedBatch, Segmenter
from pipeline.echo.steadiness import steady_contours, step_s
from pipeline.errors import DetectionError
from pipeline.records import Array, EchoCine, EchoDetection, empty_contours

SQUARE_PIXELS_MM = (1.0, 1.0)
SEGMENTING_PART = 0.9
"""Share of the time that network and contours take; the rest goes to the second look."""


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
    batches = _batches(cine, segmenter, batch_size, progress, cancel)
    labels, certainty, lines = _collected(batches, cine.frames.shape, spacing_mm, cancel)
    marks = judge_frames(labels, cine.frames, certainty, segmenter.manifest.certainty, spacing_mm[0] / spacing_mm[1])
    if not shows_heart(marks):
        raise DetectionError(NO_HEART)
    second = segmenter.look_again(cine.frames, chosen_frames(len(labels)), spacing_mm)
    quality = judge_clip(marks, labels, certainty, second)
    progress(1.0, "Looked at some frames again")
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


def _batches(
    cine: EchoCine, segmenter: Segmenter, batch_size: int, progress: Progress, cancel: CancelToken | None
) -> Iterator[SegmentedBatch]:
    def segmenting(fraction: float, text: str) -> None:
        progress(SEGMENTING_PART * fraction, text)

    return segmenter.segment(
        cine.frames,
        pixel_shape_mm(cine),
        frame_step_s=step_s(cine.frame_times_s),
        batch_size=batch_size,
        progress=segmenting,
        cancel=cancel,
    )


def _collected(
    batches: Iterator[SegmentedBatch], shape: tuple[int, ...], spacing_mm: tuple[float, float],
    cancel: CancelToken | None,
) -> tuple[Array, Array, tuple[Array, Array, Array]]:  # fmt: skip
    """Labels uint8 (n_frames, height, width), certainty float64 (n_frames,) and the three lines of every frame.

    The contours of a batch are drawn while the network sees the next ones.
    """
    labels, certainty = np.zeros(shape, np.uint8), np.zeros(shape[0])
    lines = tuple(empty_contours(shape[0], n) for n in (N_WALL_POINTS, N_WALL_POINTS, N_ATRIUM_POINTS))
    done = 0
    for batch in batches:
        chosen = slice(done, done + len(batch.labels))
        labels[chosen], certainty[chosen] = batch.labels, batch.certainty
        for i in range(chosen.start, chosen.stop):
            if cancel is not None:
                cancel.check()
            found = frame_contours(labels[i], spacing_mm)
            for line, one in zip(lines, (found.lv_endocardium, found.lv_epicardium, found.left_atrium), strict=True):
                line[i] = one
        done = chosen.stop
    return labels, certainty, (lines[0], lines[1], lines[2])
