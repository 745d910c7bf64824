"""The ECG's numbers after a reader moved marks and changed classes: computed as the pipeline computes them.

A mark that the reader set on a beat holds for that beat over all leads; a mark set on the median beat moves that mark
of every usual beat by as much. Everything that rests on them is measured again by the code that measured it first, so
that a log without edits gives the numbers of the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from pipeline.ecg.analysis import analysis_of, pacing_of, usable_signal
from pipeline.ecg.findings import EcgFindings
from pipeline.ecg.flutter import flutter_beats
from pipeline.ecg.intervals import BeatIntervals, beat_intervals
from pipeline.ecg.median_beat import MedianBeat, median_beat, usual_beats
from pipeline.ecg.pacing import Pacing, stated_pacing
from pipeline.ecg.shape import shape_of
from pipeline.errors import InputError
from pipeline.records import Array, Delineation, EcgAnalysis, Edit, Measurement, Metadata, PreparedEcg
from pipeline.review.ecg_beats import ReadBeats, read_beats, rebased
from pipeline.review.ecg_long_edits import long_analysis_of
from pipeline.review.ecg_peaks import wave_peaks
from pipeline.review.ecg_targets import (
    ABSENT,
    BOUNDS,
    CALIPER,
    Caliper,
    mark_ms,
    read_caliper,
    read_mark_target,
)
from pipeline.review.log import standing


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgReview:
    """An ECG as a reader sees it: the analysis with the edits in it, and what is drawn beside it."""

    analysis: EcgAnalysis
    p_peak: Array  # float64 (n_leads, n_beats), sample positions, NaN where there is no such wave
    t_peak: Array
    median: MedianBeat | None  # of the usual beats, with the reader's marks; None for a long record
    edited_marks: frozenset[str]  # targets
    edited_classes: frozenset[int]  # places of beats in the analysis
    calipers: tuple[tuple[str, Caliper], ...]  # target and caliper
    own_beats: Array  # int64 (n_beats,), how acts name each beat of the analysis; see `MarkTarget.beat`


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marks:
    """Boundaries, float64 (n_leads, n_beats) by name: as they are drawn, and as the intervals count them."""

    shown: dict[str, Array]
    counted: dict[str, Array]
    p_peak: Array
    t_peak: Array
    r_peaks: Array
    touched: frozenset[str]
    columns: dict[int, int]  # beat, as acts name it -> its place


class EcgBench:
    """One ECG under a reader's hand: what no edit changes is computed once, so that a moved mark costs little.

    Parameters
    ----------
    ecg, analysis, metadata
        What the run holds; none of them is changed.
    """

    def __init__(self, ecg: PreparedEcg, analysis: EcgAnalysis, metadata: Metadata) -> None:
        self.ecg, self.analysis, self.metadata = ecg, analysis, metadata
        self.rate_hz = ecg.record.sampling_rate_hz
        self._median: tuple[tuple[bytes, ...], MedianBeat | None] | None = None

    @cached_property
    def signal_mv(self) -> Array:
        """The usable leads; raises AnalysisError where there is none."""
        return usable_signal(self.ecg)

    @cached_property
    def flutter(self) -> Array:
        """Bool (n_beats,): as the run found it, whatever the reader moves."""
        was_v = np.array([letter == "V" for letter in self.analysis.beat_classes], bool)
        return flutter_beats(self.signal_mv, self.rate_hz, self.analysis.r_peaks_idx, was_v)

    @cached_property
    def pacing(self) -> Pacing:
        """Spikes of the trace, looked for with the run's own beats."""
        return pacing_of(self.ecg, self.analysis.r_peaks_idx, _qrs_ms(self.analysis))

    def median(self, r_peaks: Array, waves: Delineation, usual: Array) -> MedianBeat | None:
        """The median beat; the last one is kept, since a drag asks for the same one again and again."""
        key = tuple(np.asarray(part).tobytes() for part in (r_peaks, usual, *(getattr(waves, n) for n in BOUNDS)))
        kept = self._median
        if kept is None or kept[0] != key:
            kept = self._median = (key, median_beat(self.signal_mv, self.rate_hz, r_peaks, waves, usual))
        return kept[1]

    def review(self, edits: Sequence[Edit] = (), *, is_draft: bool = False) -> EcgReview:
        """Fold the edits of a command log into the ECG's analysis; see `review_ecg`.

        A draft, while a mark is still in the hand, keeps the run's statements on the rhythm: they take half the time.
        """
        held = standing(edits)
        beats = read_beats(self.ecg, self.analysis, held)
        kept = {e.target: e.after for e in held if e.kind == "caliper" and e.target.startswith(CALIPER)}
        shared = {
            "edited_classes": beats.edited_classes,
            "own_beats": beats.own,
            "calipers": tuple((name, read_caliper(value)) for name, value in kept.items() if value is not None),
        }
        make = partial(EcgReview, **shared)  # type: ignore[arg-type]
        if self.analysis.long is not None:
            return _long_review(make, self, held, beats)
        return _short_review(make, self, held, beats, is_draft=is_draft)


