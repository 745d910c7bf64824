"""Wishes about the ECG: how it is drawn, what the reader changes on it, and which parts of a long one are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from pipeline.records import Array, EcgAnalysis, EchoCine, Edit, EditKind, Metadata, PreparedEcg, StudyResults
from pipeline.review.ecg_targets import CALIPER
from ui.ecg_course import Course
from ui.ecg_samples import TiledSamples
from ui.engine_port import Engine
from ui.view_state import GAINS_MM_MV, SPEEDS_MM_S, CaseView, ReviewState, stepped

if TYPE_CHECKING:
    from pipeline.review.ecg_edits import EcgReview as ReviewedEcg
    from pipeline.review.time_lock import TimeLock
    from ui.review import Review

MOST_WAITING = 16  # older wishes are forgotten: what is still in sight is wished again when something arrives


Stretch = tuple[TiledSamples | Course, int]
"""Who shows it, and the number of its tile or hour."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a worker made of an ECG and its command log."""

    ecg: ReviewedEcg
    locks: tuple[TimeLock, ...]


def reviewed(results: StudyResults, edits: Sequence[Edit]) -> Reviewed:
    """Fold the log into the ECG, and see which clips share its time; not for the GUI thread. Raises InputError."""
    from pipeline.review.ecg_edits import review_ecg
    from pipeline.review.time_lock import time_lock

    ecg, analysis = results.ecg, results.ecg_analysis
    assert ecg is not None
    assert analysis is not None
    found = review_ecg(ecg, analysis, results.metadata or Metadata(), edits)
    return Reviewed(found, tuple(time_lock(cine, ecg, found.analysis.r_peaks_idx) for cine in results.cines))


@dataclass(frozen=True, slots=True)
class _Question:
    """What a review was made of; compared by identity."""

    ecg: PreparedEcg
    analysis: EcgAnalysis
    cines: tuple[EchoCine, ...]
    edits: tuple[Edit, ...]

    def is_same(self, other: _Question | None) -> bool:
        return other is not None and all(
            mine is theirs
            for mine, theirs in (
                (self.ecg, other.ecg),
                (self.analysis, other.analysis),
                (self.cines, other.cines),
                (self.edits, other.edits),
            )
        )


def _question(case: CaseView) -> _Question | None:
    found = case.own_results
    if found.ecg is None or found.ecg_analysis is None:
        return None
    return _Question(found.ecg, found.ecg_analysis, found.cines, case.edits)


