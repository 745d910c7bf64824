"""A network drive that fails in the middle of a read: the error may be tried again, whoever was reading."""

from __future__ import annotations

import errno
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline import gates
from pipeline.echo.readers import inspect_echo, read_echo
from pipeline.errors import TransientReadError
from pipeline.gates import Limits

LIMITS = Limits()
MAX_READS = 400


@pytest.fixture(scope="module")
def phantoms() -> Any:
    spec = importlib.util.spec_from_file_location("reader_phantoms", Path(__file__).with_name("reader_phantoms.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class FailingDrive:
    """Stands in for os.fdopen; the read number `fails_at` over all files raises EIO."""

    def __init__(self, fails_at: int) -> None:
        self.fails_at = fails_at
        self.n_reads = 0

    def open(self, descriptor: int, mode: str) -> Any:
        return FailingFile(open(descriptor, mode), self)


class FailingFile:
    def __init__(self, file: Any, drive: FailingDrive) -> None:
        self._file = file
        self._drive = drive

    def read(self, *sizes: int) -> bytes:
        self._drive.n_reads += 1
        if self._drive.n_reads == self._drive.fails_at:
            raise OSError(errno.EIO, "I/O error", "secret-name")
        content: bytes = self._file.read(*sizes)
        return content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> FailingFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


@pytest.mark.parametrize("name", ["native.dcm", "deflated.dcm", "jpeg.dcm", "a.avi", "a.mp4", "a.nii", "a.nii.gz"])
def test_every_failing_read_may_be_tried_again(
    phantoms: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path, rgb = tmp_path / name, phantoms.smooth_frames(3, 72, 80)
    if name == "jpeg.dcm":
        packed = [phantoms.jpeg(frame) for frame in rgb]
        phantoms.packed_dicom(path, packed, rgb.shape, "YBR_FULL", "1.2.840.10008.1.2.4.50")
    elif name.endswith("dcm"):
        deflated = "1.2.840.10008.1.2.1.99"
        phantoms.dicom(path, rgb, syntax=deflated if name.startswith("deflated") else phantoms.EXPLICIT)
    elif "nii" in name:
        phantoms.nifti(path, phantoms.fan_frames(3, 72, 80))
    else:
        phantoms.video(path, rgb, codec="mpeg4")
    expected = read_echo(path, LIMITS).frames
    n_failures = 0
    for fails_at in range(1, MAX_READS):
        drive = FailingDrive(fails_at)
        monkeypatch.setattr(gates.os, "fdopen", drive.open)
        try:
            inspect_echo(path, LIMITS)
            clip = read_echo(path, LIMITS)
        except TransientReadError as error:
            n_failures += 1
            refusal = str(error)
        else:
            break
        finally:
            monkeypatch.undo()
        assert "secret" not in refusal
    assert drive.n_reads < fails_at  # the last attempt was whole, not cut short by a swallowed fault
    np.testing.assert_array_equal(clip.frames, expected)
    assert n_failures >= 4
