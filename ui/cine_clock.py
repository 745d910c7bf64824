"""One clock for all clips of the grid: each shows the frame that is due at the same moment."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from pipeline.records import Array
from ui.hanging import ClipRef
from ui.playback import Playback

TICK_MS = 8  # a frame is due by elapsed time; the timer only asks often enough
RATE_EVERY_MS = 500


class CineClock(QObject):
    """Plays clips side by side; `ticked` asks for the frames that are due, `rate_due` for the rates."""

    ticked = Signal()
    rate_due = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clips: dict[ClipRef, tuple[Array, Playback]] = {}
        self._speed = 1.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.ticked)
        self._rate_timer = QTimer(self)
        self._rate_timer.setInterval(RATE_EVERY_MS)
        self._rate_timer.timeout.connect(self.rate_due)

    def load(self, clips: Mapping[ClipRef, Array]) -> None:
        """Take the frame times of every clip in sight; one that was there already goes on where it is."""
        before, self._clips = self._clips, {}
        for ref, times_s in clips.items():
            kept = before.get(ref)
            if kept is not None and kept[0] is times_s:
                self._clips[ref] = kept
                continue
            playback = Playback()
            playback.load(times_s)
            playback.set_speed(self._speed)
            if self._timer.isActive():
                playback.play()
            self._clips[ref] = (times_s, playback)

    def of(self, ref: ClipRef) -> Playback | None:
        """How one clip plays."""
        known = self._clips.get(ref)
        return None if known is None else known[1]

    @property
    def is_playing(self) -> bool:
        return self._timer.isActive()

    def play(self) -> None:
        """Start all clips at one moment."""
        for _, playback in self._clips.values():
            playback.play()
        self._timer.start()
        self._rate_timer.start()

    def pause(self) -> None:
        for _, playback in self._clips.values():
            playback.pause()
        self._timer.stop()
        self._rate_timer.stop()

    def set_speed(self, speed: float) -> None:
        self._speed = speed
        for _, playback in self._clips.values():
            playback.set_speed(speed)
