"""A stored run as a list shows it, and its request as text."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import psutil

from pipeline.records import CardiologyRequest
from pipeline.store import codec

RunStatus = Literal["running", "complete", "error", "cancelled", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run as a list shows it; `inputs` are file names, for the screen only."""

    run_id: str
    status: RunStatus
    state: str
    started_utc: str
    finished_utc: str | None
    inputs: tuple[str, ...]
    modalities: tuple[str, ...] = ()  # of "echo", "ecg", "metadata"
    error_code: str | None = None
    thumbnail: bytes | None = None  # PNG
    lost: tuple[str, ...] = ()  # branches that failed in a run that came to its end without them


def request_json(request: CardiologyRequest) -> str:
    """Canonical JSON of a request."""
    return codec.canonical_json(msgspec.to_builtins(request, enc_hook=str)).decode()


def request_of(text: str) -> CardiologyRequest:
    """The request of its JSON."""
    return msgspec.convert(json.loads(text), CardiologyRequest, dec_hook=lambda kind, value: kind(value))


def input_names(request: CardiologyRequest) -> list[str]:
    """The names of the files, for the screen only."""
    paths = [*request.echo_paths, request.ecg_path, request.metadata_path]
    return [p.name for p in paths if p is not None]


def run_row(row: Mapping[str, Any]) -> RunRow:
    """A row of the table `runs`; a run whose process is gone is interrupted."""
    status = row["status"]
    if status == "running" and not _alive(row["owner_pid"], row["owner_started"]):
        status = "interrupted"
    return RunRow(
        run_id=row["run_id"],
        status=status,
        state=row["state"],
        started_utc=row["created_utc"],
        finished_utc=row["finished_utc"],
        inputs=tuple(json.loads(row["inputs_json"])),
        modalities=_modalities(request_of(row["request_json"])),
        error_code=row["error_code"],
        thumbnail=row.get("png"),
        lost=_lost(row.get("branches_json")),
    )


def _lost(branches_json: str | None) -> tuple[str, ...]:
    """Branches that failed, out of the list of a sealed report."""
    branches = json.loads(branches_json) if branches_json else []
    return tuple(str(each["branch"]) for each in branches if each["status"] == "failed")


def _modalities(request: CardiologyRequest) -> tuple[str, ...]:
    given = {"echo": request.has_echo, "ecg": request.has_ecg, "metadata": request.has_metadata}
    return tuple(name for name, there in given.items() if there)


def _alive(pid: int | None, started: float | None) -> bool:
    """Whether the process that owns a run still lives: same id and same start, as ids are used again."""
    if pid is None or started is None:
        return False
    if pid == os.getpid():
        return abs(psutil.Process().create_time() - started) < 1.0
    try:
        return abs(psutil.Process(pid).create_time() - started) < 1.0
    except psutil.Error:
        return False
