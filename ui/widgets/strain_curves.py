"""Longitudinal strain of the six segments of a clip, and of the whole wall, against time."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from pipeline.records import Array, CineAnalysis, WallSegment
from ui.theme import DARK, Theme
from ui.widgets.drawing import elided, pen, polygon, sized
from ui.wording import interval_text, number

LEFT_PX, TOP_PX, BOTTOM_PX, LEGEND_PX = 40, 10, 20, 150
COLOURS = {
    "dark": ("#56b4e9", "#e69f00", "#3fc79a", "#f0e442", "#ff8a70", "#cc79a7"),
    "light": ("#0a63a8", "#8a5200", "#0b6e4f", "#6b6200", "#b3321b", "#8a3a70"),
}
EMPTY_TEXT = "Strain curves appear when the wall of a whole beat was measured."


class StrainCurves(QWidget):
    """A click asks for a frame."""

    frame_wished = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._times_s: Array = np.zeros(0)
        self._analysis: CineAnalysis | None = None
        self._theme: Theme = DARK
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 130)
        self.setAccessibleName("Longitudinal strain of the wall segments")

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(340, 190)

    def set_curves(self, times_s: Array, analysis: CineAnalysis | None, theme: Theme) -> None:
        self._times_s, self._analysis, self._theme = times_s, analysis, theme
        words = "\n".join(map(_words, analysis.segments if analysis else ()))
        self.setToolTip(words)
        self.setAccessibleDescription(words)
        self.update()

    def _curves(self) -> Array | None:
        """Float64 (n_frames, 6); None where nothing was measured."""
        analysis = self._analysis
        found = None if analysis is None else analysis.segment_strain
        if found is None or len(found) != len(self._times_s) or not np.isfinite(found).any():
            return None
        return np.asarray(found, float)

    def _plot(self) -> QRectF:
        return QRectF(LEFT_PX, TOP_PX, self.width() - LEFT_PX - LEGEND_PX, self.height() - TOP_PX - BOTTOM_PX)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        plot = self._plot()
        if self._curves() is not None and plot.width() > 0:
            time_s = (event.position().x() - plot.left()) / plot.width() * float(self._times_s[-1])
            self.frame_wished.emit(int(np.argmin(np.abs(self._times_s - time_s))))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.surface))
        painter.setFont(sized(self.font(), 0.85))
        curves = self._curves()
        if curves is None:
            painter.setPen(QColor(self._theme.muted))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(self.rect()).adjusted(10, 4, -10, -4), int(flags), EMPTY_TEXT)
        else:
            self._paint_curves(painter, curves)
        painter.end()

    def _paint_curves(self, painter: QPainter, curves: Array) -> None:
        assert self._analysis is not None
        plot, colours = self._plot(), COLOURS[self._theme.name]
        whole = self._analysis.strain_curve
        everything = curves if whole is None else np.column_stack([curves, whole])
        low, high = min(float(np.nanmin(everything)), -5.0), max(float(np.nanmax(everything)), 5.0)
        y = plot.bottom() - (everything - low) / (high - low) * plot.height()
        x = plot.left() + plot.width() * self._times_s / max(float(self._times_s[-1]), 1e-6)
        self._paint_axes(painter, plot, low, high)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place in range(y.shape[1]):
            is_whole = place == curves.shape[1]
            painter.setPen(pen(self._theme.text if is_whole else colours[place % len(colours)]))
            if is_whole:
                painter.setPen(pen(self._theme.text, Qt.PenStyle.DashLine))
            for part in _runs(y[:, place]):
                painter.drawPolyline(polygon(np.column_stack((x[part], y[part, place]))))
        self._paint_legend(painter, curves, colours)

    def _paint_axes(self, painter: QPainter, plot: QRectF, low: float, high: float) -> None:
        assert self._analysis is not None
        painter.setPen(QColor(self._theme.muted))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        zero = plot.bottom() + low / (high - low) * plot.height()
        shown = [(0.0, zero), (low, plot.bottom())]
        shown += [(high, plot.top())] if zero - plot.top() > 16 else []  # two labels on each other say nothing
        for value, at in shown:
            painter.drawText(QRectF(0, at - 8, LEFT_PX - 5, 16), right, f"{number(value, 0)} %")
        painter.setPen(pen(self._theme.border))
        painter.drawLine(QPointF(plot.left(), zero), QPointF(plot.right(), zero))
        painter.setPen(pen(self._theme.warn, Qt.PenStyle.DotLine))
        for beat in self._analysis.beats:
            if beat.excluded is None:
                at = plot.left() + plot.width() * float(self._times_s[beat.es_idx] / max(self._times_s[-1], 1e-6))
                painter.drawLine(QPointF(at, plot.top()), QPointF(at, plot.bottom()))
                painter.drawText(QRectF(at - 15, plot.bottom() + 2, 30, 14), Qt.AlignmentFlag.AlignCenter, "ES")

    def _paint_legend(self, painter: QPainter, curves: Array, colours: tuple[str, ...]) -> None:
        assert self._analysis is not None
        left, step = self.width() - LEGEND_PX + 8, painter.fontMetrics().height() + 2
        rows = [(s.name, s.longitudinal_strain_pct, colours[i]) for i, s in enumerate(self._analysis.segments[:6])]
        for place, (name, value, colour) in enumerate(rows):
            top = TOP_PX + place * step
            painter.setPen(pen(colour))
            painter.drawLine(QPointF(left, top + step / 2), QPointF(left + 12, top + step / 2))
            painter.setPen(QColor(self._theme.text))
            shown = "–" if value is None else number(value, 0)
            box = QRectF(left + 16, top, LEGEND_PX - 60, step)
            elided(painter, box, name, Qt.AlignmentFlag.AlignVCenter)
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(self.width() - 34, top, 30, step), right, shown)
        painter.setPen(QColor(self._theme.muted))
        top = TOP_PX + len(rows) * step
        foot = QRectF(left, top, LEGEND_PX - 10, step)
        painter.drawText(foot, Qt.AlignmentFlag.AlignVCenter, "% at ES · - - whole wall")


def _words(segment: WallSegment) -> str:
    if segment.longitudinal_strain_pct is None:
        return f"{segment.name}: {segment.reason}"
    value = f"{segment.name}: {number(segment.longitudinal_strain_pct, 0)} %"
    return f"{value} {interval_text(segment.strain_interval_pct, 0)}".rstrip()


def _runs(values: Array) -> list[slice]:
    """Stretches without a gap."""
    finite = np.r_[False, np.isfinite(values), False]
    edges = np.flatnonzero(np.diff(finite.astype(int)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 1]
