"""One cursor in clip and ECG: only where clocks and R waves say so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.records import Calibration, EcgRecord, EchoCine, PatientHeader, PreparedEcg
from pipeline.review.time_lock import MOST_RESIDUAL_S, time_lock

RATE_HZ = 500.0
PEAKS_S = np.array([0.5, 1.3, 2.1, 2.95, 3.6, 4.6, 5.2, 6.1, 6.9, 7.7, 8.6, 9.3])
OFFSET_S = 3.2
AT, PATIENT = "2026-01-01T12:00:00", "P1"


def header(at: str | None = AT, patient: str | None = PATIENT) -> PatientHeader:
    return PatientHeader(acquired_at=at, patient_id=patient)


@pytest.fixture
def ecg() -> PreparedEcg:
    signal = np.zeros((1, 5000), np.float32)
    record = EcgRecord(signal_mv=signal, sampling_rate_hz=RATE_HZ, leads=("II",), scaling="", header=header())
    return PreparedEcg(
        file_sha256="a" * 64, record=record, filtered_mv=signal, filter_text="", lead_quality=np.ones(1),
        lead_usable=np.ones(1, bool),
    )  # fmt: skip


@pytest.fixture
def cine() -> EchoCine:
    """A clip of 2.5 s that begins 3.2 s into the ECG; its clock tells 3 s."""
    inside = PEAKS_S[(PEAKS_S >= OFFSET_S) & (PEAKS_S < OFFSET_S + 2.5)] - OFFSET_S
    return EchoCine(
        file_sha256="b" * 64, frames=np.zeros((50, 4, 4), np.uint8), frame_times_s=np.arange(50) * 0.05,
        calibration=Calibration(spacing_mm=None, method="none"), crop_px=(0, 0, 4, 4), original_size_px=(4, 4),
        view="A4C", r_wave_times_s=tuple(inside.tolist()), heart_rate_bpm=None,
        header=header("2026-01-01T12:00:03"), quality={},
    )  # fmt: skip


def lock(cine, ecg):
    return time_lock(cine, ecg, np.round(PEAKS_S * RATE_HZ).astype(np.int64))


def test_r_waves_set_the_offset_that_the_clocks_leave_open(cine, ecg):
    found = lock(cine, ecg)
    assert found.offset_s == pytest.approx(OFFSET_S, abs=0.003)
    assert found.text.startswith("Time-locked")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"header": header(None)}, "when it was taken"),
        ({"header": header("2026-01-01")}, "when it was taken"),
        ({"header": header("2026-01-01T15:00:00")}, "different times"),
        ({"header": header("2026-01-01T11:59:50")}, "different times"),
        ({"header": header(AT, "P2")}, "different patients"),
        ({"r_wave_times_s": ()}, "carries no R waves"),
        ({"timing_known": False}, "does not say when its frames"),
        ({"r_wave_times_s": (0.1, 0.35, 0.9, 1.3)}, "do not fall on"),
    ],
)
def test_without_proof_nothing_is_locked(cine, ecg, changes, reason):
    found = lock(replace(cine, **changes), ecg)
    assert found.offset_s is None
    assert found.text.startswith("Not time-locked")
    assert reason in found.text


def test_a_rhythm_too_regular_to_tell_beats_apart_is_not_locked(cine, ecg):
    peaks = np.arange(0.5, 9.8, 0.8)
    found = time_lock(replace(cine, r_wave_times_s=(0.1, 0.9, 1.7)), ecg, np.round(peaks * RATE_HZ).astype(np.int64))
    assert found.offset_s is None
    assert "regular" in found.text


def test_r_waves_may_miss_by_a_frame_and_not_more(cine, ecg):
    off = np.array(cine.r_wave_times_s)
    off[0] += 0.5 * MOST_RESIDUAL_S
    assert lock(replace(cine, r_wave_times_s=tuple(off.tolist())), ecg).offset_s == pytest.approx(OFFSET_S, abs=0.04)
    off[0] += 3 * MOST_RESIDUAL_S
    assert lock(replace(cine, r_wave_times_s=tuple(off.tolist())), ecg).offset_s is None
