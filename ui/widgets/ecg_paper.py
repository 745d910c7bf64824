"""ECG paper in true millimetres, painted only where it is visible."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from pipeline.records import Array, EcgAnalysis, PreparedEcg
from ui.ecg_layout import PAGE_S, PULSE_MM, PULSE_MV, TOP_MM, Paper, Strip, envelope, lay_out
from ui.theme import DARK, Theme
from ui.view_state import EcgOptions
from ui.widgets.drawing import pen, polygon, sized

DPI_RANGE = (50.0, 400.0)  # outside, a screen does not know its own size
MM_PER_INCH = 25.4


class EcgPaper(QAbstractScrollArea):
    """A strip chart; scrolls through long records."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ecg: PreparedEcg | None = None
        self._analysis: EcgAnalysis | None = None
        self._options = EcgOptions()
        self._theme: Theme = DARK
        self._paper: Paper | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("ECG paper")

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(900, 420)

    def set_ecg(self, ecg: PreparedEcg | None, analysis: EcgAnalysis | None) -> None:
        is_other = ecg is not self._ecg
        self._ecg, self._analysis = ecg, analysis
        self._lay_out()
        if is_other:
            self.horizontalScrollBar().setValue(0)
            self.verticalScrollBar().setValue(0)

    def set_look(self, options: EcgOptions, theme: Theme) -> None:
        self._options, self._theme = options, theme
        self._lay_out()

    @property
    def paper(self) -> Paper | None:
        return self._paper

    def px_per_mm(self) -> float:
        """Logical pixels in a millimetre of this screen; the logical resolution where it does not know its size."""
        screen = self.screen()
        dpi = screen.physicalDotsPerInch()
        if not DPI_RANGE[0] <= dpi <= DPI_RANGE[1]:
            dpi = screen.logicalDotsPerInch()
        return float(dpi) / MM_PER_INCH

    def _lay_out(self) -> None:
        ecg = self._ecg
        if ecg is None:
            self._paper = None
        else:
            self._paper = lay_out(
                ecg.record.leads,
                ecg.filtered_mv.shape[1] / ecg.record.sampling_rate_hz,
                stacked=self._options.stacked,
                speed_mm_s=self._options.speed_mm_s,
                gain_mm_mv=self._options.gain_mm_mv,
                room_mm=self.viewport().height() / self.px_per_mm(),
            )
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

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), QColor(self._theme.window))
        if self._paper is not None and self._ecg is not None:
            scale = self.px_per_mm()
            left_mm = self.horizontalScrollBar().value() / scale
            top_mm = self.verticalScrollBar().value() / scale
            seen = QRectF(left_mm, top_mm, self.viewport().width() / scale, self.viewport().height() / scale)
            page = QRectF(0, 0, self._paper.width_mm - left_mm, self._paper.height_mm - top_mm)
            sheet = QRectF(page.topLeft(), page.size() * scale).intersected(QRectF(self.viewport().rect()))
            painter.fillRect(sheet, QColor(self._theme.paper))
            painter.setClipRect(sheet)
            if self._options.grid:
                self._paint_grid(painter, seen, scale)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_pulses(painter, self._paper, seen, scale)
            for strip in self._paper.strips:
                self._paint_strip(painter, self._ecg, strip, seen, scale)
            if self._options.r_ticks and self._analysis is not None:
                self._paint_r_ticks(painter, self._ecg, self._analysis, seen, scale)
            self._paint_settings(painter, self._ecg, scale)
        painter.end()

    def _paint_grid(self, painter: QPainter, seen: QRectF, scale: float) -> None:
        width, height = self.viewport().width(), self.viewport().height()
        for colour, every_mm in ((self._theme.paper_minor, 1), (self._theme.paper_major, 5)):
            lines = []
            for mm in _ticks(seen.left(), seen.right(), every_mm):
                x = round((mm - seen.left()) * scale) + 0.5
                lines.append(QLineF(x, 0, x, height))
            for mm in _ticks(seen.top(), seen.bottom(), every_mm):
                y = round((mm - seen.top()) * scale) + 0.5
                lines.append(QLineF(0, y, width, y))
            painter.setPen(pen(colour))
            painter.drawLines(lines)

    def _paint_pulses(self, painter: QPainter, paper: Paper, seen: QRectF, scale: float) -> None:
        painter.setPen(pen(self._theme.trace))
        height_mm = PULSE_MV * paper.gain_mm_mv
        for left_mm, baseline_mm in paper.pulses_mm:
            if seen.left() - 10 < left_mm < seen.right():
                shape = np.array(
                    [(-1, 0), (0, 0), (0, -height_mm), (PULSE_MM, -height_mm), (PULSE_MM, 0), (PULSE_MM + 1, 0)]
                )
                points = (shape + np.array((left_mm - seen.left(), baseline_mm - seen.top()))) * scale
                painter.drawPolyline(polygon(points))

    def _paint_strip(self, painter: QPainter, ecg: PreparedEcg, strip: Strip, seen: QRectF, scale: float) -> None:
        paper = self._paper
        assert paper is not None
        row_mm = 2 * paper.gain_mm_mv + 30
        if not seen.top() - row_mm < strip.baseline_mm < seen.bottom() + row_mm:
            return
        start_s = max(strip.start_s, strip.start_s + (seen.left() - strip.left_mm) / paper.speed_mm_s - 0.1)
        end_s = min(strip.end_s, strip.start_s + (seen.right() - strip.left_mm) / paper.speed_mm_s + 0.1)
        if end_s <= start_s:
            return
        painter.setPen(pen(self._theme.trace))
        painter.drawPolyline(polygon(self._trace(ecg, strip, (start_s, end_s), seen, scale)))
        self._paint_lead_name(painter, ecg, strip, seen, scale)

    def _trace(self, ecg: PreparedEcg, strip: Strip, span_s: tuple[float, float], seen: QRectF, scale: float) -> Array:
        """The visible part of a strip as points of the viewport, (n_points, 2)."""
        paper = self._paper
        assert paper is not None
        rate_hz = ecg.record.sampling_rate_hz
        first = max(0, math.floor(span_s[0] * rate_hz))
        last = min(ecg.filtered_mv.shape[1], math.ceil(span_s[1] * rate_hz))
        visible = ecg.filtered_mv[strip.lead_idx, first:last]
        positions, values = envelope(visible, first, rate_hz / (paper.speed_mm_s * scale))
        x_mm = strip.left_mm + (positions / rate_hz - strip.start_s) * paper.speed_mm_s - seen.left()
        y_mm = strip.baseline_mm - values * paper.gain_mm_mv - seen.top()
        return np.column_stack((x_mm, y_mm)) * scale

    def _paint_lead_name(self, painter: QPainter, ecg: PreparedEcg, strip: Strip, seen: QRectF, scale: float) -> None:
        x = max((strip.left_mm + 1.5 - seen.left()) * scale, 6.0 if not self._is_page() else -1e6)
        y = (strip.baseline_mm - 8.0 - seen.top()) * scale
        usable = bool(ecg.lead_usable[strip.lead_idx])
        painter.setFont(sized(self.font(), 1.0, bold=True))
        text = strip.name if usable else f"{strip.name} (not usable)"
        box = QRectF(x - 2, y - painter.fontMetrics().ascent() - 1, 0, painter.fontMetrics().height() + 1)
        box.setWidth(painter.fontMetrics().horizontalAdvance(text) + 4)
        paper = QColor(self._theme.paper)
        paper.setAlpha(200)
        painter.fillRect(box, paper)
        painter.setPen(QColor(self._theme.paper_text if usable else self._theme.warn))
        painter.drawText(QPointF(x, y), text)

    def _is_page(self) -> bool:
        return self._paper is not None and self._paper.is_twelve_lead

    def _paint_r_ticks(
        self, painter: QPainter, ecg: PreparedEcg, analysis: EcgAnalysis, seen: QRectF, scale: float
    ) -> None:
        paper = self._paper
        assert paper is not None
        times_s = np.asarray(analysis.r_peaks_idx) / ecg.record.sampling_rate_hz
        painter.setFont(sized(self.font(), 0.85))
        for strip in (s for s in paper.strips if s.is_rhythm):
            x_mm = strip.left_mm + (times_s - strip.start_s) * paper.speed_mm_s
            inside = (times_s >= strip.start_s) & (times_s < strip.end_s) & (x_mm > seen.left()) & (x_mm < seen.right())
            y = (strip.baseline_mm + 8.5 - seen.top()) * scale
            for beat in np.flatnonzero(inside):
                self._paint_r_tick(painter, analysis, int(beat), (float(x_mm[beat]) - seen.left()) * scale, y)

    def _paint_r_tick(self, painter: QPainter, analysis: EcgAnalysis, beat: int, x: float, y: float) -> None:
        letter = analysis.beat_classes[beat] if beat < len(analysis.beat_classes) else ""
        colour = self._theme.accent if letter in ("", "N") else self._theme.warn
        painter.setPen(pen(colour))
        painter.drawLine(QPointF(x, y), QPointF(x, y + 7))
        if letter not in ("", "N"):
            painter.drawText(QPointF(x + 3, y + 8), letter)

    def _paint_settings(self, painter: QPainter, ecg: PreparedEcg, scale: float) -> None:
        """What belongs on every strip: speed, gain, filter; kept in sight while the paper is scrolled."""
        paper = self._paper
        assert paper is not None
        length_s = ecg.filtered_mv.shape[1] / ecg.record.sampling_rate_hz
        first_s = max(0.0, self.horizontalScrollBar().value() / scale / paper.width_mm * length_s)
        parts = (
            f"{paper.speed_mm_s:g} mm/s",
            f"{paper.gain_mm_mv:g} mm/mV",
            ecg.filter_text,
            f"{ecg.record.sampling_rate_hz:g} Hz",
            f"from {first_s:.0f} s of {length_s:.0f} s" if length_s > PAGE_S + 1 else f"{length_s:.1f} s",
        )
        painter.setFont(sized(self.font(), 0.9))
        text = "   ".join(parts)
        box = QRectF(4, 3, painter.fontMetrics().horizontalAdvance(text) + 10, min(TOP_MM * scale - 6, 22))
        painter.fillRect(box, QColor(self._theme.paper))
        painter.setPen(QColor(self._theme.paper_text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def _ticks(low_mm: float, high_mm: float, every_mm: int) -> range:
    """Multiples of a step that lie in a stretch; bold lines come again in the fine set and are painted over it."""
    return range(math.ceil(low_mm / every_mm) * every_mm, math.floor(high_mm) + 1, every_mm)
