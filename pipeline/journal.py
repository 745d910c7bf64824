"""The journal of a run: one numbered stream of events, written to the store and shown, in that order.

Branch threads emit; only the engine's thread writes. A store that refuses (full disk, read-only) never
stops a run: writing is given up, the run goes on and the report says so.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable

from pipeline.errors import StoreError
from pipeline.records import Branch, Remark, RunEvent
from pipeline.states import State
from pipeline.store.checkpoint import StateCheckpoint
from pipeline.store.database import Store, utc_now

PROGRESS_INTERVAL_S = 0.2
Pending = tuple[str, str, Branch | None, str, float | None, str | None, str]


class Journal:
    """Numbers, stores and passes on the events of one run."""

    def __init__(self, run_id: str, store: Store | None, on_event: Callable[[RunEvent], None], first_seq: int) -> None:
        self.run_id = run_id
        self.warnings: list[Remark] = []
        self.checkpoints_saved = 0
        self.retries = 0
        self._store = store
        self._on_event = on_event
        self._seq = first_seq
        self._pending: queue.SimpleQueue[Pending] = queue.SimpleQueue()
        self._deferred: queue.SimpleQueue[Callable[[Store], object]] = queue.SimpleQueue()
        self._last_progress: dict[str, float] = {}
        self._state = State.INIT

    def emit(
        self,
        state: State,
        kind: str,
        text: str,
        *,
        branch: Branch | None = None,
        fraction: float | None = None,
        code: str | None = None,
    ) -> None:
        """Queue an event; safe in every thread."""
        self._state = state
        self._pending.put((utc_now(), state.name, branch, kind, fraction, code, text))

    def progress(self, state: State, branch: Branch, fraction: float, text: str) -> None:
        """Queue a progress event unless the branch had one a moment ago."""
        now = time.monotonic()
        if fraction >= 1.0 or now - self._last_progress.get(branch, 0.0) >= PROGRESS_INTERVAL_S:
            self._last_progress[branch] = now
            self.emit(state, "progress", text, branch=branch, fraction=min(1.0, max(0.0, fraction)))

    def defer(self, act: Callable[[Store], object]) -> None:
        """Queue something to be done with the store by the engine's thread; safe in every thread."""
        self._deferred.put(act)

    def pump(self) -> None:
        """Write and show what is queued; engine thread only."""
        while not self._deferred.empty():
            self.write(self._deferred.get())
        events = []
        while not self._pending.empty():
            stamp, state, branch, kind, fraction, code, text = self._pending.get()
            events.append(
                RunEvent(
                    run_id=self.run_id,
                    seq=self._seq,
                    time_utc=stamp,
                    state=state,
                    branch=branch,
                    kind=kind,
                    fraction=fraction,
                    code=code,
                    text=text,
                )
            )
            self._seq += 1
            self.retries += kind == "retry"
        self.write(lambda store: store.append_events(events))
        for event in events:
            self._on_event(event)

    def write(self, act: Callable[[Store], object]) -> bool:
        """Do something with the store; on trouble give the store up for this run and warn. True when done."""
        if self._store is None:
            return False
        try:
            act(self._store)
        except StoreError as error:
            self._store = None
            self.warn_unsaved(error)
            return False
        return True

    def warn_unsaved(self, error: StoreError) -> None:
        """Say in journal and report that nothing more is saved, and why."""
        text = f"{error.text} The run goes on without saving; it cannot be resumed."
        self.warnings.append(Remark(code=error.code, text=text))
        self.emit(self._state, "warning", text, code=error.code)

    def save_checkpoint(self, state: State, checkpoint: StateCheckpoint) -> None:
        """Save and tell; counts only what was committed."""
        if self.write(lambda store: checkpoint.save(store, self.run_id)):
            self.checkpoints_saved += 1
            self.emit(state, "checkpoint", f"{state.name} saved")
        self.pump()
