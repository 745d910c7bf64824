"""The small picture of a case."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from pipeline.records import Calibration, EcgRecord, EchoCine, PatientHeader, PreparedEcg, StudyResults
from pipeline.thumbnail import SIZE_PX, TRACE, thumbnail


def picture(results: StudyResults) -> np.ndarray:
    png = thumbnail(results)
    assert png is not None
    image = Image.open(io.BytesIO(png))
    assert image.size == SIZE_PX
    return np.asarray(image)


def clip(frames: np.ndarray) -> StudyResults:
    cine = EchoCine(
        file_sha256="ab" * 32, frames=frames, frame_times_s=np.arange(len(frames)) / 30,
        calibration=Calibration(spacing_mm=None, method="none"), crop_px=(0, 0, 1, 1), original_size_px=(1, 1),
        view="A4C", r_wave_times_s=(), heart_rate_bpm=None, header=PatientHeader(), quality={},
    )  # fmt: skip
    return StudyResults(cines=(cine,))


def strip(signal: np.ndarray, rate_hz: float = 250.0) -> StudyResults:
    record = EcgRecord(signal_mv=signal, sampling_rate_hz=rate_hz, leads=("I", "II"), scaling="mV")
    ecg = PreparedEcg(
        file_sha256="ab" * 32, record=record, filtered_mv=signal.astype(np.float32), filter_text="",
        lead_quality=np.ones(2), lead_usable=np.array([False, True]),
    )  # fmt: skip
    return StudyResults(ecg=ecg)


def test_a_tall_frame_stands_whole_in_the_middle():
    frames = np.zeros((2, 400, 200), np.uint8)
    frames[0] = 200
    seen = picture(clip(frames))
    columns = np.flatnonzero(seen[36] > 100)
    assert seen[:, columns].min() >= 100
    assert columns[0] == SIZE_PX[0] - 1 - columns[-1]


def test_the_strip_shows_the_first_usable_lead():
    signal = np.zeros((2, 1000))
    signal[0] = np.random.default_rng(0).normal(size=1000)
    signal[1, 375] = 1.0  # in the middle of three seconds
    seen = picture(strip(signal)) == TRACE
    peak = int(np.argmin(np.argmax(seen, axis=0)))
    assert peak == SIZE_PX[0] // 2
    assert seen.any(axis=0).all()


def test_an_ecg_of_a_few_samples_and_nothing_at_all():
    assert not (picture(strip(np.ones((2, 5)))) == TRACE).any()
    assert thumbnail(StudyResults()) is None
