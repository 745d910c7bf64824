"""Wishes about the clips: what is looked at, how it is drawn, and what the reader changes on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject

from pipeline.errors import EditError
from pipeline.records import Edit
from pipeline.review import acts
from pipeline.review.changes import PhaseName, Verdict
from pipeline.review.log import Log
from ui.echo_tools import EDITING, STRUCTURES, Drawn, Structure, ToolName, next_structure
from ui.view_state import EchoOptions, FrameFocus

if TYPE_CHECKING:
    from ui.review import Review

GAINS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
NOT_MEASURED = "This clip was not measured, so that its outlines change no number."


class EchoReview(QObject):
    """The echo's part of the review."""

    def __init__(self, review: Review) -> None:
        super().__init__(review)
        self._review = review

    # --- looks --------------------------------------------------------------------------------------

    def focus(self, cine_idx: int, frame_idx: int) -> None:
        """Look at one frame of one clip."""
        before = self._review.state.focus
        serial = 1 + (before.serial if before else 0)
        self._review.update(focus=FrameFocus(cine_idx=cine_idx, frame_idx=frame_idx, serial=serial))

    def set_option(self, name: str, value: Any) -> None:
        """Change one of the EchoOptions."""
        self._review.update(echo=replace(self._review.state.echo, **{name: value}))

    def set_levels(self, window: float, level: float) -> None:
        """Which grey levels are spread from black to white."""
        self._review.update(echo=replace(self._review.state.echo, window=window, level=level))

    def step_gain(self, by: int) -> None:
        """One step brighter or darker."""
        echo = self._review.state.echo
        place = min(range(len(GAINS)), key=lambda i: abs(GAINS[i] - echo.gain)) + by
        self.set_option("gain", GAINS[min(max(place, 0), len(GAINS) - 1)])

    def reset_levels(self) -> None:
        """Grey levels as recorded."""
        usual = EchoOptions()
        echo = replace(self._review.state.echo, window=usual.window, level=usual.level, gain=usual.gain)
        self._review.update(echo=echo)

    # --- tools --------------------------------------------------------------------------------------

    def take_tool(self, name: ToolName) -> None:
        """Take a tool in hand; the same one again lays it down."""
        held = self._review.state.tool
        is_same = held.name == name or (name == "pull" and held.name in EDITING)
        if name in EDITING and not is_same:
            self._review.study.prepare()
        self._review.update(tool=replace(held, name="look" if is_same else name))

    def choose_tool(self, name: ToolName) -> None:
        """Take a tool in hand."""
        if self._review.state.tool.name != name:
            self._review.study.prepare()
            self._review.update(tool=replace(self._review.state.tool, name=name))

    def choose_structure(self, structure: Structure) -> None:
        """Edit another structure."""
        self._review.update(tool=replace(self._review.state.tool, structure=structure))

    def step_structure(self) -> None:
        """Edit the next structure."""
        self.choose_structure(next_structure(self._review.state.tool.structure))

    def lay_down(self) -> None:
        """No tool in hand."""
        held = self._review.state.tool
        if held.name != "look":
            self._review.update(tool=replace(held, name="look"))

    # --- changes ------------------------------------------------------------------------------------

    def draw(self, cine_idx: int, drawn: Drawn) -> None:
        """What the hand drew: a draft while it moves, an act when it is done."""
        own, role = self._review.state.case.own_results, self._review.edits.role
        if drawn.tool in ("length", "area"):
            self._review.edits.submit(
                lambda log: acts.measure_by_hand(log, own, cine_idx, drawn.frame_idx, drawn.points, role)
            )
            return
        if not self._review.study.can_edit(cine_idx):
            self._review.say(NOT_MEASURED)
            return
        place = (cine_idx, drawn.frame_idx, drawn.structure)
        way = {"pull": "drag", "redraw": "redraw", "points": "three_clicks"}.get(drawn.tool, drawn.tool)

        def make(log: Log) -> Edit:
            return acts.change_contour(log, own, place, np.asarray(drawn.points), way=way, role=role)

        if drawn.is_final:
            self._review.edits.submit(make)
            return
        try:
            self._review.study.draft(make(self._review.state.case.edits))
        except EditError as error:
            self._review.say(error.text, is_error=True)

    def refuse(self, text: str) -> None:
        """A gesture that gave nothing: say why, and show what holds."""
        self._review.study.forget_draft()
        self._review.say(text)

    def reset_contour(self, cine_idx: int, frame_idx: int) -> None:
        """The model's outline of the structure in hand again, in this frame."""
        own, role = self._review.state.case.own_results, self._review.edits.role
        place = (cine_idx, frame_idx, self._review.state.tool.structure)

        def make(log: Log) -> Edit | None:
            act = acts.change_contour(log, own, place, None, way="reset", role=role)
            return None if act.before is None else act

        self._review.edits.submit(make, "This outline is the model's own.")

    def move_phase(self, cine_idx: int, beat_idx: int, phase: PhaseName, frame_idx: int) -> None:
        """Put end-diastole or end-systole of a beat into a frame."""
        own, role = self._review.state.case.own_results, self._review.edits.role
        self._review.edits.submit(lambda log: acts.move_phase(log, own, (cine_idx, beat_idx, phase), frame_idx, role))

    def calibrate(self, cine_idx: int, drawn: Drawn, length_mm: float) -> None:
        """A drawn line is this long."""
        own, role = self._review.state.case.own_results, self._review.edits.role
        self._review.edits.submit(
            lambda log: acts.calibrate(log, own, cine_idx, drawn.frame_idx, drawn.points, length_mm, role)
        )
        self.lay_down()

    def score(self, cine_idx: int, segment: str, score: int) -> None:
        """Score a wall segment by eye: 1 to 4, 0 for one that is not seen, -1 for the suggestion again."""
        own, role = self._review.state.case.own_results, self._review.edits.role

        def make(log: Log) -> Edit | None:
            if score < 0:
                return acts.unscore_segment(log, cine_idx, segment, role)
            return acts.score_segment(log, own, cine_idx, segment, score or None, role)

        self._review.edits.submit(make)

    # --- measures -----------------------------------------------------------------------------------

    def choose_measure(self, name: str) -> None:
        """Look at one measure: what it is from, and why it is so."""
        state = self._review.state
        if state.chosen == name:
            return
        measures = ((state.case.report or {}).get("result") or {}).get("measurements") or {}
        contour = ((measures.get(name) or {}).get("source") or {}).get("contour")
        structure = next((each for each, _, _, _ in STRUCTURES if each == contour), state.tool.structure)
        self._review.update(chosen=name, tool=replace(state.tool, structure=structure))  # its outline is edited next

    def judge(self, verdict: Verdict) -> None:
        """Accept or reject the measure that is looked at; the same verdict again takes it away."""
        name, role = self._review.state.chosen, self._review.edits.role
        measures = ((self._review.state.case.report or {}).get("result") or {}).get("measurements") or {}
        if name is None or name not in measures:
            self._review.say("Choose a measure in the findings first.")
            return
        held = self._review.state.case.changes.verdicts.get(name)
        self._review.edits.submit(lambda log: acts.judge(log, name, None if held == verdict else verdict, role))