def review_ecg(ecg: PreparedEcg, analysis: EcgAnalysis, metadata: Metadata, edits: Sequence[Edit] = ()) -> EcgReview:
    """Fold the edits of a command log into an ECG's analysis.

    Parameters
    ----------
    ecg, analysis, metadata
        What the run holds; none of them is changed.
    edits
        The whole log; edits of other kinds are passed over.

    Returns
    -------
    EcgReview
        Measurements that the edits changed have the status "edited"; the others are the same objects as before.

    Raises
    ------
    InputError
        E_INPUT_CORRUPT: an edit names a beat, a lead or a mark that the ECG does not have, or a value that is none.
    AnalysisError
        No lead of the ECG is usable.
    """
    return EcgBench(ecg, analysis, metadata).review(edits)


def _long_review(make: partial[EcgReview], bench: EcgBench, held: Sequence[Edit], beats: ReadBeats) -> EcgReview:
    """Of a long record R peaks and classes: its other marks rest on beats of every hour, which are not kept."""
    if any(e.kind == "ecg_mark" and read_mark_target(e.target).mark != "r_peak" and e.after is not None for e in held):
        raise InputError("Of a recording of many hours only R peaks can be edited.", code="E_INPUT_CORRUPT")
    ecg, analysis = bench.ecg, bench.analysis
    after = analysis
    if beats.moved or beats.edited_classes:
        after = long_analysis_of(ecg, analysis, rebased(analysis, beats), bench.metadata)
    waves = after.delineation
    return make(
        analysis=replace(after, measurements=_told(analysis.measurements, after.measurements)),
        p_peak=wave_peaks(ecg.filtered_mv, waves.p_on, waves.p_off),
        t_peak=wave_peaks(ecg.filtered_mv, waves.t_on, waves.t_off),
        median=None,
        edited_marks=beats.moved,
    )


def _short_review(
    make: partial[EcgReview], bench: EcgBench, held: Sequence[Edit], beats: ReadBeats, *, is_draft: bool
) -> EcgReview:
    analysis, rate_hz = bench.analysis, bench.rate_hz
    classes = np.array(beats.letters, "<U1")
    marks = _beat_marks(bench.ecg, rebased(analysis, beats), held, beats)
    usual = usual_beats(classes)
    before = bench.median(marks.r_peaks, Delineation(**marks.shown), usual)
    if before is not None:
        marks = _moved_with_median(marks, before, held, usual, rate_hz)
    shown = Delineation(**marks.shown)
    after = bench.median(marks.r_peaks, shown, usual)
    if not marks.touched and not beats.edited_classes:
        edited = analysis
    else:
        findings = _findings(bench, marks, classes, after, beats)
        edited = analysis_of(findings, shown, bench.metadata, analysis.rhythm if is_draft else None)
    return make(
        analysis=replace(edited, measurements=_told(analysis.measurements, edited.measurements)),
        p_peak=marks.p_peak,
        t_peak=marks.t_peak,
        median=after,
        edited_marks=marks.touched,
    )


def _findings(
    bench: EcgBench, marks: _Marks, classes: Array, median: MedianBeat | None, beats: ReadBeats
) -> EcgFindings:
    ecg = bench.ecg
    paced, spikes = beats.taken_from(bench.pacing.beats), beats.taken_from(bench.pacing.spikes)
    return EcgFindings(
        ecg=ecg,
        signal_mv=bench.signal_mv,
        peaks=marks.r_peaks,
        classes=classes,
        af_beats=beats.taken_from(bench.analysis.af_beats),
        flutter_beats=beats.taken_from(bench.flutter),
        has_p=np.asarray(np.isfinite(marks.counted["p_on"]).any(axis=0)),
        intervals=_forward(beat_intervals(Delineation(**marks.counted), bench.rate_hz)),
        shape=shape_of(ecg, median),
        sex=bench.metadata.sex,
        paced_note=stated_pacing(bench.metadata, ecg.record.header),
        pacing=replace(bench.pacing, beats=paced, spikes=spikes),
    )


def _qrs_ms(analysis: EcgAnalysis) -> float | None:
    """The run's QRS; None where it was withheld."""
    value = next((m.value for m in analysis.measurements if m.name == "qrs"), None)
    return value if isinstance(value, float) else None


