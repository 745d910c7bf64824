"""What window and command line call: run a study, look at stored runs. Each call opens the store for itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.cache_keys import RESULTS
from pipeline.cancellation import CancelToken
from pipeline.errors import StoreError
from pipeline.executor import StageExecutor
from pipeline.gates import Limits
from pipeline.orchestrator import PipelineOrchestrator
from pipeline.records import CardiologyRequest, CardiologyResponse, CheckpointRow, Edit, RunEvent, StudyResults
from pipeline.results import study_results
from pipeline.states import Reuse
from pipeline.store import codec
from pipeline.store.audit import Act, AuditFault, AuditHead, AuditRow
from pipeline.store.database import Store
from pipeline.store.run_rows import RunRow

log = logging.getLogger("chordae.pipeline")

__all__ = [
    "Act",
    "AuditFault",
    "AuditHead",
    "AuditRow",
    "RunRow",
    "StoredRun",
    "add_edit",
    "audit_faults",
    "audit_rows",
    "checkpoint_rows",
    "delete_run",
    "list_runs",
    "load_run",
    "note_act",
    "run_study",
    "with_edits",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run as the store holds it: finished or interrupted."""

    row: RunRow
    request: CardiologyRequest
    events: tuple[RunEvent, ...]
    results: StudyResults
    report: Mapping[str, Any] | None
    edits: tuple[Edit, ...] = ()
    checkpoints: tuple[CheckpointRow, ...] = ()


def _ignore_event(event: RunEvent) -> None:
    """Default listener."""


def run_study(
    store_path: Path | None,
    request: CardiologyRequest | None,
    *,
    on_event: Callable[[RunEvent], None] = _ignore_event,
    on_results: Callable[[StudyResults], None] | None = None,
    cancel: CancelToken | None = None,
    resume: str | None = None,
    reuse: Reuse | None = None,
    limits: Limits | None = None,
    executor: StageExecutor | None = None,
) -> CardiologyResponse:
    """Run a study in the calling thread.

    Parameters
    ----------
    store_path : Path or None
        The store's file; None keeps nothing.
    request : CardiologyRequest or None
        None with `resume`: the stored request of that run is used.
    resume : str or None
        A stored run to go on with; what still holds of its checkpoints is not computed again.
    reuse : Reuse or None
        Whose checkpoints may be taken and from which state on everything is computed anew. Without `resume` the
        run is a new one, and the reused run stays as it is.
    executor : StageExecutor or None
        Where the stages run; by default in threads of this process. It is not closed.

    Raises
    ------
    StoreError
        When the run to resume is not there, is going on, or the store is of a newer version. A new run with a
        store that cannot be opened goes on without one and says so.
    """
    store, trouble = _open(store_path, needed=resume is not None)
    try:
        if resume is not None and store is not None and request is None:
            request = store.request(resume)
        if request is None:
            raise ValueError("a request is needed unless a stored run is resumed")
        orchestrator = PipelineOrchestrator(
            store, limits=limits, on_event=on_event, on_results=on_results, executor=executor, store_trouble=trouble
        )
        return orchestrator.execute(request, cancel=cancel, resume=resume, reuse=reuse)
    finally:
        if executor is not None:
            executor.rest()
        if store is not None:
            store.close()


def _open(path: Path | None, *, needed: bool) -> tuple[Store | None, StoreError | None]:
    if path is None:
        return None, None
    try:
        return Store.open(path), None
    except StoreError as error:
        if needed:
            raise
        return None, error


def list_runs(store_path: Path) -> tuple[RunRow, ...]:
    """Stored runs, newest first; empty when there is no store yet. Raises StoreError."""
    if not store_path.exists():
        return ()
    with Store.open(store_path) as store:
        return store.runs()


def load_run(store_path: Path, run_id: str) -> StoredRun:
    """Everything a run has left; damaged or missing results are simply absent. Raises StoreError."""
    with Store.open(store_path) as store:
        row = store.run(run_id)
        return StoredRun(
            row=row,
            request=store.request(run_id),
            events=store.events(run_id),
            results=study_results(_records(store, run_id)),
            report=_report(store, run_id),
            edits=store.edits(run_id),
            checkpoints=store.checkpoint_rows(run_id),
        )


def checkpoint_rows(store_path: Path, run_id: str) -> tuple[CheckpointRow, ...]:
    """What a run has saved so far, state by state; also while it goes on. Raises StoreError."""
    with Store.open(store_path) as store:
        return store.checkpoint_rows(run_id)


def _report(store: Store, run_id: str) -> Mapping[str, Any] | None:
    try:
        return store.report(run_id)
    except StoreError:
        return None  # damaged: it is made anew when the run is resumed


def _records(store: Store, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, (state, kind) in RESULTS.items():
        try:
            stored = store.find_result(run_id, state, name)
            if stored is not None:
                found[name] = codec.decode(kind, stored[1])
        except StoreError:
            continue  # damaged: shown as not there, and computed again on resume
    return found


def delete_run(store_path: Path, run_id: str) -> None:
    """Remove a run and everything that only it refers to. Raises StoreError."""
    with Store.open(store_path) as store:
        store.delete_run(run_id)


def with_edits(stored: StoredRun) -> StoredRun:
    """A stored run with what readers did to it since, in results and report; the run itself where they did nothing.

    Raises
    ------
    InputError
        An act of the ECG does not fit the record.
    """
    if not stored.edits:
        return stored
    from pipeline.review.edited_report import edited_report
    from pipeline.review.workbench import Workbench

    study = Workbench(stored.results).fold(stored.edits)
    report = None if stored.report is None else edited_report(stored.report, stored.results, stored.edits, study)
    return replace(stored, results=study.results, report=report)


def add_edit(store_path: Path, run_id: str, edit: Edit) -> Edit:
    """Store an act of a reader at once; returns it numbered and dated. Raises StoreError."""
    with Store.open(store_path) as store:
        return store.add_edit(run_id, edit)


def note_act(store_path: Path, act: Act, run_id: str | None = None, detail: str = "") -> AuditHead | None:
    """Note what was done with a run: it was opened, viewed, exported, a setting was changed.

    `detail` says what, without anything that names a patient or a file. Returns the head of the audit with
    this act in it; None, and a line in the log, where the store cannot be written.
    """
    try:
        with Store.open(store_path) as store:
            return store.note(act, run_id, detail)
    except StoreError as error:
        log.warning("an act (%s) could not be noted in the audit: %s", act, error.code)
        return None


def audit_rows(store_path: Path) -> tuple[AuditRow, ...]:
    """Every noted act, oldest first. Raises StoreError."""
    with Store.open(store_path) as store:
        return store.audit_rows()


def audit_faults(store_path: Path, known: AuditHead | None = None) -> tuple[AuditFault, ...]:
    """Every place where the audit does not hold; `known` is the head of an exported report. Raises StoreError."""
    with Store.open(store_path) as store:
        return store.audit_faults(known)
