"""The three branches of a run as lanes: icon, name, bar, word, sentence."""

from __future__ import annotations

import time

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.icons import draw_icon
from ui.run_progress import Lane, RetryNote, RunProgress
from ui.theme import DARK, Theme, status_colour, status_icon
from ui.view_state import NO_PROGRESS
from ui.widgets.drawing import elided, sized, within
from ui.widgets.elided_label import plain_tooltip
from ui.wording import status_word

LABELS = (("echo", "Echo"), ("ecg", "ECG"), ("metadata", "Metadata"))
HEIGHT_PX = 42
GAP_PX = 8
BAR_PX = 5
VCENTER = Qt.AlignmentFlag.AlignVCenter


class BranchLanes(QWidget):
    """Three lanes side by side; a retry, a cache hit and a failure differ by icon and word."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._progress: RunProgress = NO_PROGRESS
        self._theme: Theme = DARK
        self.setFixedHeight(HEIGHT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Branches of the run")

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(800, HEIGHT_PX)

    def set_progress(self, progress: RunProgress, theme: Theme) -> None:
        self._progress, self._theme = progress, theme
        words = ", ".join(f"{lane.branch} {status_word(lane.status)} {sentence(lane)}" for lane in progress.lanes)
        self.setAccessibleDescription(words)
        self.setToolTip(plain_tooltip("\n".join(f"{name}: {tip(progress, branch)}" for branch, name in LABELS)))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shares = (0.4, 0.4, 0.2)
        x = 0.0
        room = self.width() - 2 * GAP_PX
        for lane, share in zip(self._progress.lanes, shares, strict=True):
            width = room * share
            self._paint_lane(painter, lane, QRectF(x, 0, width, self.height()))
            x += width + GAP_PX
        painter.end()

    def _paint_lane(self, painter: QPainter, lane: Lane, box: QRectF) -> None:
        theme = self._theme
        shown = "retry" if lane.retry_text else status_icon(lane.status)
        colour = theme.warn if lane.retry_text else status_colour(theme, lane.status)
        draw_icon(painter, shown, QRectF(box.left() + 2, box.top() + 4, 16, 16), colour, theme.surface)
        painter.setFont(within(sized(self.font(), 0.9, bold=True), 18.0))
        painter.setPen(QColor(theme.text))
        name = dict(LABELS)[lane.branch]
        line = QRectF(box.left() + 24, box.top() + 2, box.width() - 26, 20)
        painter.drawText(line, VCENTER, name)
        taken = painter.fontMetrics().horizontalAdvance(name + "  ")
        painter.setFont(within(sized(self.font(), 0.9), 18.0))
        painter.setPen(QColor(colour))
        word = "retry" if lane.retry_text else status_word(lane.status)
        painter.drawText(line.adjusted(taken, 0, 0, 0), VCENTER, word)
        taken += painter.fontMetrics().horizontalAdvance(word + "  ")
        painter.setPen(QColor(theme.muted))
        elided(painter, line.adjusted(taken, 0, 0, 0), sentence(lane), VCENTER)
        self._paint_bar(painter, lane, QRectF(box.left() + 2, box.top() + 27, box.width() - 4, BAR_PX), colour)

    def _paint_bar(self, painter: QPainter, lane: Lane, bar: QRectF, colour: str) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.border))
        painter.drawRoundedRect(bar, 2, 2)
        fraction = lane.fraction or 0.0
        if fraction > 0:
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(QRectF(bar.left(), bar.top(), bar.width() * min(fraction, 1.0), bar.height()), 2, 2)


def sentence(lane: Lane) -> str:
    """What stands beside the status word."""
    if lane.retry is not None:
        return _retry_sentence(lane.retry)
    if lane.retry_text:
        return lane.retry_text.removeprefix("retry ")
    code = f" ({lane.code})" if lane.code and lane.status in ("failed", "degraded") else ""
    return f"{lane.text}{code}" if lane.text else code.strip()


def _retry_sentence(retry: RetryNote) -> str:
    """ "1/2 in 3 s, after a timeout: batch halved"; the wait counts down with the clock of the strip."""
    left_s = 0.0 if retry.due_s is None else retry.due_s - time.time()
    due = f"in {left_s:.0f} s" if left_s >= 0.5 else "now"
    action = f": {retry.action}" if retry.action else ""
    return f"{retry.number}/{retry.of} {due}, after {retry.failure}{action}"


def tip(progress: RunProgress, branch: str) -> str:
    """The whole sentence of a lane, which may be cut in the strip."""
    lane = next(lane for lane in progress.lanes if lane.branch == branch)
    return " ".join(part for part in (status_word(lane.status), sentence(lane)) if part)
