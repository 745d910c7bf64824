"""Zero-phase filters for display and measurement, and the sentence that says what was applied.

Band: 0.5 to 150 Hz. A low cut-off up to 0.67 Hz does not distort the ST segment when the filter has
no phase shift, and 150 Hz keeps the QRS of adults.
Source: Kligfield et al. 2007 (AHA/ACCF/HRS part I), doi 10.1161/CIRCULATIONAHA.106.180200.

Differs from neurokit2's `ecg_clean(method="neurokit")`, which was measured first: it averages over one
mains period whether mains noise is there or not, and keeps 70 % of the QRS from peak to peak (median
of lead II of 16 twelve-lead records at 500 and 1000 Hz). This filter keeps 99 % of the same QRS; the
mains notch is applied only where mains noise is found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from pipeline.cancellation import CancelToken
from pipeline.records import Array

HIGH_PASS_HZ = 0.5
LOW_PASS_HZ = 150.0
FILTER_ORDER = 2  # of one pass; forward and backward double it
MAINS_HZ = (50.0, 60.0)
NOTCH_QUALITY = 30.0  # width 1.7 Hz at 50 Hz
MAINS_PROMINENCE = 10.0
MAINS_FLOOR_MV = 0.005
"""Mains noise is removed when its line stands 10 times above its neighbours and has 5 uV RMS or more.

