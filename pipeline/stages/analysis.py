"""ANALYSIS: EF, volumes, wall motion; rate, intervals, rhythm, heart-rate variability."""

from __future__ import annotations

from pathlib import Path

from pipeline.cancellation import CancelToken, Progress
from pipeline.errors import InputError
from pipeline.gates import Limits
from pipeline.parts import Parts
from pipeline.records import (
    DetectedEcho,
    EcgAnalysis,
    EchoAnalysis,
    FileReport,
    Metadata,
    PreparedEcg,
    PreparedEcho,
)


def analyse_echo(
    prepared: PreparedEcho, detected: DetectedEcho, metadata: Metadata, *, progress: Progress, cancel: CancelToken
) -> EchoAnalysis:
    """Measure the clips in which a heart was found."""
    from pipeline.echo.analysis import analyse_echo as analyse

    cines = tuple(prepared.cines[n] for n in detected.kept)
    return analyse(cines, detected.detections, metadata, progress=progress, cancel=cancel)


def analyse_ecg(
    prepared: PreparedEcg,
    metadata: Metadata,
    path: Path,
    files: tuple[FileReport, ...],
    limits: Limits,
    *,
    parts: Parts,
    progress: Progress,
    cancel: CancelToken,
) -> EcgAnalysis:
    """Measure the ECG; one of many hours hour by hour from its file, each finished hour kept in `parts`."""
    from pipeline.ecg.analysis import analyse_ecg as analyse
    from pipeline.ecg.long_analysis import analyse_long
    from pipeline.ecg.readers.stream import open_stream

    if prepared.overview is None:
        return analyse(prepared, metadata, progress=progress, cancel=cancel)
    stream = open_stream(path, files[0], limits)
    if stream is None or stream.n_samples != prepared.overview.n_samples:
        raise InputError("The ECG file changed while it was read.", code="E_INPUT_CORRUPT")
    return analyse_long(stream, prepared, metadata, parts=parts, progress=progress, cancel=cancel)
