"""Binds the pipeline to one store, so that window and command line need not know where it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pipeline.cancellation import CancelToken
from pipeline.records import (
    Array,
    CardiologyRequest,
    CardiologyResponse,
    CheckpointRow,
    EchoCine,
    Edit,
    RunEvent,
    StudyResults,
)
from pipeline.states import Reuse

if TYPE_CHECKING:
    from pipeline.engine import Act, AuditHead, RunRow, StoredRun
    from pipeline.executor import StageExecutor
    from pipeline.intake.cases import Intake
    from pipeline.stage_calls import ProbabilityMaps

OnEvent = Callable[[RunEvent], None]
OnResults = Callable[[StudyResults], None]


def _ignore_event(event: RunEvent) -> None:
    """For callers that watch nothing."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Everything that can be asked of the pipeline, with the store and the place of the stages already chosen.

    `executor` is None where the stages run in this process; else it belongs to the engine, which closes it.
    """

    store_path: Path
    executor: StageExecutor | None = None

    def get_ready(self) -> None:
        """Start what a first study will need, where that was put off; not for the GUI thread."""
        from pipeline.isolation.late import LateExecutor

        if isinstance(self.executor, LateExecutor):
            self.executor.get_ready()

    @property
    def is_encrypted(self) -> bool:
        """Whether the store is encrypted, and this process has its key."""
        from pipeline.store.keys import is_unlocked

        return is_unlocked(self.store_path)

    def convert_store(self, kind: Literal["encrypt", "change", "decrypt"], old: str, new: str) -> str:
        """Encrypt the store, change its passphrase or decrypt it; raises StoreError. Answers with the kind."""
        from pipeline.isolation.late import LateExecutor
        from pipeline.store import vault

        if kind == "encrypt":
            vault.encrypt(self.store_path, new)
        elif kind == "change":
            vault.change_passphrase(self.store_path, old, new)
        else:
            vault.decrypt(self.store_path, old)
        if isinstance(self.executor, LateExecutor):
            self.executor.renew()  # its workers' folders belong elsewhere now
        self.get_ready()
        return kind

    def close(self) -> None:
        """End the worker processes."""
        if self.executor is not None:
            self.executor.close()

    def run_study(
        self,
        request: CardiologyRequest,
        *,
        on_event: OnEvent = _ignore_event,
        on_results: OnResults | None = None,
        cancel: CancelToken | None = None,
        resume: str | None = None,
        reuse: Reuse | None = None,
    ) -> CardiologyResponse:
        """Run in the calling thread; see `pipeline.engine.run_study`."""
        from pipeline import engine

        return engine.run_study(
            self.store_path,
            request,
            on_event=on_event,
            on_results=on_results,
            cancel=cancel,
            resume=resume,
            reuse=reuse,
            executor=self.executor,
        )

    def checkpoint_rows(self, run_id: str) -> tuple[CheckpointRow, ...]:
        """What a run has saved so far, state by state; raises StoreError."""
        from pipeline import engine

        return engine.checkpoint_rows(self.store_path, run_id)

    def list_runs(self) -> tuple[RunRow, ...]:
        """Every stored run, newest first."""
        from pipeline import engine

        return engine.list_runs(self.store_path)

    def load_run(self, run_id: str, act: Act = "open") -> StoredRun:
        """One stored run with its journal, results and report, noted in the audit as `act`; raises StoreError."""
        from pipeline import engine

        stored = engine.load_run(self.store_path, run_id)
        engine.note_act(self.store_path, act, run_id, "stored run")
        return stored

    def note_act(self, act: Act, run_id: str | None = None, detail: str = "") -> AuditHead | None:
        """Note an act in the audit; see `pipeline.engine.note_act`."""
        from pipeline import engine

        return engine.note_act(self.store_path, act, run_id, detail)

    def delete_run(self, run_id: str) -> None:
        """Remove a run and all that hangs on it; raises StoreError."""
        from pipeline import engine

        engine.delete_run(self.store_path, run_id)

    def load_edited(self, run_id: str, act: Act = "open") -> StoredRun:
        """One stored run with what readers did to it since, in results and report; raises StoreError."""
        from pipeline import engine

        return engine.with_edits(self.load_run(run_id, act))

    def add_edit(self, run_id: str, edit: Edit) -> Edit:
        """Store an act of a reader at once; raises StoreError."""
        from pipeline import engine

        return engine.add_edit(self.store_path, run_id, edit)

    def probabilities(self, cine: EchoCine, frame_idx: int) -> ProbabilityMaps:
        """What the network makes of one frame, made in a worker where there are workers."""
        from pipeline.research.probabilities import probabilities_of

        return probabilities_of(cine, frame_idx, self.executor)

    def sort_places(self, places: Sequence[Path], *, cancel: CancelToken | None = None) -> Intake:
        """What the opened files, folders and DICOMDIR listings hold; see `pipeline.intake.cases`."""
        from pipeline.gates import sniff
        from pipeline.intake.cases import sort_places

        return sort_places(places, sniff, executor=self.executor, cancel=cancel)

    def ecg_samples(self, path: Path, sha256: str, first: int, end: int) -> Array:
        """Filtered samples of a stretch of a long ECG, read in a worker; see `pipeline.review.ecg_window`."""
        from pipeline.look import look
        from pipeline.look_calls import EcgStretch

        wished = EcgStretch(path=path, sha256=sha256, first=first, end=end)
        found: Array = look("ecg_samples", wished, self.executor).values_mv
        return found

    def ecg_extremes(self, path: Path, sha256: str, hour: int) -> Array:
        """Low and high of every eighth of a second of one hour of a long ECG, read in a worker."""
        from pipeline.look import look
        from pipeline.look_calls import EcgHour

        found: Array = look("ecg_extremes", EcgHour(path=path, sha256=sha256, hour=hour), self.executor).values_mv
        return found


def working_place(store_path: Path) -> Path:
    """Where the workers' folders go: beside the store; for an encrypted one into memory, where there is room."""
    from pipeline.isolation.workspace import memory_folder, sweep
    from pipeline.store import keys

    in_memory = memory_folder() if keys.is_unlocked(store_path) else None
    if in_memory is not None:
        sweep(store_path.parent)  # what a killed application left there before
    return in_memory or store_path.parent


@contextmanager
def isolated_engine(
    store_path: Path, *, keeps_spare: bool = False, in_process: bool = False, starts_late: bool = False
) -> Iterator[Engine]:
    """An engine whose stages run in worker processes, or in this one where that is asked for.

    Parameters
    ----------
    keeps_spare : bool
        Keep workers warm from run to run: for a window, which waits for its user.
    starts_late : bool
        Start them when the engine is told to get ready, or is asked for a run: a window is painted first.
    """

    def make() -> StageExecutor:
        from pipeline.isolation.executor import IsolatedExecutor

        return IsolatedExecutor(working_place(store_path), keeps_spare=keeps_spare)

    executor: StageExecutor | None = None
    if not in_process:
        from pipeline.isolation.late import LateExecutor

        executor = LateExecutor(make) if starts_late else make()
    engine = Engine(store_path, executor)
    try:
        yield engine
    finally:
        engine.close()
