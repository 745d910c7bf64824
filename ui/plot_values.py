"""The values of a plot as a table, and the words of its readout. Knows no Qt."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.notice import NOTICE
from ui.plots import Curve, Plot
from ui.wording import number

MAX_ROWS = 1_000_000


def values_bytes(plot: Plot) -> bytes:
    """UTF-8 CSV with a byte order mark: the notice, the names with units, then the values.

    Curves that share their positions share the column of x; marks have their own. An empty cell is no value.
    """
    text = io.StringIO()
    text.write(f"# {NOTICE}\r\n")
    table = csv.writer(text)
    columns = list(_columns(plot))
    table.writerow([_plain(name) for name, _ in columns])
    table.writerows(itertools.zip_longest(*(values for _, values in columns), fillvalue=""))
    return text.getvalue().encode("utf-8-sig")


def _columns(plot: Plot) -> Iterator[tuple[str, list[str]]]:
    before: Curve | None = None
    for curve in plot.curves:
        if before is None or not _same_positions(before, curve):
            of_marks = f", {curve.name}" if curve.mark else ""
            yield _with_unit(f"{plot.x_name}{of_marks}", plot.x_unit), _places(plot, curve)
        yield _with_unit(f"{plot.title}, {curve.name}", plot.y_unit), [_cell(v) for v in curve.y.tolist()]
        before = curve


def _same_positions(one: Curve, other: Curve) -> bool:
    if one.x is None or other.x is None:
        return one.x is other.x and one.rate_hz == other.rate_hz and len(one.y) == len(other.y)
    return np.array_equal(one.x, other.x)


def _places(plot: Plot, curve: Curve) -> list[str]:
    x = curve.x_at(np.arange(len(curve.y))).tolist()
    return [plot.names[round(place)] for place in x] if curve.is_bars else [_cell(place) for place in x]


def _with_unit(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def _cell(value: float) -> str:
    return f"{value:.9g}" if math.isfinite(value) else ""


def _plain(name: str) -> str:
    """One line, which no spreadsheet runs as a formula."""
    text = " ".join(name.split())
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def write_values(plot: Plot, path: Path) -> None:
    """Write the values of a plot, whole or not at all.

    Raises
    ------
    ReportError
        More than a million rows, or the file cannot be written.
    """
    from pipeline.errors import ReportError
    from pipeline.reports.json_report import write_bytes

    if max((len(curve.y) for curve in plot.curves), default=0) > MAX_ROWS:
        raise ReportError("These are more than a million rows. Zoom in on the part that is wanted and save again.")
    write_bytes(values_bytes(plot), path)


def cut(plot: Plot, low: float, high: float, hidden: frozenset[str]) -> Plot:
    """What is in sight of a plot: curves that are switched on, between two positions; bars stay whole."""
    return replace(plot, curves=tuple(_cut_curve(c, low, high) for c in plot.curves if c.name not in hidden))


def _cut_curve(curve: Curve, low: float, high: float) -> Curve:
    if curve.is_bars:
        return curve
    first, end = curve.span(low, high)
    return replace(curve, x=curve.x_at(np.arange(first, end)), y=curve.y[first:end])


def readout(plot: Plot, x: float, reach: float, hidden: frozenset[str]) -> str:
    """The values at a position, plain text; marks only within `reach` of it."""
    shown = [c for c in plot.curves if c.name not in hidden and len(c.y)]
    parts: list[str] = []
    for curve in shown:
        idx = curve.nearest(x)
        place = float(curve.x_at(np.array([idx]))[0])
        is_near = abs(place - x) <= (0.5 if curve.is_bars else reach)
        if is_near or not (curve.mark or curve.is_bars):
            parts += [] if parts else [_place_text(plot, curve, place)]
            parts.append(_value_text(plot, curve, idx))
    return "   ".join(parts)


def _place_text(plot: Plot, curve: Curve, place: float) -> str:
    if curve.is_bars:
        return plot.names[round(place)]
    digits = 3 if plot.x_unit else 0
    return f"{plot.x_name} {number(place, digits)} {plot.x_unit}".rstrip()


def _value_text(plot: Plot, curve: Curve, idx: int) -> str:
    value = float(curve.y[idx])
    if not math.isfinite(value):
        return f"{curve.name} –"
    digits = 0 if plot.y_unit == "ms" else 1 if plot.y_unit in ("mL", "%", "px³") else 3
    return f"{curve.name} {number(value, digits)} {plot.y_unit}".rstrip()
