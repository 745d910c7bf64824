"""An intermediate result as a plot. Knows no Qt."""

from __future__ import annotations

import numpy as np

from pipeline.research.items import Item
from ui.plots import Curve, Plot

MAX_CURVES = 16
COLOURS = ("accent", "warn", "good", "bad", "atrium", "muted")


def is_picture(item: Item) -> bool:
    """Whether the last two axes are rows and columns."""
    return item.is_array and item.axes[-2:] == ("row", "column")


def is_outline(item: Item) -> bool:
    """Whether it is a line of points in every frame."""
    return item.is_array and item.axes == ("frame", "point", "x, y")


def is_plot(item: Item) -> bool:
    """Whether the values can be drawn as curves over one axis."""
    return item.is_array and not is_picture(item) and not is_outline(item) and item.value.ndim in (1, 2)


def plot_of(item: Item) -> Plot:
    """Curves over the longer axis: one, or one for each step of the other axis (lead, segment)."""
    values = np.asarray(item.value, float)
    rows = values[None] if values.ndim == 1 else values if item.axes[0] in ("lead",) else values.T
    across = item.axes[0] if values.ndim == 1 or item.axes[0] != "lead" else item.axes[1]
    one = "" if values.ndim == 1 else item.axes[1] if item.axes[0] != "lead" else item.axes[0]
    curves = tuple(
        Curve(name=f"{one} {place + 1}" if one else item.label, y=row, colour=COLOURS[place % len(COLOURS)])
        for place, row in enumerate(rows[:MAX_CURVES])
    )
    cut = f"The first {MAX_CURVES} of {len(rows)} are drawn. " if len(rows) > MAX_CURVES else ""
    return Plot(
        title=item.label, x_name=across, y_name=item.label, y_unit=item.unit, curves=curves, note=f"{cut}{item.note}"
    )
