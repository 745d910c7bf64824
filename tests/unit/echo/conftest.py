"""Phantom hearts with known volumes, and a segmenter that answers with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from pipeline.echo.error_model import Certainty
from pipeline.echo.manifest import ModelManifest
from pipeline.echo.second_look import SecondLook
from pipeline.echo.segmentation import SegmentedBatch
from pipeline.records import Calibration, EchoCine, PatientHeader

SPACING_MM = (0.5, 0.5)
SHAPE = (300, 260)
MODEL_SHA256 = "5" * 64


def half_ellipsoid_ml(length_mm: float, radius_mm: float) -> float:
    return 2 / 3 * math.pi * length_mm * radius_mm**2 / 1000


def heart_labels(
    length_mm: float,
    radius_mm: float,
    *,
    spacing_mm: tuple[float, float] = SPACING_MM,
    shape: tuple[int, int] = SHAPE,
    tilt: float = 0.0,
    base_part: float = 0.72,
    atrium_mm: float = 34.0,
) -> np.ndarray:
    """A half ellipsoid with its base down, a wall of 9 mm around it and an atrium of half an ellipse below."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(float)
    x = columns * spacing_mm[1] - shape[1] * spacing_mm[1] / 2
    y = shape[0] * spacing_mm[0] * base_part - rows * spacing_mm[0]
    along = math.cos(tilt) * y + math.sin(tilt) * x
    aside = math.cos(tilt) * x - math.sin(tilt) * y
    labels = np.zeros(shape, np.uint8)
    labels[(along >= 0) & ((along / (length_mm + 9)) ** 2 + (aside / (radius_mm + 9)) ** 2 <= 1)] = 2
    labels[(along >= 0) & ((along / length_mm) ** 2 + (aside / radius_mm) ** 2 <= 1)] = 1
    if atrium_mm:
        below = (along < 0) & ((along / atrium_mm) ** 2 + (aside / radius_mm) ** 2 <= 1)
        labels[below] = 3
    return labels


@dataclass(frozen=True)
class Beating:
    """A phantom's motion: frames, and the volume of each in mL."""

    labels: np.ndarray
    volumes_ml: np.ndarray
    times_s: np.ndarray


def systole(phase: float) -> float:
    """0 at end-diastole, 1 at end-systole (35 % of the cycle); filling has a plateau and an atrial kick."""
    if phase < 0.35:
        return 0.5 - 0.5 * math.cos(math.pi * phase / 0.35)
    if phase < 0.6:
        return 0.15 + 0.85 * (0.5 + 0.5 * math.cos(math.pi * (phase - 0.35) / 0.25))
    if phase < 0.85:
        return 0.15
    return 0.15 * (0.5 + 0.5 * math.cos(math.pi * (phase - 0.85) / 0.15))


def beating_heart(
    *,
    n_frames: int = 75,
    rate_hz: float = 30.0,
    heart_rate_bpm: float = 72.0,
    ed: tuple[float, float] = (90.0, 25.2),
    es: tuple[float, float] = (75.0, 17.8),
    start_phase: float = 0.9,
    **shape: Any,
) -> Beating:
    """A phantom that beats between two half ellipsoids (length, radius) in mm; EDV 119.7 and ESV 49.8 mL."""
    times_s = np.arange(n_frames) / rate_hz
    labels, volumes = [], []
    for t in times_s:
        s = systole((start_phase + t * heart_rate_bpm / 60) % 1.0)
        length, radius = (a + s * (b - a) for a, b in zip(ed, es, strict=True))
        labels.append(heart_labels(length, radius, **shape))
        volumes.append(half_ellipsoid_ml(length, radius))
    return Beating(np.stack(labels), np.array(volumes), times_s)


class PhantomSegmenter:
    """Answers with labels that were given to it; turned images show the same heart, images upside down a poor one."""

    model_sha256 = MODEL_SHA256
    manifest = ModelManifest(
        file="none",
        sha256=MODEL_SHA256,
        size_bytes=0,
        widths=(8,),
        input_px=32,
        ef_error_sd_pct=6.0,
        ef_patients=50,
        certainty=Certainty(median=0.945, low=0.930),
        errors={},
        figures={},
    )

    def __init__(self, labels: np.ndarray, certainty: float = 0.94) -> None:
        self.labels, self.certainty = labels, certainty

    def segment(
        self, frames: np.ndarray, spacing_mm: Any, *, batch_size: int = 16, **_: Any
    ) -> Iterator[SegmentedBatch]:
        for i in range(0, len(frames), batch_size):
            part = self.labels[i : i + batch_size]
            yield SegmentedBatch(part, np.full(len(part), self.certainty))

    def look_again(self, frames: np.ndarray, frame_idx: np.ndarray, spacing_mm: Any) -> SecondLook:
        return SecondLook(frame_idx, self.labels[frame_idx], np.full(len(frame_idx), self.certainty - 0.05))


def make_cine(labels: np.ndarray, times_s: np.ndarray, **changes: Any) -> EchoCine:
    """A calibrated A4C cine whose lit sector is the whole frame."""
    usual: dict[str, Any] = {
        "file_sha256": "a" * 64,
        "frames": np.where(labels == 2, 180, 40).astype(np.uint8),
        "frame_times_s": times_s,
        "calibration": Calibration(spacing_mm=SPACING_MM, method="ultrasound region"),
        "crop_px": (0, 0, *labels.shape[1:]),
        "original_size_px": labels.shape[1:],
        "view": "A4C",
        "r_wave_times_s": (),
        "heart_rate_bpm": None,
        "header": PatientHeader(),
        "quality": {},
    }
    return EchoCine(**usual | changes)


@dataclass(frozen=True)
class Phantoms:
    """What the tests of this folder share."""

    beating: Callable[..., Beating] = beating_heart
    labels: Callable[..., np.ndarray] = heart_labels
    cine: Callable[..., EchoCine] = make_cine
    segmenter: type[PhantomSegmenter] = PhantomSegmenter
    volume_ml: Callable[[float, float], float] = half_ellipsoid_ml
    spacing_mm: tuple[float, float] = SPACING_MM


@pytest.fixture(scope="session")
def phantoms() -> Phantoms:
    return Phantoms()


@pytest.fixture(scope="session")
def usual_heart() -> Beating:
    """Three beats at 72/min, 30 frames/s."""
    return beating_heart()
