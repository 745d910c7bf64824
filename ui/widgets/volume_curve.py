"""The volume curve of a cine with its beats and a cursor that can be dragged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QFontMetrics, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from pipeline.records import Array, CineAnalysis, EchoBeat, EchoCine
from ui.theme import DARK, Theme
from ui.widgets.drawing import outline_pen, pen, polygon, sized

RIGHT_PX, GAP_PX = 12, 6
GRAB_PX = 7.0
LONG, SHORT = "EF {:.0f} %", "{:.0f} %"
FONT = 0.85
WORD_GAP_PX = 2


class VolumeCurve(QWidget):
    """Volume against time; a click or a drag asks for a frame, a drag of an ED or ES mark moves it."""

    frame_wished = Signal(int)
    phase_wished = Signal(int, str, int)  # beat, "ed" or "es", frame

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._times_s: Array = np.zeros(0)
        self._analysis: CineAnalysis | None = None
        self._reason = ""
        self._frame_idx = 0
        self._theme: Theme = DARK
        self._held: tuple[int, str] | None = None  # the mark that is dragged: beat, phase
        self._held_idx = 0
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 84)
        self.setAccessibleName("Volume curve")

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(560, 108)

    def set_curve(self, cine: EchoCine | None, analysis: CineAnalysis | None, reason: str) -> None:
        """Show an analysed cine, or the sentence that says why there is no curve."""
        self._times_s = np.zeros(0) if cine is None else np.asarray(cine.frame_times_s, float)
        self._analysis, self._reason = analysis, reason
        self.update()

    def set_frame(self, frame_idx: int) -> None:
        if frame_idx != self._frame_idx:
            self._frame_idx = frame_idx
            self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def _plot(self) -> QRectF:
        line, left = self._line_px(), self._left_px()
        return QRectF(left, line + 2, self.width() - left - RIGHT_PX, self.height() - 2 * line - 7)

    def _line_px(self) -> int:
        return QFontMetrics(sized(self.font(), FONT)).height()

    def _left_px(self) -> int:
        """Room for the words at the axis."""
        return QFontMetrics(sized(self.font(), FONT)).horizontalAdvance("Volume ") + GAP_PX

    def _length_s(self) -> float:
        return float(self._times_s[-1]) if len(self._times_s) > 1 and self._times_s[-1] > 0 else 1.0

    def _x(self, time_s: float) -> float:
        plot = self._plot()
        return float(plot.left() + plot.width() * time_s / self._length_s())

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        self._held = self._mark_at(event.position())
        self._held_idx = self._frame_at(event.position())
        if self._held is None:
            self._wish(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        if event.buttons() == Qt.MouseButton.NoButton:
            near = self._mark_at(event.position()) is not None
            self.setCursor(Qt.CursorShape.SizeHorCursor if near else Qt.CursorShape.ArrowCursor)
            return
        self._wish(event)
        if self._held is not None:
            self._held_idx = self._frame_at(event.position())
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        held, self._held = self._held, None
        if held is not None and self._held_idx != self._marks()[held]:
            self.phase_wished.emit(*held, self._held_idx)
        self.update()

    def _wish(self, event: QMouseEvent) -> None:
        if len(self._times_s):
            self.frame_wished.emit(self._frame_at(event.position()))

    def _frame_at(self, place: QPointF) -> int:
        if not len(self._times_s):
            return 0
        plot = self._plot()
        time_s = (place.x() - plot.left()) / max(plot.width(), 1.0) * self._length_s()
        return int(np.argmin(np.abs(self._times_s - time_s)))

    def _marks(self) -> dict[tuple[int, str], int]:
        """The frame of every mark; of the one that is dragged, where it is held."""
        found: dict[tuple[int, str], int] = {}
        for number, beat in enumerate(self._analysis.beats if self._analysis is not None else ()):
            found[number, "ed"], found[number, "es"] = beat.ed_idx, beat.es_idx
        return found

    def _mark_at(self, place: QPointF) -> tuple[int, str] | None:
        """The mark under a place."""
        curve = self._curve()
        if curve is None:
            return None
        y = self._y(curve)
        for key, idx in self._marks().items():
            if 0 <= idx < len(y) and np.isfinite(y[idx]):
                away = place - QPointF(self._x(float(self._times_s[idx])), float(y[idx]))
                if abs(away.x()) <= GRAB_PX and abs(away.y()) <= GRAB_PX:
                    return key
        return None

    def _y(self, curve: Array) -> Array:
        plot = self._plot()
        low, high = _limits(curve)
        return np.asarray(plot.bottom() - (curve - low) / (high - low) * plot.height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.surface))
        painter.setFont(sized(self.font(), FONT))
        curve = self._curve()
        if curve is None:
            painter.setPen(QColor(self._theme.muted))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(self.rect()).adjusted(10, 4, -10, -4), int(flags), self._reason)
        else:
            self._paint_curve(painter, curve)
        painter.end()

    def _curve(self) -> Array | None:
        """The curve to draw: smoothed where there is one; None where nothing was measured."""
        if self._analysis is None or len(self._times_s) < 2:
            return None
        for values in (self._analysis.smoothed_curve, self._analysis.volume_curve):
            if len(values) == len(self._times_s) and np.isfinite(values).sum() > 1:
                return np.asarray(values, float)
        return None

    def _paint_curve(self, painter: QPainter, curve: Array) -> None:
        plot = self._plot()
        low, high = _limits(curve)
        y = self._y(curve)
        self._paint_beats(painter, plot)
        self._paint_axes(painter, plot, low, high)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(outline_pen(self._theme.accent))
        x = plot.left() + plot.width() * self._times_s / self._length_s()
        for part in _finite_runs(y):
            painter.drawPolyline(polygon(np.column_stack((x[part], y[part]))))
        self._paint_marks(painter, x, y)
        cursor_x = float(x[min(self._frame_idx, len(x) - 1)])
        painter.setPen(pen(self._theme.text))
        painter.drawLine(QPointF(cursor_x, plot.top() - 4), QPointF(cursor_x, plot.bottom() + 3))

    def _paint_beats(self, painter: QPainter, plot: QRectF) -> None:
        assert self._analysis is not None
        n_frames = len(self._times_s)
        words = self._words_that_fit(painter)
        for number, beat in enumerate(self._analysis.beats):
            begin, end = (self._times_s[min(i, n_frames - 1)] for i in (beat.ed_idx, beat.end_idx))
            band = QRectF(self._x(begin), plot.top(), self._x(end) - self._x(begin), plot.height())
            if beat.excluded is None:
                painter.fillRect(band, QColor(self._theme.raised if number % 2 else self._theme.window))
            else:
                painter.fillRect(band, QBrush(QColor(self._theme.border), Qt.BrushStyle.BDiagPattern))
            if words[number]:
                painter.setPen(QColor(self._theme.muted))
                place = QRectF(band.left(), 0, band.width(), plot.top())
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, words[number])

    def _words_that_fit(self, painter: QPainter) -> list[str]:
        """What stands over each beat: the long form where all have room for it, else the short one where it fits."""
        assert self._analysis is not None
        beats, times_s = self._analysis.beats, self._times_s
        ends = [[self._x(float(times_s[min(i, len(times_s) - 1)])) for i in (b.ed_idx, b.end_idx)] for b in beats]
        room = [right - left for left, right in ends]
        for form in (LONG, SHORT):
            words = _beat_words(beats, form)
            need = [painter.fontMetrics().horizontalAdvance(text) + WORD_GAP_PX for text in words]
            fits = [width <= here for width, here in zip(need, room, strict=True)]
            if all(fits) or form == SHORT:
                return [text if is_fit else "" for text, is_fit in zip(words, fits, strict=True)]
        return []

    def _paint_axes(self, painter: QPainter, plot: QRectF, low: float, high: float) -> None:
        assert self._analysis is not None
        painter.setPen(pen(self._theme.border))
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        painter.drawLine(plot.bottomLeft(), plot.topLeft())
        painter.setPen(QColor(self._theme.muted))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        is_ml, line = self._analysis.volume_unit == "mL", self._line_px()
        for y, words in (
            (plot.top(), f"{high:.0f} mL" if is_ml else "more"),
            (plot.bottom() - line, f"{low:.0f} mL" if is_ml else "less"),
            (plot.center().y() - line / 2, "Volume" if is_ml else "relative"),
        ):
            if plot.height() < 4 * line and words in ("Volume", "relative"):
                continue
            painter.drawText(QRectF(0, y, self._left_px() - GAP_PX, line), right, words)
        n_ticks = int(self._length_s())
        step = max(1, n_ticks // 10)
        for second in range(0, n_ticks + 1, step):
            box = QRectF(self._x(second) - 40, plot.bottom() + 3, 80, self._line_px())
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{second} s")

    def _paint_marks(self, painter: QPainter, x: Array, y: Array) -> None:
        assert self._analysis is not None
        theme, taken = self._theme, list[QRectF]()
        for key, mark_idx in self._marks().items():
            idx = self._held_idx if key == self._held else mark_idx
            if not (0 <= idx < len(x) and np.isfinite(y[idx])):
                continue
            name, filled = key[1].upper(), key[1] == "ed"
            centre = QPointF(float(x[idx]), float(y[idx]))
            painter.setPen(pen(theme.warn))
            painter.setBrush(QColor(theme.warn) if filled else QColor(theme.surface))
            painter.drawEllipse(centre, *((5.0, 5.0) if key == self._held else (3.5, 3.5)))
            painter.setPen(QColor(theme.text))
            width = painter.fontMetrics().horizontalAdvance(name)
            beside = 6 if centre.x() + 6 + width < self.width() else -6 - width  # never cut off at the edge
            place = centre + QPointF(beside, painter.fontMetrics().ascent() if filled else -4)
            box = QRectF(place.x(), place.y() - painter.fontMetrics().ascent(), width, self._line_px())
            if not any(box.intersects(other) for other in taken):  # in a narrow curve the mark itself must do
                painter.drawText(place, name)
                taken.append(box)


def _beat_words(beats: Sequence[EchoBeat], form: str) -> list[str]:
    """The ejection fraction of each beat, "" where it has none; "excluded" where a long form has room."""
    words = []
    for beat in beats:
        known = "" if beat.ef_pct is None else form.format(beat.ef_pct)
        words.append(("excluded" if form == LONG else "–") if beat.excluded else known)
    return words


def _limits(curve: Array) -> tuple[float, float]:
    low, high = float(np.nanmin(curve)), float(np.nanmax(curve))
    margin = max(high - low, 1e-6) * 0.12
    return low - margin, high + margin


def _finite_runs(values: Array) -> list[slice]:
    """Stretches without a gap."""
    finite = np.r_[False, np.isfinite(values), False]
    edges = np.flatnonzero(np.diff(finite.astype(int)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 1]
