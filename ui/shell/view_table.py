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
from ui.views.prior import PriorView
from ui.views.run_strip import RunStripView
from ui.views.state_detail import StateDetailView
from ui.views.studies import StudiesView
from ui.views.wall import WallView
from ui.views.why import WhyView

BOTH = ("clinician", "researcher")


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """One view."""

    name: str
    title: str
    make: Callable[[], Any]
    place: str  # "left", "right", "under" (the echo), "foot" (always there), "centre"
    keys: str = ""
    open_for: tuple[str, ...] = BOTH  # the roles that see it at first


VIEWS = (
    ViewSpec("studies", "Cases", StudiesView, "left", "F2"),
    ViewSpec("echo", "Echo", EchoView, "centre"),
    ViewSpec("ecg", "ECG", EcgView, "under", "F6"),
    ViewSpec("state", "State of the run", StateDetailView, "under", "F8", ("researcher",)),
    ViewSpec("log", "Log", LogView, "under", "F4", ("researcher",)),
    ViewSpec("findings", "Findings", FindingsView, "right", "F3"),
    ViewSpec("why", "Why?", WhyView, "right", "F9"),
    ViewSpec("wall", "Wall motion", WallView, "right", "F10"),
    ViewSpec("prior", "Prior", PriorView, "right", "F7", ()),
    ViewSpec("run", "Run", RunStripView, "foot"),
)
AREAS = (
    ("left", Qt.DockWidgetArea.LeftDockWidgetArea),
    ("right", Qt.DockWidgetArea.RightDockWidgetArea),
    ("under", Qt.DockWidgetArea.BottomDockWidgetArea),
)
