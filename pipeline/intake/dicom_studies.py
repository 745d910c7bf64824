"""Which study a DICOM file belongs to, and which files a DICOMDIR lists."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.dicom_kind import study_uid
from pipeline.errors import InputError, PipelineError
from pipeline.gates import Limits, check_file, guarded, open_file, reading
from pipeline.intake.search import Found

DIRECTORY_CLASS = "1.2.840.10008.1.3.10"
HEADER_BYTES = 1 << 18
MAX_DIRECTORY_BYTES = 64 << 20
MAX_COMPONENTS = 8
_OUTSIDE = "An entry of the DICOMDIR leads out of its folder and was passed over."
_MISSING = "{n} of the files that the DICOMDIR lists are not there."


def is_directory_file(path: Path) -> bool:
    """Whether a file is a DICOMDIR, by its content; never raises for a bad file."""
    try:
        if check_file(path, Limits()).kind != "dicom":
            return False
        return _storage_class(path) == DIRECTORY_CLASS
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


def directory_files(path: Path) -> Found:
    """The files that a DICOMDIR lists and that lie in its folder or below.

    Its paths are made of components (PS3.10 section 8): each must be a plain name, and the file it leads to must lie
    in the folder, so that no listing can open another file of the machine.
    """
    try:
        listed = list(_listed(path))
    except PipelineError as error:
        return Found(notes=(f"A DICOMDIR could not be read. {error.text}",))
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


def _storage_class(path: Path) -> str:
    from pydicom.filereader import read_file_meta_info

    with guarded("The header of a DICOM file is damaged."):
        return str(read_file_meta_info(path).get("MediaStorageSOPClassUID", ""))


def _listed(path: Path) -> Iterator[tuple[str, ...]]:
    from pydicom.filereader import dcmread

    if check_file(path, Limits()).size_bytes > MAX_DIRECTORY_BYTES:
        raise InputError("It is too large for a listing.")
    with open_file(path) as file, guarded("The listing is damaged."):
        dataset: Any = dcmread(file)
        records = list(dataset.get("DirectoryRecordSequence") or ())
        found = [record.get("ReferencedFileID") for record in records]
    for value in found:
        if value:
            yield (str(value),) if isinstance(value, str) else tuple(str(part) for part in value)


def _inside(root: Path, parts: tuple[str, ...]) -> Path | None:
    if len(parts) > MAX_COMPONENTS or any(part in ("", ".", "..") or set(part) & set("/\\\0") for part in parts):
        return None
    target = root.joinpath(*parts)
    try:
        resolved = target.resolve()
    except (OSError, RuntimeError):
        return None
    return resolved if resolved.is_relative_to(root) else None
