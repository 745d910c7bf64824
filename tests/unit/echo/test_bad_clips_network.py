"""Clips that no one would choose, through the shipped network: an interval beside each number, or a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pydicom.data import get_testdata_file

from pipeline.echo.analysis import analyse_echo
from pipeline.echo.detection import detect_chambers
from pipeline.echo.preprocessing import prepare_clip
from pipeline.echo.readers import read_echo
from pipeline.echo.segmentation import Segmenter, load_segmenter
from pipeline.errors import PipelineError
from pipeline.gates import Limits
from pipeline.records import Array, Calibration, EchoClip, Measurement, Metadata

pytestmark = pytest.mark.slow
Change = Callable[[Array], Array]
ONE_BEAT = slice(0, 60)
EF_PCT = (52.0, 78.0)
"""What the whole clip gives, 65 %, and what its interval leaves."""


@pytest.fixture(scope="module")
def clip() -> EchoClip:
    """The apical cine that pydicom-data ships, in grey: 120 frames, about four beats."""
    found = read_echo(Path(str(get_testdata_file("color3d_jpeg_baseline.dcm"))), Limits())
    return replace(found, frames=found.frames.mean(-1).astype(np.uint8))


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return load_segmenter()


def changed(clip: EchoClip, change: Change, part: slice, step: int = 1) -> EchoClip:
    """Some frames of the clip, changed; the pixel size follows a change of the image's size."""
    frames = change(clip.frames[part][::step])
    spacing_mm, region_px = clip.calibration.spacing_mm, clip.region_px
    assert spacing_mm is not None
    scale = clip.frames.shape[1] / frames.shape[1]
    if scale != 1:
        spacing_mm, region_px = (spacing_mm[0] * scale, spacing_mm[1] * scale), None
    return replace(
        clip,
        frames=frames,
        frame_times_s=clip.frame_times_s[part][::step],
        calibration=Calibration(spacing_mm=spacing_mm, method="ultrasound region"),
        region_px=region_px,
    )


def results(clip: EchoClip, segmenter: Segmenter) -> dict[str, Measurement] | PipelineError:
    """Everything measured, or why the clip is refused as a whole."""
    try:
        cine = prepare_clip(clip, "0" * 64)
        detection = detect_chambers(cine, segmenter)
    except PipelineError as error:
        return error
    return {m.name: m for m in analyse_echo((cine,), (detection,), Metadata()).measurements}


def as_it_is(frames: Array) -> Array:
    return frames


def resized(height: int, width: int) -> Change:
    def change(frames: Array) -> Array:
        return np.stack([cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA) for frame in frames])

    return change


def gain_rises(frames: Array) -> Array:
    gain = np.linspace(0.6, 1.5, len(frames))[:, None, None]
    return np.asarray(np.clip(frames * gain, 0, 255), np.uint8)


def blank_inside(frames: Array) -> Array:
    hurt = frames.copy()
    hurt[[11, 12, 33]] = 0
    return hurt


def right_side_black(frames: Array) -> Array:
    """A sector whose right edge cuts the lateral wall."""
    hurt = frames.copy()
    hurt[:, :, int(0.56 * frames.shape[2]) :] = 0
    return hurt


CASES: dict[str, tuple[Change, slice, int]] = {
    "one frame": (as_it_is, slice(0, 1), 1),
    "three frames": (as_it_is, slice(0, 3), 1),
    "two frames a second": (as_it_is, slice(0, 120), 15),
    "half a cycle": (as_it_is, slice(20, 31), 1),
    "changing gain": (gain_rises, ONE_BEAT, 1),
    "blank frames inside": (blank_inside, ONE_BEAT, 1),
    "sector cut": (right_side_black, ONE_BEAT, 1),
    "64 x 64 pixels": (resized(64, 64), ONE_BEAT, 1),
    "4K": (resized(2160, 2880), slice(0, 40), 1),
}


MEASURED = ("changing gain", "blank frames inside", "4K")
"""The others are withheld or refused, each with its reason."""


def check_case(found: dict[str, Measurement] | PipelineError) -> str:
    """What is said of the ejection fraction, when everything in the results keeps its promise."""
    if isinstance(found, PipelineError):
        assert found.code.startswith("E_")
        return found.text
    for measurement in found.values():
        if measurement.status == "withheld":
            assert measurement.value is None
            assert str(measurement.reason).endswith(".")
    fraction: Any = found["lvef"]
    if fraction.status == "withheld":
        return str(fraction.reason)
    assert fraction.interval[0] <= fraction.value <= fraction.interval[1]
    return f"{fraction.value:.0f}"


@pytest.mark.parametrize("name", CASES)
def test_an_interval_or_a_reason(clip: EchoClip, segmenter: Segmenter, name: str) -> None:
    said = check_case(results(changed(clip, *CASES[name]), segmenter))
    if name in MEASURED:
        assert EF_PCT[0] <= float(said) <= EF_PCT[1]
    else:
        assert said.endswith(".")
