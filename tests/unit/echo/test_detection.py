"""Detection: what it returns, when it warns, when it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.cancellation import CancelToken
from pipeline.echo.confidence import LOW_CONFIDENCE, WORDS
from pipeline.echo.detection import detect_chambers
from pipeline.echo.quality import FRAME_PARTS
from pipeline.errors import DetectionError, RunCancelledError
from pipeline.records import EchoDetection
from pipeline.store.codec import decode, encode


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


def refused(phantoms: Any, labels: np.ndarray, certainty: float = 0.945, **changes: Any) -> str:
    """Why function is not measured in a phantom clip."""
    cine = phantoms.cine(labels, np.arange(len(labels)) / 30, **changes)
    found = detect_chambers(cine, phantoms.segmenter(labels, certainty))
    assert found.quality is not None
    assert found.quality.low_confidence_reason == found.low_confidence_reason
    assert found.low_confidence_reason is not None
    assert found.low_confidence_reason.startswith(LOW_CONFIDENCE)
    return found.low_confidence_reason


def test_an_uncertain_network_is_reported(phantoms: Any, usual_heart: Any) -> None:
    assert WORDS["certainty"] in refused(phantoms, usual_heart.labels, 0.88)


def test_flicker_is_reported(phantoms: Any) -> None:
    labels = np.stack([np.roll(phantoms.labels(70, 20), 60 * (i % 2) - 30, axis=1) for i in range(12)])
    assert WORDS["agreement"] in refused(phantoms, labels)


def test_the_parts_are_recorded(phantoms: Any, usual_heart: Any) -> None:
    heart = usual_heart
    found = detect_chambers(phantoms.cine(heart.labels, heart.times_s), phantoms.segmenter(heart.labels))
    quality = found.quality
    assert quality is not None
    assert set(quality.frame_parts) == set(FRAME_PARTS)
    assert set(quality.clip_parts) == set(WORDS)
    assert all(len(values) == len(heart.labels) for values in quality.frame_parts.values())
    assert np.array_equal(found.confidence, np.min(list(quality.frame_parts.values()), axis=0))
    assert 0.9 < quality.score <= 1.0
    assert found.certainty is not None
    assert found.certainty == pytest.approx(np.full(len(heart.labels), 0.945), abs=0.01)
    assert decode(EchoDetection, encode(found)).quality is not None


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
