"""One frame of a cine with its contours, a scale and what is known about the frame."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from pipeline.records import Array, EchoCine, EchoDetection
from ui.theme import DARK, Theme
from ui.view_state import EchoOptions
from ui.widgets.drawing import elided, outlined_text, pen, polygon, sized

RULER_PX = 46
MARGIN_PX = 8
AREA_ALPHA = 90
OVERLAY_TEXT = "#f2f4f6"
STRUCTURES = (  # contour field, theme colour, pen style, name shown
    ("lv_endocardium", "cavity", Qt.PenStyle.SolidLine, "LV cavity"),
    ("lv_epicardium", "myocardium", Qt.PenStyle.DashLine, "LV myocardium"),
    ("left_atrium", "atrium", Qt.PenStyle.SolidLine, "Left atrium"),
)


class CineCanvas(QWidget):
    """Shows what it is told to; knows no clock."""

    painted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cine: EchoCine | None = None
        self._detection: EchoDetection | None = None
        self._frame_idx = 0
        self._options = EchoOptions()
        self._theme: Theme = DARK
        self._badge = ""
        self._rate = ""
        self._kept: tuple[Array, ...] = ()  # pixel memory that a QImage points into
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(220, 120)
        self.setAccessibleName("Echo frame")

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(560, 420)

    def set_clip(self, cine: EchoCine | None, detection: EchoDetection | None) -> None:
        self._cine, self._detection = cine, detection
        self.update()

    def set_frame(self, frame_idx: int, badge: str) -> None:
        if (frame_idx, badge) != (self._frame_idx, self._badge):
            self._frame_idx, self._badge = frame_idx, badge
            self.update()

    def set_rate(self, text: str) -> None:
        """Frames per second, as acquired and as shown."""
        if text != self._rate:
            self._rate = text
            self.update()

    def set_look(self, options: EchoOptions, theme: Theme) -> None:
        if (options, theme) != (self._options, self._theme):
            self._options, self._theme = options, theme
            self.update()

    def image_rect(self) -> QRectF:
        """Where the frame stands in the widget, pixels of unequal size put right."""
        if self._cine is None:
            return QRectF()
        height, width = self._cine.frames.shape[1:3]
        row_mm, column_mm = self._cine.calibration.spacing_mm or (1.0, 1.0)
        full_w, full_h = width * column_mm, height * row_mm
        room_w = max(self.width() - RULER_PX - 2 * MARGIN_PX, 1)
        room_h = max(self.height() - 2 * MARGIN_PX, 1)
        scale = min(room_w / full_w, room_h / full_h)
        size_w, size_h = full_w * scale, full_h * scale
        return QRectF((self.width() - RULER_PX - size_w) / 2, (self.height() - size_h) / 2, size_w, size_h)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#000000"))
        cine = self._cine
        if cine is not None and len(cine.frames):
            rect = self.image_rect()
            self._frame_idx = min(self._frame_idx, len(cine.frames) - 1)
            self._paint_frame(painter, cine, rect)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_structures(painter, cine, rect)
            self._paint_scale(painter, cine, rect)
            self._paint_facts(painter, cine)
        painter.end()
        self.painted.emit()

    def _paint_frame(self, painter: QPainter, cine: EchoCine, rect: QRectF) -> None:
        frame = np.ascontiguousarray(cine.frames[self._frame_idx])
        height, width = frame.shape
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(rect, QImage(frame.data, width, height, width, QImage.Format.Format_Grayscale8))
        if self._options.areas and self._detection is not None:
            labels = np.ascontiguousarray(self._detection.labels[self._frame_idx])
            image = QImage(labels.data, width, height, width, QImage.Format.Format_Indexed8)
            image.setColorTable(self._area_colours())
            painter.drawImage(rect, image)
            self._kept = (frame, labels)
        else:
            self._kept = (frame,)

    def _area_colours(self) -> list[int]:
        table = [0]
        for _, role, _, _ in STRUCTURES:
            colour = QColor(getattr(self._theme, role))
            colour.setAlpha(AREA_ALPHA)
            table.append(colour.rgba())
        return table + [0] * 252

    def _paint_structures(self, painter: QPainter, cine: EchoCine, rect: QRectF) -> None:
        if self._detection is None or not (self._options.contours or self._options.names):
            return
        height, width = cine.frames.shape[1:3]
        scale = np.array([rect.width() / width, rect.height() / height])
        origin = np.array([rect.left(), rect.top()])
        for name, role, style, label in STRUCTURES:
            points = getattr(self._detection, name)[self._frame_idx]
            if not np.all(np.isfinite(points)):
                continue
            # A contour's coordinates name pixel centres.
            line = polygon((points + 0.5) * scale + origin)
            colour = getattr(self._theme, role)
            if self._options.contours:
                self._paint_contour(painter, name, line, colour, style)
            if self._options.names:
                self._paint_name(painter, line, label, colour, name)

    def _paint_contour(self, painter: QPainter, name: str, line: QPolygonF, colour: str, style: Qt.PenStyle) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen(colour, style))
        if name == "left_atrium":
            painter.drawPolygon(line)
            return
        painter.drawPolyline(line)
        if name == "lv_endocardium" and line.count() > 1:
            painter.setPen(pen(colour, Qt.PenStyle.DotLine))  # the annulus closes the open contour
            painter.drawLine(line.at(0), line.at(line.count() - 1))

    def _paint_name(self, painter: QPainter, line: QPolygonF, label: str, colour: str, name: str) -> None:
        painter.setFont(sized(self.font(), 0.9))
        box = line.boundingRect()
        width = painter.fontMetrics().horizontalAdvance(label)
        place = box.center() - QPointF(width / 2, 0)
        would_hide_it = box.width() < width + 8
        if name == "lv_endocardium" and would_hide_it:
            return
        if name == "lv_epicardium" or would_hide_it:
            place = QPointF(min(box.right() + 5, self.width() - RULER_PX - width - 4), box.center().y())
        outlined_text(painter, place, label, colour)

    def _paint_scale(self, painter: QPainter, cine: EchoCine, rect: QRectF) -> None:
        painter.setFont(sized(self.font(), 0.85))
        spacing = cine.calibration.spacing_mm
        if spacing is None:
            place = QPointF(MARGIN_PX, self.height() - MARGIN_PX - 2)
            outlined_text(painter, place, "pixels only: no millimetres", "#f2b632")
            return
        px_per_mm = rect.height() / (cine.frames.shape[1] * spacing[0])
        x = self.width() - RULER_PX + 4.0
        painter.setPen(pen(OVERLAY_TEXT))
        painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        depth_mm = int(rect.height() / px_per_mm)
        for mm in range(0, depth_mm + 1, 10):
            y = rect.top() + mm * px_per_mm
            is_major = mm % 50 == 0
            painter.drawLine(QPointF(x, y), QPointF(x + (8 if is_major else 4), y))
            if is_major and y > 10:
                painter.drawText(QPointF(x + 11, y + 4), str(mm))
        painter.drawText(QPointF(x + 11, 16), "mm")

    def _paint_facts(self, painter: QPainter, cine: EchoCine) -> None:
        painter.setFont(sized(self.font(), 1.0, bold=True))
        step = painter.fontMetrics().height() + 2
        outlined_text(painter, QPointF(MARGIN_PX, step), cine.view, OVERLAY_TEXT)
        painter.setFont(self.font())
        time_s = float(cine.frame_times_s[self._frame_idx])
        facts = f"frame {self._frame_idx + 1} / {len(cine.frames)}"
        outlined_text(painter, QPointF(MARGIN_PX, 2 * step), facts, OVERLAY_TEXT)
        outlined_text(painter, QPointF(MARGIN_PX, 3 * step), f"{time_s:.3f} s", OVERLAY_TEXT)
        outlined_text(painter, QPointF(MARGIN_PX, 4 * step), self._rate, OVERLAY_TEXT)
        if self._badge:
            self._paint_badge(painter, QPointF(MARGIN_PX, 4 * step + 10))

    def _paint_badge(self, painter: QPainter, place: QPointF) -> None:
        painter.setFont(sized(self.font(), 1.0, bold=True))
        metrics = painter.fontMetrics()
        box = QRectF(place.x(), place.y(), metrics.horizontalAdvance(self._badge) + 14, metrics.height() + 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.notice))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QColor(self._theme.on_notice))
        elided(painter, box, self._badge, Qt.AlignmentFlag.AlignCenter)
