"""How well held-out records are delineated: every boundary against its lead's annotation, and global intervals.

Matching as in the literature on LUDB and QTDB: a boundary within 150 ms of an annotated one is right; the others count
only inside the annotated stretch, since the first and last beats of a record are not annotated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.ecg.delineation import delineate_with
from pipeline.ecg.intervals import beat_intervals
from pipeline.ecg.wave_network import WaveNetwork
from pipeline.ecg.wave_windows import FIELDS
from pipeline.records import Array, Delineation
from pipeline.training.ludb import LEADS, LabelledEcg, wave_bounds

TOLERANCE_MS = 150.0
_SYMBOLS = ("p", "N", "t")
INTERVALS = ("pr_ms", "qrs_ms", "qt_ms")


def errors_ms(found: Array, truth: Array, tolerance_ms: float = TOLERANCE_MS) -> tuple[list[float], int, int]:
    """Errors of matched boundaries, how many were missed, and how many were found where there is none; in ms."""
    left = sorted(found.tolist())
    errors = []
    for place in sorted(truth.tolist()):
        near = [value for value in left if abs(value - place) <= tolerance_ms]
        if near:
            best = min(near, key=lambda value: abs(value - place))
            left.remove(best)
            errors.append(best - place)
    return errors, truth.size - len(errors), len(left)


def score(ecg: LabelledEcg, data: Path, network: WaveNetwork | None) -> dict[str, Any]:
    """One record: for every boundary its errors, misses and false finds; for every interval its error, or None."""
    usual = np.ones(ecg.r_peaks_idx.size, bool)
    found = delineate_with(network, ecg.signal_mv, ecg.sampling_rate_hz, ecg.r_peaks_idx, usual)
    ms = 1000.0 / ecg.sampling_rate_hz
    row: dict[str, Any] = {field: ([], 0, 0) for field in FIELDS}
    for lead, name in enumerate(LEADS):
        waves = wave_bounds(data, ecg.name, name)
        marks = np.concatenate([pairs.ravel() for pairs in waves.values()])
        low, high = np.nanmin(marks) * ms - TOLERANCE_MS, np.nanmax(marks) * ms + TOLERANCE_MS
        for k, field in enumerate(FIELDS):
            truth = waves[_SYMBOLS[k // 2]][:, k % 2] * ms
            places = getattr(found, field)[lead] * ms
            inside = places[(places >= low) & (places <= high)]
            one = errors_ms(inside, truth[np.isfinite(truth)])
            row[field] = tuple(before + now for before, now in zip(row[field], one, strict=True))
    return row | _interval_errors(found, ecg)


def _interval_errors(found: Delineation, ecg: LabelledEcg) -> dict[str, float | None]:
    """Median global interval of the record, found less annotated, over the beats whose annotation is complete."""
    truth = Delineation(**dict(zip(FIELDS, ecg.truth, strict=True)))
    ours, theirs = (beat_intervals(waves, ecg.sampling_rate_hz) for waves in (found, truth))
    errors: dict[str, float | None] = {}
    for name in INTERVALS:
        pair = getattr(ours, name), getattr(theirs, name)
        known = np.isfinite(pair[0]) & np.isfinite(pair[1])
        errors[name] = float(np.median(pair[0][known]) - np.median(pair[1][known])) if known.any() else None
    return errors


def totals(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Sensitivity and positive predictive value in percent, mean and SD of the errors in ms."""
    result: dict[str, Any] = {"records": len(rows)}
    for field in FIELDS:
        errors = [error for row in rows for error in row[field][0]]
        missed, wrong = (sum(row[field][i] for row in rows) for i in (1, 2))
        right = len(errors)
        result[field] = _spread(errors) | {
            "se": round(100.0 * right / max(right + missed, 1), 2),
            "ppv": round(100.0 * right / max(right + wrong, 1), 2),
            "n": right + missed,
        }
    for name in INTERVALS:
        known = [row[name] for row in rows if row[name] is not None]
        result[name] = _spread(known) | {"n": len(known)}
    return result


def _spread(errors: Sequence[float]) -> dict[str, float]:
    if not errors:
        return {}
    return {"mean_ms": round(float(np.mean(errors)), 2), "sd_ms": round(float(np.std(errors)), 2)}
