"""The first frame beside a run: quick, shown only until the clip is there, and no matter when it fails."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from pipeline.cancellation import CancelToken, no_progress
from pipeline.errors import InputError
from pipeline.executor import ThreadExecutor
from pipeline.gates import Limits
from pipeline.preview import Preview
from pipeline.records import CardiologyRequest, StudyResults
from pipeline.retry import Attempt
from pipeline.stage_calls import EchoFiles, StageCall
from pipeline.stages.preprocessing import preview_echo

CLIP = Path(get_testdata_file("examples_ybr_color.dcm"))


class HeldExecutor(ThreadExecutor):
    """Gives its answer when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()

    def call(self, call, attempt, progress, cancel):
        answer = super().call(call, attempt, progress, cancel)
        self.gate.wait(10.0)
        return answer


def read(paths: tuple[Path, ...] = (CLIP,)):
    return preview_echo(paths, Limits(), cancel=CancelToken())


def started(tell, paths=(CLIP,)) -> tuple[Preview, HeldExecutor]:
    executor = HeldExecutor()
    return Preview(executor, CardiologyRequest(echo_paths=paths), Limits(), CancelToken(), tell), executor


def test_it_is_the_first_frame_of_the_clip_cut_to_its_sector():
    arguments = EchoFiles(paths=(CLIP,), limits=Limits())
    cine = ThreadExecutor().call(
        StageCall(name="preview_echo", arguments=arguments), Attempt(), no_progress, CancelToken()
    )
    assert len(cine.frames) == 1
    assert cine.frames.std() > 5
    whole = pydicom.dcmread(CLIP)
    assert cine.original_size_px == (whole.Rows, whole.Columns)


@pytest.mark.parametrize("form", ["avi", "nii"])
def test_every_format_stops_after_the_frames_that_are_wanted(tmp_path, form):
    from pipeline.echo.readers import read_echo

    frames = np.random.default_rng(1).integers(0, 255, (6, 96, 128), np.uint8)
    path = tmp_path / f"clip.{form}"
    if form == "avi":
        import cv2

        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (128, 96), isColor=False)
        for frame in frames:
            writer.write(frame)
        writer.release()
    else:
        import nibabel

        nibabel.save(nibabel.Nifti1Image(frames.transpose(2, 1, 0), np.eye(4)), path)
    assert len(read_echo(path, Limits()).frames) == 6
    assert len(read_echo(path, Limits(), most_frames=2).frames) == 2


def test_a_clip_that_cannot_be_read_is_passed_over(tmp_path):
    broken = tmp_path / "x.dcm"
    broken.write_bytes(CLIP.read_bytes()[:600])
    assert len(read((broken, CLIP)).frames) == 1
    with pytest.raises(InputError):
        read((broken,))


def test_it_is_told_and_stands_in_until_the_clip_is_there():
    told: list[StudyResults] = []
    preview, executor = started(told.append)
    assert preview.beside(StudyResults()).cines == ()
    executor.gate.set()
    preview._thread.join(10)
    (first,) = told
    assert preview.beside(StudyResults()).cines == first.cines
    clip = StudyResults(cines=(replace(first.cines[0], file_sha256="ab" * 32),))
    assert preview.beside(clip) is clip
    assert preview.beside(StudyResults()).cines == ()


def test_one_that_comes_too_late_is_not_told():
    told: list[StudyResults] = []
    preview, executor = started(told.append)
    preview.end()
    executor.gate.set()
    preview._thread.join(10)
    assert told == []


def test_one_that_fails_is_no_matter(tmp_path):
    told: list[StudyResults] = []
    preview, executor = started(told.append, (tmp_path / "nowhere.dcm",))
    executor.gate.set()
    preview._thread.join(10)
    assert told == []
    assert preview.beside(StudyResults()).cines == ()