Ours: 5 uV is one step of a common 12-bit recorder; a sharp QRS train stays below 3 times.
"""
MAINS_PROBE_S = 60.0
BLOCK_S = 600.0
OVERLAP_S = 15.0  # the high-pass has decayed to below 1e-6 after that
EDGE_PAD_S = 1.0


def fill_gaps(lead_mv: Array) -> tuple[Array, Array]:
    """Bridge missing samples by straight lines, ends by the nearest sample.

    Parameters
    ----------
    lead_mv
        float (n_samples,), NaN or infinite where missing; not changed.

    Returns
    -------
    filled, missing
        float32 (n_samples,) without NaN (zeros when every sample is missing), and bool (n_samples,).
    """
    missing = ~np.isfinite(lead_mv)
    filled = lead_mv.astype(np.float32)
    if missing.all():
        return np.zeros_like(filled), missing
    if missing.any():
        valid_idx = np.flatnonzero(~missing)
        filled[missing] = np.interp(np.flatnonzero(missing), valid_idx, filled[valid_idx])
    return filled, missing


def mains_hz_of(leads_mv: Sequence[Array], sampling_rate_hz: float) -> float | None:
    """50 or 60 when mains noise is found in any lead (the stronger of both), else None.

    `leads_mv` holds gap-free leads in mV; the middle minute of each is looked at.
    """
    powers = [_mains_excess(lead, line_hz, sampling_rate_hz) for line_hz in MAINS_HZ for lead in leads_mv]
    excess = np.asarray(powers, np.float64).reshape(len(MAINS_HZ), -1)
    if not excess.size or excess.max() <= 0.0:
        return None
    return MAINS_HZ[int(excess.max(axis=1).argmax())]


def _mains_excess(lead_mv: Array, line_hz: float, sampling_rate_hz: float) -> float:
    """Power of the mains line in mV^2, or 0 where it does not stand out."""
    n_probe = min(lead_mv.size, int(MAINS_PROBE_S * sampling_rate_hz))
    if line_hz + 6.0 > sampling_rate_hz / 2 or n_probe < sampling_rate_hz:
        return 0.0
    start = (lead_mv.size - n_probe) // 2
    from scipy.signal import welch

    # windows of 2 s: resolution 0.5 Hz, so that the line's leakage stays within 1 Hz of it
    n_window = min(n_probe, round(2.0 * sampling_rate_hz))
    frequency_hz, density = welch(lead_mv[start : start + n_probe], sampling_rate_hz, nperseg=n_window)
    distance_hz = np.abs(frequency_hz - line_hz)
    line, around = density[distance_hz <= 1.0], density[(distance_hz > 1.0) & (distance_hz <= 5.0)]
    if not line.size or not around.size:
        return 0.0
    background = float(np.median(around))
    power = float((line - background).sum() * (frequency_hz[1] - frequency_hz[0]))
    stands_out = float(line.max()) > MAINS_PROMINENCE * background
    return power if stands_out and power > MAINS_FLOOR_MV**2 else 0.0


class LeadFilter:
    """The filters of one recording, the same for every lead so that leads stay comparable."""

    def __init__(self, sampling_rate_hz: float, mains_hz: float | None = None) -> None:
        self._rate_hz = sampling_rate_hz
        nyquist_hz = sampling_rate_hz / 2
        self._low_pass = nyquist_hz > LOW_PASS_HZ * 1.05
        self._mains_hz = mains_hz if mains_hz is not None and mains_hz < 0.95 * nyquist_hz else None
        self._sections = self._design()

    @property
    def text(self) -> str:
        """What is applied, as printed on the strip: `0.5-150 Hz zero-phase, 50 Hz notch`."""
        top_hz = LOW_PASS_HZ if self._low_pass else self._rate_hz / 2
        notch = f", {self._mains_hz:g} Hz notch" if self._mains_hz is not None else ""
        return f"{HIGH_PASS_HZ:g}-{top_hz:g} Hz zero-phase{notch}"

    def _design(self) -> Array:
        from scipy.signal import butter, iirnotch, tf2sos

        parts = [butter(FILTER_ORDER, self._edge_hz(HIGH_PASS_HZ, high=True), "high", fs=self._rate_hz, output="sos")]
        if self._low_pass:
            parts.append(
                butter(FILTER_ORDER, self._edge_hz(LOW_PASS_HZ, high=False), "low", fs=self._rate_hz, output="sos")
            )
        if self._mains_hz is not None:
            parts.append(tf2sos(*iirnotch(self._mains_hz, NOTCH_QUALITY, fs=self._rate_hz)))
        return np.concatenate(parts)

    def _edge_hz(self, edge_hz: float, *, high: bool) -> float:
        """Edge of one pass so that forward and backward together fall by 3 dB at `edge_hz`."""
        factor = (math.sqrt(2.0) - 1.0) ** (1.0 / (2 * FILTER_ORDER))
        warped = math.tan(math.pi * edge_hz / self._rate_hz) * (factor if high else 1.0 / factor)
        return math.atan(warped) * self._rate_hz / math.pi

    def apply(
        self, lead_mv: Array, *, on_fraction: Callable[[float], None] | None = None, cancel: CancelToken | None = None
    ) -> Array:
        """Filter one gap-free lead.

        Long leads are filtered in blocks of ten minutes that overlap by OVERLAP_S, so that 24 h need
        no more memory than the result and one block.

        Returns
        -------
        float32 (n_samples,), a new array.
        """
        block, overlap = int(BLOCK_S * self._rate_hz), int(OVERLAP_S * self._rate_hz)
        filtered = np.empty(lead_mv.size, np.float32)
        for start in range(0, lead_mv.size, block):
            if cancel is not None:
                cancel.check()
            stop = min(start + block, lead_mv.size)
            first, last = max(0, start - overlap), min(lead_mv.size, stop + overlap)
            filtered[start:stop] = self._both_ways(lead_mv[first:last])[start - first : stop - first]
            if on_fraction is not None:
                on_fraction(stop / lead_mv.size)
        return filtered

    def _both_ways(self, part_mv: Array) -> Array:
        from scipy.signal import sosfiltfilt

        n_pad = min(part_mv.size - 1, int(EDGE_PAD_S * self._rate_hz))
        filtered: Array = sosfiltfilt(self._sections, part_mv.astype(np.float64), padlen=n_pad)
        return filtered
