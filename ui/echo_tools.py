"""What the reader's hand does on an echo frame, and what it has drawn. Knows no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.records import Array, EchoBeat

Structure = Literal["lv_cavity", "lv_epicardium", "left_atrium"]
ToolName = Literal["look", "pull", "redraw", "points", "length", "area", "calibrate"]

STRUCTURES: tuple[tuple[Structure, str, str, str], ...] = (
    ("lv_cavity", "lv_endocardium", "cavity", "LV cavity"),
    ("lv_epicardium", "lv_epicardium", "myocardium", "LV myocardium"),
    ("left_atrium", "left_atrium", "atrium", "Left atrium"),
)
"""Structure, field of a detection, colour of the theme, words."""
EDITING: tuple[ToolName, ...] = ("pull", "redraw", "points")
HINTS: tuple[tuple[ToolName, str, str], ...] = (
    ("pull", "Pull", "drag the line"),
    ("redraw", "Redraw", "draw along the wall: the stroke replaces the part beside it"),
    ("points", "3 points", "click the annulus left, right, then the apex"),
    ("length", "Length", "drag from one end to the other"),
    ("area", "Area", "draw round the area"),
    ("calibrate", "Calibrate", "drag along a known length"),
)
"""Tool, its name, and what to do with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoTool:
    """The tool in hand and the structure that it changes."""

    name: ToolName = "look"
    structure: Structure = "lv_cavity"

    @property
    def edits(self) -> bool:
        """Whether the tool changes contours."""
        return self.name in EDITING


LOOK = EchoTool()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What a hand has drawn in a frame; `is_final` once the button is up."""

    tool: ToolName
    frame_idx: int
    points: Array  # float64 (n_points, 2), pixels of the cropped frame
    structure: Structure = "lv_cavity"
    is_final: bool = True


def nearest_beat(beats: Sequence[EchoBeat], phase: str, frame_idx: int) -> int:
    """The beat whose end-diastole or end-systole a reader means by this frame: the nearest; 0 where none was found."""
    idx = [abs((beat.ed_idx if phase == "ed" else beat.es_idx) - frame_idx) for beat in beats]
    return idx.index(min(idx)) if idx else 0


def structure_words(structure: str) -> str:
    """A structure as a reader calls it."""
    return next(words for name, _, _, words in STRUCTURES if name == structure)


def next_structure(structure: Structure) -> Structure:
    """The structure after this one, round and round."""
    names = [name for name, _, _, _ in STRUCTURES]
    return names[(names.index(structure) + 1) % len(names)]
