"""A study with a reader's changes, measured again by the functions that measured it first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.clinical.fusion import fuse
from pipeline.clinical.risk import score_risk
from pipeline.echo.analysis import summarise
from pipeline.echo.cine_study import CineStudy
from pipeline.echo.manifest import read_manifest
from pipeline.echo.subject import choose
from pipeline.errors import FusionError
from pipeline.records import (
    EcgAnalysis,
    EchoAnalysis,
    Edit,
    FusedFindings,
    Metadata,
    PatientHeader,
    Remark,
    RiskReport,
    StudyResults,
)
from pipeline.review.attribution import attributed
from pipeline.review.changes import Changes, read_changes
from pipeline.review.cine_bench import CineBench, changes_of
from pipeline.review.log import Log, standing
from pipeline.review.refused_clip import READER_ALONE, RefusedClip

if TYPE_CHECKING:
    from pipeline.review.ecg_edits import EcgBench, EcgReview

EDITED = Remark(
    code="W_EDITED",
    text="A reader changed what the echo's numbers rest on; measures marked as edited follow the reader.",
)
ECG_KINDS = ("ecg_mark", "beat_class")
IGNORED = Remark(
    code="W_EDIT_IGNORED",
    text="Some changes of a reader do not fit this study any more and have no effect; the log still lists them.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedStudy:
    """What a study amounts to with the changes; the same objects as before where nothing changed."""

    results: StudyResults
    fused: FusedFindings | None  # None where the modalities could not be combined
    risk: RiskReport | None
    changes: Changes
    ecg_review: EcgReview | None = None  # where the log holds acts on the ECG


class Workbench:
    """Keeps what was measured of a study, so that a change is measured in milliseconds.

    Building it measures every clip once; it may be built in another thread than it is used in. It changes nothing
    that it was given, and gives the stored results themselves for a study without changes.
    """

    def __init__(self, results: StudyResults) -> None:
        self._results = results
        self._manifest = read_manifest()
        self._benches: dict[int, CineBench] = {}
        self._ecg_bench = _ecg_bench(results)
        self._kept_ecg: tuple[tuple[Edit, ...], EcgReview] | None = None
        self._refused: dict[int, RefusedClip] = {}
        if results.echo_analysis is not None:
            each = zip(results.cines, results.detections, results.clip_analyses, strict=False)
            for idx, (cine, detection, analysis) in enumerate(each):
                if detection.low_confidence_reason is None:
                    self._benches[idx] = CineBench(cine, detection, self._manifest, analysis)
                else:
                    self._refused[idx] = RefusedClip(cine, detection, self._manifest)

    def can_edit(self, cine_idx: int) -> bool:
        """Whether the chambers were looked for in this clip, so that a change of it changes numbers."""
        return cine_idx in self._benches or cine_idx in self._refused

    def fold(self, log: Log, *, is_draft: bool = False) -> EditedStudy:
        """The study with everything that holds of a log, echo and ECG; a draft is for a mark that is still in the hand.

        Raises
        ------
        InputError
            An act of the ECG does not fit the record.
        """
        review = self._ecg(log, is_draft=is_draft)
        study = self.apply(read_changes(log, self._results), None if review is None else review.analysis)
        return replace(study, ecg_review=review)

    def apply(self, changes: Changes, ecg: EcgAnalysis | None = None) -> EditedStudy:
        """The study with these changes of the echo, by the pipeline's own measuring, combining and scoring.

        `ecg` is the ECG's analysis with a reader's marks, where there are any.
        """
        results = self._results if ecg is None else replace(self._results, ecg_analysis=ecg)
        if changes.of_echo():
            results = self._measured(results, changes)
        fused = self._fused(results)
        return EditedStudy(
            results=results, fused=fused, risk=None if fused is None else score_risk(fused), changes=changes
        )

    def _ecg(self, log: Log, *, is_draft: bool) -> EcgReview | None:
        """The ECG with a reader's marks and classes, None without any; the last one is kept."""
        acts = tuple(act for act in standing(log) if act.kind in ECG_KINDS)
        if self._ecg_bench is None or not acts:
            return None
        if is_draft:
            return self._ecg_bench.review(log, is_draft=True)
        kept = self._kept_ecg
        if kept is None or kept[0] != acts:
            kept = self._kept_ecg = (acts, self._ecg_bench.review(log))
        return kept[1]

    def _measured(self, results: StudyResults, changes: Changes) -> StudyResults:
        metadata = self._results.metadata or Metadata()
        order = self._studies(changes)
        results = self._with_lines(results, changes)
        if not order:
            return results
        studies = list(order.values())
        n_left_out = len(self._results.detections) - len(studies)
        analysis = summarise(studies, metadata, self._manifest, n_left_out=n_left_out)
        subject = choose(studies, metadata, self._manifest)
        before = self._results.echo_analysis
        marked = attributed(before.measurements if before else (), analysis.measurements, subject, order, changes)
        alone = [READER_ALONE] if self._refused.keys() & order.keys() else []
        remarks = (*analysis.remarks, EDITED, *alone, *([IGNORED] if changes.ignored else []))
        return _with(results, order, replace(analysis, measurements=marked, remarks=remarks))

    def _with_lines(self, results: StudyResults, changes: Changes) -> StudyResults:
        """The results with what a reader drew in refused clips, measured yet or not."""
        detections = list(results.detections)
        for idx, clip in self._refused.items():
            detections[idx] = clip.redrawn(changes_of(changes, idx))
        return replace(results, detections=tuple(detections))

    def _studies(self, changes: Changes) -> dict[int, CineStudy]:
        """Every clip that has numbers, by its place in the study."""
        measured = {idx: bench.study(changes_of(changes, idx)) for idx, bench in self._benches.items()}
        drawn = {idx: clip.study(changes_of(changes, idx)) for idx, clip in self._refused.items()}
        found = measured | {idx: study for idx, study in drawn.items() if study is not None}
        return dict(sorted(found.items()))

    def _fused(self, results: StudyResults) -> FusedFindings | None:
        if results.echo_analysis is None and results.ecg_analysis is None:
            return None
        try:
            return fuse(
                results.echo_analysis, results.ecg_analysis, results.metadata or Metadata(), headers_of(results)
            )
        except FusionError:
            return None


def _ecg_bench(results: StudyResults) -> EcgBench | None:
    if results.ecg is None or results.ecg_analysis is None:
        return None
    from pipeline.review.ecg_edits import EcgBench

    return EcgBench(results.ecg, results.ecg_analysis, results.metadata or Metadata())


def _with(results: StudyResults, order: dict[int, CineStudy], analysis: EchoAnalysis) -> StudyResults:
    """The results with the studied clips in place of the stored ones."""
    cines, detections = list(results.cines), list(results.detections)
    for idx, study in order.items():
        cines[idx], detections[idx] = study.cine, study.detection
    return replace(results, cines=tuple(cines), detections=tuple(detections), echo_analysis=analysis)


def headers_of(results: StudyResults) -> dict[str, PatientHeader]:
    """What each file says of its patient; from the results themselves where the run did not keep all headers."""
    if results.headers:
        return dict(results.headers)
    headers = {f"echo header {n + 1}": cine.header for n, cine in enumerate(results.cines)}
    if results.ecg is not None:
        headers["ecg header"] = results.ecg.record.header
    return headers
