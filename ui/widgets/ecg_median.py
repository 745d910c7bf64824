"""The median beat of every lead with its boundaries, which can be moved; one panel a lead, or all over each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from pipeline.records import LeadWaves
from pipeline.review.ecg_targets import MarkTarget
from ui.ecg_marks import MARK_NAMES
from ui.ecg_median import (
    FROM_MS,
    S_PER_MV,
    TO_MS,
    Cell,
    cells_of,
    fiducial_limits_ms,
    fiducials_ms,
    intervals_text,
    middle_mv,
    px_per_s,
    span_mv,
    st_text,
)
from ui.theme import DARK, Theme
from ui.widgets.drawing import elided, pen, polygon, sized

if TYPE_CHECKING:
    from pipeline.ecg.median_beat import MedianBeat
    from pipeline.review.ecg_edits import EcgReview

NEAR_PX = 6.0
HEAD_PX = 22.0
LINE_PX = 14.0  # of the name above and the ST level below the beat
LEAST_MV = 1.3
LEAST_GRID_PX = 3.0
NO_MEDIAN = "No median beat: no usual beat lies wholly inside the record, or the record is a long one."
_KEYS = Qt.Key
_MOVES = {int(_KEYS.Key_Left): -1.0, int(_KEYS.Key_Right): 1.0}
_CHOICES = {int(_KEYS.Key_Up): -1, int(_KEYS.Key_Down): 1}


class EcgMedianPanel(QWidget):
    """Shows the median beat; a boundary that is moved moves it in every usual beat."""

    mark_wished = Signal(str, object)
    mark_dragged = Signal(str, object)  # the same while the boundary is still in the hand
    mark_let_go = Signal()  # it was moved, and is not to be kept

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._median: MedianBeat | None = None
        self._leads: tuple[str, ...] = ()
        self._waves: dict[str, LeadWaves] = {}
        self._edited: frozenset[str] = frozenset()
        self._theme: Theme = DARK
        self._is_overlaid = False
        self._places: dict[str, float] = {}
        self.chosen: str | None = None
        self._is_held, self._has_moved = False, False
        self.setMouseTracking(True)
        self.setMinimumSize(240, 160)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Median beat. Up and down choose a boundary, left and right move it, Enter keeps it.")
        self.setToolTip("Median beat of the usual beats. Drag a boundary to move it in all of them (ms).")

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(460, 360)

    def set_review(self, review: EcgReview | None, leads: tuple[str, ...]) -> None:
        """Show the median beat of a review."""
        self._median = None if review is None else review.median
        self._leads = leads
        self._waves = {} if review is None else {wave.lead: wave for wave in review.analysis.waves}
        self._edited = frozenset() if review is None else review.edited_marks
        held_ms = self._places.get(self.chosen) if self._has_moved and self.chosen else None
        self._places = {} if self._median is None else fiducials_ms(self._median)
        if self.chosen not in self._places:
            self.chosen, self._has_moved = None, False
        elif held_ms is not None:
            self._places[self.chosen] = held_ms  # still in the hand
        self.update()

    def set_look(self, theme: Theme, *, overlaid: bool) -> None:
        """Take over theme and arrangement."""
        if (theme, overlaid) != (self._theme, self._is_overlaid):
            self._theme, self._is_overlaid = theme, overlaid
            self.update()

    @property
    def places_ms(self) -> dict[str, float]:
        """Where the boundaries stand now, in ms from the R peak."""
        return dict(self._places)

    # --- geometry -----------------------------------------------------------------------------------

    def _cells(self) -> list[tuple[Cell, QRectF]]:
        if self._median is None:
            return []
        shown = [bool(np.isfinite(lead).all()) for lead in self._median.signal_mv]
        cells = cells_of(self._leads, shown, overlaid=self._is_overlaid)
        if not cells:
            return []
        n_rows, n_columns = 1 + max(c.row for c in cells), 1 + max(c.column for c in cells)
        width, height = self.width() / n_columns, (self.height() - HEAD_PX) / n_rows
        return [(c, QRectF(c.column * width, HEAD_PX + c.row * height, width - 2, height - 2)) for c in cells]

    def _px_per_ms(self, box: QRectF) -> float:
        height_mv = LEAST_MV if self._median is None else span_mv(self._median.signal_mv)
        if self._is_overlaid and self._median is not None:
            known = self._median.signal_mv[np.isfinite(self._median.signal_mv)]
            height_mv = max(LEAST_MV, float(np.ptp(known)) if known.size else 0.0)
        return px_per_s(box.width(), box.height() - 2 * LINE_PX, height_mv) / 1000.0

    def _left(self, box: QRectF) -> float:
        """Where a panel's drawing begins: it stands in the middle."""
        return box.center().x() - 0.5 * (TO_MS - FROM_MS) * self._px_per_ms(box)

    def _x(self, box: QRectF, ms: float) -> float:
        return self._left(box) + (ms - FROM_MS) * self._px_per_ms(box)

    def _cell_ms(self, place: QPointF) -> tuple[QRectF, float] | None:
        for _, box in self._cells():
            if box.contains(place):
                return box, FROM_MS + (place.x() - self._left(box)) / self._px_per_ms(box)
        return None

    def _near(self, place: QPointF) -> str | None:
        found = self._cell_ms(place)
        if found is None:
            return None
        reach_ms = NEAR_PX / self._px_per_ms(found[0])
        near = {name: abs(ms - found[1]) for name, ms in self._places.items() if abs(ms - found[1]) <= reach_ms}
        return min(near, key=lambda name: near[name], default=None)

    # --- moving -------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        if event.button() == Qt.MouseButton.LeftButton:
            self._let_go()
            self.chosen = self._near(event.position())
            self._is_held = self.chosen is not None
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        found = self._cell_ms(event.position())
        if self._is_held and found is not None:
            self._move_to(found[1])
        else:
            is_near = self._near(event.position()) is not None
            self.setCursor(Qt.CursorShape.SizeHorCursor if is_near else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        self._is_held = False
        self._keep()

    def _move_to(self, ms: float) -> None:
        if self.chosen is None or self._median is None:
            return
        low, high = fiducial_limits_ms(self._places, self.chosen)
        step_ms = 1000.0 / self._median.sampling_rate_hz
        moved = round(min(max(ms, low), high) / step_ms) * step_ms
        if moved != self._places[self.chosen]:
            self._places[self.chosen] = moved
            self._has_moved = True
            self.mark_dragged.emit(str(MarkTarget(mark=self.chosen)), round(moved, 3))
            self.update()

    def _let_go(self) -> None:
        if self._has_moved:
            self._has_moved = False
            self.mark_let_go.emit()

    def _keep(self) -> None:
        if self._has_moved and self.chosen is not None:
            self._has_moved = False
            self.mark_wished.emit(str(MarkTarget(mark=self.chosen)), round(self._places[self.chosen], 3))

    def _wants(self, event: QKeyEvent) -> bool:
        key = int(event.key())
        if key in _CHOICES:
            return bool(self._places)
        ends = (int(_KEYS.Key_Return), int(_KEYS.Key_Enter), int(_KEYS.Key_Escape))
        return self.chosen is not None and (key in _MOVES or key in ends)

    def event(self, event: QEvent) -> bool:
        """Keys that move a boundary go before the window's shortcuts."""
        is_key = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_key and self._wants(event):  # type: ignore[arg-type]
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        if not self._wants(event):
            super().keyPressEvent(event)
            return
        key, names = int(event.key()), list(self._places)
        if key in _CHOICES:
            place = names.index(self.chosen) + _CHOICES[key] if self.chosen else 0
            self.chosen = names[place % len(names)]
        elif key in _MOVES and self.chosen is not None and self._median is not None:
            factor = 5.0 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
            step_ms = 1000.0 / self._median.sampling_rate_hz
            self._move_to(self._places[self.chosen] + factor * _MOVES[key] * step_ms)
        elif key == int(_KEYS.Key_Escape):
            self._let_go()
            self._places = {} if self._median is None else fiducials_ms(self._median)
            self.chosen = None
        else:
            self._keep()
        self.update()

    # --- painting -----------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.paper))
        painter.setFont(sized(self.font(), 0.9, bold=True))
        painter.setPen(QColor(self._theme.paper_text))
        head = QRectF(6, 0, self.width() - 12, HEAD_PX)
        median = self._median
        flag = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        if median is None:
            elided(painter, head, NO_MEDIAN, flag)
        else:
            edited = "   edited" if any(target.startswith("median/") for target in self._edited) else ""
            words = f"Median of {median.n_beats} beats   {intervals_text(self._places)}{edited}"
            elided(painter, head, words, flag)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for cell, box in self._cells():
                self._paint_cell(painter, median, cell, box)
        painter.end()

    def _paint_cell(self, painter: QPainter, median: MedianBeat, cell: Cell, box: QRectF) -> None:
        painter.setClipRect(box)
        per_ms = self._px_per_ms(box)
        per_mv = 1000.0 * per_ms * S_PER_MV
        zero_y = box.center().y() + middle_mv(median.signal_mv, cell.lead_idx) * per_mv
        self._paint_grid(painter, box, per_mv, zero_y)
        times_ms = (np.arange(median.signal_mv.shape[1]) - median.r_step) * 1000.0 / median.sampling_rate_hz
        seen = (times_ms >= FROM_MS) & (times_ms <= TO_MS)
        x = self._left(box) + (times_ms[seen] - FROM_MS) * per_ms
        self._paint_fiducials(painter, box)
        painter.setPen(pen(self._theme.trace))
        for idx in cell.lead_idx:
            painter.drawPolyline(polygon(np.column_stack((x, zero_y - median.signal_mv[idx][seen] * per_mv))))
        self._paint_words(painter, cell, box)
        painter.setClipping(False)

    def _paint_grid(self, painter: QPainter, box: QRectF, per_mv: float, zero_y: float) -> None:
        """Squares of the paper: 40 ms and 0.1 mV, bold 200 ms and 0.5 mV; the fine ones only where there is room."""
        zero_x = self._x(box, 0.0)
        for colour, step_px in ((self._theme.paper_minor, 0.1 * per_mv), (self._theme.paper_major, 0.5 * per_mv)):
            if step_px < LEAST_GRID_PX:
                continue
            painter.setPen(pen(colour))
            for n in range(-int((zero_x - box.left()) / step_px), int((box.right() - zero_x) / step_px) + 1):
                x = round(zero_x + n * step_px) + 0.5
                painter.drawLine(QPointF(x, box.top()), QPointF(x, box.bottom()))
            for n in range(-int((zero_y - box.top()) / step_px), int((box.bottom() - zero_y) / step_px) + 1):
                y = round(zero_y + n * step_px) + 0.5
                painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
        painter.setPen(pen(self._theme.paper_major))
        painter.drawRect(box)

    def _paint_fiducials(self, painter: QPainter, box: QRectF) -> None:
        for name, ms in self._places.items():
            is_own = str(MarkTarget(mark=name)) in self._edited
            wave = name.partition("_")[0]
            style = Qt.PenStyle.SolidLine if is_own or name == self.chosen else Qt.PenStyle.DashLine
            painter.setPen(pen(getattr(self._theme, f"wave_{wave}"), style, 2.0 if name == self.chosen else 1.0))
            x = self._x(box, ms)
            painter.drawLine(QPointF(x, box.top() + LINE_PX + 2), QPointF(x, box.bottom() - LINE_PX - 2))

    def _paint_words(self, painter: QPainter, cell: Cell, box: QRectF) -> None:
        painter.setFont(sized(self.font(), 0.9, bold=True))
        painter.setPen(QColor(self._theme.paper_text))
        names = ", ".join(self._leads[idx] for idx in cell.lead_idx)
        line = QRectF(box.left() + 4, box.top() + 2, box.width() - 8, painter.fontMetrics().height())
        elided(painter, line, names, Qt.AlignmentFlag.AlignLeft)
        words = st_text(self._waves.get(names)) if len(cell.lead_idx) == 1 else ""
        if self.chosen is not None and cell.row == 0 and cell.column == 0:
            words = f"{MARK_NAMES[self.chosen]} {self._places[self.chosen]:+.0f} ms"
        painter.setFont(sized(self.font(), 0.8))
        foot = QRectF(line.left(), box.bottom() - line.height() - 1, line.width(), line.height())
        elided(painter, foot, words, Qt.AlignmentFlag.AlignRight)
