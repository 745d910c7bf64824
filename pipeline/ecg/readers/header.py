"""What every ECG reader knows before it decodes a sample, and the checks that they share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import InputError
from pipeline.gates import Limits, too_large
from pipeline.records import Remark

BYTES_PER_SAMPLE = 4  # decoded as float32


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgHeader:
    """The size of an ECG and the files that it is read from."""

    n_leads: int
    n_samples: int
    sampling_rate_hz: float
    files: tuple[Path, ...]  # every file whose bytes are read, the header first
    remarks: tuple[Remark, ...] = ()

    @property
    def summary(self) -> str:
        """`12 leads, 10.0 s, 1000 Hz`."""
        plural = "lead" if self.n_leads == 1 else "leads"
        duration_s = self.n_samples / self.sampling_rate_hz
        return f"{self.n_leads} {plural}, {duration_s:.1f} s, {self.sampling_rate_hz:g} Hz"


def check_sample_count(n_leads: int, n_samples: int, limits: Limits) -> None:
    """Refuse an ECG whose declared size is nonsense (InputError) or over a limit (E_HARD_004).

    To be called before any allocation: a header of a few bytes may declare terabytes.
    """
    if n_leads < 1 or n_samples < 1:
        raise InputError("The ECG file declares no leads or no samples.", code="E_INPUT_CORRUPT")
    n_values = n_leads * n_samples
    if n_values > limits.max_samples or n_values * BYTES_PER_SAMPLE > limits.max_decoded_bytes:
        raise too_large("The ECG declares more samples than the size limit allows.")


def check_rate(sampling_rate_hz: float) -> None:
    """Refuse sampling rates that no ECG recorder has: 0, negative, not finite, above 100 kHz."""
    if not 1.0 <= sampling_rate_hz <= 100_000.0:
        raise InputError("The ECG file declares an impossible sampling rate.")


def length_remark(declared_s: float, found_s: float) -> Remark:
    """W_ECG_TRUNCATED: the file holds fewer samples than its header declares."""
    return Remark(
        code="W_ECG_TRUNCATED",
        text=f"The ECG file is cut short: {declared_s:.5g} s are declared, {found_s:.5g} s are there.",
    )
