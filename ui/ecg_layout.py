"""Where each lead stands on ECG paper, in millimetres. Knows no Qt.

Paper: 1 mm squares, bold every 5 mm; 25 mm/s and 10 mm/mV unless the reader chooses otherwise.
Source: AHA/ACC/HRS 2007 recommendations for the ECG, part I, doi 10.1161/CIRCULATIONAHA.106.180200.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.records import Array

TWELVE = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
LIMB, CHEST = ("I", "II", "III", "aVR", "aVL", "aVF"), ("V1", "V2", "V3", "V4", "V5", "V6")
RHYTHM_LEADS = ("II", "MLII", "V1", "V5", "I")
PAGE_S = 10.0
LEFT_MM = 10.0  # room for the calibration pulse
RIGHT_MM = 1.0
TOP_MM = 8.0  # room for the printed settings
BOTTOM_MM = 8.0  # room for the letters of the beats
LETTERS_MM = 6.0  # height of the line of letters
PULSE_MM = 5.0  # 0.2 s at 25 mm/s
PULSE_MV = 1.0
_TWO_COLUMNS_FROM = 4  # leads


@dataclass(frozen=True, slots=True)
class LayoutSpec:
    """One arrangement of the leads; `few` is what it is called where the record is no twelve-lead ECG."""

    name: str
    title: str
    few: str
    words: str
    row_range_mm: tuple[float, float]


LAYOUTS = (
    LayoutSpec("3x4+1", "3 × 4 + 1", "", "Three rows of four leads and a rhythm strip", (21.0, 40.0)),
    LayoutSpec("3x4+3", "3 × 4 + 3", "", "Three rows of four leads and three rhythm strips", (17.0, 32.0)),
    LayoutSpec("6x2", "6 × 2", "Two columns", "Limb leads beside chest leads", (17.0, 34.0)),
    LayoutSpec("12x1", "12 × 1", "One row a lead", "One row a lead over the whole time", (14.0, 60.0)),
    LayoutSpec("rhythm", "Rhythm strip", "Rhythm strip", "One lead, line under line", (30.0, 45.0)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A stretch of one lead on the paper."""

    lead_idx: int
    name: str
    left_mm: float
    baseline_mm: float
    start_s: float
    end_s: float
    letters_mm: float | None = None  # top of the line of the beats' letters, on the strip that carries them

    @property
    def is_rhythm(self) -> bool:
        """Whether the beats' letters and the intervals stand under this strip."""
        return self.letters_mm is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A laid out record: one page, and how it goes on to the right or downwards."""

    layout: str
    page_strips: tuple[Strip, ...]
    page_pulses_mm: tuple[tuple[float, float], ...]  # (left, baseline) of each calibration pulse
    step_mm: tuple[float, float]  # from page to page, right and down
    page_s: float
    n_pages: int
    duration_s: float
    width_mm: float
    height_mm: float
    row_mm: float
    speed_mm_s: float
    gain_mm_mv: float

    @property
    def is_paged(self) -> bool:
        return self.n_pages > 1

    def pages_between(self, left_mm: float, top_mm: float, right_mm: float, bottom_mm: float) -> range:
        """Numbers of the pages that a rectangle of the paper touches."""
        if self.n_pages == 1:
            return range(1)
        along = 0 if self.step_mm[0] else 1
        low, high = ((left_mm, right_mm), (top_mm, bottom_mm))[along]
        offset = TOP_MM if along else 0.0
        step = self.step_mm[along]
        reach = 1 if along else 0  # a tall trace stands out of its line
        first = max(0, math.floor((low - offset) / step) - reach)
        return range(min(first, self.n_pages), min(self.n_pages, math.floor((high - offset) / step) + 1 + reach))

    def strips(
        self, left_mm: float = 0.0, top_mm: float = 0.0, right_mm: float = math.inf, bottom_mm: float = math.inf
    ) -> Iterator[Strip]:
        """The strips of the pages that a rectangle of the paper touches."""
        far = min(right_mm, self.width_mm), min(bottom_mm, self.height_mm)
        for page in self.pages_between(left_mm, top_mm, *far):
            for strip in self.page_strips:
                start_s = strip.start_s + page * self.page_s
                if start_s < self.duration_s:
                    yield replace(
                        strip,
                        left_mm=strip.left_mm + page * self.step_mm[0],
                        baseline_mm=strip.baseline_mm + page * self.step_mm[1],
                        letters_mm=None if strip.letters_mm is None else strip.letters_mm + page * self.step_mm[1],
                        start_s=start_s,
                        end_s=min(strip.end_s + page * self.page_s, self.duration_s),
                    )

    def pulses(self, left_mm: float, top_mm: float, right_mm: float, bottom_mm: float) -> Iterator[tuple[float, float]]:
        """(left, baseline) of the calibration pulses of those pages."""
        for page in self.pages_between(left_mm, top_mm, right_mm, bottom_mm):
            for left, baseline in self.page_pulses_mm:
                yield left + page * self.step_mm[0], baseline + page * self.step_mm[1]

    def place_of(self, time_s: float) -> tuple[float, float]:
        """(left, top) in mm of a time of the record, on its rhythm strip or, without one, on the first row."""
        page = min(int(time_s / self.page_s), self.n_pages - 1) if self.is_paged else 0
        inside_s = time_s - page * self.page_s
        rows = [s for s in self.page_strips if s.is_rhythm] or list(self.page_strips)
        strip = next((s for s in rows if s.start_s <= inside_s < s.end_s), rows[-1])
        left = strip.left_mm + (inside_s - strip.start_s) * self.speed_mm_s
        return left + page * self.step_mm[0], strip.baseline_mm - self.row_mm / 2 + page * self.step_mm[1]


def is_twelve_lead(leads: Sequence[str]) -> bool:
    """Whether all standard leads are there."""
    names = {name.casefold() for name in leads}
    return all(name.casefold() in names for row in TWELVE for name in row)


def layouts_for(leads: Sequence[str]) -> tuple[LayoutSpec, ...]:
    """The layouts in which a record can be shown."""
    if is_twelve_lead(leads):
        return LAYOUTS
    return tuple(spec for spec in LAYOUTS if spec.few and (spec.name != "6x2" or len(leads) >= _TWO_COLUMNS_FROM))


def layout_title(spec: LayoutSpec, leads: Sequence[str]) -> str:
    """What a layout is called for these leads."""
    return spec.title if is_twelve_lead(leads) else spec.few


def chosen_layout(name: str, leads: Sequence[str]) -> LayoutSpec:
    """The layout of that name, or one row a lead where the record has not the leads for it."""
    possible = layouts_for(leads)
    return next((spec for spec in possible if spec.name == name), next(s for s in possible if s.name == "12x1"))


def rhythm_lead(leads: Sequence[str], wished: str = "") -> int:
    """Row of the lead for the rhythm strip: the reader's, else the usual ones, else the first."""
    place = {name.casefold(): idx for idx, name in reversed(list(enumerate(leads)))}
    names = (wished, *RHYTHM_LEADS)
    return next((place[name.casefold()] for name in names if name.casefold() in place), 0)


