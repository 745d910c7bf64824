"""The marks of a frame: full for an apical heart, and low in the part that is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.echo.error_model import Certainty
from pipeline.echo.quality import FRAME_PARTS, certainty_ramp, frame_parts, mark, overlaps

RAMP = certainty_ramp(Certainty(median=0.945, low=0.930))


def marks(labels: np.ndarray, certainty: float = 0.945, frame: np.ndarray | None = None) -> dict[str, float]:
    grey = np.where(labels == 2, 150, 40).astype(np.uint8) if frame is None else frame
    return frame_parts(labels, grey, certainty, RAMP)


def ring(inner: float, outer: float) -> np.ndarray:
    """A ventricle across: a round cavity in a closed ring of muscle."""
    rows, columns = np.mgrid[:300, :260]
    radius = np.hypot(rows - 150, columns - 130)
    return np.where(radius < inner, 1, np.where(radius < outer, 2, 0)).astype(np.uint8)


@pytest.mark.parametrize("shape", [(95, 22), (80, 30), (60, 26)])
@pytest.mark.parametrize("tilt", [-0.5, 0.0, 0.5])
def test_an_apical_heart_has_full_marks(phantoms: Any, shape: tuple[float, float], tilt: float) -> None:
    found = marks(phantoms.labels(*shape, tilt=tilt, shape=(320, 320)))
    assert set(found) == set(FRAME_PARTS) - {"agreement"}
    assert min(found.values()) > 0.65, found


def test_each_fault_marks_its_part_down(phantoms: Any) -> None:
    heart = phantoms.labels(80, 22)
    wide = np.where(phantoms.labels(30, 60) > 1, 0, phantoms.labels(30, 60)).astype(np.uint8)
    speck = np.zeros_like(heart)
    speck[100:106, 100:104] = 1
    faults = {
        "certainty": marks(heart, certainty=0.85),
        "size": marks(speck),
        "whole": marks(np.ascontiguousarray(heart[:, 110:])),
        "wall": marks(np.where(heart == 2, 0, heart).astype(np.uint8)),
        "base": marks(ring(50, 75)),
        "axis": marks(np.ascontiguousarray(np.rot90(heart))),
        "atrium": marks(heart[::-1].copy()),
        "contrast": marks(heart, frame=np.where(heart == 1, 150, 40).astype(np.uint8)),
    }
    assert {name: found[name] for name, found in faults.items()} == dict.fromkeys(faults, 0.0)
    assert marks(wide)["wall"] == 0.0


def test_a_jagged_cavity_is_no_ventricle(phantoms: Any) -> None:
    labels = phantoms.labels(80, 30)
    for side in (slice(0, 120), slice(140, None)):  # what is left has a waist
        labels[110:180, side] = np.where(labels[110:180, side] == 1, 2, labels[110:180, side])
    assert marks(labels)["shape"] < 0.5
    assert marks(phantoms.labels(80, 30))["shape"] == 1.0


def test_no_cavity_has_no_marks() -> None:
    assert set(marks(np.zeros((90, 90), np.uint8)).values()) == {0.0}


def test_the_ramp_of_certainty_follows_the_weights() -> None:
    low, high = certainty_ramp(Certainty(median=0.90, low=0.86))
    assert (low, high) == pytest.approx((0.66, 0.86))
    assert mark(0.9, (low, high)) == 1.0
    assert mark(0.76, (low, high)) == pytest.approx(0.5)
    assert mark(0.2, (low, high)) == 0.0


def test_one_bad_frame_marks_only_itself_down(phantoms: Any) -> None:
    labels = np.stack([phantoms.labels(80, 22)] * 7)
    labels[3] = np.roll(labels[3], 90, axis=1)
    agreement = overlaps(labels)
    assert agreement[3] < 0.4
    assert (np.delete(agreement, 3) == 1.0).all()
    assert overlaps(labels[:1]).tolist() == [1.0]


def test_pixels_that_are_not_square(phantoms: Any) -> None:
    heart = phantoms.labels(60, 26)
    squeezed = np.ascontiguousarray(heart[::3])
    lying = frame_parts(squeezed, np.where(squeezed == 2, 150, 40).astype(np.uint8), 0.945, RAMP, aspect=1.0)
    upright = frame_parts(squeezed, np.where(squeezed == 2, 150, 40).astype(np.uint8), 0.945, RAMP, aspect=3.0)
    assert upright["axis"] == upright["shape"] == 1.0
    assert lying["axis"] < 1.0 or lying["shape"] < 1.0
