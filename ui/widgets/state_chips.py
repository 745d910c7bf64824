"""The ten states of a run in their fixed order, as chips with icon, word and time."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ui.icons import draw_icon
from ui.run_progress import RunProgress, Step
from ui.theme import DARK, Theme, status_colour, status_icon
from ui.view_state import NO_PROGRESS
from ui.widgets.drawing import elided, sized, within
from ui.wording import elapsed_text, status_word

GAP_PX = 4
HEIGHT_PX = 46
CHIP_PX = 34.0  # of a chip beside its name
LINE_PX = 18.0
VCENTER = Qt.AlignmentFlag.AlignVCenter


class StateChips(QWidget):
    """Shows the steps of a run; a click on one asks for its journal."""

    state_wished = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._progress: RunProgress = NO_PROGRESS
        self._theme: Theme = DARK
        self._chosen: str | None = None
        self.setFixedHeight(HEIGHT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("States of the run")

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(1100, HEIGHT_PX)

    def set_progress(self, progress: RunProgress, chosen: str | None, theme: Theme) -> None:
        self._progress, self._chosen, self._theme = progress, chosen, theme
        words = ", ".join(f"{s.name} {status_word(s.status)}" for s in progress.steps)
        self.setAccessibleDescription(words)
        self.update()

    def _boxes(self) -> list[tuple[Step, QRectF]]:
        """Chips as wide as their words need, what is left shared out."""
        steps = self._progress.steps
        probe = QFontMetrics(self._name_font())
        needs = [probe.horizontalAdvance(step.name) + CHIP_PX for step in steps]
        spare = (self.width() - GAP_PX * (len(steps) - 1) - sum(needs)) / len(steps)
        boxes, x = [], 0.0
        for step, need in zip(steps, needs, strict=True):
            boxes.append((step, QRectF(x, 1, need + spare, self.height() - 2)))
            x += need + spare + GAP_PX
        return boxes

    def _name_font(self) -> QFont:
        """As large as lets every name stand whole on its chip."""
        names = [step.name for step in self._progress.steps]
        room_px = self.width() - GAP_PX * (len(names) - 1) - CHIP_PX * len(names)
        font = within(sized(self.font(), 0.82, bold=True), LINE_PX)
        taken_px = sum(QFontMetrics(font).horizontalAdvance(name) for name in names)
        return font if taken_px <= room_px else sized(font, max(room_px / max(taken_px, 1), 0.4), bold=True)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for step, box in self._boxes():
            self._paint_chip(painter, step, box)
        painter.end()

    def _paint_chip(self, painter: QPainter, step: Step, box: QRectF) -> None:
        theme = self._theme
        colour = status_colour(theme, step.status)
        is_quiet = step.status in ("waiting", "skipped", "unreached")
        painter.setBrush(QColor(theme.surface if is_quiet else theme.raised))
        edge = (
            theme.accent
            if step.name == self._chosen
            else colour
            if step.status in ("running", "failed", "degraded", "paused")
            else theme.border
        )
        painter.setPen(QColor(edge))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        draw_icon(
            painter, status_icon(step.status), QRectF(box.left() + 7, box.top() + 6, 15, 15), colour, theme.raised
        )
        painter.setFont(self._name_font())
        painter.setPen(QColor(theme.muted if is_quiet else theme.text))
        elided(painter, QRectF(box.left() + 26, box.top() + 3, box.width() - 29, 20), step.name, VCENTER)
        painter.setFont(within(sized(self.font(), 0.8), LINE_PX))
        painter.setPen(QColor(colour))
        words = QRectF(box.left() + 8, box.top() + 22, box.width() - (27 if step.checkpoint else 11), 18)
        elided(painter, words, self._words(step), VCENTER)
        if step.fraction is not None:
            self._paint_share(painter, step.fraction, box, colour)
        if step.checkpoint:
            mark = QRectF(box.right() - 19, box.top() + 25, 13, 13)
            draw_icon(painter, "checkpoint", mark, theme.accent, theme.raised)

    def _paint_share(self, painter: QPainter, fraction: float, box: QRectF, colour: str) -> None:
        """How far the work inside the state is, along the foot of its chip."""
        bar = QRectF(box.left() + 6, box.bottom() - 5, box.width() - 12, 3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.border))
        painter.drawRoundedRect(bar, 1.5, 1.5)
        painter.setBrush(QColor(colour))
        painter.drawRoundedRect(QRectF(bar.left(), bar.top(), bar.width() * min(fraction, 1.0), 3), 1.5, 1.5)

    def _words(self, step: Step) -> str:
        if step.status == "done":
            return elapsed_text(step.elapsed_s) or "done"
        word = "cached" if step.status == "restored" else step.note or status_word(step.status)
        if step.fraction is not None:
            word = f"{step.fraction:.0%}"
        if step.retries:
            word = f"{word}, {step.retries} retr{'y' if step.retries == 1 else 'ies'}"
        return f"{word} {elapsed_text(self._elapsed_s(step))}".strip()

    def _elapsed_s(self, step: Step) -> float | None:
        if step.status == "running" and step.started_s is not None:
            return max(0.0, time.time() - step.started_s)  # the journal's clock is the same
        return step.elapsed_s

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        step = self._step_at(event.position())
        if step is not None:
            self.state_wished.emit(step.name)

    def _step_at(self, place: QPointF) -> Step | None:
        return next((step for step, box in self._boxes() if box.contains(place)), None)

    def event(self, event: QEvent) -> bool:
        """Show the times of the state under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            step = self._step_at(QPointF(event.pos()))
            if step is not None:
                QToolTip.showText(event.globalPos(), _hint(step, self._words(step)), self)
                return True
        return super().event(event)


def _hint(step: Step, words: str) -> str:
    lines = [f"{step.name}: {status_word(step.status)}", words if words != step.status else ""]
    if step.started_s is not None:
        lines.append(f"Entered at {time.strftime('%H:%M:%S', time.localtime(step.started_s))}")
    lines.append("A checkpoint was saved." if step.checkpoint and step.status != "restored" else "")
    lines.append("Click to see its inputs, outputs, times and journal.")
    return "\n".join(line for line in lines if line)
