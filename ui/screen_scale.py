"""How many pixels make a millimetre on a screen: as the reader calibrated it, else as the screen says. Knows no Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MM_PER_INCH = 25.4
DPI_RANGE = (50.0, 400.0)  # outside, a screen does not know its own size


@dataclass(frozen=True, slots=True)
class KnownLength:
    """A thing whose length everybody can hold against the screen."""

    name: str
    length_mm: float


KNOWN_LENGTHS = (
    KnownLength("Bank card, long side", 85.60),
    KnownLength("Ruler, 100 mm", 100.0),
    KnownLength("Ruler, 50 mm", 50.0),
)
"""Source: ISO/IEC 7810, ID-1: 85.60 mm x 53.98 mm."""


def px_per_mm(physical_dpi: float, logical_dpi: float, calibrated: float | None = None) -> float:
    """Logical pixels in a millimetre: calibrated, else by the screen's own size, else by the logical resolution."""
    if calibrated is not None and is_possible(calibrated):
        return calibrated
    low, high = DPI_RANGE
    return (physical_dpi if low <= physical_dpi <= high else logical_dpi) / MM_PER_INCH


def is_possible(value: float) -> bool:
    """Whether a number of pixels in a millimetre can belong to a screen."""
    return bool(DPI_RANGE[0] <= value * MM_PER_INCH <= DPI_RANGE[1])


def possible_scales(given: object) -> dict[str, float]:
    """What of a stored table of screens can be used."""
    if not isinstance(given, Mapping):
        return {}
    return {
        str(name): float(value)
        for name, value in given.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and is_possible(value)
    }
