"""Files that ended the process that read them: remembered by their hash, and warned of before they are read again."""

from __future__ import annotations

from pathlib import Path

from pipeline.cancellation import CancelToken
from pipeline.errors import PipelineError, StoreError
from pipeline.gates import hash_files
from pipeline.journal import Journal
from pipeline.records import CardiologyRequest, Remark
from pipeline.stages.validation import companions
from pipeline.states import State
from pipeline.store.database import Store

WARNING = "W_INPUT_CRASHED_BEFORE"


def file_hash(path: Path, *, cancel: CancelToken | None = None) -> str:
    """SHA-256 over a file and those that are read with it."""
    return hash_files(companions(path), cancel=cancel)


def remember(path: Path, journal: Journal) -> None:
    """Keep the hash of a file that ended its reader; safe in every thread."""
    try:
        sha256 = file_hash(path)
    except PipelineError:
        return  # it has gone
    journal.defer(lambda store: store.note_crash(sha256, "E_INPUT_CRASHED_READER"))


def crashed_before(store: Store, request: CardiologyRequest, *, cancel: CancelToken | None = None) -> tuple[str, ...]:
    """Names of the files that ended a reader before, as reports call them ("Echo file 2"); raises StoreError."""
    known = store.crashes()
    if not known:
        return ()  # the usual case: nothing is read for it
    named = [(f"Echo file {n + 1}", path) for n, path in enumerate(request.echo_paths)]
    named += [("ECG file", request.ecg_path)] if request.ecg_path else []
    named += [("Metadata", request.metadata_path)] if request.metadata_path else []
    found = []
    for name, path in named:
        try:
            if file_hash(path, cancel=cancel) in known:
                found.append(name)
        except PipelineError as error:
            if error.code == "E_CANCELLED":
                raise
    return tuple(found)


def warn(store: Store | None, request: CardiologyRequest, journal: Journal, cancel: CancelToken) -> None:
    """Say, before anything is read, that a file has ended its reader before."""
    if store is None:
        return
    try:
        names = crashed_before(store, request, cancel=cancel)
    except StoreError:
        return
    for name in names:
        text = f"{name}: reading this file has ended the reading process before."
        journal.warnings.append(Remark(code=WARNING, text=text))
        journal.emit(State.RECEIPT, "warning", text, code=WARNING)