def _forward(intervals: BeatIntervals) -> BeatIntervals:
    """Intervals that end before they begin are none."""
    return BeatIntervals(
        **{
            name: np.where(getattr(intervals, name) > 0, getattr(intervals, name), np.nan)
            for name in ("pr_ms", "qrs_ms", "qt_ms")
        }
    )


def _told(before: tuple[Measurement, ...], after: tuple[Measurement, ...]) -> tuple[Measurement, ...]:
    """The new measurements; one that did not change is the old object, one that did says that it was edited."""
    old = {measurement.name: measurement for measurement in before}
    return tuple(
        old[new.name] if new == old.get(new.name) else new if new.value is None else replace(new, status="edited")
        for new in after
    )


# --- marks -------------------------------------------------------------------------------------------


def _beat_marks(ecg: PreparedEcg, analysis: EcgAnalysis, held: Sequence[Edit], beats: ReadBeats) -> _Marks:
    """The marks of an analysis that has the reader's beats, with those that the reader set on single beats."""
    shown = {name: np.array(getattr(analysis.delineation, name), float) for name in BOUNDS}
    counted = {name: values.copy() for name, values in shown.items()}
    set_by_reader = _reader_marks(ecg, held, beats)
    for mark, row, beat, place in set_by_reader.values():
        if mark in shown:
            shown[mark][row, beat] = place
            counted[mark][:, beat] = place
    tops = {
        f"{wave}_peak": wave_peaks(ecg.filtered_mv, shown[f"{wave}_on"], shown[f"{wave}_off"]) for wave in ("p", "t")
    }
    for mark, row, beat, place in set_by_reader.values():
        if mark in tops:
            tops[mark][row, beat] = place
    touched = frozenset(set_by_reader) | beats.moved
    return _Marks(shown=shown, counted=counted, r_peaks=beats.peaks, touched=touched, columns=beats.columns, **tops)


def _reader_marks(ecg: PreparedEcg, held: Sequence[Edit], beats: ReadBeats) -> dict[str, tuple[str, int, int, float]]:
    """Target -> (mark, lead, place of the beat, sample position; NaN for a wave that is none); R peaks left out."""
    found: dict[str, tuple[str, int, int, float]] = {}
    columns = beats.columns
    for edit in (edit for edit in held if edit.kind == "ecg_mark"):
        target, value = read_mark_target(edit.target), mark_ms(edit.after)
        if target.beat is None or target.mark == "r_peak":
            continue
        place = columns.get(target.beat)
        if target.lead not in ecg.record.leads or target.beat >= beats.n_own:
            raise InputError("An edit names a beat or a lead that the ECG does not have.", code="E_INPUT_CORRUPT")
        found.pop(edit.target, None)
        if value is not None and place is not None:  # marks of a beat that was taken away go with it
            at = np.nan if value == ABSENT else float(value) * ecg.record.sampling_rate_hz / 1000.0
            found[edit.target] = (target.mark, ecg.record.leads.index(target.lead), place, at)
    return found


def _moved_with_median(
    marks: _Marks, median: MedianBeat, held: Sequence[Edit], usual: Array, sampling_rate_hz: float
) -> _Marks:
    """Shift the marks of the usual beats by as much as the reader moved those of the median beat."""
    wanted = {edit.target: edit.after for edit in held if edit.kind == "ecg_mark" and edit.target.startswith("median/")}
    per_ms = sampling_rate_hz / 1000.0
    shown, counted = dict(marks.shown), dict(marks.counted)
    touched = set(marks.touched)
    for text, after in wanted.items():
        mark, value = read_mark_target(text).mark, mark_ms(after)
        if value is None:
            continue
        touched.add(text)
        free = usual & ~_own_beats(marks, mark)
        place = median_place(median, mark)
        for kind in (shown, counted):
            moved = kind[mark].copy()
            if value == ABSENT:
                moved[:, free] = np.nan
            elif place is None:
                moved[:, free] = marks.r_peaks[free] + float(value) * per_ms
            else:
                moved[:, free] += (float(value) - place) * per_ms
            kind[mark] = moved
    return replace(marks, shown=shown, counted=counted, touched=frozenset(touched))


def _own_beats(marks: _Marks, mark: str) -> Array:
    """Bool (n_beats,): the reader set this mark on the beat itself."""
    own = np.zeros(marks.r_peaks.size, bool)
    for target in map(read_mark_target, marks.touched):
        if target.mark == mark and target.beat in marks.columns:
            own[marks.columns[target.beat]] = True
    return own


def median_place(median: MedianBeat, mark: str) -> float | None:
    """Where a boundary of the median beat lies over all leads, in ms from its R peak; None where it has none."""
    wave, _, end = mark.partition("_")
    step = median.first(wave) if end == "on" else median.last(wave)
    return None if step is None else (step - median.r_step) * 1000.0 / median.sampling_rate_hz
