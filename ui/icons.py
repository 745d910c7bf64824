"""Shipped icons, tinted with a theme's colours and drawn sharp at any scale."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

import resources

_SIZES_PX = (16, 24, 32, 48, 64)


@lru_cache(maxsize=256)
def _renderer(name: str, colour: str, hole: str) -> QSvgRenderer:
    text = resources.path(f"icons/{name}.svg").read_text(encoding="utf-8")
    tinted = text.replace("currentColor", colour).replace('"hole"', f'"{hole}"')
    return QSvgRenderer(QByteArray(tinted.encode()))


def draw_icon(painter: QPainter, name: str, rect: QRectF, colour: str, hole: str = "#ffffff") -> None:
    """Paint an icon into a rectangle; `hole` is the colour of a mark inside a filled shape."""
    _renderer(name, colour, hole).render(painter, rect)


@lru_cache(maxsize=512)
def make_icon(name: str, colour: str, hole: str = "#ffffff") -> QIcon:
    """An icon for buttons and menus."""
    icon = QIcon()
    for size in _SIZES_PX:
        pixmap = QPixmap(size, size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        draw_icon(painter, name, QRectF(0, 0, size, size), colour, hole)
        painter.end()
        icon.addPixmap(pixmap)
    return icon
