"""What the statements about the rhythm are made from, and how one is put."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.records import Array, RhythmStatement

LEAST_P_SHARE = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class RhythmFacts:
    """What the statements are made from."""

    peaks_s: Array  # float64 (n_beats,)
    classes: Array  # str (n_beats,)
    af_beats: Array  # bool (n_beats,)
    has_p: Array  # bool (n_beats,)
    pr_ms: float | None  # medians of normal beats; None where withheld
    qrs_ms: float | None
    record_s: float
    flutter_beats: Array | None = None  # bool (n_beats,); None where the trace was not looked at for flutter

    @property
    def rr_s(self) -> Array:
        return np.diff(self.peaks_s)

    @property
    def rate_bpm(self) -> float:
        return 60.0 / float(np.mean(self.rr_s))

    @property
    def is_af(self) -> bool:
        return bool(self.af_beats.mean() > 0.5)

    @property
    def is_flutter(self) -> bool:
        return self.flutter_beats is not None and bool(self.flutter_beats.mean() > 0.5)

    @property
    def is_sinus(self) -> bool:
        """Most normal beats follow a P wave, and neither fibrillation nor flutter is suspected."""
        normal = self.classes == "N"
        has_p = normal.any() and float(self.has_p[normal].mean()) >= LEAST_P_SHARE
        return bool(has_p and not self.is_af and not self.is_flutter)


def whole(facts: RhythmFacts, code: str, text: str, evidence: str, reference: str) -> list[RhythmStatement]:
    """One statement about the whole record."""
    return [part(code, text, evidence, reference, 0.0, facts.record_s)]


def part(code: str, text: str, evidence: str, reference: str, start_s: float, end_s: float) -> RhythmStatement:
    """One statement about a stretch."""
    return RhythmStatement(
        code=code,
        text=text,
        evidence=evidence,
        start_s=round(float(start_s), 3),
        end_s=round(float(end_s), 3),
        reference=reference,
    )


def runs(flags: Array) -> list[tuple[int, int]]:
    """(first, last) of every run of True, both included."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]
