"""Twelve-lead records with the boundaries of P, QRS and T that a cardiologist set in every lead.

Source: Kalyakulina et al., IEEE Access 8:186181-186190, 2020, doi 10.1109/ACCESS.2020.3029211 (LUDB).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from pipeline.ecg.beats import detect_r_peaks
from pipeline.ecg.envelope import fill_gaps
from pipeline.ecg.wave_windows import FIELDS
from pipeline.ecg.waves import without_baseline
from pipeline.records import Array

LEADS = ("i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6")
_WAVES = {"p": 0, "N": 2, "t": 4}  # row of the onset in FIELDS
_MATCH_S = 0.15
_LONGEST_PR_S = 0.44


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledEcg:
    """One record, its beats, and for every beat and lead where the waves are."""

    name: str
    signal_mv: Array  # float64 (12, n_samples), as stored
    level_mv: Array  # the same without drift
    sampling_rate_hz: float
    r_peaks_idx: Array  # int64 (n_beats,)
    truth: Array  # float64 (6, 12, n_beats) sample positions, NaN where there is no wave
    known: Array  # bool (6, 12, n_beats): the annotation says whether there is one
    p_waves: tuple[Array, ...]  # a lead, float64 (n_waves, 2): every P wave whose onset and end are annotated


def record_names(folder: Path) -> list[str]:
    """Names of the records, in the order of the data set; one patient each."""
    return (folder / "RECORDS").read_text(encoding="utf-8").split()


def read_labelled(folder: Path, name: str) -> LabelledEcg:
    """Read one record; beats are found as in the product."""
    import wfdb

    record = wfdb.rdrecord(str(folder / name))
    signal_mv = np.ascontiguousarray(record.p_signal.T)
    rate_hz = float(record.fs)
    peaks = detect_r_peaks(signal_mv, rate_hz)
    waves = [wave_bounds(folder, name, lead) for lead in LEADS]
    rows = [_lead(lead_waves, peaks, rate_hz) for lead_waves in waves]
    return LabelledEcg(
        name=name,
        signal_mv=signal_mv,
        level_mv=without_baseline(fill_gaps(signal_mv), rate_hz),
        sampling_rate_hz=rate_hz,
        r_peaks_idx=peaks,
        truth=np.stack([truth for truth, _ in rows], axis=1),
        known=np.stack([known for _, known in rows], axis=1),
        p_waves=tuple(lead_waves["p"][np.isfinite(lead_waves["p"]).all(axis=1)] for lead_waves in waves),
    )


def wave_bounds(folder: Path, name: str, lead: str) -> dict[str, Array]:
    """Onsets and ends of one lead: for "p", "N" and "t" float64 (n_waves, 2) of sample positions, NaN where unset."""
    import wfdb

    annotation = wfdb.rdann(str(folder / name), lead)
    found: dict[str, list[tuple[float, float]]] = {symbol: [] for symbol in _WAVES}
    marks = [*zip(annotation.symbol, annotation.sample, strict=True)]
    for i, (symbol, _) in enumerate(marks):
        if symbol in found:
            onset = float(marks[i - 1][1]) if i and marks[i - 1][0] == "(" else np.nan
            end = float(marks[i + 1][1]) if i + 1 < len(marks) and marks[i + 1][0] == ")" else np.nan
            found[symbol].append((onset, end))
    return {symbol: np.array(pairs).reshape(-1, 2) for symbol, pairs in found.items()}


def _lead(waves: dict[str, Array], peaks: Array, rate_hz: float) -> tuple[Array, Array]:
    """Truth and what is known of it, (6, n_beats), of one lead.

    The first annotated beat tells nothing about its P wave and the last one nothing about its T wave, unless they are
    annotated; beats outside the annotated stretch tell nothing at all.
    """
    truth = np.full((len(FIELDS), peaks.size), np.nan)
    known = np.zeros((len(FIELDS), peaks.size), bool)
    qrs = waves["N"][np.isfinite(waves["N"]).all(axis=1)]
    if not len(qrs) or not peaks.size:
        return truth, known
    middle = qrs.mean(axis=1)
    known[2:4] = (peaks >= middle[0]) & (peaks <= middle[-1])
    order = [int(np.abs(peaks - place).argmin()) for place in middle]
    edges = [(-np.inf, *qrs[0]), *[(before[1], *own) for before, own in pairwise(qrs)]]
    following = [*qrs[1:, 0], np.inf]
    for i, beat in enumerate(order):
        if abs(peaks[beat] - middle[i]) > _MATCH_S * rate_hz:
            continue
        before, onset, end = edges[i]
        truth[2:4, beat], known[2:4, beat] = (onset, end), True
        p = waves["p"][(waves["p"][:, 0] > before) & (waves["p"][:, 0] < onset)]
        t = waves["t"][(waves["t"][:, 1] > end) & (waves["t"][:, 1] < following[i] + 0.1 * rate_hz)]
        near = len(p) > 0 and p[-1, 0] > peaks[beat] - _LONGEST_PR_S * rate_hz
        if near:
            truth[0:2, beat] = p[-1]
        known[0:2, beat] = near or (not len(p) and i > 0)
        if len(t):
            truth[4:6, beat] = t[0]
        known[4:6, beat] = len(t) > 0 or i + 1 < len(order)
    has_half = np.isfinite(truth).reshape(3, 2, -1)
    known &= ~np.repeat(has_half.any(axis=1) & ~has_half.all(axis=1), 2, axis=0) | np.isfinite(truth)
    return truth, known
