"""The fence, the limits and the private folders."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.isolation import workspace
from pipeline.isolation.confinement import Fence, memory_limit
from pipeline.isolation.worker_process import KEPT_VARIABLES, worker_command, worker_environment
from pipeline.isolation.workspace import FOLDER, make_folder, memory_folder, remove_folder, sweep

WRITE = os.O_WRONLY | os.O_CREAT


@pytest.mark.parametrize(
    ("event", "arguments"),
    [
        ("socket.__new__", (None, 2, 1, 0)),
        ("socket.connect", (None, ("1.2.3.4", 80))),
        ("subprocess.Popen", ("true", [], None, None)),
        ("os.system", (b"true",)),
        ("os.exec", ("/bin/true", [], None)),
        ("os.posix_spawn", ("/bin/true", [], None)),
        ("os.fork", ()),
        ("pickle.find_class", ("os", "system")),
        ("open", ("/etc/passwd", "a", WRITE)),
        ("open", ("INSIDE/../stolen", None, WRITE)),
        ("open", ("INSIDE-beside/x", None, WRITE)),
        ("open", ("/usr/lib/__pycache__/evil.so", None, WRITE)),
        ("os.remove", ("/etc/passwd", -1)),
        ("os.rename", ("INSIDE/a", "/etc/passwd", -1, -1)),
        ("os.symlink", ("/etc/passwd", "INSIDE/a", -1)),
        ("os.truncate", ("/etc/passwd", 0)),
    ],
)
def test_refused(tmp_path: Path, event: str, arguments: tuple[Any, ...]) -> None:
    inside = tuple(a.replace("INSIDE", str(tmp_path)) if isinstance(a, str) else a for a in arguments)
    with pytest.raises(PermissionError):
        Fence(tmp_path).judge(event, inside)


@pytest.mark.parametrize(
    ("event", "arguments"),
    [
        ("open", ("/etc/passwd", "r", os.O_RDONLY)),
        ("open", ("INSIDE/result-1", None, WRITE)),
        ("open", (b"INSIDE/result-1", None, WRITE)),
        ("open", (7, "wb", WRITE)),
        ("open", ("/dev/null", "w", WRITE)),
        ("open", ("/usr/lib/x/__pycache__/y.cpython-311.pyc.1234", None, WRITE)),
        ("os.rename", ("INSIDE/a", "INSIDE/b", -1, -1)),
        ("import", ("numpy", None, None, None, None)),
    ],
)
def test_allowed(tmp_path: Path, event: str, arguments: tuple[Any, ...]) -> None:
    def inside(value: Any) -> Any:
        if isinstance(value, bytes):
            return value.replace(b"INSIDE", os.fsencode(tmp_path))
        return value.replace("INSIDE", str(tmp_path)) if isinstance(value, str) else value

    Fence(tmp_path).judge(event, tuple(inside(a) for a in arguments))


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_memory_limit_holds_and_ends() -> None:
    code = (
        "from pipeline.isolation.confinement import memory_limit\n"
        "with memory_limit(200 << 20):\n"
        "    bytearray(100 << 20)\n"
        "    try:\n        bytearray(300 << 20)\n"
        "    except MemoryError:\n        print('refused')\n"
        "bytearray(300 << 20)\nprint('free again')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["refused", "free again"]


def test_no_limit_where_none_is_wanted() -> None:
    with memory_limit(None):
        bytearray(1 << 20)


def test_environment_is_an_allow_list(tmp_path: Path) -> None:
    ours = {"LANG": "C.UTF-8", "AWS_SECRET": "x", "PYTHONSTARTUP": "/evil.py", "LD_PRELOAD": "/evil.so", "HOME": "/h"}
    ours |= {"CHORDAE_PASSPHRASE": "words", "CHORDAE_NEW_PASSPHRASE": "other words"}
    given = worker_environment(tmp_path, ours)
    assert given["HOME"] == given["TMPDIR"] == str(tmp_path)
    assert set(given) - {"HOME", "TMPDIR", "TEMP", "TMP", "MPLCONFIGDIR", "PYTHONPATH"} == {"LANG"}
    assert not {"LD_PRELOAD", "PYTHONSTARTUP", "PYTHONHOME"} & set(KEPT_VARIABLES)


def test_a_frozen_application_starts_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert worker_command(tmp_path)[1:5] == ["-P", "-s", "-m", "pipeline.isolation.worker"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert worker_command(tmp_path) == [sys.executable, "--isolated-worker", str(tmp_path), str(os.getpid())]


def test_folders_are_private_under_any_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = make_folder(tmp_path)
    finally:
        os.umask(before)
    assert made.parent == tmp_path / FOLDER
    assert made.stat().st_mode & 0o777 == made.parent.stat().st_mode & 0o777 == 0o700
    remove_folder(made)
    assert not made.exists()


def test_a_data_folder_that_cannot_be_written_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    made = make_folder(tmp_path / "file")
    try:
        assert made.stat().st_mode & 0o777 == 0o700
        assert tmp_path not in made.parents
    finally:
        remove_folder(made)


def test_what_a_killed_application_left_is_swept(tmp_path: Path) -> None:
    mine = make_folder(tmp_path)
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    left = tmp_path / FOLDER / f"{ended.pid}-1700000000000-0a0b0c0d"
    odd = tmp_path / FOLDER / "what is this"
    for folder in (left, odd):
        folder.mkdir()
        (folder / "result-1").write_bytes(b"pixels")
    sweep(tmp_path)
    assert sorted((tmp_path / FOLDER).iterdir()) == [mine]


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place that counts as lying in memory."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"proc /proc proc rw 0 0\ntmpfs {tmp_path} tmpfs rw,nosuid 0 0\n")
    monkeypatch.setattr(workspace, "MEMORY", tmp_path)
    monkeypatch.setattr(workspace, "MOUNTS", mounts)
    monkeypatch.setattr(workspace, "MEMORY_ROOM_BYTES", 1)
    return tmp_path / f"chordae-{os.geteuid()}"


def test_a_folder_in_memory_is_private(memory: Path) -> None:
    assert memory_folder() == memory
    assert memory.stat().st_mode & 0o777 == 0o700
    assert memory_folder() == memory


def test_no_folder_in_memory_where_it_is_a_disk_full_or_not_ours(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(workspace, "MEMORY_ROOM_BYTES", 1 << 62)
        assert memory_folder() is None
    with monkeypatch.context() as patch:
        patch.setattr(workspace, "MEMORY", memory.parent / "disk")
        assert memory_folder() is None
    with monkeypatch.context() as patch:
        patch.setattr(workspace, "MOUNTS", memory.parent / "none")
        assert memory_folder() is None
    elsewhere = memory.parent / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    memory.symlink_to(elsewhere)
    assert memory_folder() is None
    memory.unlink()
    memory.mkdir(mode=0o700)
    memory.chmod(0o755)
    assert memory_folder() is None
