"""ECG phantoms whose beats and wave boundaries are known: raised cosines, which begin and end at exact times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.records import EcgRecord, PreparedEcg

Array = npt.NDArray[np.float64]
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")

# centre and half width (s), frontal direction (degrees), height (mV) of the waves of a normal beat around R
P_WAVE = (-0.16, 0.05, 55.0, 0.15)
QRS_WAVES = ((-0.025, 0.018, 200.0, 0.12), (0.0, 0.03, 45.0, 1.2), (0.03, 0.02, 240.0, 0.25))
T_WAVE = (0.29, 0.09, 40.0, 0.3)
WIDE_WAVES = ((0.0, 0.08, -60.0, 1.8), (0.3, 0.12, 120.0, 0.5))
QRS_ON_S, QRS_OFF_S = -0.043, 0.05
CHEST_DEG = (110.0, 85.0, 60.0, 40.0, 20.0, 0.0)  # V1..V6 as if they lay in the same plane


@dataclass(frozen=True)
class Phantom:
    """A made-up ECG and the truth about it (sample positions, NaN where there is no such wave)."""

    signal_mv: Array
    sampling_rate_hz: float
    r_idx: Array
    letters: tuple[str, ...]
    p_on: Array
    p_off: Array
    qrs_on: Array
    qrs_off: Array
    t_on: Array
    t_off: Array


def _projections(direction_deg: float, n_leads: int) -> Array:
    """Share of a wave that each lead sees."""
    angle = np.radians(direction_deg)
    lead_i, lead_avf = np.cos(angle), np.sin(angle) * np.sqrt(3.0) / 2.0
    lead_ii = lead_avf + 0.5 * lead_i
    limb = [lead_i, lead_ii, lead_ii - lead_i, -(lead_i + lead_ii) / 2, lead_i - lead_ii / 2, lead_avf]
    chest = [np.cos(angle - np.radians(lead)) for lead in CHEST_DEG]
    return np.array((limb + chest)[:n_leads]) if n_leads != 1 else np.array([lead_ii])


def _add(signal: Array, rate_hz: float, r_s: float, wave: tuple[float, float, float, float]) -> None:
    centre, half, direction, height = wave
    first = max(0, int((r_s + centre - half) * rate_hz))
    last = min(signal.shape[1], int((r_s + centre + half) * rate_hz) + 2)
    times = np.arange(first, last) / rate_hz - (r_s + centre)
    shape = np.where(np.abs(times) < half, 0.5 * height * (1 + np.cos(np.pi * times / half)), 0.0)
    signal[:, first:last] += _projections(direction, signal.shape[0])[:, None] * shape[None, :]


def make_ecg(
    r_times_s: Array,
    *,
    duration_s: float | None = None,
    rate_hz: float = 500.0,
    n_leads: int = 12,
    letters: str | None = None,
    with_p: bool = True,
    noise_mv: float = 0.0,
    drift_mv: float = 0.0,
    seed: int = 0,
) -> Phantom:
    """Draw one beat at every R time; letter V draws a wide beat without P wave."""
    r_times_s = np.asarray(r_times_s, float)
    letters = letters or "N" * r_times_s.size
    n_samples = int((duration_s or float(r_times_s[-1]) + 0.7) * rate_hz)
    rng = np.random.default_rng(seed)
    signal = noise_mv * rng.standard_normal((n_leads, n_samples))
    signal += drift_mv * np.sin(2 * np.pi * 0.2 * np.arange(n_samples) / rate_hz)
    truth = np.full((6, r_times_s.size), np.nan)
    for i, (r_s, letter) in enumerate(zip(r_times_s, letters, strict=True)):
        waves = WIDE_WAVES if letter == "V" else (*QRS_WAVES, T_WAVE)
        if letter != "V" and with_p:
            waves = (*waves, P_WAVE)
            truth[:2, i] = r_s + P_WAVE[0] - P_WAVE[1], r_s + P_WAVE[0] + P_WAVE[1]
        for wave in waves:
            _add(signal, rate_hz, r_s, wave)
        if letter != "V":
            truth[2:, i] = np.array([QRS_ON_S, QRS_OFF_S, T_WAVE[0] - T_WAVE[1], T_WAVE[0] + T_WAVE[1]]) + r_s
    return Phantom(signal, rate_hz, r_times_s * rate_hz, tuple(letters), *(truth * rate_hz))


def prepare(phantom: Phantom, *, usable: Array | None = None, leads: tuple[str, ...] = LEADS) -> PreparedEcg:
    """Wrap a phantom as PREPROCESSING would."""
    n_leads = phantom.signal_mv.shape[0]
    signal_mv = phantom.signal_mv.astype(np.float32)
    record = EcgRecord(
        signal_mv=signal_mv, sampling_rate_hz=phantom.sampling_rate_hz, leads=leads[:n_leads], scaling="phantom"
    )
    return PreparedEcg(
        file_sha256="ab" * 32,
        record=record,
        filtered_mv=np.nan_to_num(signal_mv),
        filter_text="none",
        lead_quality=np.ones(n_leads),
        lead_usable=np.ones(n_leads, bool) if usable is None else np.asarray(usable, bool),
    )


@pytest.fixture(name="make_ecg")
def _make_ecg() -> Callable[..., Phantom]:
    return make_ecg


@pytest.fixture(name="prepare")
def _prepare() -> Callable[..., PreparedEcg]:
    return prepare


@pytest.fixture
def add_wave() -> Callable[..., None]:
    """Add one wave to a signal in place: rate, time of its beat, (centre, half width, direction, height)."""
    return _add


@pytest.fixture
def sinus() -> Phantom:
    """Ten seconds, twelve leads, 75/min, a little noise and drift."""
    return make_ecg(np.arange(0.5, 9.6, 0.8), duration_s=10.0, noise_mv=0.01, drift_mv=0.1)


@pytest.fixture
def fibrillating() -> Phantom:
    """Thirty seconds without P waves and without a pattern in RR."""
    rng = np.random.default_rng(3)
    return make_ecg(0.5 + np.cumsum(rng.uniform(0.4, 1.1, 38)), with_p=False, noise_mv=0.01, n_leads=3)
