"""A long ECG at a glance: heart rate, episodes, every lead; moved and zoomed from a day to seconds."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QToolTip, QWidget

from pipeline.records import Array, EcgAnalysis, EcgEpisode, PreparedEcg
from ui.ecg_course import EPISODE_MARKS, EPISODE_NAMES, Course, clock, inside, time_ticks, zoomed
from ui.ecg_samples import TiledSamples
from ui.theme import DARK, Theme
from ui.widgets.drawing import pen, polygon, sized

LEFT_PX, AXIS_PX, LANE_PX = 44.0, 18.0, 12.0
TREND_SHARE = 0.28
ZOOM_STEP = 1.25
CLICK_PX = 4.0
KIND_ROLES = {
    "af": "wave_t",
    "flutter": "wave_t",
    "paced": "beat_q",
    "ventricular_run": "beat_v",
    "supraventricular_run": "beat_s",
    "pause": "beat_q",
}
SPOKEN = "Course of the record. Left and right move, plus and minus zoom, Home shows all of it."
_KEYS = Qt.Key


class EcgCourse(QWidget):
    """Emits the time that was clicked; asks for hours and tiles that it has not."""

    time_wished = Signal(float)
    hours_wished = Signal(tuple)
    tiles_wished = Signal(tuple)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ecg: PreparedEcg | None = None
        self._analysis: EcgAnalysis | None = None
        self._samples: TiledSamples | None = None
        self.course: Course | None = None
        self._theme: Theme = DARK
        self.span_s = (0.0, 1.0)
        self._paper_s = (0.0, 0.0)
        self._episode: EcgEpisode | None = None
        self._grip: tuple[QPointF, tuple[float, float]] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Course of a long ECG")
        self.setAccessibleDescription(SPOKEN)
        self.setToolTip("Wheel: zoom. Drag: move. Click: show this time on the paper. Double click: all of it.")
        self.setMinimumHeight(110)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(900, 220)

    def set_ecg(self, ecg: PreparedEcg | None, samples: object, analysis: EcgAnalysis | None) -> None:
        """Show a long record; nothing for a short one."""
        if ecg is not self._ecg:
            self._ecg = ecg
            is_long = ecg is not None and isinstance(samples, TiledSamples)
            self._samples = samples if isinstance(samples, TiledSamples) else None
            self.course = Course(ecg, self._samples) if is_long and ecg and self._samples else None
            self.show_all()
        self._analysis = analysis
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Take over a theme."""
        if theme is not self._theme:
            self._theme = theme
            self.update()

    def set_paper(self, start_s: float, end_s: float) -> None:
        """Mark what the paper shows."""
        if (start_s, end_s) != self._paper_s:
            self._paper_s = start_s, end_s
            self.update()

    def put_hour(self, course: object, hour: int, extremes_mv: Array) -> None:
        """Take what was read of an hour; an hour of another record is dropped."""
        if self.course is not None and course is self.course:
            self.course.put_hour(hour, extremes_mv)
            self.update()

    # --- moving -------------------------------------------------------------------------------------

    def show_all(self) -> None:
        """Zoom out to the whole record."""
        self.set_span((0.0, 1.0 if self.course is None else self.course.duration_s))

    def set_span(self, span_s: tuple[float, float]) -> None:
        """Show a stretch, pushed into the record."""
        length_s = 1.0 if self.course is None else self.course.duration_s
        self.span_s = inside(span_s, length_s)
        self.update()

    def zoom(self, factor: float, around_s: float | None = None) -> None:
        """Longer (above 1) or shorter; around the middle where no time is given."""
        if self.course is not None:
            middle = sum(self.span_s) / 2 if around_s is None else around_s
            self.set_span(zoomed(self.span_s, factor, middle, self.course.duration_s))

    def show_episode(self, episode: EcgEpisode | None) -> None:
        """Highlight an episode and bring it into sight."""
        self._episode = episode
        if episode is not None and not (self.span_s[0] <= episode.start_s <= self.span_s[1]):
            half = (self.span_s[1] - self.span_s[0]) / 2
            self.set_span((episode.start_s - half, episode.start_s + half))
        self.update()

    def _time_at(self, x: float) -> float:
        width = max(self.width() - LEFT_PX, 1.0)
        return self.span_s[0] + (x - LEFT_PX) / width * (self.span_s[1] - self.span_s[0])

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        turns = event.angleDelta().y() / 120.0
        self.zoom(ZOOM_STEP**-turns, self._time_at(event.position().x()))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        if event.button() == Qt.MouseButton.LeftButton:
            self._grip = event.position(), self.span_s

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        if self._grip is not None:
            width = max(self.width() - LEFT_PX, 1.0)
            by_s = (self._grip[0].x() - event.position().x()) / width * (self._grip[1][1] - self._grip[1][0])
            self.set_span((self._grip[1][0] + by_s, self._grip[1][1] + by_s))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        grip, self._grip = self._grip, None
        if grip is not None and (event.position() - grip[0]).manhattanLength() <= CLICK_PX:
            self.time_wished.emit(max(0.0, self._time_at(event.position().x())))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        self.show_all()

    def _moves(self) -> dict[int, float]:
        return {int(_KEYS.Key_Left): -0.25, int(_KEYS.Key_Right): 0.25}

    def _zooms(self) -> dict[int, float]:
        return {
            int(_KEYS.Key_Plus): 1 / ZOOM_STEP,
            int(_KEYS.Key_Equal): 1 / ZOOM_STEP,
            int(_KEYS.Key_Minus): ZOOM_STEP,
        }

    def event(self, event: QEvent) -> bool:
        """Keys that move or zoom go before the window's shortcuts."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            words = self.episode_at(event.pos().x())
            QToolTip.showText(event.globalPos(), words or self.toolTip(), self)
            return True
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            ours = {*self._moves(), *self._zooms(), int(_KEYS.Key_Home), int(_KEYS.Key_Return)}
            if int(event.key()) in ours and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        key, size_s = int(event.key()), self.span_s[1] - self.span_s[0]
        if key in self._moves():
            by_s = self._moves()[key] * size_s
            self.set_span((self.span_s[0] + by_s, self.span_s[1] + by_s))
        elif key in self._zooms():
            self.zoom(self._zooms()[key])
        elif key == int(_KEYS.Key_Home):
            self.show_all()
        elif key == int(_KEYS.Key_Return):
            self.time_wished.emit(sum(self.span_s) / 2)
        else:
            super().keyPressEvent(event)

    # --- painting -----------------------------------------------------------------------------------

    def _x(self, time_s: float) -> float:
        width = self.width() - LEFT_PX
        return LEFT_PX + (time_s - self.span_s[0]) / max(self.span_s[1] - self.span_s[0], 1e-9) * width

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.paper))
        if self.course is not None and self._ecg is not None:
            height = self.height() - AXIS_PX
            trend = QRectF(LEFT_PX, 2, self.width() - LEFT_PX, height * TREND_SHARE)
            lane = QRectF(LEFT_PX, trend.bottom() + 2, trend.width(), LANE_PX)
            traces = QRectF(LEFT_PX, lane.bottom() + 2, trend.width(), height - lane.bottom() - 2)
            self._paint_axis(painter)
            self._paint_episodes(painter, lane)
            self._paint_trend(painter, trend)
            self._paint_traces(painter, traces, self.course, self._ecg)
            self._paint_window(painter)
        painter.end()
        self._tell_wishes()

    def _tell_wishes(self) -> None:
        if self.course is not None and (hours := self.course.take_wishes()):
            self.hours_wished.emit(hours)
        if self._samples is not None and (tiles := self._samples.take_wishes()):
            self.tiles_wished.emit(tiles)

    def _paint_axis(self, painter: QPainter) -> None:
        painter.setFont(sized(self.font(), 0.8))
        metrics = painter.fontMetrics()
        ticks = time_ticks(*self.span_s, most=max(2, int(self.width() / 90)))
        for time_s in ticks:
            x = round(self._x(time_s)) + 0.5
            painter.setPen(pen(self._theme.paper_minor))
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height() - AXIS_PX))
            words = clock(time_s)
            width = metrics.horizontalAdvance(words)
            painter.setPen(QColor(self._theme.paper_text))
            place = min(max(x - width / 2, 2.0), self.width() - width - 2.0)
            painter.drawText(QPointF(place, self.height() - AXIS_PX + metrics.ascent() + 1), words)

    def _paint_trend(self, painter: QPainter, box: QRectF) -> None:
        long = None if self._analysis is None else self._analysis.long
        painter.setFont(sized(self.font(), 0.8))
        painter.setPen(QColor(self._theme.paper_text))
        if long is None or not np.isfinite(long.trend_bpm).any():
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "No heart rate yet")
            return
        known = long.trend_bpm[np.isfinite(long.trend_bpm)]
        low, high = 10.0 * np.floor(known.min() / 10.0), 10.0 * np.ceil(known.max() / 10.0 + 0.01)
        scale = (box.height() - 4) / (high - low)
        for level in (low, high):
            y = box.bottom() - (level - low) * scale
            painter.drawText(
                QRectF(2, min(y, box.bottom() - 6) - 6, LEFT_PX - 6, 14), Qt.AlignmentFlag.AlignRight, f"{level:.0f}"
            )
        painter.drawText(QPointF(2, box.center().y() + 4), "bpm")
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(pen(self._theme.accent))
        first, last = max(0, int(self.span_s[0] // 60) - 1), int(self.span_s[1] // 60) + 2
        values = long.trend_bpm[first:last].astype(float)
        width = self.width() - LEFT_PX
        x = (
            LEFT_PX
            + ((first + np.arange(values.size) + 0.5) * 60.0 - self.span_s[0])
            / (self.span_s[1] - self.span_s[0])
            * width
        )
        y = box.bottom() - (values - low) * scale
        painter.setClipRect(box)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], np.isfinite(values), [False]]).astype(np.int8)))
        for begin, stop in edges.reshape(-1, 2).tolist():
            painter.drawPolyline(polygon(np.column_stack((x[begin:stop], y[begin:stop]))))
        painter.setClipping(False)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_episodes(self, painter: QPainter, lane: QRectF) -> None:
        long = None if self._analysis is None else self._analysis.long
        painter.fillRect(lane, QColor(self._theme.paper_minor))
        painter.setFont(sized(self.font(), 0.75, bold=True))
        metrics, free_x = painter.fontMetrics(), lane.left()
        for episode in () if long is None else long.episodes:
            if episode.end_s < self.span_s[0] or episode.start_s > self.span_s[1]:
                continue
            left = max(self._x(episode.start_s), lane.left())
            right = min(self._x(episode.end_s), lane.right())
            colour = QColor(getattr(self._theme, KIND_ROLES[episode.kind]))
            box = QRectF(left, lane.top(), max(right - left, 2.0), lane.height())
            painter.fillRect(box, colour)
            if episode is self._episode:
                painter.setPen(pen(self._theme.trace, width=2.0))
                painter.drawRect(box.adjusted(-2, -1, 2, 1))
            words = EPISODE_MARKS[episode.kind]
            if box.width() >= metrics.horizontalAdvance(words) + 4 and left >= free_x:
                painter.setPen(QColor(self._theme.paper))
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
                free_x = right

    def _paint_traces(self, painter: QPainter, box: QRectF, course: Course, ecg: PreparedEcg) -> None:
        leads = ecg.record.leads
        row = box.height() / max(len(leads), 1)
        painter.setFont(sized(self.font(), 0.85, bold=True))
        painter.setClipRect(box.adjusted(-LEFT_PX, 0, 0, 0))
        span = self.span_s[1] - self.span_s[0]
        for idx, name in enumerate(leads):
            times_s, levels = course.trace(idx, *self.span_s, int(box.width()))
            middle = box.top() + (idx + 0.5) * row
            x = LEFT_PX + (times_s - self.span_s[0]) / span * box.width()
            y = middle - (levels - course.middle_mv[idx]) * (row / course.range_mv)
            painter.setPen(pen(self._theme.trace))
            painter.drawPolyline(polygon(np.column_stack((x, y))))
            painter.fillRect(QRectF(0, middle - row / 2, LEFT_PX, row), QColor(self._theme.paper))
            painter.setPen(QColor(self._theme.paper_text))
            painter.drawText(QRectF(2, middle - row / 2, LEFT_PX - 6, row), Qt.AlignmentFlag.AlignVCenter, name)
        painter.setClipping(False)

    def _paint_window(self, painter: QPainter) -> None:
        """What the paper shows, as a frame."""
        left, right = self._x(self._paper_s[0]), self._x(self._paper_s[1])
        if right < LEFT_PX or left > self.width():
            return
        painter.setPen(pen(self._theme.accent, width=2.0))
        box = QRectF(
            max(left, LEFT_PX), 1, max(min(right, self.width()) - max(left, LEFT_PX), 2.0), self.height() - AXIS_PX - 2
        )
        painter.drawRect(box)

    def episode_at(self, x: float) -> str:
        """Words about the episode under a point of the lane; "" where there is none."""
        long, time_s = None if self._analysis is None else self._analysis.long, self._time_at(x)
        found = next((e for e in (long.episodes if long else ()) if e.start_s <= time_s <= e.end_s), None)
        return "" if found is None else f"{EPISODE_NAMES[found.kind]}, {found.n_beats} beats"
