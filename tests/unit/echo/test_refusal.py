"""What is no apical view of a beating heart gives no ejection fraction and no volume; what is one is not refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.cancellation import CancelToken
from pipeline.echo.analysis import analyse_echo
from pipeline.echo.cardiac_cycle import NOT_BEATING
from pipeline.echo.confidence import LOW_CONFIDENCE
from pipeline.echo.detection import detect_chambers
from pipeline.echo.preprocessing import prepare_clip
from pipeline.echo.readers import read_echo
from pipeline.echo.segmentation import Segmenter, load_segmenter
from pipeline.errors import DetectionError, QualityError
from pipeline.gates import Limits
from pipeline.records import EchoCine, Metadata

NOT_TRANSTHORACIC = (
    "color-pl.dcm",
    "examples_palette.dcm",
    "examples_rgb_color.dcm",
    "ExplVR_BigEnd.dcm",
    "gdcm-US-ALOKA-16.dcm",
    "JPGLosslessP14SV1_1s_1f_8b.dcm",
    "OBXXXX1A.dcm",
    "OBXXXX1A_2frame.dcm",
    "US1_J2KR.dcm",
)
SAME_PICTURES = (
    "color-px.dcm",
    "examples_jpeg2k.dcm",
    "gdcm-US-ALOKA-16_big.dcm",
    "OBXXXX1A_expb.dcm",
    "OBXXXX1A_expb_2frame.dcm",
    "OBXXXX1A_rle.dcm",
    "OBXXXX1A_rle_2frame.dcm",
    "US1_J2KI.dcm",
    "US1_UNCI.dcm",
    "US1_UNCR.dcm",
)
"""Together all ultrasound files of pydicom and pydicom-data but the two apical cines; color-p*.dcm are
transoesophageal. The second lot holds the pictures of the first in other encodings."""


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return load_segmenter()


def shipped(name: str) -> EchoCine:
    from pydicom.data import get_testdata_file

    path = get_testdata_file(name, download=False)
    assert path, name
    return prepare_clip(read_echo(Path(str(path)), Limits(), cancel=CancelToken()), "a" * 64)


@pytest.fixture(scope="module")
def apical() -> np.ndarray:
    """Ten frames of the small A4C cine that pydicom ships: uint8 (10, height, width)."""
    return shipped("examples_ybr_color.dcm").frames[::3]


def values(phantoms: Any, frames: np.ndarray, segmenter: Segmenter) -> tuple[dict[str, float | str | None], str]:
    """EF and volumes of a calibrated clip of these frames at 10 per second, and why there are none."""
    frames = np.ascontiguousarray(frames)
    cine = phantoms.cine(np.zeros(frames.shape, np.uint8), np.arange(len(frames)) / 10, frames=frames)
    try:
        detection = detect_chambers(cine, segmenter)
    except DetectionError as error:
        return {}, error.text
    found = analyse_echo((cine,), (detection,), Metadata()).measurements
    chosen = {m.name: m for m in found if m.name in ("lvef", "edv", "esv", "sv")}
    return {name: m.value for name, m in chosen.items()}, chosen["lvef"].reason or ""


@pytest.mark.parametrize(
    "name", [*NOT_TRANSTHORACIC, *(pytest.param(name, marks=pytest.mark.slow) for name in SAME_PICTURES)]
)
def test_ultrasound_of_something_else_is_refused(segmenter: Segmenter, name: str) -> None:
    with pytest.raises((DetectionError, QualityError)):
        detect_chambers(shipped(name), segmenter)


def _noise(blur: float) -> np.ndarray:
    from scipy import ndimage

    grains = np.random.default_rng(5).normal(size=(4, 260, 300))
    soft = ndimage.gaussian_filter(grains, (0, blur, blur))
    return np.asarray(255 * (soft - soft.min()) / np.ptp(soft), np.uint8)


def _across() -> np.ndarray:
    """A ventricle cut across: a beating round cavity in a closed ring of muscle, with speckle, in a sector."""
    from scipy import ndimage

    rows, columns = np.mgrid[:300, :300]
    radius, depth = np.hypot(rows - 160, columns - 150), np.hypot(rows + 20, columns - 150)
    grains = ndimage.gaussian_filter(np.random.default_rng(1).rayleigh(1, (300, 300)), (1, 2.5))
    sector = (np.abs(columns - 150) < 0.8 * (rows + 20)) & (depth < 310)
    frames = []
    for inner in (57, 50, 38, 33, 41, 52):
        grey = np.select([radius < inner, radius < inner + 28], [12, 110], 60) * grains / grains.mean()
        frames.append(np.where(sector, np.clip(grey, 0, 255), 0).astype(np.uint8))
    return np.stack(frames)


@pytest.mark.parametrize("kind", ["noise", "blurred noise", "across"])
def test_what_is_made_up_is_refused(phantoms: Any, segmenter: Segmenter, kind: str) -> None:
    frames = {"noise": lambda: _noise(0), "blurred noise": lambda: _noise(3), "across": _across}[kind]()
    found, reason = values(phantoms, frames, segmenter)
    assert not any(found.values())
    assert reason


@pytest.mark.parametrize("kind", ["upside down", "turned by 180", "turned by 90"])
def test_a_heart_that_is_not_upright_is_refused(
    phantoms: Any, segmenter: Segmenter, apical: np.ndarray, kind: str
) -> None:
    some = apical[:4]
    turned = {"upside down": some[:, ::-1], "turned by 180": some[:, ::-1, ::-1]}.get(kind, np.rot90(some, 1, (1, 2)))
    found, reason = values(phantoms, turned, segmenter)
    assert not any(found.values())
    assert "apex at the top" in reason or reason.startswith(LOW_CONFIDENCE)


def test_half_a_heart_is_refused(phantoms: Any, segmenter: Segmenter, apical: np.ndarray) -> None:
    found, reason = values(phantoms, apical[:4, :, apical.shape[2] // 2 :], segmenter)
    assert not any(found.values())
    assert reason


def test_a_still_repeated_does_not_beat(phantoms: Any, segmenter: Segmenter, apical: np.ndarray) -> None:
    grain = np.random.default_rng(2).integers(-4, 5, apical.shape)
    still = np.clip(apical[:1].astype(int) + grain, 0, 255).astype(np.uint8)
    for frames in (np.repeat(apical[:1], 8, axis=0), still[:8]):
        found, reason = values(phantoms, frames, segmenter)
        assert found.keys() == {"lvef", "edv", "esv", "sv"}
        assert not any(found.values())
        assert reason == NOT_BEATING


@pytest.mark.parametrize("change", ["none", "mirrored", "darker", "lean"])
def test_an_apical_clip_passes(phantoms: Any, segmenter: Segmenter, apical: np.ndarray, change: str) -> None:
    import cv2

    some = apical[:4]
    height, width = some.shape[1:]
    lean = cv2.getRotationMatrix2D((width / 2, height / 2), 12, 1.0)
    frames = {"none": some, "mirrored": some[:, :, ::-1], "darker": some // 3}.get(change)
    if frames is None:
        frames = np.stack([cv2.warpAffine(frame, lean, (width, height)) for frame in some])
    frames = np.ascontiguousarray(frames)
    found = detect_chambers(phantoms.cine(np.zeros_like(frames), np.arange(4) / 10, frames=frames), segmenter)
    assert found.low_confidence_reason is None
    assert found.quality is not None
    assert found.quality.score > 0.7
