"""What the statements about the rhythm are made from, and how one is put."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.ecg.pacing import Pacing
from pipeline.records import Array, RhythmStatement

LEAST_P_SHARE = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class RhythmFacts:
    """What the statements are made from; None where the trace was not looked at for it."""

    peaks_s: Array  # float64 (n_beats,)
    classes: Array  # str (n_beats,)
    af_beats: Array  # bool (n_beats,)
    has_p: Array  # bool (n_beats,)
    pr_ms: float | None  # medians of normal beats; None where withheld
    qrs_ms: float | None
    record_s: float
    flutter_beats: Array | None = None  # bool (n_beats,)
    pacing: Pacing | None = None
    blocked_p: Array | None = None  # uint8 (n_beats,): P waves without a QRS before the next beat
    beat_pr_ms: Array | None = None  # float64 (n_beats,), NaN where there is none
    atrial_cycle_s: float | None = None  # of atria that beat independently of the ventricles
    p_axis_deg: float | None = None
    p_ii_mv: float | None = None  # of the usual beat in lead II

    @property
    def rr_s(self) -> Array:
        return np.diff(self.peaks_s)

    @property
    def is_af(self) -> bool:
        return bool(self.af_beats.mean() > 0.5)

    @property
    def is_flutter(self) -> bool:
        return bool(self.in_flutter.mean() > 0.5)

    @property
    def in_flutter(self) -> Array:
        return _marks(self.flutter_beats, self.classes.size)

    @property
    def is_paced(self) -> Array:
        """Bool (n_beats,)."""
        return _marks(None if self.pacing is None else self.pacing.beats, self.classes.size)


def _marks(flags: Array | None, size: int) -> Array:
    return np.zeros(size, bool) if flags is None else flags


def whole(facts: RhythmFacts, code: str, text: str, evidence: str, reference: str) -> list[RhythmStatement]:
    """One statement about the whole record."""
    return [part(code, text, evidence, reference, 0.0, facts.record_s)]


def stretch(
    facts: RhythmFacts, beats: tuple[int, int], code: str, text: str, evidence: str, reference: str
) -> RhythmStatement:
    """One statement about a run of beats, both ends included; about the whole record where that is all of them."""
    first, last = beats
    start_s = 0.0 if first == 0 else float(facts.peaks_s[first])
    end_s = facts.record_s if last == facts.peaks_s.size - 1 else float(facts.peaks_s[last])
    return part(code, text, evidence, reference, start_s, end_s)


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


def lasting_runs(flags: Array, least: int) -> list[tuple[int, int]]:
    """Runs of at least `least` beats after gaps shorter than that were closed; a record shorter than that counts."""
    least = min(least, flags.size)
    closed = flags.copy()
    for first, last in runs(~flags):
        if first > 0 and last < flags.size - 1 and last - first + 1 < least:
            closed[first : last + 1] = True
    return [(first, last) for first, last in runs(closed) if last - first + 1 >= least]
