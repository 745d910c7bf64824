"""What the wave network sees of a beat: the lead around its R peak, and the lead's usual beat beside it."""

from __future__ import annotations

import numpy as np

from pipeline.ecg.waves import smooth, windows
from pipeline.records import Array

RATE_HZ = 250.0  # of the network's input; the waves have nothing above 125 Hz that tells where they end
BEFORE_S, AFTER_S = 0.448, 0.704  # a PR interval of 400 ms, a QT interval of 650 ms
N_STEPS = 288
N_CHANNELS = 3
FIELDS = ("p_on", "p_off", "qrs_on", "qrs_off", "t_on", "t_off")

_SCALE_PCT = 98.0
_LEAST_SCALE_MV = 0.02
_MAGNIFIED = 6.0  # brings a P wave of a tenth of the QRS to the size of the QRS
_CLIP = 3.0
_SIGMA_MS = 2.0


def beat_windows(signal_mv: Array, sampling_rate_hz: float, r_peaks_idx: Array) -> Array:
    """Samples around every beat at 250 Hz.

    Parameters
    ----------
    signal_mv
        float64 (n_leads, n_samples), mV, free of drift, no NaN.
    r_peaks_idx
        int64 (n_beats,).

    Returns
    -------
    float32 (n_leads, n_beats, N_STEPS), mV; beyond the record its edge is repeated.
    """
    level = smooth(signal_mv, _SIGMA_MS, sampling_rate_hz) if sampling_rate_hz > RATE_HZ else signal_mv
    step = sampling_rate_hz / RATE_HZ
    positions = r_peaks_idx[:, None] + (np.arange(N_STEPS) - round(BEFORE_S * RATE_HZ))[None, :] * step
    low = np.floor(positions)
    share = positions - low
    parts = windows(level, low) * (1.0 - share) + windows(level, low + 1) * share
    return np.asarray(parts, np.float32)


def network_input(parts: Array, is_usual: Array) -> Array:
    """The three channels of every beat: as it is, magnified, and the lead's usual beat magnified.

    `parts` is float32 (n_leads, n_beats, N_STEPS); `is_usual` bool (n_beats,) says which beats make the usual one.
    Returns float32 (n_beats, n_leads, N_CHANNELS, N_STEPS). What repeats from beat to beat is thereby told from noise
    and from fibrillation: the usual beat has no P wave where the beats share none.
    """
    chosen = parts[:, is_usual] if is_usual.any() else parts
    level = np.median(parts, axis=2, keepdims=True)
    scale = np.maximum(np.percentile(np.abs(chosen - np.median(chosen)), _SCALE_PCT, axis=(1, 2)), _LEAST_SCALE_MV)
    own = (parts - level) / scale[:, None, None]
    usual = np.median(own[:, is_usual] if is_usual.any() else own, axis=1, keepdims=True)
    shown = [np.clip(own, -_CLIP, _CLIP), np.tanh(_MAGNIFIED * own)]
    shown.append(np.broadcast_to(np.tanh(_MAGNIFIED * usual), own.shape))
    return np.ascontiguousarray(np.stack(shown, axis=2).transpose(1, 0, 2, 3), np.float32)
