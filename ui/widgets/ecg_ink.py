"""What stands on ECG paper under the marks: grid, calibration pulses, traces, lead names, the printed settings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from pipeline.records import Array, PreparedEcg
from ui.ecg_layout import PULSE_MM, PULSE_MV, TOP_MM, Paper, Strip, envelope
from ui.ecg_samples import EcgSamples
from ui.theme import Theme
from ui.widgets.drawing import pen, polygon, sized, within

LEAST_GRID_PX = 3.0  # closer lines would be a grey veil
NAME_MM = 10.0  # of the lead's name above its baseline
FINE_RATIO = 1.5  # dots a point, from which on one dot is too thin a line


@dataclass(frozen=True, slots=True)
class Ink:
    """A painter over the visible part of a paper; `seen` is in millimetres of the paper."""

    painter: QPainter
    theme: Theme
    paper: Paper
    seen: QRectF
    scale: float  # pixels in a millimetre
    font: QFont

    def x(self, mm: float) -> float:
        return (mm - self.seen.left()) * self.scale

    def y(self, mm: float) -> float:
        return (mm - self.seen.top()) * self.scale

    def time_x(self, strip: Strip, time_s: float) -> float:
        """Where a time lies on a strip."""
        return self.x(strip.left_mm + (time_s - strip.start_s) * self.paper.speed_mm_s)

    def strips(self) -> Iterator[Strip]:
        """The strips in sight."""
        reach = self.paper.row_mm + 2 * self.paper.gain_mm_mv
        for strip in self.paper.strips(self.seen.left(), self.seen.top(), self.seen.right(), self.seen.bottom()):
            if self.seen.top() - reach < strip.baseline_mm < self.seen.bottom() + reach:
                yield strip

    def span_s(self, strip: Strip, more_s: float = 0.0) -> tuple[float, float]:
        """The visible times of a strip; end before start where none is."""
        speed = self.paper.speed_mm_s
        return (
            max(strip.start_s, strip.start_s + (self.seen.left() - strip.left_mm) / speed - more_s),
            min(strip.end_s, strip.start_s + (self.seen.right() - strip.left_mm) / speed + more_s),
        )

    def text(self, place: QPointF, words: str, colour: str, *, factor: float = 0.9, bold: bool = False) -> QRectF:
        """Words on a patch of paper, readable over grid and trace; `place` is the left end of the baseline."""
        self.painter.setFont(sized(self.font, factor, bold=bold))
        metrics = self.painter.fontMetrics()
        box = QRectF(
            place.x() - 2, place.y() - metrics.ascent(), metrics.horizontalAdvance(words) + 4, metrics.height()
        )
        ground = QColor(self.theme.paper)
        ground.setAlpha(215)
        self.painter.fillRect(box, ground)
        self.painter.setPen(QColor(colour))
        self.painter.drawText(place, words)
        return box


def paint_grid(ink: Ink) -> None:
    """Lines of 1 and 5 mm; the fine ones are left out where they would be too close."""
    width, height = ink.seen.width() * ink.scale, ink.seen.height() * ink.scale
    for colour, every_mm in ((ink.theme.paper_minor, 1), (ink.theme.paper_major, 5)):
        if every_mm * ink.scale < LEAST_GRID_PX:
            continue
        lines = []
        for mm in _ticks(ink.seen.left(), ink.seen.right(), every_mm):
            x = round(ink.x(mm)) + 0.5
            lines.append(QLineF(x, 0, x, height))
        for mm in _ticks(ink.seen.top(), ink.seen.bottom(), every_mm):
            y = round(ink.y(mm)) + 0.5
            lines.append(QLineF(0, y, width, y))
        ink.painter.setPen(pen(colour))
        ink.painter.drawLines(lines)


def _ticks(low_mm: float, high_mm: float, every_mm: int) -> range:
    """Multiples of a step that lie in a stretch; bold lines come again in the fine set and are painted over it."""
    return range(math.ceil(low_mm / every_mm) * every_mm, math.floor(high_mm) + 1, every_mm)


def paint_pulses(ink: Ink) -> None:
    """The calibration pulse of 1 mV before each row."""
    ink.painter.setPen(pen(ink.theme.trace))
    height_mm = PULSE_MV * ink.paper.gain_mm_mv
    shape = np.array([(-1, 0), (0, 0), (0, -height_mm), (PULSE_MM, -height_mm), (PULSE_MM, 0), (PULSE_MM + 1, 0)])
    corner = np.array((ink.seen.left(), ink.seen.top()))
    for place in ink.paper.pulses(ink.seen.left(), ink.seen.top(), ink.seen.right(), ink.seen.bottom()):
        if ink.seen.left() - 10 < place[0] < ink.seen.right():
            ink.painter.drawPolyline(polygon((shape + np.array(place) - corner) * ink.scale))


def paint_trace(ink: Ink, samples: EcgSamples, strip: Strip) -> None:
    """The visible part of a strip; where its samples are still being read, words say so."""
    start_s, end_s = ink.span_s(strip, 0.1)
    if end_s <= start_s:
        return
    first = max(0, math.floor(start_s * samples.rate_hz))
    values = samples.stretch(strip.lead_idx, first, min(samples.n_samples, math.ceil(end_s * samples.rate_hz)))
    ink.painter.setPen(pen(ink.theme.trace))
    known = np.isfinite(values)
    if known.all():
        _draw_trace(ink, _points(ink, strip, values, first, samples.rate_hz))
        return
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
    for begin, stop in edges.reshape(-1, 2).tolist():
        _draw_trace(ink, _points(ink, strip, values[begin:stop], first + begin, samples.rate_hz))
    if strip.is_rhythm and not known.any():
        ink.text(QPointF(ink.seen.width() * ink.scale / 2 - 60, ink.y(strip.baseline_mm)), "No samples here yet …",
                 ink.theme.paper_text)  # fmt: skip


def _draw_trace(ink: Ink, points: Array) -> None:
    """A line one dot wide; on a screen of small dots two beside each other: a wide pen is twenty times as slow."""
    ink.painter.drawPolyline(polygon(points))
    ratio = ink.painter.device().devicePixelRatio()
    if ratio >= FINE_RATIO:
        ink.painter.drawPolyline(polygon(points + np.array([0.5, 1.0]) / ratio))


def _points(ink: Ink, strip: Strip, values: Array, first: int, rate_hz: float) -> Array:
    """A stretch as points of the viewport, (n_points, 2)."""
    positions, drawn = envelope(values, first, rate_hz / (ink.paper.speed_mm_s * ink.scale))
    x_mm = strip.left_mm + (positions / rate_hz - strip.start_s) * ink.paper.speed_mm_s - ink.seen.left()
    y_mm = strip.baseline_mm - drawn * ink.paper.gain_mm_mv - ink.seen.top()
    return np.column_stack((x_mm, y_mm)) * ink.scale


def paint_seam(ink: Ink, strip: Strip) -> None:
    """A short line where one lead ends and the next begins."""
    x = round(ink.x(strip.left_mm)) + 0.5
    ink.painter.setPen(pen(ink.theme.paper_text))
    ink.painter.drawLine(QPointF(x, ink.y(strip.baseline_mm - 3)), QPointF(x, ink.y(strip.baseline_mm + 3)))


def paint_lead_name(ink: Ink, ecg: PreparedEcg, strip: Strip) -> None:
    """The lead's name at the beginning of its strip, kept in sight while a long strip is scrolled."""
    start_s, end_s = ink.span_s(strip)
    if end_s <= start_s:
        return
    usable = bool(ecg.lead_usable[strip.lead_idx])
    words = strip.name if usable else f"{strip.name} (not usable)"
    if ink.paper.layout == "rhythm":
        words += f"   {_clock(strip.start_s)}"
    x = max(ink.x(strip.left_mm + 1.5), 6.0)
    y = ink.y(strip.baseline_mm - min(NAME_MM, ink.paper.row_mm / 2 - 2.0))
    ink.text(QPointF(x, y), words, ink.theme.paper_text if usable else ink.theme.warn, factor=1.0, bold=True)


