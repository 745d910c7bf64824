"""Echo files in, one kind of clip out. READERS lists the formats; a new one is a module and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.echo.readers.dicom import inspect_dicom, read_dicom
from pipeline.echo.readers.nifti import inspect_nifti, read_nifti
from pipeline.echo.readers.video import inspect_avi, inspect_mp4, read_avi, read_mp4
from pipeline.errors import InputError
from pipeline.gates import InputFile, Limits, check_file, hash_files
from pipeline.records import EchoClip, FileReport, Remark


class ReadClip(Protocol):
    """Decodes a file, whole or no further than `most_frames`."""

    def __call__(
        self,
        path: Path,
        limits: Limits,
        *,
        progress: Progress = ...,
        cancel: CancelToken | None = ...,
        most_frames: int | None = ...,
    ) -> EchoClip: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One echo format: the kind its first bytes show, and what looks at it and reads it."""

    kind: str  # of pipeline.gates.MAGICS
    format: str  # of FileReport
    inspect: Callable[[Path, Limits], tuple[str, tuple[Remark, ...]]]
    read: ReadClip


READERS: tuple[Reader, ...] = (
    Reader(kind="dicom", format="dicom-us", inspect=inspect_dicom, read=read_dicom),
    Reader(kind="avi", format="avi", inspect=inspect_avi, read=read_avi),
    Reader(kind="mp4", format="mp4", inspect=inspect_mp4, read=read_mp4),
    Reader(kind="nifti", format="nifti", inspect=inspect_nifti, read=read_nifti),
)


def inspect_echo(path: Path, limits: Limits) -> FileReport:
    """Look at the header of an echo file and hash it; no pixel is decoded.

    Raises
    ------
    InputError
        The file is missing, empty, of another kind, damaged or not supported.
    HardStopError
        E_HARD_004: the file, or what it declares, is over a limit.
    TransientReadError
        A network drive did not answer.
    """
    file, reader = reader_of(path, limits)
    summary, remarks = reader.inspect(path, limits)
    return FileReport(
        role="echo",
        index=0,
        format=reader.format,
        sha256=hash_files((path,)),
        size_bytes=file.size_bytes,
        summary=summary,
        remarks=remarks,
    )


def read_echo(
    path: Path,
    limits: Limits,
    *,
    progress: Progress = no_progress,
    cancel: CancelToken | None = None,
    most_frames: int | None = None,
) -> EchoClip:
    """Decode an echo file, whole or no further than `most_frames`.

    Raises what `inspect_echo` raises, and RunCancelledError between frames.
    """
    _, reader = reader_of(path, limits)
    return reader.read(path, limits, progress=progress, cancel=cancel, most_frames=most_frames)


def reader_of(path: Path, limits: Limits) -> tuple[InputFile, Reader]:
    """The file past the gates, and who reads its kind; raises what `inspect_echo` raises before it parses."""
    file = check_file(path, limits)
    reader = next((r for r in READERS if r.kind == file.kind), None)
    if reader is None:
        text = "The file is not an echocardiogram: DICOM, AVI, MP4 and NIfTI files are read."
        raise InputError(text, code="E_INPUT_KIND")
    return file, reader
