"""The beats of an ECG as a reader leaves them: R peaks moved, beats taken away, beats added, classes changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.errors import InputError
from pipeline.records import Array, Delineation, EcgAnalysis, Edit, PreparedEcg
from pipeline.review.ecg_targets import ABSENT, CLASSES, mark_ms, read_class_target, read_mark_target

ADDED_CLASS = "Q"
"""Of a beat that a reader added and has not classed yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBeats:
    """Which beats there are now, in the order of time."""

    own: Array  # int64 (n_beats,), the run's number of each beat; -1 - n of one added at sample n
    peaks: Array  # int64 (n_beats,)
    letters: tuple[str, ...]
    edited_classes: frozenset[int]  # places in these arrays
    moved: frozenset[str]  # targets of R peaks that the reader set, added or took away
    n_own: int  # beats of the run

    @property
    def columns(self) -> dict[int, int]:
        """Beat -> its place."""
        return {beat: place for place, beat in enumerate(self.own.tolist())}

    def taken_from(self, values: Array) -> Array:
        """What the run knows of each beat, (n_beats,); an added one takes after the beat before it."""
        return np.asarray(values)[self._sources()]

    def waves_from(self, waves: Delineation) -> Delineation:
        """The run's boundaries, (n_leads, n_marked) for as many beats as have any; an added beat has none."""
        n_known = waves.qrs_on.shape[1]
        n_marked = int(np.count_nonzero(self._sources() < n_known))
        own = self.own[:n_marked]
        return Delineation(
            **{
                name: np.where(own < 0, np.nan, np.asarray(getattr(waves, name), float)[:, np.maximum(own, 0)])
                for name in Delineation.__slots__
            }
        )

    def _sources(self) -> Array:
        """The run's beat that each beat is, or stands behind."""
        latest = np.maximum.accumulate(np.where(self.own < 0, -1, self.own))
        return np.maximum(latest, 0)


def read_beats(ecg: PreparedEcg, analysis: EcgAnalysis, held: Sequence[Edit]) -> ReadBeats:
    """Fold the acts on R peaks and classes.

    Raises
    ------
    InputError
        E_INPUT_CORRUPT: an act names no beat, lead, time or class, or puts two beats into one place.
    """
    rate_hz, n_own = ecg.record.sampling_rate_hz, analysis.r_peaks_idx.size
    peaks = dict(enumerate(analysis.r_peaks_idx.tolist()))
    moved: dict[str, int] = {}
    for edit in (edit for edit in held if edit.kind == "ecg_mark"):
        target, value = read_mark_target(edit.target), mark_ms(edit.after)
        if target.mark != "r_peak" or target.beat is None:
            continue
        if target.lead not in ecg.record.leads or target.beat >= n_own:
            raise InputError("An edit names a beat or a lead that the ECG does not have.", code="E_INPUT_CORRUPT")
        peaks.pop(target.beat, None)
        moved.pop(edit.target, None)
        if value is None and target.beat >= 0:
            peaks[target.beat] = int(analysis.r_peaks_idx[target.beat])
        elif value is not None:
            moved[edit.target] = target.beat
            if value != ABSENT:
                peaks[target.beat] = round(float(value) * rate_hz / 1000.0)
    order = sorted(peaks, key=lambda beat: peaks[beat])
    places = np.array([peaks[beat] for beat in order], np.int64)
    own = np.array(order, np.int64)
    if np.any(np.diff(places) <= 0) or np.any(np.diff(own[own >= 0]) <= 0) or not places.size:
        raise InputError("An edit moves an R peak past its neighbour.", code="E_INPUT_CORRUPT")
    letters, edited = _letters(own, analysis, held)
    return ReadBeats(own=own, peaks=places, letters=letters, edited_classes=edited, moved=frozenset(moved), n_own=n_own)


def _letters(own: Array, analysis: EcgAnalysis, held: Sequence[Edit]) -> tuple[tuple[str, ...], frozenset[int]]:
    """The class of each beat, and the places of those that a reader changed."""
    wanted: dict[int, str | None] = {}
    for edit in (edit for edit in held if edit.kind == "beat_class"):
        beat = read_class_target(edit.target)
        if beat >= len(analysis.beat_classes) or (edit.after is not None and edit.after not in CLASSES):
            raise InputError("An edit names a beat or a class that the ECG does not have.", code="E_INPUT_CORRUPT")
        wanted[beat] = edit.after
    usual = [analysis.beat_classes[beat] if beat >= 0 else ADDED_CLASS for beat in own.tolist()]
    letters = [wanted.get(beat) or letter for beat, letter in zip(own.tolist(), usual, strict=True)]
    edited = frozenset(place for place, letter in enumerate(letters) if letter != usual[place])
    return tuple(letters), edited


def rebased(analysis: EcgAnalysis, beats: ReadBeats) -> EcgAnalysis:
    """The run's analysis with these beats and classes; its measurements are still the run's."""
    if beats.own.size == analysis.r_peaks_idx.size and bool((beats.own >= 0).all()):
        return replace(analysis, r_peaks_idx=beats.peaks, beat_classes=beats.letters)
    return replace(
        analysis,
        r_peaks_idx=beats.peaks,
        beat_classes=beats.letters,
        af_beats=beats.taken_from(analysis.af_beats),
        flutter_beats=None if analysis.flutter_beats is None else beats.taken_from(analysis.flutter_beats),
        paced_beats=None if analysis.paced_beats is None else beats.taken_from(analysis.paced_beats),
        delineation=beats.waves_from(analysis.delineation),
    )
