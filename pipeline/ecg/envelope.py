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
_MOST_CLARITY = 50.0
_NOISY_S, _LOW_PCT, _LEAST_NOISY = 1.2, 30.0, 0.02  # noise of a second: the level that 30 % of it stay below
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadBands:
    """Every lead that is not flat in the two bands, at the envelope's rate; arrays are (n_live_leads, n_steps)."""

    heights: Array  # float64, mV, magnitude in the QRS band
    shapes: Array  # float32, mV, 4-22 Hz
    usual: Array  # float64, mV, height of the usual QRS nearby
    background: Array  # float64, mV, height of what is mostly there nearby
    lead_clarity: Array  # float64 (n_leads,) of all leads, 0 for a flat one
    step: int
    rate_hz: float

    @property
    def clarity(self) -> Array:
        """Usual QRS over background, 1 to 50."""
        return np.asarray(np.clip(self.usual / np.maximum(self.background, 1e-4), 1.0, _MOST_CLARITY))

    def together(self, scale: Array, weight: Array) -> QrsEnvelope:
        """One envelope: each lead over its own scale, leads averaged by their weights (n_live_leads, n_steps)."""
        share = weight / np.maximum(weight.sum(axis=0), 1e-9) / np.maximum(scale, _LEAST_HEIGHT_MV)
        return QrsEnvelope(
            height=np.sum(share * self.heights, axis=0),
            clarity=self.clarity.max(axis=0, initial=1.0),
            lead_clarity=self.lead_clarity,
            shapes=self.shapes * share.astype(np.float32),
            step=self.step,
            rate_hz=self.rate_hz,
        )


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
    """Build the envelope of (n_leads, n_samples) without NaN, before any beat is known.

    Each lead's analytic signal in the QRS band gives its envelope; divided by the usual QRS height around it,
    leads are averaged with the square of their clarity as weight, so a noisy lead hardly speaks, and one that is noisy
    for a second says less in that second.
    """
    return first_envelope(lead_bands(signal_mv, sampling_rate_hz))


def first_envelope(bands: LeadBands) -> QrsEnvelope:
    """The envelope of leads of which no beat is known yet."""
    weight = (bands.clarity - 0.99) ** 2
    for row, height in enumerate(bands.heights):
        over = _over_usual_low(height, bands.background[row], bands.rate_hz)
        weight[row] *= np.clip(1.0 / np.maximum(over, 1e-4), _LEAST_NOISY, 1.0)
    return bands.together(bands.usual, weight)


def lead_bands(signal_mv: Array, sampling_rate_hz: float) -> LeadBands:
    """Filter every lead of (n_leads, n_samples) without NaN; a flat lead is left out."""
    step = max(1, round(sampling_rate_hz / _WORKING_RATE_HZ))
    rate_hz = sampling_rate_hz / step
    n_steps = signal_mv.shape[1] // step
    lead_clarity, rows = np.zeros(signal_mv.shape[0]), []
    for i, lead in enumerate(signal_mv):
        slow = lead[: n_steps * step].reshape(n_steps, step).mean(axis=1)
        height, shape = _bands(slow, rate_hz)
        usual, background = _usual_height(height, rate_hz)
        if usual.max(initial=0.0) < _LEAST_HEIGHT_MV:
            continue
        lead_clarity[i] = np.median(np.clip(usual / np.maximum(background, 1e-4), 1.0, _MOST_CLARITY))
        rows.append((height, shape.astype(np.float32), usual, background))
    heights, shapes, usuals, backgrounds = (
        np.stack(part) if rows else np.zeros((0, n_steps)) for part in (zip(*rows, strict=True) if rows else [()] * 4)
    )
    return LeadBands(
        heights=heights,
        shapes=shapes.astype(np.float32),
        usual=usuals,
        background=backgrounds,
        lead_clarity=lead_clarity,
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


def _over_usual_low(height: Array, background: Array, rate_hz: float) -> Array:
    """How much more than usual lies between the waves of each second, (n_steps,); 1 where the lead is as ever."""
    segment = max(1, min(height.size, int(_NOISY_S * rate_hz)))
    n_segments = height.size // segment
    lows = np.percentile(height[: n_segments * segment].reshape(n_segments, segment), _LOW_PCT, axis=1)
    centres = (np.arange(n_segments) + 0.5) * segment
    over = np.interp(np.arange(height.size), centres, lows) / np.maximum(background, 1e-4)
    return np.asarray(over / max(float(np.median(over)), 1e-4))
