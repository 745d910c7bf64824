"""The QRS envelope: one curve over all leads in which a QRS stands about 1 high and all else low.

SciPy is imported where it is used, because the command line may load this module at start.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.records import Array

LEAST_CLARITY = 3.2
"""Usual QRS over background from which a lead shows heart beats; white noise seldom passes 3, real leads do."""

_WORKING_RATE_HZ = 125.0  # a QRS has little energy above 40 Hz, and speed matters over 24 h
_CENTRE_HZ, _WIDTH_HZ = 15.5, 6.0  # pass band of the envelope: above T waves and wide P waves, below muscle noise
_SHAPE_LOW_HZ, _SHAPE_HIGH_HZ = 4.0, 22.0  # pass band of the shapes: what tells a QRS from a T wave by its form
_SEGMENT_S = 2.0  # holds at least one QRS above 30/min
_SCALE_SEGMENTS = 7  # the QRS height is the median over this many segments: one artefact cannot move it
_LEAST_HEIGHT_MV = 0.005  # below this a lead shows converter noise, not a heart


@dataclass(frozen=True, slots=True, kw_only=True)
class QrsEnvelope:
    """The envelope at a lower rate than the signal; sample k stands for signal position `step * k + step / 2`."""

    height: Array  # float64 (n_steps,), 1 = the usual QRS nearby
    clarity: Array  # float64 (n_steps,), usual QRS over background of the clearest lead; white noise has 2.2 to 2.6
    lead_clarity: Array  # float64 (n_leads,), median over time; 0 for a flat lead
    shapes: Array  # float32 (n_live_leads, n_steps), 4-22 Hz, 1 = usual QRS, times the lead's share in `height`
    step: int  # signal samples per envelope sample
    rate_hz: float


def fill_gaps(signal_mv: Array) -> Array:
    """Copy of (n_leads, n_samples) as float64 with missing samples drawn as straight lines, 0 where a lead has none."""
    filled = np.array(signal_mv, np.float64, ndmin=2)
    for row in filled:
        good = np.isfinite(row)
        if not good.any():
            row[:] = 0.0
        elif not good.all():
            positions = np.arange(row.size)
            row[~good] = np.interp(positions[~good], positions[good], row[good])
    return filled


def qrs_envelope(signal_mv: Array, sampling_rate_hz: float) -> QrsEnvelope:
    """Build the envelope of (n_leads, n_samples) without NaN.

    Each lead's analytic signal in the QRS band gives its envelope; divided by the usual QRS height around it,
    leads are averaged with the square of their clarity as weight, so a noisy lead hardly speaks.
    """
    step = max(1, round(sampling_rate_hz / _WORKING_RATE_HZ))
    rate_hz = sampling_rate_hz / step
    n_steps = signal_mv.shape[1] // step
    total, weight = np.zeros(n_steps), np.full(n_steps, 1e-9)
    clarity, lead_clarity, shapes = np.ones(n_steps), np.zeros(signal_mv.shape[0]), []
    for i, lead in enumerate(signal_mv):
        slow = lead[: n_steps * step].reshape(n_steps, step).mean(axis=1)
        height, shape = _bands(slow, rate_hz)
        usual, background = _usual_height(height, rate_hz)
        if usual.max(initial=0.0) < _LEAST_HEIGHT_MV:
            continue
        clear = np.clip(usual / np.maximum(background, 1e-4), 1.0, 50.0)
        lead_weight = (clear - 0.99) ** 2
        usual = np.maximum(usual, _LEAST_HEIGHT_MV)
        total += lead_weight * height / usual
        weight += lead_weight
        clarity = np.maximum(clarity, clear)
        lead_clarity[i] = np.median(clear)
        shapes.append((shape * lead_weight / usual).astype(np.float32))
    return QrsEnvelope(
        height=total / weight,
        clarity=clarity,
        lead_clarity=lead_clarity,
        shapes=np.stack(shapes) / weight.astype(np.float32) if shapes else np.zeros((0, n_steps), np.float32),
        step=step,
        rate_hz=rate_hz,
    )


def _bands(lead: Array, rate_hz: float) -> tuple[Array, Array]:
    """Magnitude of the analytic signal in the QRS band, and the lead in the band of the shapes; edges mirrored."""
    from scipy import fft

    n = lead.size
    pad = min(n - 1, int(rate_hz))
    padded = np.pad(lead - lead.mean(), pad, mode="reflect", reflect_type="odd").astype(np.float32)
    length = fft.next_fast_len(padded.size, real=True)
    frequency_hz = fft.rfftfreq(length, 1.0 / rate_hz).astype(np.float32)
    spectrum = fft.rfft(padded, length)
    one_sided = np.zeros(length, np.complex64)  # without negative frequencies the signal is analytic
    one_sided[: spectrum.size] = spectrum * (2.0 * np.exp(-0.5 * ((frequency_hz - _CENTRE_HZ) / _WIDTH_HZ) ** 2))
    one_sided[0] = 0.0
    height = np.abs(fft.ifft(one_sided, overwrite_x=True)[pad : pad + n]).astype(np.float64)
    band = np.exp(-0.5 * (frequency_hz / _SHAPE_HIGH_HZ) ** 2) * (
        1.0 - np.exp(-0.5 * (frequency_hz / _SHAPE_LOW_HZ) ** 2)
    )
    return height, np.asarray(fft.irfft(spectrum * band, length)[pad : pad + n])


def _usual_height(height: Array, rate_hz: float) -> tuple[Array, Array]:
    """Height of the usual QRS and of the background around each sample."""
    from scipy.ndimage import median_filter

    segment = max(1, min(height.size, int(_SEGMENT_S * rate_hz)))
    n_segments = height.size // segment
    parts = height[: n_segments * segment].reshape(n_segments, segment)
    peaks = median_filter(parts.max(axis=1), _SCALE_SEGMENTS, mode="nearest")
    lows = median_filter(np.median(parts, axis=1), _SCALE_SEGMENTS, mode="nearest")
    centres = (np.arange(n_segments) + 0.5) * segment
    positions = np.arange(height.size)
    return np.interp(positions, centres, peaks), np.interp(positions, centres, lows)
