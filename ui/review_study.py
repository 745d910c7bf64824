"""The case with what its reader changed: measured anew in a worker after each act, at once while the hand moves."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from pipeline.records import Edit, StudyResults
from pipeline.review.changes import NOTHING
from ui.view_state import CaseView, ReviewState

if TYPE_CHECKING:
    from pipeline.review.workbench import EditedStudy, Workbench
    from ui.review import Review

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Folded:
    """What a log amounts to: compared by the identity of what it was made of."""

    own: StudyResults
    study: EditedStudy
    report: Report | None


class Bench:
    """The workbench of one case; built where it is first needed, in a worker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: tuple[StudyResults, Workbench] | None = None

    def of(self, own: StudyResults) -> Workbench:
        """The workbench of a case; takes long when it is not there yet."""
        from pipeline.review.workbench import Workbench

        with self._lock:
            if self._made is None or self._made[0] is not own:
                self._made = (own, Workbench(own))
            return self._made[1]

    def ready(self, own: StudyResults) -> Workbench | None:
        """The workbench if it is there already."""
        made = self._made
        return made[1] if made is not None and made[0] is own else None

    def folded(self, own: StudyResults, report: Report | None, log: Sequence[Edit]) -> Folded:
        """Everything that a log amounts to; not for the GUI thread. Raises InputError."""
        from pipeline.review.edited_report import edited_report

        study = self.of(own).fold(log)
        return Folded(own, study, None if report is None else edited_report(report, own, log, study))


class StudyReview(QObject):
    """Keeps results and report of the case on screen in step with its log."""

    def __init__(self, review: Review) -> None:
        super().__init__(review)
        self._review = review
        self._bench = Bench()
        self._asked: tuple[StudyResults, tuple[Edit, ...]] | None = None
        self._generation = 0
        self._answer: Folded | None = None

    def prepare(self) -> None:
        """Build the workbench, because a change is near."""
        own, bench = self._review.state.case.own_results, self._bench
        if self._review.state.case.phase == "complete" and bench.ready(own) is None:
            self._review.session.ask("bench", lambda _: bench.of(own) and None)

    def take_bench(self, _generation: int, _answer: None) -> None:
        """The workbench is there; nothing is to be shown."""

    @property
    def can_draft(self) -> bool:
        """Whether numbers can follow a hand: the workbench is there."""
        return self._bench.ready(self._review.state.case.own_results) is not None

    def can_edit(self, cine_idx: int) -> bool:
        """Whether a change of this clip changes numbers; unknown counts as yes."""
        bench = self._bench.ready(self._review.state.case.own_results)
        return bench is None or bench.can_edit(cine_idx)

    def completed(self, state: ReviewState) -> ReviewState:
        """The state with the case as its log makes it; asked for when it is not there yet."""
        case = state.case
        own, report = case.own_results, case.own_report if case.own is not None else case.report
        if case.phase != "complete" or not case.edits:
            return state
        asked = self._asked
        if asked is None or asked[0] is not own or asked[1] != case.edits:
            log, bench = case.edits, self._bench
            self._asked = (own, log)
            self._generation = self._review.session.ask("study", lambda _: bench.folded(own, report, log))
        return self._with(state)

    def _with(self, state: ReviewState) -> ReviewState:
        """The state with the answer that is there, the same object where it shows it already."""
        answer, case = self._answer, state.case
        if answer is None or answer.own is not case.own_results or answer.report is None:
            return state
        if case.results is answer.study.results and case.report is answer.report:
            return state
        return replace(state, case=_shown(case, answer))

    def take_study(self, generation: int, answer: Folded) -> None:
        """A study is there; one that was asked for earlier is dropped."""
        if generation == self._generation:
            self._answer = answer
            self._review.update()

    def draft(self, act: Edit) -> None:
        """Show what an act on the echo would give, before it is one: while the hand moves. Not stored."""
        from pipeline.review.changes import read_changes

        case = self._review.state.case
        bench = self._bench.ready(case.own_results)
        if bench is not None:
            log = _with_act(case.edits, act)
            ecg = case.results.ecg_analysis if case.own is not None else None
            self.show_draft(bench.apply(read_changes(log, case.own_results), ecg), log)

    def measured_ecg(self, act: Edit) -> tuple[EditedStudy, tuple[Edit, ...]] | None:
        """What an act on the ECG would give, with the log that holds it; None where the bench is not there yet."""
        case = self._review.state.case
        bench = self._bench.ready(case.own_results)
        if bench is None or case.phase != "complete":
            return None
        log = _with_act(case.edits, act)
        return bench.fold(log, is_draft=True), log

    def show_draft(self, study: EditedStudy, log: tuple[Edit, ...]) -> None:
        """Show what a log would give that is not stored."""
        from pipeline.review.edited_report import edited_report

        case = self._review.state.case
        own, report = case.own_results, case.own_report if case.own is not None else case.report
        if report is not None:
            self._answer = Folded(own, study, edited_report(report, own, log, study))
            self._review.update(case=_shown(case, self._answer))

    def forget_draft(self) -> None:
        """What was drawn did not become an act: show what the log holds."""
        case = self._review.state.case
        self._asked = self._answer = None
        if case.own is not None:
            own = replace(case, results=case.own, report=case.own_report, own=None, own_report=None, changes=NOTHING)
            self._review.update(case=own)

    def take_failure(self, topic: str, _generation: int) -> None:
        """An act was not stored."""
        if topic == "edit":
            self.forget_draft()


def _with_act(log: tuple[Edit, ...], act: Edit) -> tuple[Edit, ...]:
    """The log as it would be with one more act."""
    return (*log, replace(act, seq=len(log)))


def _shown(case: CaseView, answer: Folded) -> CaseView:
    own_report = case.own_report if case.own is not None else case.report
    return replace(
        case,
        results=answer.study.results,
        report=answer.report,
        own=answer.own,
        own_report=own_report,
        changes=answer.study.changes,
    )
