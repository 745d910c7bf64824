"""Small drawing steps that several painted widgets share."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF
from shiboken6 import Shiboken

from pipeline.records import Array

_VOID_PTR: Any = Shiboken.VoidPtr  # its stub lacks size and access


def polygon(points: Array) -> QPolygonF:
    """Points (n_points, 2) as a polygon, copied in one step instead of point by point."""
    made = QPolygonF()
    made.resize(len(points))
    if len(points):
        memory: Any = _VOID_PTR(made.data(), len(points) * 16, True)
        np.frombuffer(memory, np.float64).reshape(-1, 2)[:] = points
    return made


def pen(colour: str, style: Qt.PenStyle = Qt.PenStyle.SolidLine, width: float = 1.0) -> QPen:
    """A pen whose width is counted in the screen's own dots: quick, and thin on a screen of small dots."""
    made = QPen(QColor(colour), width, style)
    made.setCosmetic(True)
    return made


def outline_pen(colour: str, style: Qt.PenStyle = Qt.PenStyle.SolidLine, width: float = 1.0) -> QPen:
    """A pen that looks alike on every screen; for few lines, since small dots make it many times as slow."""
    return QPen(QColor(colour), width, style)


def sized(font: QFont, factor: float, *, bold: bool = False) -> QFont:
    """A font scaled from the system's, so that the reader's choice of size is kept."""
    made = QFont(font)
    made.setPointSizeF(font.pointSizeF() * factor)
    made.setBold(bold)
    return made


def within(font: QFont, height_px: float) -> QFont:
    """The font, made smaller where one line of it is higher than there is room."""
    line_px = QFontMetricsF(font).height()
    return font if line_px <= height_px else sized(font, height_px / line_px, bold=font.bold())


def outlined_text(painter: QPainter, place: QPointF, text: str, colour: str) -> None:
    """Text with a dark rim, readable over any picture; `place` is the left end of its baseline."""
    painter.setPen(QColor(0, 0, 0, 210))
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawText(place + QPointF(dx, dy), text)
    painter.setPen(QColor(colour))
    painter.drawText(place, text)


def elided(painter: QPainter, rect: QRectF, text: str, flags: Qt.AlignmentFlag) -> None:
    """One line of plain text, cut with an ellipsis where it does not fit."""
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(rect.width()))
    painter.drawText(rect, flags | Qt.TextFlag.TextSingleLine, shown)
