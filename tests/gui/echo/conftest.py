"""A window on a stored study of ellipses, and a hand that works in it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from app.composition import Engine
from ui.window import MainWindow

LEFT, NONE, RIGHT, MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.NoButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)
PRESS, MOVE, RELEASE = QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove, QEvent.Type.MouseButtonRelease


def load_ellipses() -> Any:
    """The phantoms of the review's own tests."""
    path = Path(__file__).parents[2] / "unit" / "review" / "conftest.py"
    spec = importlib.util.spec_from_file_location("review_ellipses", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def ellipses() -> Any:
    return load_ellipses()


@pytest.fixture(scope="module")
def seed(ellipses: Any, tmp_path_factory: Any) -> Path:
    path = tmp_path_factory.mktemp("seed") / "chordae.sqlite"
    ellipses.store_run(path, ellipses.results())
    return path


@pytest.fixture
def store(seed: Path, tmp_path: Path) -> Path:
    path = tmp_path / "chordae.sqlite"
    path.write_bytes(seed.read_bytes())
    return path


def opened(qtbot: Any, store: Path, run_id: str) -> MainWindow:
    window = MainWindow(Engine(store))
    window.resize(1600, 1000)
    window.show()
    window.review.cases.select(run_id)
    qtbot.waitUntil(lambda: window.review.state.case.phase == "complete", timeout=10_000)
    return window


@pytest.fixture
def window(qtbot: Any, store: Path, ellipses: Any) -> Iterator[MainWindow]:
    made = opened(qtbot, store, ellipses.RUN_ID)
    yield made
    made.close()
    made.deleteLater()


def mouse(widget: Any, kind: QEvent.Type, place: Any, button: Any = LEFT, buttons: Any = LEFT) -> None:
    at = QPointF(*(float(value) for value in place))
    event = QMouseEvent(kind, at, widget.mapToGlobal(at), button, buttons, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)


def on_canvas(canvas: Any, points: Any) -> Any:
    """Places on the widget of pixels of the frame."""
    return canvas._place().to_widget(np.atleast_2d(points))


def sweep(canvas: Any, path: Any, *, release: bool = True) -> None:
    """Press at the first point of a path in frame pixels, move along it, let go."""
    places = on_canvas(canvas, path)
    mouse(canvas, PRESS, places[0])
    for place in places[1:]:
        mouse(canvas, MOVE, place, NONE)
    if release:
        mouse(canvas, RELEASE, places[-1], buttons=NONE)


def edit_mode(qtbot: Any, window: MainWindow, frame_idx: int) -> Any:
    """The canvas with the outline tool in hand and the workbench ready."""
    window.menus.actions["edit_contours"].trigger()
    window.review.echo.focus(0, frame_idx)
    own = window.review.state.case.own_results
    qtbot.waitUntil(lambda: window.review.study._bench.ready(own) is not None, timeout=20_000)
    return window.views["echo"].canvas


def measure(window: MainWindow, name: str) -> Any:
    return window.review.state.case.report["result"]["measurements"][name]


def beats(window: MainWindow) -> Any:
    return window.review.state.case.results.echo_analysis.cines[0].beats


def n_stored(window: MainWindow, count: int) -> Any:
    """Whether so many acts are in the log and shown."""
    case, study = window.review.state.case, window.review.study
    return lambda: (
        len(window.review.state.case.edits) == count
        and study._answer is not None
        and study._asked is not None
        and study._asked[1] == window.review.state.case.edits
        and window.review.state.case.report is not case
        and not window.review.session._tasks
    )


def settle(qtbot: Any, window: MainWindow, count: int) -> None:
    qtbot.waitUntil(n_stored(window, count), timeout=20_000)


@pytest.fixture(scope="session")
def hand() -> SimpleNamespace:
    """What a reader does, and what is then seen."""
    return SimpleNamespace(
        opened=opened,
        mouse=mouse,
        on_canvas=on_canvas,
        sweep=sweep,
        edit_mode=edit_mode,
        measure=measure,
        beats=beats,
        settle=settle,
        left=LEFT,
        none=NONE,
        right=RIGHT,
        middle=MIDDLE,
        press=PRESS,
        move=MOVE,
        release=RELEASE,
    )
