"""An act of a reader on a finished run: an edit, a verdict on a measure, an undo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["clinician", "researcher"]
EditKind = Literal[
    "contour",  # the outline of one structure in one frame
    "phase",  # the frame of end-diastole or end-systole of a beat
    "calibration",  # a length drawn by the reader
    "segment_score",  # the score of one wall segment
    "verdict",  # a measure accepted or rejected
    "ecg_mark",  # a fiducial point of a beat
    "beat_class",  # the letter of a beat
    "caliper",  # a length, an area or a time that the reader measured
    "note",  # a sentence of the reader
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One row of the command log, which is undo stack and record of who changed what.

    `target` names what was changed ("cine:0/frame:12/lv_cavity", "measure:lvef"); `before` and `after` are JSON
    values, None standing for what the pipeline itself found. An undo, and a redo, is an Edit of its own whose
    `undoes` is the number of the act that it takes back. Raises nothing; the store numbers and dates it.
    """

    kind: EditKind
    target: str
    before: Any
    after: Any
    role: Role
    undoes: int | None = None
    seq: int = -1  # set by the store
    time_utc: str = ""  # set by the store
