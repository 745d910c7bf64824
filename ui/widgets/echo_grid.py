"""Up to four tiles side by side."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from ui.hanging import GridSpec
from ui.theme import Theme
from ui.view_state import EchoOptions
from ui.widgets.echo_tile import EchoTile
from ui.widgets.empty_label import EmptyLabel

N_PLACES = 4
EMPTY_TEXT = "No further clip in this case."


class EchoGrid(QWidget):
    """Lays out tiles; knows no clock and no case."""

    tile_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tiles = [EchoTile(number) for number in range(N_PLACES)]
        self._voids = [EmptyLabel(EMPTY_TEXT) for _ in range(N_PLACES)]
        self._spec: GridSpec | None = None
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        for part in (*self.tiles, *self._voids):
            part.setParent(self)
            part.hide()
        for tile in self.tiles:
            tile.chosen.connect(self.tile_chosen)

    @property
    def shown(self) -> list[EchoTile]:
        """The tiles in sight, row by row."""
        return [tile for tile in self.tiles if tile.spec is not None]

    @property
    def n_columns(self) -> int:
        return self._spec.shape[1] if self._spec is not None else 1

    def set_grid(self, spec: GridSpec) -> None:
        """Give every tile its place."""
        if spec == self._spec:
            return
        self._spec = spec
        rows, columns = spec.shape
        for place in range(N_PLACES):
            tile, void = self.tiles[place], self._voids[place]
            for part in (tile, void):
                self._grid.removeWidget(part)
            tile.spec = spec.tiles[place] if place < min(len(spec.tiles), rows * columns) else None
            is_void = tile.spec is None and place < rows * columns
            tile.setVisible(tile.spec is not None)
            void.setVisible(is_void)
            if tile.spec is not None or is_void:
                self._grid.addWidget(void if is_void else tile, place // columns, place % columns)
        for row in range(2):
            self._grid.setRowStretch(row, 1 if row < rows else 0)
            self._grid.setColumnStretch(row, 1 if row < columns else 0)

    def set_active(self, number: int) -> None:
        """Mark the tile that bar, curve and keys belong to; a tile alone needs no mark."""
        is_alone = len(self.shown) == 1
        for place, tile in enumerate(self.tiles):
            tile.set_active(place == number and not is_alone)

    def set_look(self, options: EchoOptions, theme: Theme) -> None:
        for tile in self.tiles:
            tile.canvas.set_look(options, theme)
