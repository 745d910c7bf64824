"""VALIDATION: every file is what it claims to be, judged by its header."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.cancellation import CancelToken, Progress
from pipeline.errors import HardStopError, PipelineError, TransientReadError, ValidationError
from pipeline.gates import Limits, check_file, hash_files, open_file
from pipeline.records import Branch, CardiologyRequest, FileReport
from pipeline.store.codec import canonical_json

MAX_HEADER_BYTES = 1_000_000
Problem = tuple[str, str]
FILE_NAMES: dict[Branch, str] = {"ecg": "ECG file", "metadata": "Metadata"}


def companions(path: Path) -> list[Path]:
    """The file, and for a WFDB header every file beside it that its lines name."""
    if path.suffix.lower() not in (".hea", ".dat", ".atr", ".mat"):
        return [path]
    found = [path]
    for header in sorted(path.parent.glob(f"{path.stem}*.hea")):
        if not header.is_file():
            continue  # a pipe of that name would be waited for
        found.append(header)
        with open_file(header) as file:
            text = file.read(MAX_HEADER_BYTES).decode("latin-1")
        for line in text.splitlines():
            name = line.split(" ")[0]
            beside = path.parent / Path(name).name
            if name and beside.is_file():
                found.append(beside)
    return sorted(set(found))


def input_digest(
    request: CardiologyRequest, branch: Branch, limits: Limits, *, cancel: CancelToken | None = None
) -> str:
    """SHA-256 over the bytes of a branch's inputs; it decides whether a stored validation still holds."""
    if branch == "metadata" and request.metadata_path is None:
        return hashlib.sha256(canonical_json(_plain(request.metadata))).hexdigest()
    paths = {
        "echo": request.echo_paths,
        "ecg": (request.ecg_path,) if request.ecg_path else (),
        "metadata": (request.metadata_path,) if request.metadata_path else (),
    }[branch]
    for path in paths:
        check_file(path, limits)
    return hash_files([each for path in paths for each in companions(path)], cancel=cancel)


def _plain(metadata: Mapping[str, Any] | None) -> Any:
    return {
        str(key): value if isinstance(value, (int, float, bool, type(None))) else str(value)
        for key, value in (metadata or {}).items()
    }


def refuse_at_the_gates(branch: Branch, paths: tuple[Path, ...], limits: Limits, *, validating: bool) -> None:
    """Raise what a stage would raise where no file gets past the gates, or one is over the limit of size.

    For callers that would have to start a process to hear the same. No parser is reached.
    """
    problems: list[Problem] = []
    for index, path in enumerate(paths):
        try:
            _pass_gates(branch, path, limits)
        except PipelineError as error:
            problems += _problems(error, f"Echo file {index + 1}" if branch == "echo" else FILE_NAMES[branch])
            last = error
    if paths and len(problems) == len(paths):
        if not validating:
            raise last
        _accepted([], problems)


def _pass_gates(branch: Branch, path: Path, limits: Limits) -> None:
    if branch == "echo":
        from pipeline.echo.readers import reader_of

        reader_of(path, limits)
    else:  # the suffix has a say there, so that the first bytes alone refuse nothing
        check_file(path, limits)


def validate_echo(
    paths: tuple[Path, ...], limits: Limits, *, progress: Progress, cancel: CancelToken
) -> tuple[FileReport, ...]:
    """Reports of the clips, numbered in the order given; ValidationError lists every file that fails."""
    from pipeline.echo.readers import inspect_echo

    reports: list[FileReport] = []
    problems: list[Problem] = []
    for index, path in enumerate(paths):
        cancel.check()
        progress(index / len(paths), f"clip {index + 1} of {len(paths)} is looked at")
        try:
            reports.append(replace(inspect_echo(path, limits), index=index))
        except PipelineError as error:
            problems += _problems(error, f"Echo file {index + 1}")
        progress((index + 1) / len(paths), f"clip {index + 1} of {len(paths)} checked")
    return _accepted(reports, problems)


def validate_ecg(path: Path, limits: Limits, *, progress: Progress, cancel: CancelToken) -> tuple[FileReport, ...]:
    """Report of the ECG file, as a tuple of one."""
    from pipeline.ecg.readers import inspect_ecg

    return _single(lambda: inspect_ecg(path, limits), FILE_NAMES["ecg"], progress, cancel)


def validate_metadata(
    request: CardiologyRequest, limits: Limits, *, progress: Progress, cancel: CancelToken
) -> tuple[FileReport, ...]:
    """Report of the metadata, as a tuple of one."""
    from pipeline.clinical.metadata import inspect_metadata

    given = request.metadata_path or request.metadata or {}
    return _single(lambda: inspect_metadata(given, limits), FILE_NAMES["metadata"], progress, cancel)


def _single(
    inspect: Callable[[], FileReport], name: str, progress: Progress, cancel: CancelToken
) -> tuple[FileReport, ...]:
    cancel.check()
    try:
        report = inspect()
    except PipelineError as error:
        return _accepted([], _problems(error, name))
    progress(1.0, f"{name} checked")
    return (report,)


def _problems(error: PipelineError, name: str) -> list[Problem]:
    """What to list for a refused file; a hard stop or a passing fault goes on upwards instead."""
    if isinstance(error, (HardStopError, TransientReadError, TimeoutError)) or error.code == "E_CANCELLED":
        raise error
    found = error.errors if isinstance(error, ValidationError) else ((error.code, error.text),)
    return [(code, f"{name}: {text}") for code, text in found]


def _accepted(reports: list[FileReport], problems: list[Problem]) -> tuple[FileReport, ...]:
    if problems:
        codes = {code for code, _ in problems}
        raise ValidationError(problems, code=codes.pop() if len(codes) == 1 else None)
    return tuple(reports)
