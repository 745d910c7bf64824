"""What the reader does on the paper: chooses and moves marks, classes beats, sets calipers, pulls the paper."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QKeyEvent

from pipeline.review.ecg_targets import CLASSES, Caliper
from ui.ecg_marks import Mark
from ui.ecg_pick import (
    NEAR_PX,
    Spot,
    beat_near,
    first_caliper,
    mark_near,
    missing_marks,
    moved_mark,
    nearest_line,
    nudged_caliper,
    spot_at,
)
from ui.widgets.ecg_menus import open_beat_menu, open_caliper_menu, open_mark_menu, open_place_menu

if TYPE_CHECKING:
    from ui.widgets.ecg_paper import EcgPaper

BEAT_REACH_S = 0.25  # around a beat that a menu belongs to; farther away a beat can be added
BIG_STEP = 5  # samples, with Shift
_KEYS = Qt.Key
_MOVES = {int(_KEYS.Key_Left): -1, int(_KEYS.Key_Right): 1}
_CHOICES = {int(_KEYS.Key_Up): -1, int(_KEYS.Key_Down): 1}
_BEATS = {int(_KEYS.Key_PageUp): -1, int(_KEYS.Key_PageDown): 1}
_ENDS = (int(_KEYS.Key_Return), int(_KEYS.Key_Enter), int(_KEYS.Key_Escape))


class EcgHand:
    """Holds one beat, one mark of it and one caliper; tells the paper's signals when something is to be kept."""

    def __init__(self, paper: EcgPaper) -> None:
        self._paper = paper
        self.beat: int | None = None
        self.mark: Mark | None = None
        self.caliper: Caliper | None = None
        self.caliper_line = -1
        self._held: str | None = None  # "mark", "caliper", "paper"
        self._has_moved = False
        self._grip: tuple[QPointF, int, int] | None = None

    # --- choosing -----------------------------------------------------------------------------------

    def drop(self) -> None:
        """Let go of everything."""
        self._let_go()
        self.beat, self.mark, self.caliper, self.caliper_line = None, None, None, -1
        self._held, self._has_moved = None, False

    def refresh(self) -> None:
        """The review changed: show the chosen mark where it is now."""
        marks = self._paper.marks
        if marks is None or (self.beat is not None and self.beat >= marks.r_s.size):
            self.beat, self.mark = None, None
        elif self.mark is not None and self._held != "mark" and not self._has_moved:
            here = marks.of_beat(self.mark.lead_idx, self.mark.beat_idx)
            self.mark = next((m for m in here if m.target == self.mark.target), None)

    def _let_go(self) -> None:
        """A mark that was moved and not kept stands where it stood."""
        if self._has_moved:
            self._has_moved = False
            self._paper.mark_let_go.emit()

    def measure(self, on: bool) -> None:
        """Begin with a caliper over the strip in sight, or put it away."""
        self.caliper, self.caliper_line = None, -1
        paper = self._paper.paper
        if on and paper is not None:
            seen = self._paper.seen_mm()
            strips = [
                s
                for s in paper.strips(seen.left(), seen.top(), seen.right(), seen.bottom())
                if seen.top() <= s.baseline_mm <= seen.bottom()
            ]
            chosen = [s for s in strips if s.is_rhythm] or strips
            if chosen:
                strip, span = chosen[0], self._paper.span_s()
                inside = max(span[0], strip.start_s), min(span[1], strip.end_s)
                self.caliper, self.caliper_line = first_caliper(self._paper.marks, strip, inside), 1
                self._paper.setFocus()
        self._paper.viewport().update()

    def keep_caliper(self) -> None:
        """Store the caliper as it stands."""
        if self.caliper is not None:
            self._paper.caliper_wished.emit(self.caliper)

    def choose_beat(self, beat: int | None) -> None:
        """Mark a beat as chosen and bring it into sight."""
        self._let_go()
        self.beat, self.mark = beat, None
        if beat is not None and self._paper.marks is not None:
            time_s = float(self._paper.marks.r_s[beat])
            low, high = self._paper.span_s()
            if not low <= time_s <= high:
                self._paper.go_to(time_s)
        self._paper.viewport().update()

    def set_class(self, letter: str) -> None:
        """Class the chosen beat."""
        if self.beat is not None and letter in CLASSES:
            self._paper.class_wished.emit(self.beat, letter)

    # --- pointer ------------------------------------------------------------------------------------

    def _spot(self, place: QPointF) -> Spot | None:
        paper = self._paper.paper
        return None if paper is None else spot_at(paper, *self._paper.mm_at(place))

    def _reach_s(self) -> float:
        paper = self._paper.paper
        return 0.0 if paper is None else NEAR_PX / (self._paper.px_per_mm() * paper.speed_mm_s)

    def press(self, place: QPointF) -> None:
        """Take hold of what lies under the pointer."""
        spot = self._spot(place)
        self._let_go()
        if spot is not None and self._paper.options.calipers:
            self._press_caliper(spot)
        elif spot is not None and (mark := self._mark_at(spot)) is not None:
            self.beat, self.mark, self._held = mark.beat_idx, mark, "mark"
        elif spot is not None and (beat := self._beat_at(spot)) is not None:
            self.choose_beat(beat)
            self._open_classes(self._paper.viewport().mapToGlobal(place.toPoint()))
        else:
            self.beat, self.mark, self._held = None, None, "paper"
            bars = self._paper.horizontalScrollBar(), self._paper.verticalScrollBar()
            self._grip = place, bars[0].value(), bars[1].value()
        self._paper.viewport().update()

    def _press_caliper(self, spot: Spot) -> None:
        self._held = "caliper"
        caliper = self.caliper
        line = None if caliper is None else nearest_line(caliper, spot.time_s, self._reach_s())
        if caliper is not None and line is not None and caliper.lead == spot.strip.name:
            self.caliper_line = line
            return
        time_ms = 1000.0 * spot.time_s
        self.caliper = Caliper(
            lead=spot.strip.name, start_ms=time_ms, end_ms=time_ms, low_mv=spot.level_mv, high_mv=spot.level_mv
        )
        self.caliper_line = 1

    def _mark_at(self, spot: Spot) -> Mark | None:
        marks = self._paper.marks
        if marks is None or not self._paper.options.marks or spot.is_letters:
            return None
        return mark_near(marks, spot, self._reach_s())

    def _beat_at(self, spot: Spot) -> int | None:
        marks = self._paper.marks
        if marks is None or not self._paper.options.r_ticks or not spot.is_letters:
            return None
        return beat_near(marks, spot.time_s, 2 * self._reach_s())

    def move(self, place: QPointF, *, is_down: bool) -> None:
        """Follow the pointer."""
        if not is_down or self._held is None:
            self._show_cursor(place)
            return
        if self._held == "paper" and self._grip is not None:
            delta = place - self._grip[0]
            self._paper.horizontalScrollBar().setValue(self._grip[1] - round(delta.x()))
            self._paper.verticalScrollBar().setValue(self._grip[2] - round(delta.y()))
            return
        spot = self._spot(place)
        if spot is None:
            return
        if self._held == "mark" and self.mark is not None:
            self._move_mark(spot.time_s)
        elif self._held == "caliper" and self.caliper is not None and spot.strip.name == self.caliper.lead:
            by_ms = 1000.0 * spot.time_s
            field = "start_ms" if self.caliper_line == 0 else "end_ms"
            level = "low_mv" if self.caliper_line == 0 else "high_mv"
            changes: dict[str, float] = {field: by_ms, level: spot.level_mv}
            self.caliper = replace(self.caliper, **changes)  # type: ignore[arg-type]
        self._paper.viewport().update()

    def _show_cursor(self, place: QPointF) -> None:
        spot = self._spot(place)
        shape = Qt.CursorShape.ArrowCursor
        if spot is not None and self._paper.options.calipers:
            shape = Qt.CursorShape.CrossCursor
        elif spot is not None and self._mark_at(spot) is not None:
            shape = Qt.CursorShape.SizeHorCursor
        elif spot is not None and self._beat_at(spot) is not None:
            shape = Qt.CursorShape.PointingHandCursor
        self._paper.viewport().setCursor(shape)

    def _move_mark(self, time_s: float) -> None:
        marks, samples = self._paper.marks, self._paper.samples
        if self.mark is None or marks is None or samples is None:
            return
        limits = marks.limits_s(self.mark, samples.n_samples / samples.rate_hz)
        moved = moved_mark(self.mark, time_s, limits, samples.rate_hz)
        if moved.time_s != self.mark.time_s:
            self.mark, self._has_moved = moved, True
            self._paper.mark_dragged.emit(moved.target, round(1000.0 * moved.time_s, 3))

    def release(self) -> None:
        """Let go; a mark that was moved is kept at once."""
        held, self._held = self._held, None
        if held == "mark":
            self.keep_mark()
        self._paper.viewport().update()

    def keep_mark(self) -> None:
        """Wish the chosen mark to be stored where it stands, if it was moved."""
        if self.mark is not None and self._has_moved:
            self._has_moved = False
            self._paper.mark_wished.emit(self.mark.target, round(1000.0 * self.mark.time_s, 3))

    # --- keys ---------------------------------------------------------------------------------------

    def wants_key(self, event: QKeyEvent) -> bool:
        """Whether a key means something for what is chosen."""
        key, plain = int(event.key()), event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier
        if plain & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        if key in _BEATS:
            return self._paper.marks is not None
        if key in _MOVES or key in _CHOICES or key in _ENDS:
            return self.caliper is not None or self.mark is not None or (self.beat is not None and key not in _MOVES)
        return self.beat is not None and event.text().upper() in CLASSES

    def press_key(self, event: QKeyEvent) -> bool:
        """Do what a key says; False for a key that is not for the hand."""
        if not self.wants_key(event):
            return False
        key = int(event.key())
        if key in _BEATS:
            self._step_beat(_BEATS[key])
        elif key in _MOVES:
            self._nudge(_MOVES[key] * (BIG_STEP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1))
        elif key in _CHOICES:
            self._step_mark(_CHOICES[key])
        elif key in _ENDS:
            self._end(key == int(_KEYS.Key_Escape))
        else:
            self.set_class(event.text().upper())
        self._paper.viewport().update()
        return True

    def _step_beat(self, by: int) -> None:
        marks = self._paper.marks
        if marks is None or marks.r_s.size == 0:
            return
        seen = marks.beats_between(*self._paper.span_s())
        first = seen[0] if len(seen) else 0
        self.choose_beat(first if self.beat is None else min(max(self.beat + by, 0), marks.r_s.size - 1))

    def _step_mark(self, by: int) -> None:
        if self.caliper is not None:
            self.caliper_line = 1 - self.caliper_line
            return
        marks, paper = self._paper.marks, self._paper.paper
        if self.beat is None or marks is None or paper is None:
            return
        rhythm = next((s.lead_idx for s in paper.page_strips if s.is_rhythm), 0)
        here = marks.of_beat(self.mark.lead_idx if self.mark else rhythm, self.beat)
        if here:
            self._let_go()
            names = [m.target for m in here]
            place = names.index(self.mark.target) + by if self.mark and self.mark.target in names else 0
            self.mark = here[place % len(here)]

    def _nudge(self, n_samples: int) -> None:
        samples = self._paper.samples
        if samples is None:
            return
        if self.caliper is not None:
            self.caliper = nudged_caliper(self.caliper, self.caliper_line, 1000.0 * n_samples / samples.rate_hz)
        elif self.mark is not None:
            self._move_mark(self.mark.time_s + n_samples / samples.rate_hz)

    def _end(self, is_escape: bool) -> None:
        if is_escape:
            self._let_go()
            if self.mark is not None:
                self.mark = None
            else:
                self.beat = None
            self.refresh()
        elif self.caliper is not None:
            self.keep_caliper()
        else:
            self.keep_mark()

    # --- menus --------------------------------------------------------------------------------------

    def open_menu(self, event: QContextMenuEvent) -> None:
        """What can be done with the mark, caliper or beat under the pointer, or with the chosen one."""
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        spot = None if by_key else self._spot(QPointF(event.pos()))
        mark = self.mark if by_key else (None if spot is None else self._mark_at(spot))
        kept = None if spot is None else self._kept_at(spot)
        if kept is not None:
            open_caliper_menu(self._paper, kept, event.globalPos())
            return
        if mark is not None:
            open_mark_menu(self._paper, mark, event.globalPos())
            return
        marks = self._paper.marks
        if spot is not None and marks is not None:
            near = beat_near(marks, spot.time_s, 0.5 if not self._paper.options.marks else BEAT_REACH_S)
            self.choose_beat(near)
            added = marks.new_beat(spot.strip.lead_idx, spot.time_s) if near is None else None
            if added is not None:
                open_place_menu(self._paper, *added, event.globalPos())
        if self.beat is not None:
            open_beat_menu(self._paper, self.beat, self._missing(self.beat, spot), event.globalPos())

    def _kept_at(self, spot: Spot) -> str | None:
        """The target of a kept caliper of which a line is under the pointer."""
        kept = () if self._paper.review is None else self._paper.review.calipers
        return next(
            (
                target
                for target, caliper in kept
                if caliper.lead == spot.strip.name and nearest_line(caliper, spot.time_s, self._reach_s()) is not None
            ),
            None,
        )

    def _missing(self, beat: int, spot: Spot | None) -> list[Mark]:
        """The marks that a beat lacks, where the pointer is or, without one, where they often are."""
        marks, samples, paper = self._paper.marks, self._paper.samples, self._paper.paper
        if marks is None or samples is None or paper is None or not self._paper.options.marks:
            return []
        lead = spot.strip.lead_idx if spot is not None else next(s.lead_idx for s in paper.page_strips if s.is_rhythm)
        length_s = samples.n_samples / samples.rate_hz
        return missing_marks(marks, lead, beat, None if spot is None else spot.time_s, length_s, samples.rate_hz)

    def _open_classes(self, place: QPoint) -> None:
        if self.beat is not None and self._paper.marks is not None:
            open_beat_menu(self._paper, self.beat, [], place)
