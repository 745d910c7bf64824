"""The wave network: where P, QRS and T begin and end around a beat, and whether they are there.

A U-Net along time (Ronneberger et al., MICCAI 2015, doi 10.1007/978-3-319-24574-4_28). We differ: the leads of a beat
exchange the mean of what they see, and each boundary is a distribution over time and "not there". It is small enough to
run as matrix products in numpy, so that a short ECG need not wait for torch to load.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.ecg.wave_windows import BEFORE_S, FIELDS, N_CHANNELS, RATE_HZ
from pipeline.records import Array

_STEP_S = 2.0 / RATE_HZ  # one step of the answer is two of the input
_REACH = 16  # steps around the likeliest one whose mean is the boundary
_BATCH = 8  # beats at a time

SHAPES: Mapping[str, tuple[int, int, int]] = {  # kernel, channels in, channels out
    "stem": (9, N_CHANNELS, 16),
    "fine": (7, 16, 16),
    "mid": (5, 16, 32),
    "mid2": (5, 32, 32),
    "low": (5, 32, 48),
    "low2": (5, 48, 48),
    "shared": (1, 96, 48),
    "deep": (5, 48, 64),
    "up_low": (5, 112, 40),
    "up_mid": (5, 72, 24),
    "up_fine": (7, 40, 16),
    "together": (5, 32, 24),
    "place": (1, 24, len(FIELDS)),
    "absent": (1, 128, len(FIELDS)),
}


@dataclass(frozen=True, slots=True)
class WaveNetwork:
    """Weights float32 (kernel x channels in, channels out) and biases of every layer of SHAPES."""

    weights: Mapping[str, Array]
    biases: Mapping[str, Array]

    def bounds_s(self, x: Array) -> tuple[Array, Array]:
        """Boundaries of every beat and lead.

        `x` is float32 (n_beats, n_leads, 3, n_steps) of `wave_windows.network_input`. Returns two float64
        (6, n_leads, n_beats): seconds from the R peak, and the probability that there is such a boundary.
        """
        found = [_decode(self.logits(x[start : start + _BATCH])) for start in range(0, x.shape[0], _BATCH)]
        place, present = (np.concatenate(parts, axis=2) for parts in zip(*found, strict=True))
        return place * _STEP_S - BEFORE_S, present

    def logits(self, x: Array) -> Array:
        """float32 (n_beats, n_leads, n_steps / 2 + 1, 6); the last step stands for "not there"."""
        n_beats, n_leads = x.shape[:2]
        fine = self._layer("fine", self._layer("stem", x.reshape(-1, *x.shape[2:]).transpose(0, 2, 1), stride=2))
        mid = self._layer("mid2", self._layer("mid", _halved(fine)))
        low = self._layer("low2", self._layer("low", _halved(mid)))
        low = self._layer("shared", _with_mean(low, n_leads))
        deep = self._layer("deep", _halved(low))
        up = self._layer("up_low", np.concatenate([np.repeat(deep, 2, axis=1), low], axis=2))
        up = self._layer("up_mid", np.concatenate([np.repeat(up, 2, axis=1), mid], axis=2))
        up = self._layer("up_fine", np.concatenate([np.repeat(up, 2, axis=1), fine], axis=2))
        place = self._linear("place", self._layer("together", _with_mean(up, n_leads)))
        absent = self._linear("absent", _with_mean(deep.mean(axis=1, keepdims=True), n_leads))
        return np.concatenate([place, absent], axis=1).reshape(n_beats, n_leads, -1, len(FIELDS))

    def _linear(self, name: str, x: Array) -> Array:
        return np.asarray(x @ self.weights[name] + self.biases[name])

    def _layer(self, name: str, x: Array, stride: int = 1) -> Array:
        """Convolution along axis 1 of (n, n_steps, n_channels), zeros beyond the ends, and ReLU."""
        kernel, n_steps = SHAPES[name][0], x.shape[1]
        padded = np.pad(x, ((0, 0), (kernel // 2, kernel // 2), (0, 0)))
        shifted = [padded[:, k : k + n_steps : stride] for k in range(kernel)]
        y = self._linear(name, shifted[0] if kernel == 1 else np.concatenate(shifted, axis=2))
        return np.maximum(y, 0.0, out=y)


def _halved(x: Array) -> Array:
    return np.maximum(x[:, ::2], x[:, 1::2])


def _with_mean(x: Array, n_leads: int) -> Array:
    """Channels of every lead, followed by their mean over the leads of the same beat."""
    leads = x.reshape(-1, n_leads, *x.shape[1:])
    mean = np.broadcast_to(leads.mean(axis=1, keepdims=True), leads.shape)
    return np.concatenate([leads, mean], axis=3).reshape(x.shape[0], x.shape[1], -1)


def _decode(logits: Array) -> tuple[Array, Array]:
    """Steps (6, n_leads, n_beats): the mean of the distribution around its top; and the probability of presence."""
    moved = logits.transpose(3, 1, 0, 2).astype(np.float64)
    share = np.exp(moved - moved.max(axis=-1, keepdims=True))
    share /= share.sum(axis=-1, keepdims=True)
    present, share = 1.0 - share[..., -1], share[..., :-1]
    steps = np.arange(share.shape[-1])
    near = np.where(np.abs(steps - share.argmax(axis=-1)[..., None]) <= _REACH, share, 0.0)
    return np.sum(near * steps, axis=-1) / np.maximum(near.sum(axis=-1), 1e-30), present
