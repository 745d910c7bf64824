"""One plot with axes, zoom, a crosshair and its readout. Imports pyqtgraph, which takes a second: import it late."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.curve_reduction import CurveReduction
from ui.plot_values import readout
from ui.plots import Curve, Plot
from ui.theme import DARK, Theme, palette
from ui.widgets.drawing import pen

MARK_PX = 8
MARK_COLUMNS = 400  # marks are slower to draw than lines
REACH_PX = 6
GRID_ALPHA = 0.18
SWATCH_PX = (18, 12)
EMPTY_PLOT = Plot(title="")
HINT = "Drag to move, turn the wheel to zoom, drag with the right button to zoom one axis."


class SignalPlot(QWidget):
    """Draws a Plot; the curves can be switched off one by one."""

    curves_switched = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plot: Plot = EMPTY_PLOT
        self.hidden: frozenset[str] = frozenset()
        self._theme: Theme = DARK
        self._drawn: list[tuple[CurveReduction, Any]] = []
        self._boxes: list[QCheckBox] = []
        self.canvas: Any = pg.PlotWidget(enableMenu=False)
        self._item: Any = self.canvas.getPlotItem()
        self._view: Any = self._item.getViewBox()
        self._cross: tuple[Any, Any] = tuple(pg.InfiniteLine(angle=angle) for angle in (90, 0))
        self.readout = QLabel(HINT)
        self._switches = QHBoxLayout()
        self._assemble()

    def _assemble(self) -> None:
        self._item.hideButtons()
        self._item.showGrid(x=True, y=True, alpha=GRID_ALPHA)
        self._view.disableAutoRange()
        self._view.sigXRangeChanged.connect(self._fill)
        self._view.sigResized.connect(self._fill)
        self.canvas.scene().sigMouseMoved.connect(self._point)
        for line in self._cross:
            line.setVisible(False)
            self._item.addItem(line, ignoreBounds=True)
        for side in ("left", "bottom"):
            self._item.getAxis(side).enableAutoSIPrefix(False)
        self.canvas.setAccessibleName("Plot")
        self.readout.setTextFormat(Qt.TextFormat.PlainText)
        self.readout.setObjectName("muted")
        self.readout.setMinimumWidth(1)
        self._switches.setSpacing(14)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._switches)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.readout)

    # --- showing ------------------------------------------------------------------------------------

    def show_plot(self, plot: Plot, theme: Theme) -> None:
        """Draw another plot whole, or the same one in another theme where it was."""
        is_same = plot is self.plot
        self.plot, self._theme = plot, theme
        for _, item in self._drawn:
            self._item.removeItem(item)
        reductions = dict(zip(plot.curves, (r for r, _ in self._drawn), strict=True)) if is_same else {}
        self._drawn = [(reductions.get(c) or CurveReduction(c), self._add(c)) for c in plot.curves]
        self._show_look()
        self._show_switches()
        if not is_same:
            self.reset_view()
        self._fill()

    def _add(self, curve: Curve) -> Any:
        colour = getattr(self._theme, curve.colour)
        if curve.is_bars:
            height = np.nan_to_num(np.asarray(curve.y, float))
            made = pg.BarGraphItem(x=curve.x, height=height, width=0.6, brush=QColor(colour), pen=pen(colour))
        elif curve.mark:
            made = pg.PlotDataItem(
                pen=None, symbol=curve.mark, symbolSize=MARK_PX, symbolPen=pen(colour), symbolBrush=QColor(colour)
            )
        else:
            made = pg.PlotDataItem(pen=pen(colour))
            made.setClipToView(True)
        made.setVisible(curve.name not in self.hidden)
        self._item.addItem(made)
        return made

    def _show_look(self) -> None:
        theme, plot = self._theme, self.plot
        self.canvas.setBackground(QColor(theme.surface))
        words = (("left", plot.y_name, plot.y_unit), ("bottom", plot.x_name, plot.x_unit))
        for side, name, unit in words:
            axis = self._item.getAxis(side)
            axis.setPen(pen(theme.border))
            axis.setTextPen(QColor(theme.text))
            axis.setLabel(f"{name} ({unit})" if unit else name, color=theme.text)
            axis.setTickFont(QFont(self.font()))
        ticks = [list(enumerate(plot.names))] if plot.names else None
        self._item.getAxis("bottom").setTicks(ticks)
        for line in self._cross:
            line.setPen(pen(theme.muted, Qt.PenStyle.DashLine))

    def _show_switches(self) -> None:
        while (taken := self._switches.takeAt(0)) is not None:
            widget = taken.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._boxes = []
        look = palette(self._theme)
        look.setColor(QPalette.ColorRole.Window, QColor(self._theme.muted))  # what the box's rim is made of
        for curve in self.plot.curves if len(self.plot.curves) > 1 else ():
            box = QCheckBox(curve.name)
            box.setIcon(_swatch(curve, getattr(self._theme, curve.colour)))
            box.setPalette(look)
            box.setChecked(curve.name not in self.hidden)
            box.toggled.connect(self._switch)
            self._switches.addWidget(box)
            self._boxes.append(box)
        self._switches.addStretch(1)

    def _switch(self) -> None:
        off = {box.text() for box in self._boxes if not box.isChecked()}
        known = {box.text() for box in self._boxes}
        self.hidden = frozenset((self.hidden - known) | off)
        for reduction, item in self._drawn:
            item.setVisible(reduction.curve.name not in self.hidden)
        self.curves_switched.emit()

    # --- what is in sight ---------------------------------------------------------------------------

    def reset_view(self) -> None:
        """Show everything again."""
        left, right, low, high = self.plot.limits()
        self._view.setLimits(xMin=left, xMax=right)
        self._view.setRange(xRange=(left, right), yRange=(low, high), padding=0)

    def x_range(self) -> tuple[float, float]:
        """Ends of the visible stretch of the x axis."""
        low, high = self._view.viewRange()[0]
        return float(low), float(high)

    def _fill(self) -> None:
        """Give each curve the points that are worth drawing now."""
        low, high = self.x_range()
        width_px = max(int(self._view.width()), 1)
        for reduction, item in self._drawn:
            curve = reduction.curve
            if curve.is_bars:
                continue
            x, y = reduction.visible(low, high, min(MARK_COLUMNS, width_px) if curve.mark else width_px)
            connect = "all" if np.isfinite(y).all() else "finite"
            item.setData(x=x, y=y, connect=connect, skipFiniteCheck=True)

    # --- the crosshair ------------------------------------------------------------------------------

    def _point(self, place: Any) -> None:
        if not self.plot.curves or not self._view.sceneBoundingRect().contains(place):
            self._leave()
            return
        point = self._view.mapSceneToView(place)
        self._cross[0].setPos(point.x())
        self._cross[1].setPos(point.y())
        for line in self._cross:
            line.setVisible(True)
        low, high = self.x_range()
        reach = REACH_PX * (high - low) / max(self._view.width(), 1)
        self.readout.setText(readout(self.plot, point.x(), reach, self.hidden) or HINT)

    def _leave(self) -> None:
        for line in self._cross:
            line.setVisible(False)
        self.readout.setText(HINT)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        super().leaveEvent(event)
        self._leave()


def _swatch(curve: Curve, colour: str) -> QIcon:
    """A piece of the curve: a line, a bar or its mark."""
    width, height = SWATCH_PX
    pixmap = QPixmap(width, height)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setPen(pen(colour, width=2.0))
    if curve.mark:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(width / 2, height / 2)
        painter.scale(MARK_PX, MARK_PX)
        painter.setPen(pen(colour))
        painter.setBrush(QColor(colour))
        painter.drawPath(pg.graphicsItems.ScatterPlotItem.Symbols[curve.mark])
    else:
        painter.drawLine(0, height // 2, width, height // 2)
    painter.end()
    return QIcon(pixmap)