def lay_out(
    leads: Sequence[str],
    duration_s: float,
    *,
    layout: str,
    speed_mm_s: float,
    gain_mm_mv: float,
    rhythm: str = "",
    room_mm: float = 0.0,
) -> Paper:
    """Lay a record out.

    Parameters
    ----------
    layout
        A name of LAYOUTS; one that the record has not the leads for becomes one row a lead.
    rhythm
        The lead of the rhythm strip; "" takes the usual one.
    room_mm
        Height that the rows share, within the limits of the layout.
    """
    spec = chosen_layout(layout, leads)
    rhythm_idx = rhythm_lead(leads, rhythm)
    grid, long_rows = _grid(spec.name, leads, rhythm_idx)
    n_rows = len(grid) + len(long_rows)
    row_mm = _row_mm(n_rows, room_mm, spec.row_range_mm)
    is_whole = spec.name == "12x1"
    page_s = duration_s if is_whole else min(PAGE_S, duration_s)
    downwards = spec.name == "rhythm"
    strips, pulses = _page(leads, grid, long_rows, page_s, row_mm, speed_mm_s, is_lines=downwards)
    n_pages = 1 if is_whole else max(1, math.ceil(duration_s / max(page_s, 1e-9) - 1e-6))
    page_mm = LEFT_MM + page_s * speed_mm_s + RIGHT_MM
    return Paper(
        layout=spec.name,
        page_strips=strips,
        page_pulses_mm=pulses,
        step_mm=(0.0, row_mm) if downwards else (page_mm, 0.0),
        page_s=page_s,
        n_pages=n_pages,
        duration_s=duration_s,
        width_mm=page_mm if downwards else n_pages * page_mm,
        height_mm=TOP_MM + (n_pages if downwards else n_rows) * row_mm + BOTTOM_MM,
        row_mm=row_mm,
        speed_mm_s=speed_mm_s,
        gain_mm_mv=gain_mm_mv,
    )


