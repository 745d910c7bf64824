"""The stage functions that read files or compute for long, each under a name: what can be done in another process.

A call is a name and a record of arguments. An executor looks the name up and calls the function, here or in a
worker process; both get the same records and give the same results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipeline.cancellation import CancelToken, Progress
from pipeline.gates import Limits
from pipeline.intake.directory import Components, DirectoryFile
from pipeline.look_calls import EcgHour, EcgStretch, ShownEcg, list_directory, read_extremes, read_samples
from pipeline.parts import NoParts, Parts
from pipeline.records import (
    Array,
    Branch,
    CardiologyRequest,
    ClipFacts,
    DetectedEcho,
    EcgAnalysis,
    EchoAnalysis,
    EchoCine,
    FileReport,
    Metadata,
    PatientHeader,
    PreparedEcg,
    PreparedEcho,
)
from pipeline.retry import Attempt
from pipeline.stages.analysis import analyse_ecg, analyse_echo
from pipeline.stages.detection import detect_echo
from pipeline.stages.preprocessing import prepare_ecg, prepare_echo, prepare_metadata, preview_echo
from pipeline.stages.validation import validate_ecg, validate_echo, validate_metadata

if TYPE_CHECKING:
    from pipeline.echo.segmentation import Segmenter

BATCH_SIZE = 16
Lane = Literal["echo", "ecg", "model", "look"]
"""Calls of one lane follow each other; those of different lanes run side by side. "look" is for what a window shows
beside runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCall:
    """One piece of work: the name of a row of CALLS and a record of that row's arguments."""

    name: str
    arguments: Any
    parts: Parts = field(default_factory=NoParts)


