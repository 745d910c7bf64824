"""Which frame is due: one monotonic clock over the recorded frame times. Knows no Qt."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import numpy as np

from pipeline.records import Array

SPEEDS = (0.25, 0.5, 1.0, 2.0)
RATE_WINDOW_S = 1.0


class Playback:
    """Plays frames by elapsed time, in a loop; `frame_times_s` start at 0 and grow."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._times_s: Array = np.zeros(0)
        self._length_s = 0.0
        self._offset_s = 0.0
        self._started_at: float | None = None
        self._speed = 1.0
        self._shown_at: deque[float] = deque(maxlen=240)
        self._loop: tuple[float, float] | None = None  # beginning and length of what is played over and over
        self._end_idx = 0  # the frame that is not played any more

    def load(self, frame_times_s: Array) -> None:
        """Take a clip; stops at its first frame. Times that do not grow make a clip that cannot be played."""
        times = np.asarray(frame_times_s, float)
        grows = len(times) > 1 and bool(np.all(np.isfinite(times))) and bool(np.all(np.diff(times) > 0))
        self._times_s = times
        self._length_s = float(times[-1] - times[0] + np.median(np.diff(times))) if grows else 0.0
        self._offset_s, self._started_at, self._loop = 0.0, None, None
        self._shown_at.clear()

    def set_loop(self, frames: tuple[int, int] | None) -> None:
        """Play from the first of these frames up to, and without, the second over and over; None: the whole clip."""
        position_s = self.position_s()
        self._loop = None
        if frames is not None and self.can_play and 0 <= frames[0] < frames[1] < len(self._times_s):
            first, end = (float(self._times_s[i] - self._times_s[0]) for i in frames)
            self._loop, self._end_idx = (first, end - first), frames[1]
            inside = first <= position_s < end
            self._offset_s = position_s if inside else first
        else:
            self._offset_s = position_s
        if self._started_at is not None:
            self._started_at = self._now()

    @property
    def can_play(self) -> bool:
        return self._length_s > 0

    @property
    def is_playing(self) -> bool:
        return self._started_at is not None

    @property
    def speed(self) -> float:
        return self._speed

    @property
    def acquired_hz(self) -> float | None:
        """Frames per second as recorded; None where the times are of no use."""
        return len(self._times_s) / self._length_s if self.can_play else None

    @property
    def shown_hz(self) -> float | None:
        """Frames per second that reached the screen over the last second."""
        recent = [t for t in self._shown_at if t > self._now() - RATE_WINDOW_S]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 2 and recent[-1] > recent[0] else None

    def note_shown(self) -> None:
        """Call once for every frame painted while playing."""
        self._shown_at.append(self._now())

    def position_s(self) -> float:
        """Time into the clip."""
        if self._started_at is None or not self.can_play:
            return self._offset_s
        first, length = self._loop or (0.0, self._length_s)
        elapsed_s = (self._now() - self._started_at) * self._speed
        return first + (self._offset_s - first + elapsed_s) % length

    def frame_idx(self) -> int:
        """The frame that is due now."""
        if not self.can_play:
            return 0
        due = self.position_s() + self._times_s[0] + 1e-9
        last = self._end_idx - 1 if self._loop is not None else len(self._times_s) - 1
        return int(np.clip(np.searchsorted(self._times_s, due, side="right") - 1, 0, last))

    def play(self) -> None:
        if self.can_play:
            self._offset_s = self.position_s()
            self._started_at = self._now()
            self._shown_at.clear()

    def pause(self) -> None:
        self._offset_s = self.position_s()
        self._started_at = None

    def seek(self, frame_idx: int) -> None:
        """Go to a frame, still playing if it was."""
        if len(self._times_s) == 0:
            return
        idx = int(np.clip(frame_idx, 0, len(self._times_s) - 1))
        self._offset_s = float(self._times_s[idx] - self._times_s[0]) if self.can_play else 0.0
        if self._started_at is not None:
            self._started_at = self._now()

    def set_speed(self, speed: float) -> None:
        self._offset_s = self.position_s()
        if self._started_at is not None:
            self._started_at = self._now()
        self._speed = speed
