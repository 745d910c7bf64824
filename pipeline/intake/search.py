"""Walks folders for files, within bounds, without following links."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.cancellation import CancelToken

MAX_FILES, MAX_DEPTH = 20_000, 12
HIDDEN = "."


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Files in the order of their names, and what was passed over."""

    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()

    def joined(self, other: Found) -> Found:
        files = tuple(dict.fromkeys((*self.files, *other.files)))
        return Found(files=files, notes=(*self.notes, *other.notes))


def search(folders: Iterable[Path], cancel: CancelToken) -> Found:
    """Every regular file under the folders; hidden ones, links and what lies too deep are left aside."""
    files: list[Path] = []
    notes: list[str] = []
    for folder in folders:
        for here, below, names in os.walk(folder, followlinks=False):
            cancel.check()
            depth = len(Path(here).relative_to(folder).parts)
            below[:] = sorted(name for name in below if not name.startswith(HIDDEN)) if depth < MAX_DEPTH else []
            for name in sorted(names):
                path = Path(here) / name
                if not name.startswith(HIDDEN) and path.is_file() and not path.is_symlink():
                    files.append(path)
            if len(files) > MAX_FILES:
                notes.append(f"The folder holds more than {MAX_FILES} files; only the first ones were looked at.")
                return Found(files=tuple(files[:MAX_FILES]), notes=tuple(notes))
    return Found(files=tuple(files), notes=tuple(notes))
