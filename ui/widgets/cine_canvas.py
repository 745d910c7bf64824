"""One frame of a cine with what is drawn over it; the reader's hand, the zoom and the grey levels work on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QMouseEvent, QPainter, QPaintEvent, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from pipeline.errors import EditError
from pipeline.records import Array, EchoCine, EchoDetection, WallSegment
from pipeline.review.changes import Caliper
from ui.echo_tools import HINTS, STRUCTURES, Drawn, EchoTool, structure_words
from ui.theme import DARK, Theme
from ui.view_state import EchoOptions
from ui.widgets.canvas_hand import GRAB_PX, Hand
from ui.widgets.canvas_overlays import (
    OVERLAY_TEXT,
    Brush,
    FrameMarks,
    paint_caliper,
    paint_contour,
    paint_handles,
    paint_marks,
    paint_scale,
    ruler_px,
)
from ui.widgets.canvas_view import CanvasView, Placement, grey_table
from ui.widgets.drawing import elided, outlined_text, pen, polygon, sized, within

MARGIN_PX = 8
MOST_LINES = 9  # of words that a picture is high


class CineCanvas(QWidget):
    """Shows what it is told to; knows no clock. What the hand draws is a wish."""

    painted = Signal()
    drawn = Signal(object)  # Drawn
    refused = Signal(str)  # why a gesture gives nothing
    levels_wished = Signal(float, float)  # window, level

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cine: EchoCine | None = None
        self._detection: EchoDetection | None = None
        self._model: EchoDetection | None = None  # as the network drew it
        self._segments: tuple[WallSegment, ...] = ()
        self._edited: frozenset[tuple[int, str]] = frozenset()
        self._calipers: dict[int, tuple[Caliper, ...]] = {}
        self._frame_idx = 0
        self._options = EchoOptions()
        self._theme: Theme = DARK
        self._badge = ""
        self._rate = ""
        self._view = CanvasView()
        self._hand = Hand()
        self._hover: QPointF | None = None
        self._last: QPointF | None = None  # of a drag with another button
        self._kept: tuple[Array, ...] = ()  # pixel memory that a QImage points into
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(220, 120)
        self.setMouseTracking(True)
        self.setAccessibleName("Echo frame")

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(560, 420)

    # --- what is shown ------------------------------------------------------------------------------

    def set_clip(self, cine: EchoCine | None, detection: EchoDetection | None) -> None:
        if cine is None or self._cine is None or cine.frames is not self._cine.frames:
            self._view = CanvasView()
            self._hand.drop()
        self._cine, self._detection = cine, detection
        self.update()

    def set_marks(
        self,
        model: EchoDetection | None,
        segments: tuple[WallSegment, ...],
        edited: frozenset[tuple[int, str]],
        calipers: dict[int, tuple[Caliper, ...]],
    ) -> None:
        """What the model drew, the wall segments, the (frame, structure) that a reader drew, the calipers by frame."""
        self._model, self._segments, self._edited, self._calipers = model, segments, edited, calipers
        self.update()

    def set_tool(self, tool: EchoTool) -> None:
        """What the left button does."""
        if tool != self._hand.tool:
            self._hand.take(tool)
            self.setCursor(Qt.CursorShape.ArrowCursor if tool.name == "look" else Qt.CursorShape.CrossCursor)
            self.update()

    def set_frame(self, frame_idx: int, badge: str) -> None:
        if (frame_idx, badge) != (self._frame_idx, self._badge):
            if frame_idx != self._frame_idx:
                self._hand.drop()
            self._frame_idx, self._badge = frame_idx, badge
            self.update()

    @property
    def frame_idx(self) -> int:
        """The frame in sight."""
        return self._frame_idx

    def set_rate(self, text: str) -> None:
        """Frames per second, as acquired and as shown."""
        if text != self._rate:
            self._rate = text
            self.update()

    def set_look(self, options: EchoOptions, theme: Theme) -> None:
        if (options, theme) != (self._options, self._theme):
            self._options, self._theme = options, theme
            self.update()

    def reset_view(self) -> None:
        """The whole frame again."""
        self._view = CanvasView()
        self.update()

    def zoom(self, steps: float) -> None:
        """Nearer or farther around the middle."""
        self._zoom_at(steps, self._fitted().center())

    # --- places -------------------------------------------------------------------------------------

    def _fitted(self) -> QRectF:
        """Where the whole frame would stand, pixels of unequal size put right."""
        if self._cine is None:
            return QRectF()
        height, width = self._cine.frames.shape[1:3]
        row_mm, column_mm = self._cine.calibration.spacing_mm or (1.0, 1.0)
        full_w, full_h = width * column_mm, height * row_mm
        room_w = max(self.width() - ruler_px(self._words_font()) - 2 * MARGIN_PX, 1)
        room_h = max(self.height() - 2 * MARGIN_PX, 1)
        scale = min(room_w / full_w, room_h / full_h)
        size_w, size_h = full_w * scale, full_h * scale
        return QRectF(
            (self.width() - ruler_px(self._words_font()) - size_w) / 2, (self.height() - size_h) / 2, size_w, size_h
        )

    def image_rect(self) -> QRectF:
        """Where the frame stands in the widget, zoomed and moved."""
        return self._view.applied(self._fitted())

    def _place(self) -> Placement:
        assert self._cine is not None
        height, width = self._cine.frames.shape[1:3]
        return Placement(self.image_rect(), width, height)

    def _line(self, detection: EchoDetection | None, structure: str) -> Array | None:
        """The outline of a structure in this frame; None where there is none."""
        if detection is None:
            return None
        name = next(name for each, name, _, _ in STRUCTURES if each == structure)
        line = np.asarray(getattr(detection, name)[self._frame_idx], float)
        return line if np.isfinite(line).all() else None

    # --- hand ---------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        if self._cine is None:
            return
        self._last = event.position()
        if event.button() == Qt.MouseButton.LeftButton and self._hand.tool.name != "look":
            place = self._place()
            line = self._line(self._detection, self._hand.tool.structure)
            self._hand.press(place.to_frame(event.position()), line, GRAB_PX / min(place.scale))
            if self._hand.tool.name == "points" and len(self._hand.points) == 3:
                self._finish()
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        at, buttons = event.position(), event.buttons()
        self._hover = at
        if self._cine is None:
            return
        moved = at - (self._last or at)
        if buttons & Qt.MouseButton.MiddleButton:
            self._view = self._view.moved(moved)
        elif buttons & Qt.MouseButton.RightButton:
            window = min(max(self._options.window + moved.x(), 10.0), 510.0)
            self.levels_wished.emit(window, min(max(self._options.level + moved.y() / 2, 0.0), 255.0))
        elif buttons & Qt.MouseButton.LeftButton and self._hand.is_down:
            self._hand.move(self._place().to_frame(at))
            self._draft()
        elif self._hand.tool.name == "look":
            return
        self._last = at
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        if event.button() == Qt.MouseButton.LeftButton and self._hand.is_down and self._hand.tool.name != "points":
            self._finish()
        self._hand.is_down = False
        self._last = None
        self.update()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        self._hover = None
        super().leaveEvent(event)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        self._zoom_at(event.angleDelta().y() / 120.0, event.position())
        event.accept()

    def _zoom_at(self, steps: float, at: QPointF) -> None:
        if self._cine is not None:
            self._view = self._view.zoomed(steps, at, self._fitted())
            self.update()

    def _draft(self) -> None:
        """Tell what the outline would be, so that the numbers follow the hand."""
        line = self._pulled()
        if line is not None:
            self._report(line, is_final=False)

    def _pulled(self) -> Array | None:
        """The outline as the hand pulls it; it is painted even where its numbers are not there yet."""
        assert self._cine is not None
        return self._hand.pulled_line(self._cine.frames.shape[1:3], self._spacing)

    def _finish(self) -> None:
        assert self._cine is not None
        structure = self._hand.tool.structure
        line = self._line(self._detection, structure)
        try:
            made = self._hand.release(line, self._template(), self._cine.frames.shape[1:3], self._spacing)
        except EditError as error:
            self.refused.emit(error.text)
            return
        if made is not None:
            self._report(made, is_final=True)

    @property
    def _spacing(self) -> tuple[float, float] | None:
        return None if self._cine is None else self._cine.calibration.spacing_mm

    def _template(self) -> Array | None:
        """The model's outline of this frame or the one nearest in time; None where it saw none, or none to trust."""
        from pipeline.review.contour_shapes import nearest_outline

        if self._model is None or self._model.low_confidence_reason is not None:
            return None
        name = next(name for each, name, _, _ in STRUCTURES if each == self._hand.tool.structure)
        return nearest_outline(getattr(self._model, name), self._frame_idx)

    def _report(self, points: Array, *, is_final: bool) -> None:
        tool = self._hand.tool
        self.drawn.emit(
            Drawn(
                tool=tool.name,
                frame_idx=self._frame_idx,
                points=points,
                structure=tool.structure,
                is_final=is_final,
            )
        )

    # --- painting -----------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#000000"))
        cine = self._cine
        if cine is not None and len(cine.frames):
            self._frame_idx = min(self._frame_idx, len(cine.frames) - 1)
            self._paint_frame(painter, cine)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            row_mm, column_mm = cine.calibration.spacing_mm or (1.0, 1.0)
            brush = Brush(painter, self._place(), self._theme, self._words_font(), row_mm / column_mm)
            edits = self._hand.tool.edits
            options = replace(self._options, names=False) if edits else self._options  # names would hide the wall
            paint_marks(brush, self._marks(), options, self._hand.tool.structure if edits else None)
            if self._hand.tool.name != "look":
                self._paint_hand(brush)
            if self._options.scale:
                paint_scale(brush, cine.calibration.spacing_mm, QRectF(self.rect()))
            self._paint_facts(painter, cine)
        painter.end()
        self.painted.emit()

    def _words_font(self) -> QFont:
        """As large as leaves the picture in sight."""
        return within(self.font(), self.height() / MOST_LINES)

    def _marks(self) -> FrameMarks:
        lines = {name: self._line(self._detection, name) for name, _, _, _ in STRUCTURES}
        return FrameMarks(
            lines={name: line for name, line in lines.items() if line is not None},
            edited=frozenset(name for frame, name in self._edited if frame == self._frame_idx),
            segments=self._segments,
            calipers=self._calipers.get(self._frame_idx, ()),
        )

    def _paint_frame(self, painter: QPainter, cine: EchoCine) -> None:
        frame = np.ascontiguousarray(cine.frames[self._frame_idx])
        height, width = frame.shape
        image = QImage(frame.data, width, height, width, QImage.Format.Format_Indexed8)
        image.setColorTable(grey_table(self._options.window, self._options.level, self._options.gain))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(self.image_rect(), image)
        self._kept = (frame,)

    def _paint_hand(self, brush: Brush) -> None:
        """The outline that is edited with its handles, the model's beside it, and what the hand draws."""
        tool, painter = self._hand.tool, brush.painter
        if tool.edits:
            line, model = self._line(self._detection, tool.structure), self._line(self._model, tool.structure)
            if model is not None and (self._frame_idx, tool.structure) in self._edited | self._draft_key():
                paint_contour(brush, tool.structure, model, ghost=True)
            line = self._pulled() if self._hand.is_down and self._pulled() is not None else line
            if line is not None:
                paint_contour(brush, tool.structure, line)
                if tool.name == "pull":
                    paint_handles(brush, line, tool.structure, self._hot(brush.place, line))
        painter.setPen(pen(OVERLAY_TEXT))
        if tool.name in ("length", "calibrate", "area") and len(self._hand.stroke) > 1:
            paint_caliper(brush, self._hand.stroke, *self._measured(self._hand.stroke))
        elif tool.name == "redraw" and len(self._hand.stroke) > 1:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(polygon(brush.place.to_widget(self._hand.stroke)))
        for x, y in (brush.place.to_widget(point[None])[0].tolist() for point in self._hand.points):
            painter.drawPolyline(QPolygonF([QPointF(x - 6, y), QPointF(x + 6, y)]))
            painter.drawPolyline(QPolygonF([QPointF(x, y - 6), QPointF(x, y + 6)]))

    def _draft_key(self) -> frozenset[tuple[int, str]]:
        return frozenset({(self._frame_idx, str(self._hand.tool.structure))} if self._hand.is_down else ())

    def _measured(self, points: Array) -> tuple[float | None, str]:
        from pipeline.review.calipers import caliper_value

        return caliper_value(points, self._spacing)

    def _hot(self, place: Placement, line: Array) -> Array | None:
        """The point of the line that a press would take hold of."""
        if self._hover is None:
            return None
        distance = np.hypot(*(line - place.to_frame(self._hover)).T)
        nearest = int(np.argmin(distance))
        return np.asarray(line[nearest]) if distance[nearest] <= GRAB_PX / min(place.scale) else None

    def _paint_facts(self, painter: QPainter, cine: EchoCine) -> None:
        painter.setFont(sized(self._words_font(), 1.0, bold=True))
        step = painter.fontMetrics().height() + 2
        outlined_text(painter, QPointF(MARGIN_PX, step), cine.view, OVERLAY_TEXT)
        painter.setFont(self._words_font())
        time_s = float(cine.frame_times_s[self._frame_idx])
        facts = [f"frame {self._frame_idx + 1} / {len(cine.frames)}", f"{time_s:.3f} s", self._rate]
        facts += [f"zoom ×{self._view.zoom:.1f}"] if self._view.zoom > 1 else []
        facts += [f"window {self._options.window:.0f} level {self._options.level:.0f}"] if self._has_levels() else []
        for number, text in enumerate(facts, start=2):
            outlined_text(painter, QPointF(MARGIN_PX, number * step), text, OVERLAY_TEXT)
        if self._badge:
            below = (len(facts) + 1) * step + 10.0
            self._paint_badge(painter, below, self._badge, self._theme.notice, self._theme.on_notice)
        if self._hand.tool.name != "look":
            foot = self.height() - painter.fontMetrics().height() - 14.0  # below the heart
            self._paint_badge(painter, foot, self._tool_words(), self._theme.accent, self._theme.on_accent)

    def _has_levels(self) -> bool:
        usual = EchoOptions()
        return (self._options.window, self._options.level) != (usual.window, usual.level)

    def _tool_words(self) -> str:
        """Which outline of which frame is in hand, and what to do."""
        tool = self._hand.tool
        name, hint = next((name, hint) for each, name, hint in HINTS if each == tool.name)
        if tool.name == "pull" and self._line(self._detection, tool.structure) is None:
            hint = "no outline here: click 3 points, or redraw the whole of it"
        if tool.name == "points" and self._hand.points:
            hint = f"now the {self._hand.waits_for}"
        what = f"Editing {structure_words(tool.structure)}, frame {self._frame_idx + 1}" if tool.edits else name
        return f"{what} · {hint}"

    def _paint_badge(self, painter: QPainter, y: float, text: str, back: str, front: str) -> None:
        painter.setFont(sized(self._words_font(), 1.0, bold=True))
        metrics = painter.fontMetrics()
        room = self.width() - ruler_px(self._words_font()) - 2 * MARGIN_PX
        box = QRectF(MARGIN_PX, y, min(metrics.horizontalAdvance(text) + 14, room), metrics.height() + 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(back))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QColor(front))
        elided(painter, box, text, Qt.AlignmentFlag.AlignCenter)
