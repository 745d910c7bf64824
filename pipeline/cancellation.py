"""Asking a run to stop, and the signatures of the callbacks that every stage takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pipeline.errors import RunCancelledError, StageTimeoutError

Progress = Callable[[float, str], None]
"""Called as progress(fraction 0..1, sentence); cheap enough for every frame."""


class CancelToken:
    """Set by one thread, checked by another between frames, batches, retries and waits.

    A pause holds the run before its next state and before the next attempt of a stage; a cancel ends the pause.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._open = threading.Event()  # cleared while paused
        self._open.set()

    def cancel(self) -> None:
        self._event.set()
        self._open.set()

    def pause(self) -> None:
        """Hold the run where it may be held next; nothing that is being computed is lost."""
        if not self._event.is_set():
            self._open.clear()

    def go_on(self) -> None:
        """End a pause."""
        self._open.set()

    @property
    def is_paused(self) -> bool:
        return not self._open.is_set()

    def hold(self) -> None:
        """Wait while paused; raises RunCancelledError when cancelled then or before."""
        self._open.wait()
        self.check()

    @property
    def is_cancelled(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raise RunCancelledError once cancelled."""
        if self._event.is_set():
            raise RunCancelledError

    def wait(self, seconds: float) -> None:
        """Sleep that a cancel cuts short; raises RunCancelledError then."""
        if self._event.wait(seconds):
            raise RunCancelledError


class DeadlineToken(CancelToken):
    """A view of another token that also ends when its time is up."""

    def __init__(self, parent: CancelToken, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._event = parent._event
        self._open = parent._open
        self._clock = clock
        self._end = clock() + seconds

    def check(self) -> None:
        """Raise RunCancelledError once cancelled, StageTimeoutError once late."""
        super().check()
        if self._clock() > self._end:
            raise StageTimeoutError("The stage took longer than its deadline.")


def no_progress(fraction: float, text: str) -> None:
    """The progress callback of callers who do not show any."""
