"""ECG paper in true millimetres, painted only where it is visible."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from pipeline.records import PreparedEcg
from ui.ecg_layout import Paper, lay_out
from ui.ecg_marks import EcgMarks
from ui.ecg_samples import EcgSamples, TiledSamples, samples_of
from ui.screen_scale import px_per_mm
from ui.theme import DARK, Theme
from ui.view_state import EcgOptions
from ui.widgets.drawing import within
from ui.widgets.ecg_hand import EcgHand
from ui.widgets.ecg_ink import Ink, paint_grid, paint_lead_name, paint_pulses, paint_seam, paint_settings, paint_trace
from ui.widgets.ecg_mark_ink import paint_beats, paint_caliper, paint_cursor, paint_intervals, paint_marks

if TYPE_CHECKING:
    from pipeline.review.ecg_edits import EcgReview

MOST_WORDS_MM = 5.0
SPOKEN = "ECG paper. Page up and down choose a beat, up and down a mark of it, left and right move it, Enter keeps it."


class EcgPaper(QAbstractScrollArea):
    """A strip chart; scrolls through long records, and lets marks, classes and calipers be set."""

    mark_wished = Signal(str, object)  # target; time in ms, "absent" or None
    mark_dragged = Signal(str, object)  # the same while the mark is still in the hand
    mark_let_go = Signal()  # it was moved, and is not to be kept
    class_wished = Signal(int, str)  # beat, letter
    caliper_wished = Signal(object)  # a Caliper to keep
    caliper_dropped = Signal(str)  # the target of a kept one
    tiles_wished = Signal(tuple)  # numbers of tiles that are in sight and not read
    moved = Signal(float, float)  # visible times of the record

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ecg: PreparedEcg | None = None
        self.review: EcgReview | None = None
        self.samples: EcgSamples | None = None
        self.marks: EcgMarks | None = None
        self.options = EcgOptions()
        self._theme: Theme = DARK
        self._paper: Paper | None = None
        self._cursor_s: float | None = None
        self._note = ""
        self.hand = EcgHand(self)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("ECG paper")
        self.setAccessibleDescription(SPOKEN)
        self.viewport().setMouseTracking(True)
        self.horizontalScrollBar().valueChanged.connect(self._tell_moved)
        self.verticalScrollBar().valueChanged.connect(self._tell_moved)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(900, 420)

    # --- what is shown ------------------------------------------------------------------------------

    def set_ecg(self, ecg: PreparedEcg | None, review: EcgReview | None) -> None:
        """Show a record, and what a reader's review of it holds where that is known."""
        is_other = ecg is not self.ecg
        self.ecg, self.review = ecg, review
        if is_other:
            self.samples = None if ecg is None else samples_of(ecg)
            self.hand.drop()
        had_marks, self.marks = self.marks is not None, None
        if ecg is not None and review is not None:
            self.marks = EcgMarks(review, ecg.record.leads, ecg.record.sampling_rate_hz)
        self.hand.refresh()
        self._lay_out()
        if is_other:
            self.horizontalScrollBar().setValue(0)
            self.verticalScrollBar().setValue(0)
        if self.options.calipers and (self.hand.caliper is None or not had_marks):
            self.hand.measure(True)

    def set_look(self, options: EcgOptions, theme: Theme) -> None:
        """Take over how the reader wants it drawn."""
        was_measuring = self.options.calipers
        self.options, self._theme = options, theme
        self._lay_out()
        if options.calipers != was_measuring:
            self.hand.measure(options.calipers)

    def set_cursor(self, time_s: float | None, note: str) -> None:
        """A line at a time of the record, and what is printed about it."""
        if (time_s, note) != (self._cursor_s, self._note):
            self._cursor_s, self._note = time_s, note
            self.setAccessibleDescription(f"{SPOKEN} {note}".strip())
            self.viewport().update()

    def put_tile(self, samples: TiledSamples, number: int, tile_mv: object) -> None:
        """Take samples that were read from the file; those of another record are dropped."""
        if samples is self.samples:
            samples.put(number, tile_mv)  # type: ignore[arg-type]
            self.viewport().update()

    @property
    def note(self) -> str:
        """What is printed about the cursor."""
        return self._note

    @property
    def paper(self) -> Paper | None:
        return self._paper

    def px_per_mm(self) -> float:
        """Logical pixels in a millimetre of this screen."""
        screen = self.screen()
        calibrated = dict(self.options.screen_scales).get(screen.name())
        return px_per_mm(float(screen.physicalDotsPerInch()), float(screen.logicalDotsPerInch()), calibrated)

    # --- geometry -----------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        ecg, samples = self.ecg, self.samples
        if ecg is None or samples is None:
            self._paper = None
        else:
            seen_s = self.span_s()[0] if self._paper is not None else 0.0
            before = self._paper
            self._paper = lay_out(
                ecg.record.leads,
                samples.n_samples / samples.rate_hz,
                layout=self.options.layout,
                rhythm=self.options.rhythm_lead,
                speed_mm_s=self.options.speed_mm_s,
                gain_mm_mv=self.options.gain_mm_mv,
                room_mm=self.viewport().height() / self.px_per_mm(),
            )
            self._set_ranges()
            if before is not None and (before.layout, before.speed_mm_s) != (
                self._paper.layout,
                self._paper.speed_mm_s,
            ):
                self.go_to(seen_s, centred=False)
        self._set_ranges()
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        self._lay_out()

    def _set_ranges(self) -> None:
        scale = self.px_per_mm()
        width, height = (0.0, 0.0) if self._paper is None else (self._paper.width_mm, self._paper.height_mm)
        for bar, full, seen in (
            (self.horizontalScrollBar(), width * scale, self.viewport().width()),
            (self.verticalScrollBar(), height * scale, self.viewport().height()),
        ):
            bar.setRange(0, max(0, math.ceil(full - seen)))
            bar.setPageStep(seen)
            bar.setSingleStep(max(1, round(5 * scale)))

    def seen_mm(self) -> QRectF:
        """The visible part of the paper."""
        scale = self.px_per_mm()
        return QRectF(
            self.horizontalScrollBar().value() / scale,
            self.verticalScrollBar().value() / scale,
            self.viewport().width() / scale,
            self.viewport().height() / scale,
        )

    def mm_at(self, place: QPointF) -> tuple[float, float]:
        """A point of the viewport on the paper."""
        seen, scale = self.seen_mm(), self.px_per_mm()
        return seen.left() + place.x() / scale, seen.top() + place.y() / scale

    def span_s(self) -> tuple[float, float]:
        """The times of the record that are in sight."""
        if self._paper is None:
            return 0.0, 0.0
        seen = self.seen_mm()
        speed = self._paper.speed_mm_s
        spans = [
            (
                max(s.start_s, s.start_s + (seen.left() - s.left_mm) / speed),
                min(s.end_s, s.start_s + (seen.right() - s.left_mm) / speed),
            )
            for s in self._paper.strips(seen.left(), seen.top(), seen.right(), seen.bottom())
            if seen.top() <= s.baseline_mm <= seen.bottom()
        ]
        spans = [span for span in spans if span[1] > span[0]]
        return (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else (0.0, 0.0)

    def go_to(self, time_s: float, *, centred: bool = True) -> None:
        """Bring a time into sight."""
        if self._paper is None:
            return
        scale = self.px_per_mm()
        left, top = self._paper.place_of(time_s)
        across = self.viewport().width() / 2 if centred else 10 * scale
        self.horizontalScrollBar().setValue(round(left * scale - across))
        if self._paper.layout == "rhythm" and self._paper.is_paged:
            down = (self.viewport().height() - self._paper.row_mm * scale) / 2 if centred else 8 * scale
            self.verticalScrollBar().setValue(round(top * scale - down))

    def _tell_moved(self) -> None:
        self.moved.emit(*self.span_s())

    # --- pointer and keys: the hand knows what to do ------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        if event.button() == Qt.MouseButton.LeftButton:
            self.hand.press(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        self.hand.move(event.position(), is_down=bool(event.buttons() & Qt.MouseButton.LeftButton))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        if event.button() == Qt.MouseButton.LeftButton:
            self.hand.release()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 - Qt's name
        self.hand.open_menu(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        if not self.hand.press_key(event):
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Keys that mean something for what is chosen go before the window's shortcuts."""
        is_key = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_key and self.hand.wants_key(event):  # type: ignore[arg-type]
            event.accept()
            return True
        return super().event(event)

    # --- painting -----------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self.viewport())
        if self._paper is None or self.ecg is None or self.samples is None:
            painter.fillRect(self.viewport().rect(), QColor(self._theme.window))
        else:
            scale, seen = self.px_per_mm(), self.seen_mm()
            painter.fillRect(self.viewport().rect(), QColor(self._theme.paper))  # the settings need room: never clipped
            font = within(self.font(), MOST_WORDS_MM * scale)  # rows stand in millimetres, whatever the font
            self._paint(Ink(painter, self._theme, self._paper, seen, scale, font), self.ecg, self.samples)
        painter.end()
        if isinstance(self.samples, TiledSamples) and (wishes := self.samples.take_wishes()):
            self.tiles_wished.emit(wishes)

    def _paint(self, ink: Ink, ecg: PreparedEcg, samples: EcgSamples) -> None:
        if self.options.grid:
            paint_grid(ink)
        ink.painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_pulses(ink)
        strips = list(ink.strips())
        for strip in strips:
            paint_lead_name(ink, ecg, strip)  # under the traces: a name may not hide a wave
        for strip in strips:
            paint_trace(ink, samples, strip)
            if strip.start_s % ink.paper.page_s > 1e-6:
                paint_seam(ink, strip)
        if self.marks is not None:
            self._paint_review(ink, samples, self.marks)
        self._paint_calipers(ink)
        if self._cursor_s is not None:
            paint_cursor(ink, self._cursor_s)
        paint_settings(ink, ecg, samples, self._note)

    def _paint_review(self, ink: Ink, samples: EcgSamples, marks: EcgMarks) -> None:
        for strip in ink.strips():
            if self.options.marks:
                paint_marks(ink, samples, marks, strip, self.hand.mark)
            if strip.is_rhythm and self.options.marks:
                paint_intervals(ink, marks, strip)
            if strip.is_rhythm and self.options.r_ticks:
                paint_beats(ink, marks, strip, self.hand.beat)

    def _paint_calipers(self, ink: Ink) -> None:
        kept = () if self.review is None else self.review.calipers
        for _, caliper in kept:
            paint_caliper(ink, caliper, march=False, is_draft=False)
        if self.hand.caliper is not None:
            paint_caliper(
                ink, self.hand.caliper, march=self.options.march, is_draft=True, active=self.hand.caliper_line
            )
