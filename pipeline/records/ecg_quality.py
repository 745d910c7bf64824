"""Signal quality of an ECG for each lead and second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.records.common import Array

SignalFault = Literal["none", "missing", "flat", "off", "saturated", "unit", "mains", "noise", "wander"]
SIGNAL_FAULTS: tuple[SignalFault, ...] = (
    "none",
    "missing",  # most samples of the second are missing
    "flat",  # it does not move at all
    "off",  # it holds mains noise or drift only, as from a disconnected electrode
    "saturated",  # clipped at the limit of the recorder
    "unit",  # larger than any ECG
    "mains",  # mains noise is larger than the heart's waves
    "noise",  # noise hides the waves
    "wander",  # the baseline moves by more than the size of the waves
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgQuality:
    """What each second of each lead is worth, and what is wrong with it; the last second may be a shorter one."""

    quality: Array  # float32 (n_leads, n_seconds), 0..1
    fault: Array  # uint8 (n_leads, n_seconds), place in SIGNAL_FAULTS; the gravest of several
    reasons: tuple[str | None, ...]  # why a lead was left out or is impaired; of a long record, the commonest
