"""Which study a DICOM file belongs to, and which files a DICOMDIR lists."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pipeline.cancellation import CancelToken
from pipeline.dicom_kind import storage_class, study_uid
from pipeline.errors import PipelineError, RunCancelledError
from pipeline.executor import StageExecutor
from pipeline.gates import DICOM_HEAD_BYTES, Limits, check_file, open_file, reading
from pipeline.intake.directory import Components, DirectoryFile
from pipeline.intake.search import Found
from pipeline.look import look

DIRECTORY_CLASS = "1.2.840.10008.1.3.10"
HEADER_BYTES = 1 << 18
MAX_COMPONENTS = 8
_OUTSIDE = "An entry of the DICOMDIR leads out of its folder and was passed over."
_MISSING = "{n} of the files that the DICOMDIR lists are not there."


def is_directory_file(path: Path) -> bool:
    """Whether a file is a DICOMDIR, by its first bytes; never raises for a bad file."""
    try:
        if check_file(path, Limits()).kind != "dicom":
            return False
        with open_file(path) as file, reading():
            return storage_class(file.read(DICOM_HEAD_BYTES)) == DIRECTORY_CLASS
    except PipelineError:
        return False


def study_of(path: Path) -> str:
    """A mark that the DICOM files of one study share; empty for a file that names none. Never raises.

    The study's UID itself is not kept: it identifies. The file is looked at by a few lines of our own, not by a
    parser: this runs in the process of the window.
    """
    try:
        with open_file(path) as file, reading():
            head = file.read(HEADER_BYTES)
    except PipelineError:
        return ""
    uid = study_uid(head) if head[128:132] == b"DICM" else ""
    return hashlib.sha256(uid.encode()).hexdigest()[:16] if uid else ""


def directory_files(path: Path, executor: StageExecutor | None = None, cancel: CancelToken | None = None) -> Found:
    """The files that a DICOMDIR lists and that lie in its folder or below; the listing is read in a worker.

    Its paths are made of components (PS3.10 section 8): each must be a plain name, and the file it leads to must lie
    in the folder, so that no listing can open another file of the machine. Raises RunCancelledError.
    """
    try:
        listed: tuple[Components, ...] = look(
            "list_directory", DirectoryFile(path=path, limits=Limits()), executor, cancel
        )
    except RunCancelledError:
        raise
    except PipelineError as error:
        return Found(notes=(f"A DICOMDIR could not be read. {error.text} ({error.code})",))
    root = path.parent.resolve()
    files, notes, n_missing = [], [], 0
    for parts in listed:
        target = _inside(root, parts)
        if target is None:
            notes.append(_OUTSIDE)
        elif target.is_file():
            files.append(target)
        else:
            n_missing += 1
    notes += [_MISSING.format(n=n_missing)] if n_missing else []
    return Found(files=tuple(dict.fromkeys(files)), notes=tuple(dict.fromkeys(notes)))


def _inside(root: Path, parts: tuple[str, ...]) -> Path | None:
    if len(parts) > MAX_COMPONENTS or any(part in ("", ".", "..") or set(part) & set("/\\\0") for part in parts):
        return None
    target = root.joinpath(*parts)
    try:
        resolved = target.resolve()
    except (OSError, RuntimeError):
        return None
    return resolved if resolved.is_relative_to(root) else None
