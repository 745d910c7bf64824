"""Binds the pipeline to one store, so that window and command line need not know where it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cancellation import CancelToken
from pipeline.records import Array, CardiologyRequest, CardiologyResponse, Edit, RunEvent, StudyResults

if TYPE_CHECKING:
    from pipeline.engine import RunRow, StoredRun

OnEvent = Callable[[RunEvent], None]
OnResults = Callable[[StudyResults], None]


def _ignore_event(event: RunEvent) -> None:
    """For callers that watch nothing."""


def _ignore_results(results: StudyResults) -> None:
    """For callers that look into nothing."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Everything that can be asked of the pipeline, with the store already chosen."""

    store_path: Path

    def run_study(
        self,
        request: CardiologyRequest,
        *,
        on_event: OnEvent = _ignore_event,
        on_results: OnResults = _ignore_results,
        cancel: CancelToken | None = None,
        resume: str | None = None,
    ) -> CardiologyResponse:
        """Run in the calling thread; see `pipeline.engine.run_study`."""
        from pipeline import engine

        return engine.run_study(
            self.store_path, request, on_event=on_event, on_results=on_results, cancel=cancel, resume=resume
        )

    def list_runs(self) -> tuple[RunRow, ...]:
        """Every stored run, newest first."""
        from pipeline import engine

        return engine.list_runs(self.store_path)

    def load_run(self, run_id: str) -> StoredRun:
        """One stored run with its journal, results and report; raises StoreError."""
        from pipeline import engine

        return engine.load_run(self.store_path, run_id)

    def delete_run(self, run_id: str) -> None:
        """Remove a run and all that hangs on it; raises StoreError."""
        from pipeline import engine

        engine.delete_run(self.store_path, run_id)

    def load_edited(self, run_id: str) -> StoredRun:
        """One stored run with what readers did to it since, in results and report; raises StoreError."""
        from pipeline import engine

        return engine.with_edits(engine.load_run(self.store_path, run_id))

    def add_edit(self, run_id: str, edit: Edit) -> Edit:
        """Store an act of a reader at once; raises StoreError."""
        from pipeline import engine

        return engine.add_edit(self.store_path, run_id, edit)

    def ecg_samples(self, path: Path, sha256: str, first: int, end: int) -> Array:
        """Filtered samples of a stretch of a long ECG; see `pipeline.review.ecg_window`."""
        from pipeline.review.ecg_window import ecg_samples

        return ecg_samples(path, sha256, first, end)

    def ecg_extremes(self, path: Path, sha256: str, hour: int) -> Array:
        """Low and high of every eighth of a second of one hour of a long ECG."""
        from pipeline.review.ecg_window import ecg_extremes

        return ecg_extremes(path, sha256, hour)
