"""What is painted over a frame: contours, long axis, discs, segments, calipers, the scale."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetrics, QPainter, QPolygonF

from pipeline.records import Array, WallSegment
from pipeline.review.changes import Caliper
from ui.bulls_eye_map import score_text
from ui.contour_lines import discs, long_axis, segments
from ui.echo_tools import STRUCTURES
from ui.theme import Theme
from ui.view_state import EchoOptions
from ui.widgets.canvas_view import Placement
from ui.widgets.drawing import outline_pen, outlined_text, pen, polygon, sized
from ui.wording import number

AREA_ALPHA = 90
OVERLAY_TEXT = "#f2f4f6"
SCORE_COLOURS = {1: "#3fc79a", 2: "#f2d45c", 3: "#f0912e", 4: "#ff6a6a"}
"""Of a segment's score; the number beside the segment says the same."""
NO_SCORE = "#9aa5b1"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameMarks:
    """Everything drawn over one frame, in pixels of the cropped frame; NaN lines are absent."""

    lines: dict[str, Array] = field(default_factory=dict)  # structure -> its line
    edited: frozenset[str] = frozenset()  # structures that a reader drew
    segments: tuple[WallSegment, ...] = ()
    calipers: tuple[Caliper, ...] = ()


@dataclass(frozen=True, slots=True)
class Brush:
    """What the painters of this module share."""

    painter: QPainter
    place: Placement
    theme: Theme
    font: QFont
    ratio: float  # row over column size of a pixel


def paint_marks(brush: Brush, marks: FrameMarks, options: EchoOptions, skipped: str | None = None) -> None:
    """Paint what the options switch on; `skipped` is the structure whose line the reader's hand paints itself."""
    wall = marks.lines.get("lv_cavity")
    if options.areas:
        _areas(brush, marks)
    if wall is not None:
        _paint_wall(brush, wall, marks.segments, options)
    if options.contours:
        for name, line in marks.lines.items():
            if name != skipped and not (options.segments and name == "lv_cavity"):
                paint_contour(brush, name, line)
    if options.names:
        for name, line in marks.lines.items():
            _name(brush, name, line, name in marks.edited)
    if options.calipers:
        for caliper in marks.calipers:
            paint_caliper(brush, caliper.points, caliper.value, caliper.unit)


def _paint_wall(brush: Brush, wall: Array, found: tuple[WallSegment, ...], options: EchoOptions) -> None:
    if options.discs:
        _many(brush, discs(wall, brush.ratio), brush.theme.cavity, 150)
    if options.axis:
        _axis(brush, wall)
    if options.segments:
        _segments(brush, wall, found)


def colour_of(theme: Theme, structure: str) -> str:
    """The colour of a structure."""
    role = next(role for name, _, role, _ in STRUCTURES if name == structure)
    return str(getattr(theme, role))


def paint_contour(brush: Brush, structure: str, line: Array, *, ghost: bool = False) -> None:
    """One outline; a ghost is what the model drew, beside the reader's."""
    shown = polygon(brush.place.to_widget(line))
    colour = QColor(colour_of(brush.theme, structure))
    colour.setAlpha(170 if ghost else 255)
    dashed = ghost or structure == "lv_epicardium"
    painter = brush.painter
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_pen(colour, Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine))
    if structure == "left_atrium":
        painter.drawPolygon(shown)
        return
    painter.drawPolyline(shown)
    if structure == "lv_cavity" and shown.count() > 1:
        painter.setPen(_pen(colour, Qt.PenStyle.DotLine))  # the annulus closes the open contour
        painter.drawLine(shown.at(0), shown.at(shown.count() - 1))


