"""Names and outlines over the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage

from ui.theme import DARK, LIGHT
from ui.view_state import EchoOptions
from ui.widgets.cine_canvas import CineCanvas


def columns_of(canvas: CineCanvas, colour: str) -> list[int]:
    """Where the colour stands, from left to right; a shade of it does as well."""
    picture = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.width(), 4)[..., 2::-1]
    is_like = np.abs(pixels.astype(int) - QColor(colour).getRgb()[:3]).max(axis=2) < 25
    return np.flatnonzero(is_like.any(axis=0)).tolist()


@pytest.fixture
def canvas(qtbot, kit):
    """A black picture with a narrow atrium in frame 1 and none in frame 0."""
    made = CineCanvas()
    qtbot.addWidget(made)
    made.resize(500, 360)
    cine, detection = kit.make_cine(2), kit.make_detection(2)
    middle = np.array([40.0, 50.0], np.float32)
    narrow = ((detection.left_atrium - middle) * 0.2 + middle).astype(np.float32)
    nothing = np.full_like(detection.lv_endocardium, np.nan)
    made.set_clip(
        replace(cine, frames=np.zeros_like(cine.frames)),
        replace(detection, left_atrium=narrow, lv_endocardium=nothing, lv_epicardium=nothing),
    )
    return made


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda t: t.name)
def test_narrow_atrium_has_its_name_beside_it(canvas, theme):
    canvas.set_look(EchoOptions(names=False), theme)
    canvas.set_frame(1, "")
    outline = columns_of(canvas, theme.atrium)
    assert outline
    canvas.set_look(EchoOptions(names=True), theme)
    named = columns_of(canvas, theme.atrium)
    assert named[0] == outline[0]
    assert named[-1] > outline[-1] + 20


def test_atrium_outline_is_unbroken(canvas, kit):
    """As much light as a line of one pixel has over its whole length: no dashes."""
    cine, detection = kit.make_cine(2), kit.make_detection(2)
    nothing = np.full_like(detection.lv_endocardium, np.nan)
    canvas.set_clip(
        replace(cine, frames=np.zeros_like(cine.frames)),
        replace(detection, lv_endocardium=nothing, lv_epicardium=nothing),
    )
    canvas.set_look(EchoOptions(names=False), DARK)
    canvas.set_frame(1, "")
    rect = canvas.image_rect()
    line = (detection.left_atrium[1] + 0.5) * [rect.width() / 80, rect.height() / 64] + [rect.left(), rect.top()]
    length_px = float(np.hypot(*np.diff(np.vstack((line, line[:1])), axis=0).T).sum())
    (left, top), (right, bottom) = np.floor(line.min(0)).astype(int) - 2, np.ceil(line.max(0)).astype(int) + 3
    picture = canvas.grab().toImage()
    lit = sum(picture.pixelColor(x, y).blue() for x in range(left, right) for y in range(top, bottom)) / 255
    assert lit > 0.85 * length_px


def test_no_name_where_there_is_no_atrium(canvas):
    canvas.set_look(EchoOptions(), DARK)
    canvas.set_frame(0, "")
    assert columns_of(canvas, DARK.atrium) == []
