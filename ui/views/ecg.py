"""The ECG view: the strip on paper, how it is drawn, median beat or course of the hours, the statements to confirm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSplitter, QStackedLayout, QVBoxLayout, QWidget

from pipeline.records import Array, EcgEpisode, EcgStatement, RhythmStatement
from pipeline.review.ecg_targets import Caliper, class_target
from ui.ecg_course import longest_pause_s, next_episode
from ui.ecg_samples import TiledSamples
from ui.view_state import CaseView, ReviewState, absence
from ui.widgets.ecg_controls import EcgControls
from ui.widgets.ecg_course import EcgCourse
from ui.widgets.ecg_hours import EcgHours
from ui.widgets.ecg_median import EcgMedianPanel
from ui.widgets.ecg_paper import EcgPaper
from ui.widgets.empty_label import EmptyLabel

if TYPE_CHECKING:
    from pipeline.review.ecg_edits import EcgReview


class EcgView(QWidget):
    """Shows the filtered ECG at true size; emits what the reader wishes to change."""

    switch_wished = Signal(str, bool)
    value_wished = Signal(str, object)
    edit_wished = Signal(str, str, object)  # kind, target, the new value
    draft_wished = Signal(str, str, object)  # the same while it is still in the hand
    draft_dropped = Signal()
    tiles_wished = Signal(object, tuple)  # the samples that lack them, numbers
    hours_wished = Signal(object, tuple)  # the course that lacks them, numbers

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._case = CaseView()
        self._look: tuple[object, object] | None = None
        self._frame_s: tuple[int, float] | None = None
        self._chosen: str | None = None  # the measure that the reader looks at
        self.controls = EcgControls()
        self.rhythm = self.controls.rhythm
        self.paper = EcgPaper()
        self.median = EcgMedianPanel()
        self.course = EcgCourse()
        self.hours = EcgHours()
        self.empty = EmptyLabel()
        self.side = QSplitter(Qt.Orientation.Horizontal)
        self.down = QSplitter(Qt.Orientation.Vertical)
        self._assemble()
        self._connect()

    def _assemble(self) -> None:
        beside: tuple[QWidget, ...] = (self.paper, self.median, self.hours)
        for part in beside:
            self.side.addWidget(part)
        self.side.setStretchFactor(0, 3)
        self.side.setStretchFactor(1, 2)
        self.side.setStretchFactor(2, 2)
        self.down.addWidget(self.course)
        self.down.addWidget(self.side)
        self.down.setStretchFactor(0, 1)
        self.down.setStretchFactor(1, 2)
        for splitter in (self.side, self.down):
            splitter.setChildrenCollapsible(False)
        for extra in (self.median, self.course, self.hours):
            extra.hide()
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.controls)
        column.addWidget(self.down, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(content)
        self.setMinimumHeight(120)

    def _connect(self) -> None:
        self.controls.switch_wished.connect(self.switch_wished)
        self.controls.value_wished.connect(self.value_wished)
        for part in (self.paper, self.median):
            part.mark_wished.connect(self._wish_mark)
            part.mark_dragged.connect(self._wish_draft)
            part.mark_let_go.connect(self.draft_dropped)
        self.paper.class_wished.connect(self._wish_class)
        self.paper.caliper_wished.connect(self._wish_caliper)
        self.paper.caliper_dropped.connect(self._drop_caliper)
        self.paper.moved.connect(self.course.set_paper)
        self.paper.tiles_wished.connect(self._wish_tiles)
        self.course.tiles_wished.connect(self._wish_tiles)
        self.course.hours_wished.connect(self._wish_hours)
        self.course.time_wished.connect(self.paper.go_to)
        self.hours.time_wished.connect(self._show_time)
        self.hours.episode_wished.connect(self.show_episode)

    # --- wishes -------------------------------------------------------------------------------------

    def _wish_mark(self, target: str, value: object) -> None:
        self.edit_wished.emit("ecg_mark", target, value)

    def _wish_draft(self, target: str, value: object) -> None:
        self.draft_wished.emit("ecg_mark", target, value)

    def _wish_class(self, beat: int, letter: str) -> None:
        if self.paper.marks is not None:
            self.edit_wished.emit("beat_class", class_target(self.paper.marks.beat(beat)), letter)

    def _wish_caliper(self, caliper: Caliper) -> None:
        self.edit_wished.emit("caliper", "", caliper.as_value())

    def _drop_caliper(self, target: str) -> None:
        self.edit_wished.emit("caliper", target, None)

    def _wish_tiles(self, numbers: tuple[int, ...]) -> None:
        self.tiles_wished.emit(self.paper.samples, numbers)

    def _wish_hours(self, numbers: tuple[int, ...]) -> None:
        self.hours_wished.emit(self.course.course, numbers)

    def put_tile(self, samples: TiledSamples, number: int, tile_mv: Array) -> None:
        """Take samples that were read from the file."""
        self.paper.put_tile(samples, number, tile_mv)
        self.course.update()

    def keep_caliper(self) -> None:
        """Store the caliper on the paper."""
        self.paper.hand.keep_caliper()

    def step_layout(self, by: int) -> None:
        """The next layout, or the one before."""
        self.controls.step_layout(by)

    # --- going somewhere ----------------------------------------------------------------------------

    def _show_time(self, time_s: float) -> None:
        self.paper.go_to(time_s, centred=False)

    def show_episode(self, episode: EcgEpisode) -> None:
        """Bring an episode into sight, on the paper and in the course."""
        self.course.show_episode(episode)
        self.paper.go_to(episode.start_s)

    def step_episode(self, by: int) -> None:
        """The next episode in time, or the one before."""
        analysis = self._analysis()
        if analysis is not None and analysis.long is not None:
            found = next_episode(analysis.long.episodes, sum(self.paper.span_s()) / 2, by)
            if found is not None:
                self.show_episode(found)

    def show_longest_pause(self) -> None:
        """Go to the longest known RR interval."""
        analysis, ecg = self._analysis(), self._case.results.ecg
        found = None if analysis is None or ecg is None else longest_pause_s(analysis, ecg.record.sampling_rate_hz)
        if found is not None:
            self.paper.go_to(found[0] + found[1] / 2)

    def show_beat(self, beat_idx: int) -> None:
        """Choose a beat and bring it into sight."""
        self.paper.hand.choose_beat(beat_idx)

    def _show_measure(self, name: str | None) -> None:
        """Go to the beat that a measure of the ECG comes from; one of the echo has none."""
        analysis = self._analysis()
        found = () if analysis is None else analysis.measurements
        beats = next((m.source.beat_idx for m in found if m.name == name), ())
        if beats and beats[0] < len(analysis.beat_classes):
            self.show_beat(beats[0])

    def show_frame(self, cine_idx: int, time_s: float) -> None:
        """Stand the cursor where a frame of a clip was taken, if the two are known to share time."""
        self._frame_s = cine_idx, time_s
        self._show_cursor()

    def _show_cursor(self) -> None:
        locks = self._case.time_locks
        if not self._case.has_echo or not locks:
            self.paper.set_cursor(None, "")
            return
        cine_idx, time_s = self._frame_s or (0, 0.0)
        lock = locks[min(cine_idx, len(locks) - 1)]
        self.paper.set_cursor(None if lock.offset_s is None else time_s + lock.offset_s, lock.text)

    # --- showing ------------------------------------------------------------------------------------

    def _review(self) -> EcgReview | None:
        return self._case.ecg_review

    def _analysis(self) -> Any:
        review = self._review()
        return self._case.results.ecg_analysis if review is None else review.analysis

    def show_state(self, state: ReviewState) -> None:
        """Draw what changed since the last snapshot."""
        before, self._case = self._case, state.case
        ecg = state.case.results.ecg
        look = (state.ecg, state.theme)
        is_other = ecg is not before.results.ecg or state.case.ecg_review is not before.ecg_review
        is_other = is_other or state.case.results.ecg_analysis is not before.results.ecg_analysis
        if look != self._look or ecg is not before.results.ecg:
            self._look = look
            self.paper.set_look(state.ecg, state.theme)
            self.median.set_look(state.theme, overlaid=state.ecg.overlaid)
            self.course.set_theme(state.theme)
            self.controls.show_options(state.ecg, state.theme, () if ecg is None else ecg.record.leads)
        if is_other:
            self._show_ecg()
        self._show_parts(state)
        self._show_cursor()
        if state.chosen != self._chosen:
            self._chosen = state.chosen
            self._show_measure(state.chosen)
        self._show_rhythm()
        self._show_empty_text()

    def _show_ecg(self) -> None:
        ecg, review = self._case.results.ecg, self._review()
        self.paper.set_ecg(ecg, review)
        self.median.set_review(review, () if ecg is None else ecg.record.leads)
        self.course.set_ecg(ecg, self.paper.samples, self._analysis())
        self.hours.set_analysis(self._analysis())
        self.course.set_paper(*self.paper.span_s())
        self._stack.setCurrentIndex(0 if ecg is None else 1)

    def _show_parts(self, state: ReviewState) -> None:
        is_long = self.course.course is not None
        for part, is_shown in (
            (self.course, is_long and state.ecg.course),
            (self.hours, is_long and state.ecg.median),
            (self.median, not is_long and state.ecg.median),
        ):
            if part.isHidden() == is_shown:
                part.setVisible(is_shown)
                if is_shown:
                    self._share_room(part)

    def _share_room(self, part: QWidget) -> None:
        """Give a part that has just appeared a fair share."""
        if part is self.course:
            height = self.down.height()
            self.down.setSizes([round(0.36 * height), round(0.64 * height)])
        else:
            width = self.side.width()
            self.side.setSizes([round(0.56 * width), *[round(0.44 * width)] * 2])

    def _show_rhythm(self) -> None:
        analysis = self._analysis()
        ecg = self._case.results.ecg
        shapes = () if analysis is None else tuple(s for s in analysis.statements if s.status == "suggested")
        if analysis is not None and (analysis.rhythm or shapes):
            said: tuple[RhythmStatement | EcgStatement, ...] = (*analysis.rhythm, *shapes)
            text = "To confirm: " + " · ".join(s.text.partition(";")[0].rstrip(".") for s in said)
            proof = "\n".join(f"{s.text} {s.evidence}" for s in said)
        else:
            text = "" if ecg is None else f"{len(ecg.record.leads)} leads"
            proof = ""
        self.rhythm.set_words(text, proof)

    def _show_empty_text(self) -> None:
        text = absence(self._case, "ecg")
        if self.empty.text() != text:
            self.empty.setText(text)
