"""ANALYSIS: EF, volumes, wall motion; rate, intervals, rhythm, heart-rate variability."""

from __future__ import annotations

from pipeline.cancellation import CancelToken, Progress
from pipeline.records import DetectedEcho, EcgAnalysis, EchoAnalysis, Metadata, PreparedEcg, PreparedEcho


def analyse_echo(
    prepared: PreparedEcho, detected: DetectedEcho, metadata: Metadata, *, progress: Progress, cancel: CancelToken
) -> EchoAnalysis:
    """Measure the clips in which a heart was found."""
    from pipeline.echo.analysis import analyse_echo as analyse

    cines = tuple(prepared.cines[n] for n in detected.kept)
    return analyse(cines, detected.detections, metadata, progress=progress, cancel=cancel)


def analyse_ecg(prepared: PreparedEcg, metadata: Metadata, *, progress: Progress, cancel: CancelToken) -> EcgAnalysis:
    """Measure the ECG."""
    from pipeline.ecg.analysis import analyse_ecg as analyse

    return analyse(prepared, metadata, progress=progress, cancel=cancel)
