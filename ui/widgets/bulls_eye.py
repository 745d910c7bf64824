"""The bull's-eye of the wall segments; a click or a digit scores one."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolTip, QWidget

from ui.bulls_eye_map import APEX_RADIUS, SCORE_WORDS, SECTORS, Sector, Seen, score_range_text, sector_at
from ui.icons import draw_icon
from ui.theme import DARK, Theme
from ui.widgets.canvas_overlays import SCORE_COLOURS
from ui.widgets.drawing import pen, sized

MARGIN_PX = 16
NOT_SEEN, SUGGESTED = 0, -1
CHOICES = (
    *((f"&{score}  {word}", score) for score, word in SCORE_WORDS.items()),
    ("&0  not seen", NOT_SEEN),
    ("&Suggested score", SUGGESTED),
)
STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}
DIGITS = ("0", "1", "2", "3", "4")
ON_COLOUR = "#14181d"


class BullsEye(QWidget):
    """Shows what it is told to; a new score is a wish."""

    score_wished = Signal(int, str, int)  # clip, segment, score

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._seen: Mapping[str, Seen] = {}
        self._theme: Theme = DARK
        self._current = ""  # the segment that the keys go to
        self.menu = QMenu(self)
        for words, score in CHOICES:
            action = self.menu.addAction(words)
            action.setData(score)
        self.menu.triggered.connect(lambda action: self._score(int(action.data())))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 200)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Bull's-eye of the wall segments: arrows choose one, 1 to 4 score it, 0 not seen")

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(300, 300)

    def set_segments(self, seen: Mapping[str, Seen], theme: Theme) -> None:
        if (seen, theme) != (self._seen, self._theme):
            self._seen, self._theme = seen, theme
            self.update()

    # --- hand ---------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        sector = self._sector_at(event.position())
        if sector is not None and sector.name in self._seen:
            self._choose(sector.name)
            self.menu.popup(self.mapToGlobal(event.position().toPoint()))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        key = Qt.Key(event.key())
        if key in STEPS:
            names = [sector.name for sector in SECTORS if sector.name in self._seen]
            place = names.index(self._current) if self._current in names else -1
            if names:
                self._choose(names[(place + STEPS[key]) % len(names)])
        elif event.text() in DIGITS and self._current:
            self._score(int(event.text()))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._current:
            self.menu.popup(self.mapToGlobal(QPoint(self.width() // 2, self.height() // 2)))
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """The tooltip of the segment under the pointer; digits belong to the scores while the bull's-eye has focus."""
        if isinstance(event, QHelpEvent):
            sector = self._sector_at(QPointF(event.pos()))
            seen = None if sector is None else self._seen.get(sector.name)
            text = "" if sector is None else seen.words if seen else f"{sector.name.capitalize()}: no clip shows it"
            QToolTip.showText(event.globalPos(), text, self)
            return True
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _is_ours(event):
            event.accept()
            return True
        return super().event(event)

    def _choose(self, name: str) -> None:
        self._current = name
        self.setAccessibleDescription(self._seen[name].words)
        self.update()

    def _score(self, score: int) -> None:
        seen = self._seen.get(self._current)
        if seen is not None:
            self.score_wished.emit(seen.cine_idx, self._current, score)

    # --- painting -----------------------------------------------------------------------------------

    def _circle(self) -> tuple[QPointF, float]:
        radius = (min(self.width(), self.height()) - 2 * MARGIN_PX) / 2
        return QPointF(self.width() / 2, self.height() / 2), max(radius, 1.0)

    def _sector_at(self, place: QPointF) -> Sector | None:
        centre, radius = self._circle()
        return sector_at((place.x() - centre.x()) / radius, (centre.y() - place.y()) / radius)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.surface))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        centre, radius = self._circle()
        for sector in SECTORS:
            self._paint_sector(painter, centre, radius, sector)
        painter.setPen(pen(self._theme.border))
        painter.setBrush(self._unseen())
        painter.drawEllipse(centre, radius * APEX_RADIUS, radius * APEX_RADIUS)
        current = next((sector for sector in SECTORS if sector.name == self._current), None)
        if current is not None and self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(pen(self._theme.text, width=2.0))
            painter.drawPath(_path(centre, radius, current))
        self._paint_walls(painter, centre, radius)
        painter.end()

    def _unseen(self) -> QBrush:
        return QBrush(QColor(self._theme.border), Qt.BrushStyle.BDiagPattern)

    def _paint_sector(self, painter: QPainter, centre: QPointF, radius: float, sector: Sector) -> None:
        seen = self._seen.get(sector.name)
        score = None if seen is None else seen.segment.score
        painter.setPen(pen(self._theme.window))
        fill = QBrush(QColor(SCORE_COLOURS[score])) if score else QBrush(QColor(self._theme.raised))
        painter.setBrush(self._unseen() if seen is None else fill)
        painter.drawPath(_path(centre, radius, sector))
        if seen is None:
            return
        x, y = sector.centre()
        reach = score_range_text(seen.segment).strip()
        box = QRectF(centre.x() + x * radius - 16, centre.y() - y * radius - (16 if reach else 10), 32, 20)
        painter.setFont(sized(self.font(), 1.05, bold=True))
        painter.setPen(QColor(ON_COLOUR if score else self._theme.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(score) if score else "–")
        painter.setFont(sized(self.font(), 0.8))
        painter.drawText(box.translated(0, 15).adjusted(-4, 0, 4, 0), Qt.AlignmentFlag.AlignCenter, reach)
        if seen.is_edited:
            icon = QRectF(box.center().x() + 7, box.top() - 1, 12, 12)
            draw_icon(painter, "edited", icon, ON_COLOUR if score else self._theme.accent)

    def _paint_walls(self, painter: QPainter, centre: QPointF, radius: float) -> None:
        """Names of the walls at the four sides."""
        painter.setFont(sized(self.font(), 0.8))
        painter.setPen(QColor(self._theme.muted))
        middle = Qt.AlignmentFlag.AlignHCenter
        above = QRectF(centre.x() - 60, centre.y() - radius - MARGIN_PX, 120, MARGIN_PX)
        below = QRectF(centre.x() - 60, centre.y() + radius, 120, MARGIN_PX)
        painter.drawText(above, middle | Qt.AlignmentFlag.AlignVCenter, "anterior")
        painter.drawText(below, middle | Qt.AlignmentFlag.AlignVCenter, "inferior")
        for words, angle, side in (("septal", -90, -1), ("lateral", 90, 1)):
            painter.save()
            painter.translate(centre + QPointF(side * (radius + MARGIN_PX / 2), 0))
            painter.rotate(angle)
            painter.drawText(QRectF(-60, -8, 120, 16), Qt.AlignmentFlag.AlignCenter, words)
            painter.restore()


def _is_ours(event: QKeyEvent) -> bool:
    return event.text() in DIGITS or Qt.Key(event.key()) in STEPS


def _path(centre: QPointF, radius: float, sector: Sector) -> QPainterPath:
    outer, inner = (
        QRectF(centre.x() - r * radius, centre.y() - r * radius, 2 * r * radius, 2 * r * radius)
        for r in (sector.outer, sector.inner)
    )
    path = QPainterPath()
    path.arcMoveTo(outer, sector.start_deg)
    path.arcTo(outer, sector.start_deg, sector.span_deg)
    path.arcTo(inner, sector.start_deg + sector.span_deg, -sector.span_deg)
    path.closeSubpath()
    return path
