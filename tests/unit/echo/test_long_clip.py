"""Ten thousand frames through the shipped network: memory that stays, numbers that stay."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydicom.data import get_testdata_file

from pipeline.echo.analysis import analyse_echo
from pipeline.echo.detection import detect_chambers
from pipeline.echo.preprocessing import prepare_clip
from pipeline.echo.readers import read_echo
from pipeline.echo.segmentation import load_segmenter
from pipeline.gates import Limits
from pipeline.records import Calibration, EchoCine, EchoDetection, Metadata

pytestmark = pytest.mark.slow
N_FRAMES, HEIGHT, WIDTH = 10_000, 150, 200
OWN_MB = 320
"""What the network and its batches may take beside the clip and what is found in it."""


@pytest.fixture(scope="module")
def cine() -> EchoCine:
    """The apical cine that pydicom-data ships, smaller and again and again."""
    clip = read_echo(Path(str(get_testdata_file("color3d_jpeg_baseline.dcm"))), Limits())
    grey = clip.frames.mean(-1).astype(np.uint8)
    small = np.stack([cv2.resize(frame, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) for frame in grey])
    frames = np.concatenate([small] * (N_FRAMES // len(small) + 1))[:N_FRAMES]
    assert clip.calibration.spacing_mm is not None
    scale = grey.shape[1] / HEIGHT, grey.shape[2] / WIDTH
    spacing_mm = (clip.calibration.spacing_mm[0] * scale[0], clip.calibration.spacing_mm[1] * scale[1])
    step_s = float(np.median(np.diff(clip.frame_times_s)))
    return prepare_clip(
        replace(
            clip,
            frames=frames,
            frame_times_s=np.arange(N_FRAMES) * step_s,
            calibration=Calibration(spacing_mm=spacing_mm, method="ultrasound region"),
            region_px=None,
        ),
        "0" * 64,
    )


def own_mb() -> float:
    """Memory of this process that is no file, MB."""
    status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["RssAnon"].split()[0]) / 1024


def highest_mb(work: Callable[[], EchoDetection]) -> tuple[EchoDetection, float]:
    """The result of some work, and the most memory it had beyond that before it."""
    before, highest, done = own_mb(), [0.0], threading.Event()

    def watch() -> None:
        while not done.is_set():
            highest[0] = max(highest[0], own_mb())
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        found = work()
    finally:
        done.set()
        watcher.join()
    return found, highest[0] - before


def test_ten_thousand_frames(cine: EchoCine) -> None:
    segmenter = load_segmenter()
    found, peak_mb = highest_mb(lambda: detect_chambers(cine, segmenter))
    kept_mb = (found.labels.nbytes + 3 * found.lv_endocardium.nbytes) / 2**20
    # Steadying the contours holds them as float64 a few times over
    assert peak_mb <= kept_mb + 6 * 2 * found.lv_endocardium.nbytes / 2**20 + OWN_MB
    analysis = analyse_echo((cine,), (found,), Metadata())
    numbers = {m.name: m for m in analysis.measurements}
    lvef, rate = numbers["lvef"], numbers["echo_heart_rate"]
    assert isinstance(lvef.value, float)
    assert isinstance(rate.value, float)
    assert lvef.interval is not None
    assert 58 <= lvef.value <= 72  # one pass of the cine gives 65
    assert lvef.interval[0] < lvef.value < lvef.interval[1]
    counted = [beat for beat in analysis.cines[0].beats if beat.excluded is None]
    seconds = float(cine.frame_times_s[-1])
    assert 0.75 <= len(counted) / (seconds * rate.value / 60) <= 1.05