def _pen(colour: QColor, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> Any:
    made = outline_pen(colour.name(), style)
    made.setColor(colour)
    return made


def _areas(brush: Brush, marks: FrameMarks) -> None:
    """Filled areas; the wall lies between its two borders."""
    painter = brush.painter
    painter.setPen(Qt.PenStyle.NoPen)
    for name, line in marks.lines.items():
        colour = QColor(colour_of(brush.theme, name))
        colour.setAlpha(AREA_ALPHA)
        painter.setBrush(colour)
        painter.drawPolygon(_ring(brush, marks) if name == "lv_epicardium" else polygon(brush.place.to_widget(line)))


def _ring(brush: Brush, marks: FrameMarks) -> QPolygonF:
    outer, inner = marks.lines["lv_epicardium"], marks.lines.get("lv_cavity")
    line = outer if inner is None else np.vstack([outer, inner[::-1]])
    return polygon(brush.place.to_widget(line))


def _many(brush: Brush, lines: Array, colour: str, alpha: int) -> None:
    shade = QColor(colour)
    shade.setAlpha(alpha)
    brush.painter.setPen(_pen(shade))
    for a, b in lines:
        brush.painter.drawLine(*_points(brush, np.stack([a, b])))


def _points(brush: Brush, points: Array) -> list[QPointF]:
    return [QPointF(x, y) for x, y in brush.place.to_widget(points).tolist()]


def _axis(brush: Brush, wall: Array) -> None:
    base, apex = _points(brush, long_axis(wall, brush.ratio))
    brush.painter.setPen(pen(OVERLAY_TEXT, Qt.PenStyle.DashDotLine))
    brush.painter.drawLine(base, apex)


def _segments(brush: Brush, wall: Array, found: tuple[WallSegment, ...]) -> None:
    """The six segments in the colour of their score, with its number."""
    painter = brush.painter
    painter.setFont(sized(brush.font, 0.9, bold=True))
    centre = brush.place.to_widget(wall.mean(0, keepdims=True))[0]
    for number_of, line in enumerate(segments(wall, brush.ratio)):
        if len(line) < 2:
            continue
        segment = found[number_of] if number_of < len(found) else None
        colour = SCORE_COLOURS.get((segment.score if segment else None) or 0, NO_SCORE)
        words = score_text(segment) if segment else "–"
        shown = brush.place.to_widget(line)
        painter.setPen(pen(colour))
        painter.drawPolyline(polygon(shown))
        painter.drawPolyline(
            polygon(shown + np.array([1.0, 0.0]))
        )  # two lines of width 1 are much faster than one of 2
        for end in (shown[0], shown[-1]):
            painter.drawLine(QPointF(end[0] - 3, end[1]), QPointF(end[0] + 4, end[1]))
        middle = shown[len(shown) // 2]
        aside = -1 if middle[0] < centre[0] else 1
        left = 8 if aside > 0 else -8 - painter.fontMetrics().horizontalAdvance(words)
        outlined_text(painter, QPointF(middle[0] + left, middle[1] + 4), words, colour)


def _name(brush: Brush, structure: str, line: Array, is_edited: bool) -> None:
    painter = brush.painter
    painter.setFont(sized(brush.font, 0.9))
    words = next(words for name, _, _, words in STRUCTURES if name == structure)
    label = f"{words} · edited" if is_edited else words
    box = polygon(brush.place.to_widget(line)).boundingRect()
    width = painter.fontMetrics().horizontalAdvance(label)
    place = box.center() - QPointF(width / 2, 0)
    would_hide_it = box.width() < width + 8
    if structure == "lv_cavity" and would_hide_it:
        return
    if structure == "lv_epicardium" or would_hide_it:
        room = painter.viewport().width() - 50
        place = QPointF(min(box.right() + 5, room - width - 4), box.center().y())
    outlined_text(painter, place, label, colour_of(brush.theme, structure))


def paint_caliper(brush: Brush, points: Array, value: float | None, unit: str) -> None:
    """A length with cross lines at its ends, or a closed area, and what it measures."""
    painter, colour = brush.painter, brush.theme.warn if brush.theme.name == "dark" else "#f2b632"
    shown = _points(brush, points)
    painter.setPen(pen(colour))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if len(shown) == 2:
        painter.drawLine(*shown)
        for end in shown:
            painter.drawLine(end - QPointF(4, 4), end + QPointF(4, 4))
            painter.drawLine(end - QPointF(4, -4), end + QPointF(4, -4))
    else:
        painter.drawPolygon(QPolygonF(shown))
    if value is not None:
        painter.setFont(sized(brush.font, 0.95, bold=True))
        digits = 1 if unit in ("mm", "cm²") else 0
        outlined_text(painter, shown[-1] + QPointF(8, -4), f"{number(value, digits)} {unit}", colour)


def ruler_px(font: QFont) -> int:
    """Room for the depth in mm at the right edge."""
    return QFontMetrics(sized(font, 0.85)).horizontalAdvance("000") + 20


def paint_scale(brush: Brush, spacing_mm: tuple[float, float] | None, room: QRectF) -> None:
    """Depth in mm along the right edge of the room; without calibration the words that there are none."""
    painter = brush.painter
    painter.setFont(sized(brush.font, 0.85))
    if spacing_mm is None:
        outlined_text(painter, room.bottomLeft() + QPointF(8, -10), "pixels only: no millimetres", "#f2b632")
        return
    px_per_mm = brush.place.scale[1] / spacing_mm[0]
    top = brush.place.rect.top()
    bottom = min(brush.place.rect.bottom(), room.bottom())
    x = room.right() - ruler_px(brush.font) + 4.0
    painter.setPen(pen(OVERLAY_TEXT))
    painter.drawLine(QPointF(x, max(top, room.top())), QPointF(x, bottom))
    first = max(0, int(np.ceil((room.top() - top) / px_per_mm / 10)) * 10)
    for mm in range(first, int((bottom - top) / px_per_mm) + 1, 10):
        y = top + mm * px_per_mm
        is_major = mm % 50 == 0
        painter.drawLine(QPointF(x, y), QPointF(x + (8 if is_major else 4), y))
        if is_major and y > room.top() + 1.5 * painter.fontMetrics().height():
            painter.drawText(QPointF(x + 11, y + 4), str(mm))
    painter.drawText(QPointF(x + 11, room.top() + painter.fontMetrics().ascent() + 4), "mm")


def paint_handles(brush: Brush, line: Array, structure: str, hot: Array | None) -> None:
    """Small squares along an outline that can be pulled, and where the hand is."""
    painter = brush.painter
    shown = brush.place.to_widget(line)
    colour = QColor(colour_of(brush.theme, structure))
    painter.setPen(pen("#000000"))
    painter.setBrush(QBrush(colour))
    step = 8 if structure != "left_atrium" else 6
    for x, y in shown[::step].tolist():
        painter.drawRect(QRectF(x - 2.5, y - 2.5, 5, 5))
    if hot is not None:
        x, y = brush.place.to_widget(hot[None])[0].tolist()
        painter.setBrush(QColor(OVERLAY_TEXT))
        painter.drawEllipse(QPointF(x, y), 5, 5)
