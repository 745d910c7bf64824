"""A page measured in millimetres, whatever it is painted on: a PDF, a picture for the preview."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from pipeline.records import Array
from ui.widgets.drawing import polygon

MM_PER_INCH = 25.4
MM_PER_POINT = MM_PER_INCH / 72.0
FAMILY = "DejaVu Sans"
WIDTH_MM, HEIGHT_MM = 210.0, 297.0
"""ISO 216 A4, upright."""


class Sheet:
    """Draws on a painter in millimetres from the upper left corner of the page."""

    def __init__(self, painter: QPainter, px_per_mm: float) -> None:
        self.painter = painter
        self._scale = px_per_mm
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)

    def rect(self, box: QRectF) -> QRectF:
        """A box of the page in the painter's own units."""
        s = self._scale
        return QRectF(box.x() * s, box.y() * s, box.width() * s, box.height() * s)

    def fill(self, box: QRectF, colour: str) -> None:
        self.painter.fillRect(self.rect(box), QColor(colour))

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: str, width_mm: float = 0.12) -> None:
        self.painter.setPen(QPen(QColor(colour), width_mm * self._scale))
        s = self._scale
        self.painter.drawLine(QPointF(x1 * s, y1 * s), QPointF(x2 * s, y2 * s))

    def curve(self, points_mm: Array, colour: str, width_mm: float = 0.2, *, closed: bool = False) -> None:
        """A line through float (n_points, 2) millimetres."""
        made = QPen(QColor(colour), width_mm * self._scale)
        made.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        self.painter.setPen(made)
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        line: QPolygonF = polygon(points_mm * self._scale)
        if closed:
            self.painter.drawPolygon(line)
        else:
            self.painter.drawPolyline(line)

    def dot(self, x: float, y: float, radius_mm: float, colour: str) -> None:
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.setBrush(QColor(colour))
        s = self._scale
        self.painter.drawEllipse(QPointF(x * s, y * s), radius_mm * s, radius_mm * s)

    def font(self, points: float, *, bold: bool = False) -> QFont:
        made = QFont(FAMILY)
        made.setPixelSize(max(1, round(points * MM_PER_POINT * self._scale)))
        made.setBold(bold)
        return made

    def width_of(self, text: str, points: float, *, bold: bool = False) -> float:
        """Width of one line of text in millimetres."""
        return QFontMetricsF(self.font(points, bold=bold)).horizontalAdvance(text) / self._scale

    def text(
        self,
        box: QRectF,
        text: str,
        points: float,
        *,
        colour: str = "#000000",
        bold: bool = False,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> None:
        """One line of plain text in a box, cut with an ellipsis where it does not fit."""
        font = self.font(points, bold=bold)
        self.painter.setFont(font)
        self.painter.setPen(QColor(colour))
        place = self.rect(box)
        shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        flags = align | Qt.AlignmentFlag.AlignVCenter
        self.painter.drawText(place, int(flags) | int(Qt.TextFlag.TextSingleLine), shown)

    def paragraph(self, box: QRectF, text: str, points: float, *, colour: str = "#000000") -> float:
        """Wrapped plain text from the top of a box; returns its height in millimetres, at most the box's."""
        font = self.font(points)
        self.painter.setFont(font)
        self.painter.setPen(QColor(colour))
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop) | int(Qt.TextFlag.TextWordWrap)
        place = self.rect(box)
        used = QFontMetricsF(font).boundingRect(place, flags, text)
        self.painter.drawText(place, flags, text)
        return min(used.height() / self._scale, box.height())
