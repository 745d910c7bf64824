"""The echo's part of the report: each clip with its calibration, beats, wall segments and volume curve."""

from __future__ import annotations

import dataclasses
from itertools import zip_longest
from typing import Any

import numpy as np

from pipeline.records import (
    Calibration,
    CineAnalysis,
    EchoBeat,
    EchoCine,
    EchoDetection,
    StudyResults,
)


def echo_body(study: StudyResults) -> dict[str, Any] | None:
    """Every clip as far as it was taken; None in a study without echo.

    Cines, detections and analyses are in step; a later one is missing where a stage did not come to it.
    """
    if not study.cines:
        return None
    analysis = study.echo_analysis
    in_step = zip_longest(study.cines, study.detections, study.clip_analyses)
    return {
        "cines": [_cine(*each) for each in in_step],
        "skipped_reason": analysis.skipped_reason if analysis else None,
    }


def _cine(cine: EchoCine, detection: EchoDetection | None, analysis: CineAnalysis | None) -> dict[str, Any]:
    n_frames, height, width = cine.frames.shape[:3]
    times = np.asarray(cine.frame_times_s, np.float64)
    return {
        "file_sha256": cine.file_sha256,
        "view": analysis.view if analysis else cine.view,
        "frames": n_frames,
        "size_px": (height, width),
        "crop_px": cine.crop_px,
        "duration_s": float(times[-1] - times[0]) if len(times) > 1 else 0.0,
        "calibration": _calibration(cine.calibration),
        "quality": dict(cine.quality),
        "detection": None if detection is None else _detection(detection),
        "heart_rate_bpm": analysis.heart_rate_bpm if analysis else None,
        "beats": [_beat(b) for b in (analysis.beats if analysis else ())],
        "segments": [dataclasses.asdict(s) for s in (analysis.segments if analysis else ())],
        "volume_curve": None if analysis is None else _curve(analysis),
    }


def _calibration(calibration: Calibration) -> dict[str, Any]:
    return {
        "spacing_mm": calibration.spacing_mm,
        "method": calibration.method,
        "reason": calibration.reason,
    }


def _detection(detection: EchoDetection) -> dict[str, Any]:
    confidence = np.asarray(detection.confidence, np.float64)
    seen = confidence[np.isfinite(confidence)]
    return {
        "model_sha256": detection.model_sha256,
        "confidence_median": float(np.median(seen)) if seen.size else None,
        "confidence_lowest": float(seen.min()) if seen.size else None,
        "low_confidence_reason": detection.low_confidence_reason,
    }


def _beat(beat: EchoBeat) -> dict[str, Any]:
    return {
        "ed_frame": beat.ed_idx,
        "es_frame": beat.es_idx,
        "end_frame": beat.end_idx,
        "edv": beat.edv,
        "esv": beat.esv,
        "ef_pct": beat.ef_pct,
        "excluded": beat.excluded,
    }


def _curve(analysis: CineAnalysis) -> dict[str, Any]:
    curve = np.asarray(analysis.volume_curve, np.float64)
    seen = curve[np.isfinite(curve)]
    return {
        "unit": analysis.volume_unit,
        "measured_frames": int(seen.size),
        "lowest": float(seen.min()) if seen.size else None,
        "highest": float(seen.max()) if seen.size else None,
        "median": float(np.median(seen)) if seen.size else None,
    }