def paint_settings(ink: Ink, ecg: PreparedEcg, samples: EcgSamples, note: str) -> None:
    """What belongs on every strip: speed, gain, filter; kept in sight while the paper is scrolled."""
    length_s = samples.n_samples / samples.rate_hz
    first = next((ink.span_s(strip)[0] for strip in ink.strips()), 0.0)
    whole_seen = ink.paper.n_pages == 1 and ink.paper.width_mm <= ink.seen.width() + 1.0
    parts = (
        f"{ink.paper.speed_mm_s:g} mm/s",
        f"{ink.paper.gain_mm_mv:g} mm/mV",
        ecg.filter_text,
        f"{ecg.record.sampling_rate_hz:g} Hz",
        f"{length_s:.1f} s" if whole_seen else f"from {_clock(first)} of {_clock(length_s)}",
        *((note,) if note else ()),
    )
    height_px = min(TOP_MM * ink.scale - 6, 22)
    ink.painter.setFont(within(sized(ink.font, 0.9), height_px))
    metrics = ink.painter.fontMetrics()
    words = metrics.elidedText("   ".join(parts), Qt.TextElideMode.ElideRight, int(ink.seen.width() * ink.scale) - 16)
    box = QRectF(4, 3, metrics.horizontalAdvance(words) + 10, height_px)
    ink.painter.fillRect(box, QColor(ink.theme.paper))
    ink.painter.setPen(QColor(ink.theme.paper_text))
    ink.painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)


def _clock(time_s: float) -> str:
    """Time into the record: seconds, or h:mm:ss from a minute on."""
    if time_s < 60.0:
        return f"{time_s:.1f} s"
    whole = int(time_s)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