class LoadedModels:
    """The chamber network, kept from call to call by whoever runs the calls."""

    def __init__(self) -> None:
        self._segmenter: Segmenter | None = None

    def segmenter(self, *, reload: bool = False) -> Segmenter:
        """The network, loaded at its first use; raises ModelError or HardStopError."""
        from pipeline.echo.segmentation import load_segmenter

        if self._segmenter is None or reload:
            self._segmenter = load_segmenter()
        return self._segmenter


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a call is given beside its arguments."""

    progress: Progress
    cancel: CancelToken
    attempt: Attempt
    parts: Parts
    models: LoadedModels


# --- arguments ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoFiles:
    """Clips to be looked at or decoded; `files` is empty before they are validated.

    `left_out` holds positions of clips that ended the process that read them.
    """

    paths: tuple[Path, ...]
    limits: Limits
    files: tuple[FileReport, ...] = ()
    facts: tuple[ClipFacts, ...] = ()
    left_out: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgFile:
    """An ECG to be looked at or read; `files` is empty before it is validated."""

    path: Path
    limits: Limits
    files: tuple[FileReport, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientFacts:
    """Metadata as they were given, and what the headers of the files say."""

    path: Path | None
    given: Mapping[str, Any] | None
    limits: Limits
    headers: Mapping[str, PatientHeader] = field(default_factory=dict)

    @property
    def request(self) -> CardiologyRequest:
        return CardiologyRequest(metadata_path=self.path, metadata=self.given)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedClips:
    """Clips whose chambers are to be found."""

    prepared: PreparedEcho


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameOfClip:
    """One frame whose probabilities are asked for, with the frames that tell where the heart is."""

    frames: Array  # uint8 (n_frames, height, width)
    frame_idx: int
    spacing_mm: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbabilityMaps:
    """What the network makes of one frame."""

    maps: Array  # float32 (4, height, width): background, cavity, myocardium, atrium
    frame_idx: int
    model_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedClips:
    """Clips with their chambers, to be measured."""

    prepared: PreparedEcho
    detected: DetectedEcho
    metadata: Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedSignal:
    """An ECG to be measured; a long one is read again from its file."""

    prepared: PreparedEcg
    metadata: Metadata
    file: EcgFile


# --- the calls ---------------------------------------------------------------------------------------


def _probability_maps(given: FrameOfClip, tools: Tools) -> ProbabilityMaps:
    segmenter = tools.models.segmenter()
    maps = segmenter.probability_maps(given.frames, given.frame_idx, given.spacing_mm)
    return ProbabilityMaps(maps=maps, frame_idx=given.frame_idx, model_sha256=segmenter.model_sha256)


def _preview_echo(given: EchoFiles, tools: Tools) -> EchoCine:
    return preview_echo(given.paths, given.limits, cancel=tools.cancel)


def _validate_echo(given: EchoFiles, tools: Tools) -> tuple[FileReport, ...]:
    return validate_echo(given.paths, given.limits, progress=tools.progress, cancel=tools.cancel)


def _validate_ecg(given: EcgFile, tools: Tools) -> tuple[FileReport, ...]:
    return validate_ecg(given.path, given.limits, progress=tools.progress, cancel=tools.cancel)


def _validate_metadata(given: PatientFacts, tools: Tools) -> tuple[FileReport, ...]:
    return validate_metadata(given.request, given.limits, progress=tools.progress, cancel=tools.cancel)


def _prepare_echo(given: EchoFiles, tools: Tools) -> PreparedEcho:
    return prepare_echo(
        given.paths,
        given.files,
        given.limits,
        given.facts,
        left_out=given.left_out,
        progress=tools.progress,
        cancel=tools.cancel,
    )


def _prepare_ecg(given: EcgFile, tools: Tools) -> PreparedEcg:
    return prepare_ecg(
        given.path, given.files, given.limits, parts=tools.parts, progress=tools.progress, cancel=tools.cancel
    )


def _prepare_metadata(given: PatientFacts, tools: Tools) -> Metadata:
    return prepare_metadata(given.request, given.limits, given.headers)


def _detect_echo(given: PreparedClips, tools: Tools) -> DetectedEcho:
    segmenter = tools.models.segmenter(reload=tools.attempt.reload_model)
    batch_size = max(1, BATCH_SIZE // tools.attempt.batch_divisor)
    return detect_echo(given.prepared, segmenter, batch_size=batch_size, progress=tools.progress, cancel=tools.cancel)


def _analyse_echo(given: DetectedClips, tools: Tools) -> EchoAnalysis:
    return analyse_echo(given.prepared, given.detected, given.metadata, progress=tools.progress, cancel=tools.cancel)


def _analyse_ecg(given: PreparedSignal, tools: Tools) -> EcgAnalysis:
    file = given.file
    return analyse_ecg(
        given.prepared,
        given.metadata,
        file.path,
        file.files,
        file.limits,
        parts=tools.parts,
        progress=tools.progress,
        cancel=tools.cancel,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """One row of CALLS.

    Attributes
    ----------
    arguments, result : type
        What goes in and what comes out.
    files : callable
        The untrusted files that the call opens, out of its arguments.
    parses : bool
        Parses files and is given no more memory than these may need; else it computes, and its size is watched.
    precedes_model : bool
        A call that needs the chamber network follows soon.
    """

    work: Callable[[Any, Tools], Any]
    arguments: type
    result: Any
    branch: Branch
    lane: Lane
    files: Callable[[Any], tuple[Path, ...]]
    parses: bool = True
    precedes_model: bool = False


def _clips(given: EchoFiles) -> tuple[Path, ...]:
    return given.paths


def _recording(given: EcgFile) -> tuple[Path, ...]:
    return (given.path,)


def _looked_at(given: DirectoryFile | EcgStretch | EcgHour) -> tuple[Path, ...]:
    return (given.path,)


def _facts(given: PatientFacts) -> tuple[Path, ...]:
    return (given.path,) if given.path is not None else ()


def _long_recording(given: PreparedSignal) -> tuple[Path, ...]:
    return (given.file.path,) if given.prepared.overview is not None else ()


def _none(given: object) -> tuple[Path, ...]:
    return ()


_REPORTS = tuple[FileReport, ...]
CALLS: dict[str, CallRow] = {
    "preview_echo": CallRow(  # before the validation of the same clips, in the worker that waits with the readers
        work=_preview_echo, arguments=EchoFiles, result=EchoCine, branch="echo", lane="echo", files=_clips
    ),
    "list_directory": CallRow(
        work=list_directory,
        arguments=DirectoryFile,
        result=tuple[Components, ...],
        branch="metadata",
        lane="look",
        files=_looked_at,
    ),
    "ecg_samples": CallRow(
        work=read_samples, arguments=EcgStretch, result=ShownEcg, branch="ecg", lane="look", files=_looked_at
    ),
    "ecg_extremes": CallRow(
        work=read_extremes, arguments=EcgHour, result=ShownEcg, branch="ecg", lane="look", files=_looked_at
    ),
    "validate_echo": CallRow(
        work=_validate_echo,
        arguments=EchoFiles,
        result=_REPORTS,
        branch="echo",
        lane="echo",
        files=_clips,
        precedes_model=True,
    ),
    "validate_ecg": CallRow(
        work=_validate_ecg, arguments=EcgFile, result=_REPORTS, branch="ecg", lane="ecg", files=_recording
    ),
    "validate_metadata": CallRow(
        work=_validate_metadata, arguments=PatientFacts, result=_REPORTS, branch="metadata", lane="ecg", files=_facts
    ),
    "prepare_echo": CallRow(
        work=_prepare_echo,
        arguments=EchoFiles,
        result=PreparedEcho,
        branch="echo",
        lane="echo",
        files=_clips,
        precedes_model=True,
    ),
    "prepare_ecg": CallRow(
        work=_prepare_ecg, arguments=EcgFile, result=PreparedEcg, branch="ecg", lane="ecg", files=_recording
    ),
    "prepare_metadata": CallRow(
        work=_prepare_metadata, arguments=PatientFacts, result=Metadata, branch="metadata", lane="ecg", files=_facts
    ),
    "detect_echo": CallRow(
        work=_detect_echo,
        arguments=PreparedClips,
        result=DetectedEcho,
        branch="echo",
        lane="model",
        files=_none,
        parses=False,
    ),
    "probability_maps": CallRow(
        work=_probability_maps,
        arguments=FrameOfClip,
        result=ProbabilityMaps,
        branch="echo",
        lane="model",
        files=_none,
        parses=False,
    ),
    "analyse_echo": CallRow(
        work=_analyse_echo,
        arguments=DetectedClips,
        result=EchoAnalysis,
        branch="echo",
        lane="echo",
        files=_none,
        parses=False,
    ),
    "analyse_ecg": CallRow(
        work=_analyse_ecg,
        arguments=PreparedSignal,
        result=EcgAnalysis,
        branch="ecg",
        lane="ecg",
        files=_long_recording,
        parses=False,
    ),
}


def perform(call: StageCall, tools: Tools) -> Any:
    """Do a call in this process, in the calling thread."""
    return CALLS[call.name].work(call.arguments, tools)


def without_file(call: StageCall, file: Path | None) -> StageCall | None:
    """The call without the clip that ended its reader; None where nothing would be left to do."""
    given = call.arguments
    if call.name != "prepare_echo" or file not in given.paths:
        return None
    left_out = (*given.left_out, given.paths.index(file))
    if len(set(left_out)) in (len(given.left_out), len(given.paths)):
        return None
    return replace(call, arguments=replace(given, left_out=left_out))
