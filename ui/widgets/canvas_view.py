"""Where a frame stands on its canvas: fitted, zoomed, moved; and its grey levels. Knows no widget."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from pipeline.records import Array

NEAREST, FARTHEST = 12.0, 1.0
STEP = 1.2


@dataclass(frozen=True, slots=True)
class CanvasView:
    """How much the fitted frame is enlarged, and how far its middle is moved, in widget pixels."""

    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)

    def applied(self, fitted: QRectF) -> QRectF:
        """The place of the frame, from where it would stand without zoom."""
        centre = fitted.center() + QPointF(*self.shift)
        width, height = fitted.width() * self.zoom, fitted.height() * self.zoom
        return QRectF(centre.x() - width / 2, centre.y() - height / 2, width, height)

    def zoomed(self, steps: float, at: QPointF, fitted: QRectF) -> CanvasView:
        """Nearer or farther, with what lies under `at` staying there."""
        zoom = min(max(self.zoom * STEP**steps, FARTHEST), NEAREST)
        if zoom == FARTHEST:
            return CanvasView()
        factor = zoom / self.zoom
        centre = fitted.center() + QPointF(*self.shift)
        moved = at + (centre - at) * factor - fitted.center()
        return CanvasView(zoom, (moved.x(), moved.y()))

    def moved(self, by: QPointF) -> CanvasView:
        """Shifted by widget pixels; a fitted frame stays where it is."""
        return self if self.zoom == FARTHEST else replace(self, shift=(self.shift[0] + by.x(), self.shift[1] + by.y()))


@dataclass(frozen=True, slots=True)
class Placement:
    """Turns pixels of the cropped frame into places on the widget and back; coordinates name pixel centres."""

    rect: QRectF
    width: int
    height: int

    @property
    def scale(self) -> tuple[float, float]:
        return self.rect.width() / self.width, self.rect.height() / self.height

    def to_widget(self, points: Array) -> Array:
        """Float64 (n_points, 2) of the widget."""
        return (np.asarray(points, float) + 0.5) * self.scale + (self.rect.left(), self.rect.top())

    def to_frame(self, place: QPointF) -> Array:
        """Float64 (2,) of the cropped frame."""
        x = (place.x() - self.rect.left()) / self.scale[0] - 0.5
        y = (place.y() - self.rect.top()) / self.scale[1] - 0.5
        return np.array([x, y])


def grey_table(window: float, level: float, gain: float) -> list[int]:
    """256 opaque greys: what lies in the window around the level is spread from black to white, then enlarged."""
    values = (np.arange(256) - (level - window / 2)) / max(window, 1.0) * 255.0 * gain
    greys = np.clip(np.rint(values), 0, 255).astype(np.int64)
    return [int(value) for value in 0xFF000000 + greys * 0x010101]
