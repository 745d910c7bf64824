"""Where each lead stands on ECG paper, in millimetres. Knows no Qt.

Paper: 1 mm squares, bold every 5 mm; 25 mm/s and 10 mm/mV unless the reader chooses otherwise.
Source: AHA/ACC/HRS 2007 recommendations for the ECG, part I, doi 10.1161/CIRCULATIONAHA.106.180200.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipeline.records import Array

TWELVE = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
RHYTHM_LEADS = ("II", "V1", "MLII", "I")
PAGE_S = 10.0
LEFT_MM = 10.0  # room for the calibration pulse
RIGHT_MM = 1.0
TOP_MM = 8.0  # room for the printed settings
BOTTOM_MM = 2.0
ROW_RANGE_MM = (21.0, 34.0)
STACKED_ROW_RANGE_MM = (14.0, 30.0)
PULSE_MM = 5.0  # 0.2 s at 25 mm/s
PULSE_MV = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A stretch of one lead on the paper."""

    lead_idx: int
    name: str
    left_mm: float
    baseline_mm: float
    start_s: float
    end_s: float
    is_rhythm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A laid out record."""

    width_mm: float
    height_mm: float
    strips: tuple[Strip, ...]
    pulses_mm: tuple[tuple[float, float], ...]  # (left, baseline) of each calibration pulse
    speed_mm_s: float
    gain_mm_mv: float
    is_twelve_lead: bool


def lay_out(
    leads: tuple[str, ...],
    duration_s: float,
    *,
    stacked: bool,
    speed_mm_s: float,
    gain_mm_mv: float,
    room_mm: float = 0.0,
) -> Paper:
    """3 x 4 + rhythm strip in pages of ten seconds for twelve leads, else one row a lead; rows share `room_mm`."""
    place = {name.casefold(): idx for idx, name in enumerate(leads)}
    has_twelve = all(name.casefold() in place for row in TWELVE for name in row)
    if has_twelve and not stacked:
        strips, pulses, page_mm, n_pages = _twelve(place, duration_s, speed_mm_s, room_mm)
        n_rows, row_mm, width_mm = len(TWELVE) + 1, _row_mm(len(TWELVE) + 1, room_mm, ROW_RANGE_MM), n_pages * page_mm
    else:
        n_rows, row_mm = len(leads), _row_mm(len(leads), room_mm, STACKED_ROW_RANGE_MM)
        strips, pulses = _stacked(leads, duration_s, row_mm)
        width_mm = LEFT_MM + duration_s * speed_mm_s + RIGHT_MM
    return Paper(
        width_mm=width_mm,
        height_mm=TOP_MM + n_rows * row_mm + BOTTOM_MM,
        strips=tuple(strip for strip in strips if strip.end_s > strip.start_s),
        pulses_mm=tuple(pulses),
        speed_mm_s=speed_mm_s,
        gain_mm_mv=gain_mm_mv,
        is_twelve_lead=has_twelve and not stacked,
    )


def _row_mm(n_rows: int, room_mm: float, limits_mm: tuple[float, float]) -> float:
    """Height of a row: what the room gives, within limits."""
    share_mm = (room_mm - TOP_MM - BOTTOM_MM) / max(n_rows, 1)
    return min(max(share_mm, limits_mm[0]), limits_mm[1])


def _twelve(
    place: dict[str, int], duration_s: float, speed_mm_s: float, room_mm: float
) -> tuple[list[Strip], list[tuple[float, float]], float, int]:
    """Strips, pulses, width of a page, number of pages."""
    page_s = min(PAGE_S, duration_s)
    page_mm = LEFT_MM + page_s * speed_mm_s + RIGHT_MM
    row_mm = _row_mm(len(TWELVE) + 1, room_mm, ROW_RANGE_MM)
    rhythm = next(name for name in RHYTHM_LEADS if name.casefold() in place)
    n_pages = max(1, math.ceil(duration_s / page_s - 1e-6))
    strips: list[Strip] = []
    pulses: list[tuple[float, float]] = []
    for page in range(n_pages):
        for row, names in enumerate((*TWELVE, (rhythm,))):
            baseline_mm = TOP_MM + (row + 0.5) * row_mm
            pulses.append((page * page_mm + LEFT_MM - PULSE_MM - 2.0, baseline_mm))
            part_s = page_s / len(names)
            for column, name in enumerate(names):
                start_s = page * page_s + column * part_s
                strips.append(
                    Strip(
                        lead_idx=place[name.casefold()],
                        name=name,
                        left_mm=page * page_mm + LEFT_MM + column * part_s * speed_mm_s,
                        baseline_mm=baseline_mm,
                        start_s=start_s,
                        end_s=min(start_s + part_s, duration_s),
                        is_rhythm=row == len(TWELVE),
                    )
                )
    return strips, pulses, page_mm, n_pages


def _stacked(leads: tuple[str, ...], duration_s: float, row_mm: float) -> tuple[list[Strip], list[tuple[float, float]]]:
    baselines = [TOP_MM + (row + 0.5) * row_mm for row in range(len(leads))]
    strips = [
        Strip(
            lead_idx=idx,
            name=name,
            left_mm=LEFT_MM,
            baseline_mm=baselines[idx],
            start_s=0.0,
            end_s=duration_s,
            is_rhythm=idx == len(leads) - 1,
        )
        for idx, name in enumerate(leads)
    ]
    return strips, [(LEFT_MM - PULSE_MM - 2.0, baseline) for baseline in baselines]


def envelope(values: Array, first_idx: int, samples_per_px: float) -> tuple[Array, Array]:
    """Sample positions and values to draw: all of them, or the lowest and highest of every pixel column.

    Parameters
    ----------
    values
        float (n_samples,), the visible stretch.
    first_idx
        Position of its first sample in the record.
    samples_per_px
        How many samples share one column of pixels.

    Returns
    -------
    positions, values
        float (n_points,) each; positions in samples of the record. No peak is lost.
    """
    n_samples = len(values)
    step = int(samples_per_px)
    if step < 3 or n_samples < 2 * step:
        return first_idx + np.arange(n_samples, dtype=float), np.asarray(values, float)
    # Columns are counted from the record's start, so that a trace does not shimmer while it is scrolled.
    edges = np.unique(np.r_[0, np.arange(-first_idx % step, n_samples, step)])
    low = np.minimum.reduceat(values, edges)
    high = np.maximum.reduceat(values, edges)
    positions = np.repeat(first_idx + edges.astype(float), 2)
    return positions, np.column_stack((low, high)).ravel().astype(float)
