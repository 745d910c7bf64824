"""The views: what each is called, where it stands, and the key that shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt

from ui.views.ecg import EcgView
from ui.views.echo import EchoView
from ui.views.findings import FindingsView
from ui.views.log import LogView
from ui.views.run_strip import RunStripView
from ui.views.studies import StudiesView


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """One view."""

    name: str
    title: str
    make: Callable[[], Any]
    place: str  # "left", "right", "bottom", "foot" (always there), "centre"
    keys: str = ""
    is_open: bool = True


VIEWS = (
    ViewSpec("studies", "Studies", StudiesView, "left", "F2"),
    ViewSpec("echo", "Echo", EchoView, "centre"),
    ViewSpec("ecg", "ECG", EcgView, "centre"),
    ViewSpec("findings", "Findings", FindingsView, "right", "F3"),
    ViewSpec("log", "Log", LogView, "bottom", "F4", is_open=False),
    ViewSpec("run", "Run", RunStripView, "foot"),
)
AREAS = (
    ("left", Qt.DockWidgetArea.LeftDockWidgetArea),
    ("right", Qt.DockWidgetArea.RightDockWidgetArea),
    ("bottom", Qt.DockWidgetArea.BottomDockWidgetArea),
)
