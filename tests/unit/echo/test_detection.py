"""Detection: what it returns, when it warns, when it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.cancellation import CancelToken
from pipeline.echo.detection import detect_chambers
from pipeline.echo.quality import LOW_CONFIDENCE, frame_confidence, overlaps
from pipeline.echo.segmentation import load_segmenter
from pipeline.errors import DetectionError, RunCancelledError


def test_a_clear_clip(phantoms: Any, usual_heart: Any) -> None:
    heart = usual_heart
    told: list[float] = []
    found = detect_chambers(
        phantoms.cine(heart.labels, heart.times_s),
        phantoms.segmenter(heart.labels),
        progress=lambda fraction, _: told.append(fraction),
    )
    n = len(heart.labels)
    assert np.array_equal(found.labels, heart.labels)
    assert found.lv_endocardium.shape == found.lv_epicardium.shape == (n, 97, 2)
    assert found.left_atrium.shape == (n, 64, 2)
    assert np.isfinite(found.lv_endocardium).all()
    assert found.confidence.shape == (n,)
    assert found.confidence.min() > 0.6
    assert found.low_confidence_reason is None
    assert found.model_sha256 == phantoms.segmenter.model_sha256
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


def test_an_uncertain_network_is_reported(phantoms: Any, usual_heart: Any) -> None:
    heart = usual_heart
    found = detect_chambers(phantoms.cine(heart.labels, heart.times_s), phantoms.segmenter(heart.labels, 0.82))
    assert found.low_confidence_reason == LOW_CONFIDENCE


def test_flicker_is_reported(phantoms: Any) -> None:
    labels = np.stack([np.roll(phantoms.labels(70, 20), 60 * (i % 2) - 30, axis=1) for i in range(12)])
    found = detect_chambers(phantoms.cine(labels, np.arange(12) / 30), phantoms.segmenter(labels))
    assert found.low_confidence_reason == LOW_CONFIDENCE


def test_a_heart_upside_down_is_not_trusted(phantoms: Any) -> None:
    labels = phantoms.labels(80, 22)[::-1]
    assert frame_confidence(labels, 0.95, 1.0) == 0.0
    assert frame_confidence(phantoms.labels(80, 22), 0.95, 1.0) > 0.9


def test_one_bad_frame_marks_only_itself_down(phantoms: Any) -> None:
    labels = np.stack([phantoms.labels(80, 22)] * 7)
    labels[3] = np.roll(labels[3], 90, axis=1)
    agreement = overlaps(labels)
    assert agreement[3] < 0.4
    assert (np.delete(agreement, 3) == 1.0).all()


@pytest.mark.parametrize("kind", ["nothing", "bare cavity", "speck"])
def test_no_heart_is_an_error(phantoms: Any, kind: str) -> None:
    labels = np.zeros((6, 300, 260), np.uint8)
    if kind == "bare cavity":
        labels[:, 80:200, 90:160] = 1
    if kind == "speck":
        labels[:, 80:88, 90:96] = 1
        labels[:, 76:80, 86:100] = 2
    with pytest.raises(DetectionError, match="apical"):
        detect_chambers(phantoms.cine(labels, np.arange(6) / 30), phantoms.segmenter(labels))


def test_cancelling(phantoms: Any, usual_heart: Any) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(RunCancelledError):
        detect_chambers(
            phantoms.cine(usual_heart.labels, usual_heart.times_s),
            phantoms.segmenter(usual_heart.labels),
            cancel=cancel,
        )


def _noise(blur: float) -> np.ndarray:
    from scipy import ndimage

    grains = np.random.default_rng(5).normal(size=(4, 260, 300))
    soft = ndimage.gaussian_filter(grains, (0, blur, blur))
    return np.asarray(255 * (soft - soft.min()) / np.ptp(soft), np.uint8)


def _shipped(name: str) -> np.ndarray:
    """Ultrasound of something else that pydicom and pydicom-data ship, as grey frames."""
    from pydicom import dcmread
    from pydicom.data import get_testdata_file
    from pydicom.pixels import pixel_array

    pixels = np.asarray(pixel_array(dcmread(get_testdata_file(name, download=False)), index=0), float)
    return pixels.mean(-1).astype(np.uint8)[None]


@pytest.mark.parametrize("source", ["noise", "blurred noise", "examples_jpeg2k.dcm", "examples_rgb_color.dcm"])
def test_what_is_no_heart_is_not_trusted(phantoms: Any, source: str) -> None:
    made = {"noise": 0.0, "blurred noise": 3.0}
    frames = _noise(made[source]) if source in made else _shipped(source)
    cine = phantoms.cine(np.zeros(frames.shape, np.uint8), np.arange(len(frames)) / 30, frames=frames)
    try:
        found = detect_chambers(cine, load_segmenter())
    except DetectionError:
        return
    assert found.low_confidence_reason == LOW_CONFIDENCE
