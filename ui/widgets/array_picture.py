"""One frame of an array as a picture, grey or as labels, with the value under the pointer."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from pipeline.records import Array
from ui.theme import DARK, Theme
from ui.widgets.drawing import pen, polygon

LABEL_ROLES = ("", "cavity", "myocardium", "atrium")


class ArrayPicture(QWidget):
    """Shows one frame at a time; an outline may lie over it."""

    value_pointed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._frames: Array = np.zeros((0, 1, 1), np.uint8)
        self._outlines: Array | None = None
        self._is_labels = False
        self._range = (0.0, 255.0)
        self._aspect = 1.0
        self._frame_idx = 0
        self._theme: Theme = DARK
        self._kept: Array = np.zeros((1, 1), np.uint8)  # pixel memory that a QImage points into
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 150)
        self.setAccessibleName("Array as picture")

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(640, 480)

    def set_frames(
        self, frames: Array, *, is_labels: bool = False, outlines: Array | None = None, aspect: float = 1.0
    ) -> None:
        """Frames (n_frames, height, width); outlines (n_frames, n_points, 2) as x, y; aspect: pixel height by width."""
        self._frames, self._is_labels, self._outlines, self._aspect = frames, is_labels, outlines, aspect
        is_bytes = frames.dtype == np.uint8
        self._range = (
            (0.0, 255.0) if is_bytes or not frames.size else (float(np.nanmin(frames)), float(np.nanmax(frames)))
        )
        self._frame_idx = min(self._frame_idx, max(len(frames) - 1, 0))
        self.update()

    def set_frame(self, frame_idx: int) -> None:
        self._frame_idx = frame_idx
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def picture_rect(self) -> QRectF:
        """Where the frame stands in the widget."""
        height, width = self._frames.shape[1:3]
        full_h = height * self._aspect
        scale = min(self.width() / max(width, 1), self.height() / max(full_h, 1))
        size_w, size_h = width * scale, full_h * scale
        return QRectF((self.width() - size_w) / 2, (self.height() - size_h) / 2, size_w, size_h)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#000000"))
        if len(self._frames):
            rect = self.picture_rect()
            height, width = self._frames.shape[1:3]
            self._kept = self._bytes()
            form = QImage.Format.Format_Indexed8 if self._is_labels else QImage.Format.Format_Grayscale8
            image = QImage(self._kept.data, width, height, width, form)
            if self._is_labels:
                image.setColorTable(self._colours())
            painter.drawImage(rect, image)
            self._paint_outline(painter, rect)
        painter.end()

    def _bytes(self) -> Array:
        frame = self._frames[self._frame_idx]
        if self._is_labels or frame.dtype == np.uint8:
            return np.ascontiguousarray(frame.astype(np.uint8, copy=False))
        low, high = self._range
        scaled = np.nan_to_num((frame - low) / ((high - low) or 1.0) * 255.0)
        return np.ascontiguousarray(np.clip(scaled, 0, 255).astype(np.uint8))

    def _colours(self) -> list[int]:
        table = [QColor("#000000").rgb()]
        table += [QColor(getattr(self._theme, role)).rgb() for role in LABEL_ROLES[1:]]
        return table + [QColor("#ffffff").rgb()] * (256 - len(table))

    def _paint_outline(self, painter: QPainter, rect: QRectF) -> None:
        if self._outlines is None:
            return
        points = self._outlines[self._frame_idx]
        if not np.all(np.isfinite(points)):
            return
        height, width = self._frames.shape[1:3]
        scale = np.array([rect.width() / width, rect.height() / height])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(pen(self._theme.cavity))
        painter.drawPolyline(polygon((points + 0.5) * scale + np.array([rect.left(), rect.top()])))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        self.value_pointed.emit(self._words(event.position()))

    def _words(self, place: QPointF) -> str:
        rect = self.picture_rect()
        if not len(self._frames) or not rect.contains(place):
            return ""
        height, width = self._frames.shape[1:3]
        row = min(int((place.y() - rect.top()) / rect.height() * height), height - 1)
        column = min(int((place.x() - rect.left()) / rect.width() * width), width - 1)
        value = self._frames[self._frame_idx, row, column]
        return f"frame {self._frame_idx}, row {row}, column {column}: {value:g}"

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        self.value_pointed.emit("")
