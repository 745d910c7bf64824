"""The median beat as it is drawn: cells of leads, one scale for all, fiducials over all leads. Knows no Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.records import Array, LeadWaves
from pipeline.review.ecg_targets import BOUNDS
from ui.ecg_layout import TWELVE, is_twelve_lead

if TYPE_CHECKING:
    from pipeline.ecg.median_beat import MedianBeat

LEAST_RANGE_MV = 1.0
MARGIN_MV = 0.15
FROM_MS, TO_MS = -320.0, 560.0
S_PER_MV = 0.4  # as on paper of 25 mm/s and 10 mm/mV


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One panel: its leads (several when they are overlaid), its row and column."""

    lead_idx: tuple[int, ...]
    row: int
    column: int


def cells_of(leads: Sequence[str], shown: Sequence[bool], *, overlaid: bool) -> tuple[Cell, ...]:
    """Panels of the leads that have a median beat: as on paper for twelve leads, else four beside each other."""
    usable = [idx for idx in range(len(leads)) if shown[idx]]
    if overlaid:
        return (Cell(lead_idx=tuple(usable), row=0, column=0),) if usable else ()
    if is_twelve_lead(leads):
        place = {name.casefold(): idx for idx, name in enumerate(leads)}
        return tuple(
            Cell(lead_idx=(place[name.casefold()],), row=row, column=column)
            for row, names in enumerate(TWELVE)
            for column, name in enumerate(names)
            if shown[place[name.casefold()]]
        )
    n_columns = min(4, max(1, math.ceil(math.sqrt(len(usable)))))
    return tuple(Cell(lead_idx=(idx,), row=n // n_columns, column=n % n_columns) for n, idx in enumerate(usable))


def span_mv(signal_mv: Array) -> float:
    """Height of a panel in mV: that of the tallest lead, so that all can be compared; NaN in leads without a beat."""
    known = signal_mv[np.isfinite(signal_mv).all(axis=1)]
    tallest = float(np.ptp(known, axis=1).max()) if known.size else 0.0
    return max(tallest, LEAST_RANGE_MV) + 2 * MARGIN_MV


def middle_mv(signal_mv: Array, rows: Sequence[int]) -> float:
    """The level in the middle of the panel of some leads."""
    part = signal_mv[list(rows)]
    return 0.5 * (float(part.min()) + float(part.max()))


def px_per_s(width_px: float, height_px: float, height_mv: float) -> float:
    """The largest scale at which a beat fits its panel with the squares of the paper: 200 ms as wide as 0.5 mV high."""
    return min(1000.0 * width_px / (TO_MS - FROM_MS), height_px / (height_mv * S_PER_MV))


def fiducials_ms(median: MedianBeat) -> dict[str, float]:
    """Boundaries over all leads, in ms from the R peak; those that no lead has are left out."""
    found = {}
    for mark in BOUNDS:
        wave, _, end = mark.partition("_")
        step = median.first(wave) if end == "on" else median.last(wave)
        if step is not None:
            found[mark] = (step - median.r_step) * 1000.0 / median.sampling_rate_hz
    return found


def fiducial_limits_ms(fiducials: dict[str, float], mark: str) -> tuple[float, float]:
    """Between which times a fiducial may be moved: its neighbours, and the ends of the beat."""
    order = BOUNDS.index(mark)
    before = [ms for name, ms in fiducials.items() if BOUNDS.index(name) < order]
    after = [ms for name, ms in fiducials.items() if BOUNDS.index(name) > order]
    return max([FROM_MS, *before]) + 1.0, min([TO_MS, *after]) - 1.0


def st_text(wave: LeadWaves | None) -> str:
    """ST level 60 ms after the QRS, as it stands in a panel."""
    return "" if wave is None or wave.st60_mv is None else f"ST60 {wave.st60_mv:+.2f} mV"


def intervals_text(fiducials: dict[str, float]) -> str:
    """PR, QRS and QT of the median beat."""
    ends = (("PR", "p_on", "qrs_on"), ("QRS", "qrs_on", "qrs_off"), ("QT", "qrs_on", "t_off"))
    parts = [
        f"{name} {fiducials[end] - fiducials[start]:.0f} ms"
        for name, start, end in ends
        if start in fiducials and end in fiducials
    ]
    return "   ".join(parts)
