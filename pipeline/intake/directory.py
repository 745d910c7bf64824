"""The listing of a DICOMDIR: which files it names. It is parsed by a library, and so in a worker process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.gates import Limits, check_file, guarded, open_file

MAX_DIRECTORY_BYTES = 64 << 20
MAX_LISTED = 20_000
Components = tuple[str, ...]
"""The path of a listed file as it is written there: a name for each folder, then the file's (PS3.10 section 8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryFile:
    """A DICOMDIR whose listing is to be read."""

    path: Path
    limits: Limits


def listed_files(path: Path, limits: Limits) -> tuple[Components, ...]:
    """The files that a DICOMDIR names, in its order; nothing is said of whether they are there.

    Raises
    ------
    InputError
        E_INPUT_CORRUPT: it is damaged, or too large for a listing; and the codes of the gates.
    """
    if check_file(path, limits).size_bytes > MAX_DIRECTORY_BYTES:
        raise InputError("It is too large for a listing.")
    return tuple(islice(_entries(path), MAX_LISTED))


def _entries(path: Path) -> Iterator[Components]:
    from pydicom.filereader import dcmread

    with open_file(path) as file, guarded("The listing is damaged."):
        dataset: Any = dcmread(file)
        records = list(dataset.get("DirectoryRecordSequence") or ())
        found = [record.get("ReferencedFileID") for record in records]
    for value in found:
        if value:
            yield (str(value),) if isinstance(value, str) else tuple(str(part) for part in value)
