"""A run: its events, its branches, its response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.records.common import Branch, BranchState, Remark
from pipeline.records.ecg_results import EcgAnalysis
from pipeline.records.echo_results import CineAnalysis, EchoAnalysis, EchoDetection
from pipeline.records.inputs import EchoCine, Metadata, PatientHeader, PreparedEcg, ValidationReport


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchResult:
    """How a branch ended."""

    branch: Branch
    status: BranchState
    code: str | None = None
    reason: str | None = None
    failed_in: str | None = None  # state name


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvent:
    """One line of the journal; shown live and stored alike.

    kind: "state" (entered), "state_done", "branch" (text holds a BranchState), "progress", "retry",
    "checkpoint", "restored", "paused", "continued", "warning", "error", "done".
    """

    run_id: str
    seq: int
    time_utc: str  # ISO with milliseconds and Z
    state: str
    branch: Branch | None
    kind: str
    fraction: float | None
    code: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadRow:
    """One stored result of a checkpoint: which it is, its hash, its size, and the key of all it depends on."""

    name: str  # field of the specification: "preprocessed_echo"
    sha256: str
    size_bytes: int
    cache_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRow:
    """What was saved after a state, without the results themselves."""

    state: str
    time_utc: str
    input_hashes: Mapping[str, str]  # "echo.0" -> SHA-256 of the file
    processing_times_ms: Mapping[str, int]  # state -> time spent in it
    memory_mb: float  # resident memory when it was saved
    payloads: tuple[PayloadRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardiologyResponse:
    """What `PipelineOrchestrator.execute` returns: the sealed report and how the branches ended."""

    run_id: str
    status: Literal["complete", "error", "cancelled"]
    report: Mapping[str, Any]
    branches: tuple[BranchResult, ...]
    error_code: str | None = None
    error_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResults:
    """Every intermediate result of a run that exists so far: what window and researcher look into."""

    validation: ValidationReport | None = None
    cines: tuple[EchoCine, ...] = ()
    ecg: PreparedEcg | None = None
    metadata: Metadata | None = None
    detections: tuple[EchoDetection, ...] = ()
    echo_analysis: EchoAnalysis | None = None
    ecg_analysis: EcgAnalysis | None = None
    remarks: tuple[Remark, ...] = ()  # clips left out
    headers: Mapping[str, PatientHeader] = field(default_factory=dict)  # of every file, also of clips left out

    @property
    def clip_analyses(self) -> tuple[CineAnalysis | None, ...]:
        """The analysis of each clip; None for one that was refused for low confidence, or is not measured yet."""
        measured = iter(self.echo_analysis.cines if self.echo_analysis is not None else ())
        refused = [detection.low_confidence_reason is not None for detection in self.detections]
        refused += [False] * (len(self.cines) - len(refused))
        return tuple(None if is_refused else next(measured, None) for is_refused in refused[: len(self.cines)])
