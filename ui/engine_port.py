"""What the window needs from an engine: pipeline.engine with its store path already bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

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
    from pipeline.intake.cases import Intake
    from pipeline.stage_calls import ProbabilityMaps


class Engine(Protocol):
    """Runs studies and keeps them. Every method may take long and raise StoreError: not for the GUI thread."""

    @property
    def is_encrypted(self) -> bool:
        """Whether the store is encrypted; at once, in every thread."""
        ...

    def convert_store(self, kind: Literal["encrypt", "change", "decrypt"], old: str, new: str) -> str:
        """Encrypt the store, change its passphrase or decrypt it; answers with the kind."""
        ...

    def get_ready(self) -> None:
        """Start what a first study will need; the window asks for it once it is painted."""
        ...

    def run_study(
        self,
        request: CardiologyRequest,
        *,
        on_event: Callable[[RunEvent], None],
        on_results: Callable[[StudyResults], None],
        cancel: CancelToken | None,
        resume: str | None,
        reuse: Reuse | None,
    ) -> CardiologyResponse:
        """Run a study in the calling thread; `reuse` says whose checkpoints may be taken, and how far."""
        ...

    def checkpoint_rows(self, run_id: str) -> tuple[CheckpointRow, ...]:
        """What a run has saved so far, state by state."""
        ...

    def list_runs(self) -> tuple[RunRow, ...]:
        """Every stored run, newest first."""
        ...

    def load_run(self, run_id: str) -> StoredRun:
        """One stored run with its events, results and report."""
        ...

    def delete_run(self, run_id: str) -> None:
        """Forget a stored run."""
        ...

    def add_edit(self, run_id: str, edit: Edit) -> Edit:
        """Store an act of a reader at once; returns it numbered and dated."""
        ...

    def note_act(self, act: Act, run_id: str | None = None, detail: str = "") -> AuditHead | None:
        """Note in the audit what was done; `detail` names no patient and no file. Never raises."""
        ...

    def probabilities(self, cine: EchoCine, frame_idx: int) -> ProbabilityMaps:
        """What the network makes of one frame, float32 (4, height, width); raises HardStopError or ModelError."""
        ...

    def sort_places(self, places: Sequence[Path]) -> Intake:
        """The studies that opened files, folders and DICOMDIR listings hold."""
        ...

    def ecg_samples(self, path: Path, sha256: str, first: int, end: int) -> Array:
        """Filtered samples of a stretch of a long ECG, float32 (n_leads, n_samples); raises InputError."""
        ...

    def ecg_extremes(self, path: Path, sha256: str, hour: int) -> Array:
        """Low and high of every eighth of a second of one hour, float32 (2, n_leads, n_columns); raises InputError."""
        ...
