"""What of a long curve is worth drawing: the lowest and the highest value of every column of pixels. Knows no Qt.

Levels of a pyramid hold the extremes of 16, 256, 4096 … neighbouring points, so that a day of ECG is looked through
once and not at every step of the mouse.
"""

from __future__ import annotations

import numpy as np

from pipeline.records import Array
from ui.plots import Curve

FACTOR = 16
POINTS_PER_COLUMN = 4  # up to so many, every point is drawn


class CurveReduction:
    """A curve that can be asked for its visible part; levels are built when they are first needed."""

    def __init__(self, curve: Curve) -> None:
        self.curve = curve
        self._levels: list[tuple[Array, Array]] = [(curve.y, curve.y)]

    def visible(self, low: float, high: float, n_columns: int) -> tuple[Array, Array]:
        """Points to draw between two positions on the x axis.

        Parameters
        ----------
        low, high
            Ends of the visible stretch, in units of the x axis.
        n_columns
            How many columns of pixels there are.

        Returns
        -------
        x, y
            float64 (n_points,) each, at most about six a column. One point more on each side, so that the line
            reaches the edge. No peak is lost; NaN only where a whole column has no value or every point is drawn.
        """
        first, end = self.curve.span(low, high)
        first, end = max(first - 1, 0), min(end + 1, len(self.curve.y))
        columns = max(n_columns, 1)
        if end - first <= POINTS_PER_COLUMN * columns:
            idx = np.arange(first, end)
            return self.curve.x_at(idx), np.asarray(self.curve.y[first:end], float)
        level = 0
        while (end - first) > FACTOR ** (level + 1) * columns:
            level += 1
        return self._columns(level, first, end, columns)

    def _columns(self, level: int, first: int, end: int, n_columns: int) -> tuple[Array, Array]:
        size = FACTOR**level
        lows, highs = self._level(level)
        begin, stop = first // size, -(-end // size)
        step = max((stop - begin) // n_columns, 1)
        # Columns are counted from the curve's start, so that it does not shimmer while it is moved.
        edges = np.unique(np.r_[0, np.arange(-begin % step, stop - begin, step)])
        low = np.fmin.reduceat(lows[begin:stop], edges)
        high = np.fmax.reduceat(highs[begin:stop], edges)
        x = self.curve.x_at((begin + edges) * size)
        return np.repeat(x, 2), np.column_stack((low, high)).ravel().astype(float)

    def _level(self, level: int) -> tuple[Array, Array]:
        while len(self._levels) <= level:
            lows, highs = self._levels[-1]
            self._levels.append((_coarser(lows, np.fmin), _coarser(highs, np.fmax)))
        return self._levels[level]


def _coarser(values: Array, keep: np.ufunc) -> Array:
    """The extremes of FACTOR neighbours; the last group may be smaller."""
    made = values[::FACTOR].copy()
    for offset in range(1, FACTOR):
        part = values[offset::FACTOR]
        keep(made[: len(part)], part, out=made[: len(part)])
    return made
