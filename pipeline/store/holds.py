"""Who uses a store: every open one holds its folder together with others, a conversion holds it alone.

A conversion puts another file in the store's place; a connection to the old one would write into nothing. The
lock is the folder's own (flock), so that no file is left behind, and goes with its process. Where there is none
(Windows, some network drives), the system itself refuses to replace an open file, or nobody is warned.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.store.drivers import BUSY_TIMEOUT_MS

if sys.platform != "win32":
    import fcntl

_POLL_S = 0.02


class Hold:
    """A hold on the folder of a store, until `release` or the end of the process."""

    def __init__(self, path: Path, *, alone: bool = False, wait_s: float = BUSY_TIMEOUT_MS / 1000) -> None:
        """Take it; raises StoreError E_STORE_LOCKED when others hold the store longer than `wait_s`."""
        self._descriptor: int | None = None
        if sys.platform == "win32":
            return
        try:
            self._descriptor = os.open(path.parent, os.O_RDONLY)
        except OSError:
            return  # whoever opens the store will hear of it
        self._take(fcntl.LOCK_EX if alone else fcntl.LOCK_SH, wait_s)

    def _take(self, kind: int, wait_s: float) -> None:
        end = time.monotonic() + wait_s
        while self._descriptor is not None:
            try:
                fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() < end:
                    time.sleep(_POLL_S)
                    continue
                self.release()
                text = "The store is in use by a run, another window or another command; nothing was changed."
                raise StoreError(text, code="E_STORE_LOCKED") from None
            except OSError:
                self.release()  # a drive without such locks

    def release(self) -> None:
        """Let it go; may be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Hold:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()
