"""Seeded noise added to ECG strips: muscle, wander, mains and electrode motion, at a stated signal-to-noise ratio."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float64]

KINDS = ("muscle", "wander", "mains", "steps")
RATIOS_DB = (12.0, 6.0, 0.0)
STRIP_S = 120.0
SEED = 20260101


def noise(kind: str, n_samples: int, rate_hz: float, rng: np.random.Generator) -> Signal:
    """Noise of one kind with a standard deviation of 1, float64 (n_samples,)."""
    time_s = np.arange(n_samples) / rate_hz
    if kind == "muscle":
        raw = np.diff(rng.standard_normal(n_samples + 1)) * (1.0 + np.sin(2.0 * np.pi * time_s / 20.0))
    elif kind == "wander":
        raw = sum(np.sin(2.0 * np.pi * (f * time_s + rng.uniform())) for f in (0.08, 0.17, 0.31, 0.45))
    elif kind == "mains":
        raw = np.sin(2.0 * np.pi * 50.0 * time_s)
    else:  # electrode motion: steps that decay within a second or two
        raw = np.zeros(n_samples)
        for at in np.flatnonzero(rng.uniform(size=n_samples) < 0.25 / rate_hz):
            raw[at:] += rng.normal() * np.exp(-(time_s[at:] - time_s[at]) / rng.uniform(0.5, 2.0))
    raw = np.asarray(raw, np.float64) - np.mean(raw)
    return raw / max(float(raw.std()), 1e-12)


def noisy_strips(signal_mv: Signal, rate_hz: float) -> Iterator[tuple[str, Signal]]:
    """Label and the first two minutes of (n_channels, n_samples) with each noise; its power is that of each channel.

    The signal's power is that of its deviation from the channel's median, so a ratio of 6 dB means noise of half the
    ECG's effective value. Missing samples stay missing.
    """
    strip = signal_mv[:, : int(STRIP_S * rate_hz)]
    yield "clean", strip
    level = np.sqrt(np.nanmean((strip - np.nanmedian(strip, axis=1, keepdims=True)) ** 2, axis=1))
    for kind in KINDS:
        for ratio_db in RATIOS_DB:
            rng = np.random.default_rng(SEED)
            added = np.stack([noise(kind, strip.shape[1], rate_hz, rng) for _ in strip])
            yield f"{kind} {ratio_db:g} dB", strip + added * (level * 10.0 ** (-ratio_db / 20.0))[:, None]
