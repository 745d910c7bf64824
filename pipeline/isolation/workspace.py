"""The private folders of the worker processes: made for the user alone, removed with the process."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import sys
import tempfile
from pathlib import Path

import psutil

from pipeline.errors import WorkerError

FOLDER = "work"
ROOM_BYTES = 256 << 20
"""Less room than this on its disk, and another place is taken."""
MEMORY, MOUNTS = Path("/dev/shm"), Path("/proc/mounts")  # noqa: S108 - what is made there is checked to be ours
MEMORY_ROOM_BYTES = 1 << 30
"""A folder in memory with less room than this is not used: a long clip fills as much."""


def make_folder(data_folder: Path | None) -> Path:
    """A new empty folder (0700) in the data folder; where that is full or read-only, in the system's own place.

    Raises
    ------
    WorkerError
        E_WORKER_START: neither place can be written.
    """
    me = psutil.Process()
    name = f"{me.pid}-{round(1000 * me.create_time())}-{secrets.token_hex(4)}"
    for parent in (data_folder / FOLDER if data_folder else None, None):
        try:
            if parent is None:
                return Path(tempfile.mkdtemp(prefix=f"chordae-{name}-"))
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if shutil.disk_usage(parent).free < ROOM_BYTES:
                continue
            (parent / name).mkdir(mode=0o700)
            (parent / name).chmod(0o700)
        except OSError:
            continue
        return parent / name
    raise WorkerError("There is no place for the files of a worker process.", code="E_WORKER_START")


def memory_folder() -> Path | None:
    """A folder of this user's (0700) that lies in memory; None where there is none, or too little room.

    An encrypted store has the workers' folders there: what they hand over is not encrypted.
    """
    if sys.platform == "win32":
        return None
    folder = MEMORY / f"chordae-{os.geteuid()}"
    try:
        if not _lies_in_memory() or shutil.disk_usage(MEMORY).free < MEMORY_ROOM_BYTES:
            return None
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) == 0o700
    return folder if is_ours else None  # every user may make files there, links to elsewhere too


def _lies_in_memory() -> bool:
    return any(line.split()[1:3] == [str(MEMORY), "tmpfs"] for line in MOUNTS.read_text().splitlines())


def remove_folder(folder: Path) -> None:
    """Remove a worker's folder with everything in it."""
    shutil.rmtree(folder, ignore_errors=True)


def sweep(data_folder: Path | None) -> None:
    """Remove folders that a killed application has left behind."""
    if data_folder is None or not (data_folder / FOLDER).is_dir():
        return
    for folder in (data_folder / FOLDER).iterdir():
        if not _is_owned(folder.name):
            remove_folder(folder)


def _is_owned(name: str) -> bool:
    """Whether the application that made the folder still lives."""
    try:
        pid, started_ms = (int(part) for part in name.split("-")[:2])
        return abs(round(1000 * psutil.Process(pid).create_time()) - started_ms) <= 1000
    except (ValueError, psutil.NoSuchProcess):
        return False
    except psutil.Error:
        return True