class EcgReview(QObject):
    """The ECG's part of the review."""

    tile_read = Signal(object, int, object)  # the samples that it belongs to, number, values
    hour_read = Signal(object, int, object)  # the course that it belongs to, hour, values

    def __init__(self, review: Review) -> None:
        super().__init__(review)
        self._review = review
        self._asked: _Question | None = None
        self._generation, self._answered = 0, 0
        self._answer: Reviewed | None = None
        self._draft: Reviewed | None = None  # while a mark is in the hand, and until what was kept is measured
        self._reading: dict[int, Stretch] = {}  # one at a time, so that the newest wish never waits for two
        self._waiting: list[Stretch] = []
        self._seen: Stretch | None = None  # the newest wish; what lies beside it is read ahead
        self._read: PreparedEcg | None = None  # whose file was asked last
        self._unreadable: PreparedEcg | None = None  # its file failed: it is not asked again and again

    # --- looks --------------------------------------------------------------------------------------

    def set_option(self, name: str, value: Any) -> None:
        """Change one of the EcgOptions."""
        if name == "marks" and value:
            self._review.study.prepare()  # a mark may be taken in hand next
        chosen: dict[str, Any] = {name: value}
        self._review.update(ecg=replace(self._review.state.ecg, **chosen))

    def step(self, wish: str) -> None:
        """One step of paper speed or gain."""
        ecg = self._review.state.ecg
        if wish in ("faster", "slower"):
            speed = stepped(SPEEDS_MM_S, ecg.speed_mm_s, 1 if wish == "faster" else -1)
            self._review.update(ecg=replace(ecg, speed_mm_s=speed))
        else:
            gain = stepped(GAINS_MM_MV, ecg.gain_mm_mv, 1 if wish == "more_gain" else -1)
            self._review.update(ecg=replace(ecg, gain_mm_mv=gain))

    def set_scale(self, screen: str, px_per_mm: float) -> None:
        """Pixels in a millimetre of a screen, as the reader calibrated it; 0 forgets it."""
        scales = {name: value for name, value in self._review.state.ecg.screen_scales if name != screen}
        if px_per_mm > 0:
            scales[screen] = px_per_mm
        self.set_option("screen_scales", tuple(sorted(scales.items())))

    # --- edits --------------------------------------------------------------------------------------

    def edit(self, kind: EditKind, target: str, after: Any) -> None:
        """Store a change of the ECG; a caliper gets a number of its own."""
        if kind == "ecg_mark" and self._is_long and not target.endswith("/r_peak"):
            self.drop_draft()
            self._review.say(
                "In a long recording only R peaks can be moved, added and taken away: its intervals rest on beats of "
                "every hour, whose other marks are not kept."
            )
            return
        if kind == "caliper" and not target:
            taken = {edit.target for edit in self._review.state.case.edits}
            target = next(f"{CALIPER}{n}" for n in range(len(taken) + 1) if f"{CALIPER}{n}" not in taken)
        self._review.edits.add(kind, target, after)

    @property
    def _is_long(self) -> bool:
        ecg = self._review.state.case.results.ecg
        return ecg is not None and ecg.overview is not None

    def draft(self, kind: EditKind, target: str, after: Any) -> None:
        """Show what a mark would give where it is held now; not stored."""
        if self._is_long:  # a day is measured when the mark is let go
            return
        act = Edit(kind=kind, target=target, before=None, after=after, role=self._review.edits.role)
        measured = self._review.study.measured_ecg(act)
        if measured is None:
            self._review.study.prepare()  # the numbers follow from then on
            return
        study, log = measured
        if study.ecg_review is not None and self._answer is not None:
            self._draft = Reviewed(study.ecg_review, self._answer.locks)
        self._review.study.show_draft(study, log)

    def drop_draft(self) -> None:
        """The mark was let go of without being kept."""
        if self._draft is not None:
            self._draft = None
            self._review.study.forget_draft()

    # --- the folded review --------------------------------------------------------------------------

    def completed(self, state: ReviewState) -> ReviewState:
        """The state with the review that goes with it; asked for when it is not there yet."""
        question = _question(state.case)
        if state.case.results.ecg is not self._review.state.case.results.ecg:
            self._forget_stretches()
        if question is None:
            return _with(state, None)
        if not question.is_same(self._asked):
            is_same_ecg = self._asked is not None and self._asked.analysis is question.analysis
            self._asked = question
            self._answer = self._answer if is_same_ecg else None  # the old one stays in sight until the new one comes
            self._draft = self._draft if is_same_ecg else None
            results, edits = state.case.own_results, question.edits
            self._generation = self._review.session.ask("ecg_review", lambda _: reviewed(results, edits))
        return _with(state, self._draft or self._answer)

    @property
    def is_settled(self) -> bool:
        """Whether the review on screen is that of the newest log."""
        return self._answered == self._generation

    def take_ecg_review(self, generation: int, answer: Reviewed) -> None:
        """A review is there; one that was asked for earlier is dropped."""
        if generation == self._generation:
            self._answer, self._answered, self._draft = answer, generation, None
            self._review.update()

    # --- stretches of a long ECG --------------------------------------------------------------------

    def want_tiles(self, samples: TiledSamples, numbers: tuple[int, ...]) -> None:
        """Read tiles that are in sight."""
        self._want([(samples, number) for number in numbers])

    def want_hours(self, course: Course, numbers: tuple[int, ...]) -> None:
        """Read extremes of hours that are in sight."""
        self._want([(course, number) for number in numbers])

    def _want(self, wishes: list[Stretch]) -> None:
        going = set(self._reading.values())
        new = [wish for wish in wishes if wish not in going]
        before = [wish for wish in self._waiting if wish not in new]
        kept = [*new, *before][:MOST_WAITING]
        self._waiting = sorted(kept, key=lambda wish: isinstance(wish[0], Course))  # tiles are short: they go first
        self._seen = wishes[-1]
        self._read_next()

    def _read_next(self) -> None:
        case = self._review.state.case
        path = None if case.request is None else case.request.ecg_path
        ecg = case.results.ecg
        if path is None or ecg is None or ecg is self._unreadable:
            self._forget_stretches()
            return
        if self._reading:
            return
        if not self._waiting and self._seen is not None:
            self._waiting = list(_beside(*self._seen))[:1]
        if self._waiting:
            self._read = ecg
            owner, number = self._waiting.pop(0)
            call = _reading(owner, number, path, ecg.file_sha256)
            self._reading[self._review.session.ask("ecg_stretch", call)] = (owner, number)

    def _forget_stretches(self) -> None:
        self._waiting.clear()
        self._seen = None

    def take_ecg_stretch(self, generation: int, values: Array) -> None:
        """A stretch was read; whoever shows another record drops it."""
        if generation not in self._reading:
            return
        owner, number = self._reading.pop(generation)
        if isinstance(owner, TiledSamples):
            self.tile_read.emit(owner, number, values)
        elif isinstance(owner, Course):
            self.hour_read.emit(owner, number, values)
        self._read_next()

    def take_failure(self, topic: str, generation: int) -> None:
        """A stretch could not be read: nothing more is asked of this file."""
        if topic == "edit":
            self._draft = None
        if topic == "ecg_stretch":
            self._reading.pop(generation, None)
            self._unreadable = self._read
            self._read_next()  # of another record, if one is on screen by now


def _beside(owner: TiledSamples | Course, number: int) -> Iterator[Stretch]:
    """What is read ahead: the stretches after and before one in sight that are not there yet."""
    return ((owner, each) for each in (number + 1, number - 1, number + 2) if owner.lacks(each))


def _reading(owner: object, number: int, path: Path, sha256: str) -> Any:
    if isinstance(owner, TiledSamples):
        first, end = owner.bounds(number)
        return partial(_samples, path=path, sha256=sha256, first=first, end=end)
    return partial(_extremes, path=path, sha256=sha256, hour=number)


def _samples(engine: Engine, *, path: Path, sha256: str, first: int, end: int) -> Array:
    return engine.ecg_samples(path, sha256, first, end)


def _extremes(engine: Engine, *, path: Path, sha256: str, hour: int) -> Array:
    return engine.ecg_extremes(path, sha256, hour)


def _with(state: ReviewState, answer: Reviewed | None) -> ReviewState:
    """The state with a review, the same object where it holds it already."""
    found, locks = (None, ()) if answer is None else (answer.ecg, answer.locks)
    if state.case.ecg_review is found and state.case.time_locks is locks:
        return state
    return replace(state, case=replace(state.case, ecg_review=found, time_locks=locks))
