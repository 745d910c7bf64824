"""Probability maps of one frame, by the real network."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from pipeline.cancellation import CancelToken
from pipeline.echo.segmentation import load_segmenter
from pipeline.gates import Limits
from pipeline.records import EchoCine
from pipeline.research.probabilities import as_item, probabilities_of
from pipeline.stages.preprocessing import preview_echo


@pytest.fixture(scope="module")
def cine() -> EchoCine:
    from dataclasses import replace
    from pathlib import Path

    from pipeline.echo.preprocessing import prepare_clip
    from pipeline.echo.readers import read_echo

    path = Path(get_testdata_file("examples_ybr_color.dcm"))
    assert pydicom.dcmread(path, stop_before_pixels=True).NumberOfFrames > 10
    clip = read_echo(path, Limits(), most_frames=12)
    assert preview_echo((path,), Limits(), cancel=CancelToken()).frames.shape[0] == 1
    return replace(prepare_clip(clip, "ab" * 32), file_sha256="ab" * 32)


def test_they_sum_to_one_and_agree_with_the_labels(cine):
    found = probabilities_of(cine, 5)
    assert found.maps.shape == (4, *cine.frames.shape[1:])
    assert np.allclose(found.maps.sum(0), 1.0, atol=1e-4)
    labels = load_segmenter().predict(cine.frames, cine.calibration.spacing_mm or (1.0, 1.0))[5]
    likely = found.maps.argmax(0)
    cavity = labels == 1
    assert cavity.sum() > 100
    assert (likely[cavity] == 1).mean() > 0.9
    assert found.model_sha256 == load_segmenter().model_sha256


def test_as_a_result_they_say_what_they_are(cine):
    item = as_item(0, probabilities_of(cine, 0))
    assert (item.name, item.axes) == ("echo.1.probabilities", ("structure", "row", "column"))
    assert "frame 1" in item.label
    assert "left atrium" in item.note