def _grid(layout: str, leads: Sequence[str], rhythm_idx: int) -> tuple[list[list[int]], list[int]]:
    """Rows of leads that share the width, and the leads that have all of it under them."""
    place = {name.casefold(): idx for idx, name in enumerate(leads)}
    if layout.startswith("3x4"):
        grid = [[place[name.casefold()] for name in row] for row in TWELVE]
        others = [place[name.casefold()] for name in ("II", "V1", "V5")]
        two = [idx for idx in others if idx != rhythm_idx][-2:]
        return grid, [*two, rhythm_idx] if layout.endswith("3") else [rhythm_idx]
    if layout == "6x2":
        if is_twelve_lead(leads):
            pairs = zip(LIMB, CHEST, strict=True)
            return [[place[left.casefold()], place[right.casefold()]] for left, right in pairs], []
        half = math.ceil(len(leads) / 2)
        return [[row, *([row + half] if row + half < len(leads) else [])] for row in range(half)], []
    return [], [rhythm_idx] if layout == "rhythm" else list(range(len(leads)))


def _row_mm(n_rows: int, room_mm: float, limits_mm: tuple[float, float]) -> float:
    """Height of a row: what the room gives, within limits."""
    share_mm = (room_mm - TOP_MM - BOTTOM_MM) / max(n_rows, 1)
    return min(max(share_mm, limits_mm[0]), limits_mm[1])


def _page(
    leads: Sequence[str],
    grid: list[list[int]],
    long_rows: list[int],
    page_s: float,
    row_mm: float,
    speed_mm_s: float,
    *,
    is_lines: bool,
) -> tuple[tuple[Strip, ...], tuple[tuple[float, float], ...]]:
    strips, pulses = [], []
    n_columns = max((len(row) for row in grid), default=1)
    rows = [*grid, *([idx] for idx in long_rows)]
    letters_mm = TOP_MM + len(rows) * row_mm + 1.0 if not is_lines else TOP_MM + row_mm - LETTERS_MM
    for number, row in enumerate(rows):
        baseline_mm = TOP_MM + (number + 0.5) * row_mm
        pulses.append((LEFT_MM - PULSE_MM - 2.0, baseline_mm))
        part_s = page_s / (n_columns if number < len(grid) else 1)
        strips += [
            Strip(
                lead_idx=idx,
                name=leads[idx],
                left_mm=LEFT_MM + column * part_s * speed_mm_s,
                baseline_mm=baseline_mm,
                start_s=column * part_s,
                end_s=(column + 1) * part_s,
                letters_mm=letters_mm if number == len(rows) - 1 else None,
            )
            for column, idx in enumerate(row)
        ]
    return tuple(strips), tuple(pulses)


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
