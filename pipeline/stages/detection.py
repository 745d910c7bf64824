"""DETECTION: the chambers in every frame of every clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cancellation import CancelToken, Progress
from pipeline.errors import DetectionError
from pipeline.records import DetectedEcho, PreparedEcho, Remark

if TYPE_CHECKING:
    from pipeline.echo.segmentation import Segmenter


def detect_echo(
    prepared: PreparedEcho, segmenter: Segmenter, *, batch_size: int, progress: Progress, cancel: CancelToken
) -> DetectedEcho:
    """Detections of the clips that show a heart; DetectionError when none does."""
    from pipeline.echo.detection import detect_chambers

    kept, detections, remarks, last = [], [], [], None
    for number, cine in enumerate(prepared.cines):

        def part(fraction: float, text: str, number: int = number) -> None:
            progress((number + fraction) / len(prepared.cines), text)

        try:
            found = detect_chambers(cine, segmenter, batch_size=batch_size, progress=part, cancel=cancel)
        except DetectionError as error:
            last = error
            remarks.append(Remark(code=error.code, text=f"Echo clip {number + 1} was left out. {error.text}"))
            continue
        kept.append(number)
        detections.append(found)
    if last is not None and not detections:
        raise last
    return DetectedEcho(kept=tuple(kept), detections=tuple(detections), remarks=tuple(remarks))
