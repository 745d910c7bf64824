"""Ties canvases, volume curve and tools together: what a hand does in a tile becomes a wish about its clip."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from pipeline.records import CineAnalysis, EchoBeat
from ui.echo_tools import LOOK, Drawn, nearest_beat
from ui.hanging import ClipRef, analysis_of, detection_of
from ui.view_state import ReviewState
from ui.widgets.cine_canvas import CineCanvas
from ui.widgets.echo_grid import EchoGrid
from ui.widgets.edit_bar import EditBar
from ui.widgets.volume_curve import VolumeCurve


class EchoEditing(QObject):
    """Belongs to the echo view; only clips of the case itself are changed, never those of a prior."""

    drawn = Signal(int, object)  # clip, Drawn
    length_drawn = Signal(int, object)  # a known length, whose millimetres are to be asked
    refused = Signal(str)
    levels_wished = Signal(float, float)
    phase_wished = Signal(int, int, str, int)  # clip, beat, phase, frame
    reset_wished = Signal(int, int)  # clip, frame

    def __init__(self, grid: EchoGrid, curve: VolumeCurve, active: Callable[[], tuple[ClipRef, CineCanvas]]) -> None:
        super().__init__()
        self._grid, self._active = grid, active
        self._state = ReviewState()
        self.bar = EditBar()
        self.bar.reset_wished.connect(self.reset_contour)
        curve.phase_wished.connect(self._move_phase)
        for tile in grid.tiles:
            tile.canvas.drawn.connect(self._report)
            tile.canvas.refused.connect(self.refused)
            tile.canvas.levels_wished.connect(self.levels_wished)

    def show_state(self, state: ReviewState) -> None:
        """Give every tile its tool and marks."""
        self._state = state
        edited: dict[int, set[tuple[int, str]]] = {}
        for cine, frame, structure in state.case.changes.contours:
            edited.setdefault(cine, set()).add((frame, structure))
        for tile in self._grid.shown:
            assert tile.spec is not None
            ref = tile.spec.clip
            own = ref.origin == "case"
            source = state.case if own else state.prior
            analysis = self._analysis(ref)
            calipers = {f: marks for (c, f), marks in state.case.changes.calipers.items() if own and c == ref.cine_idx}
            tile.canvas.set_marks(
                detection_of(ref, state.case.own_results, source.results),
                analysis.segments if analysis is not None else (),
                frozenset(edited.get(ref.cine_idx, ())) if own else frozenset(),
                calipers,
            )
            tile.canvas.set_tool(state.tool if own else LOOK)
        self._show_bar()

    def _show_bar(self) -> None:
        state, (ref, _) = self._state, self._active()
        cines = state.case.own_results.cines
        cine = cines[ref.cine_idx] if ref.origin == "case" and ref.cine_idx < len(cines) else None
        is_done = state.case.phase == "complete" and cine is not None
        has_outlines = is_done and ref.cine_idx < len(state.case.results.detections)
        is_raw = cine is not None and cine.calibration.spacing_mm is None
        self.bar.show_tool(state.tool, state.theme, can_calibrate=is_done and is_raw, can_edit=has_outlines)
        self.bar.setVisible(is_done)

    def _analysis(self, ref: ClipRef) -> CineAnalysis | None:
        return analysis_of(ref, self._state.case.results, self._state.prior.results)

    def _beats(self, ref: ClipRef) -> tuple[EchoBeat, ...]:
        analysis = self._analysis(ref)
        return () if analysis is None else analysis.beats

    # --- wishes -------------------------------------------------------------------------------------

    def _report(self, drawn: Drawn) -> None:
        for tile in self._grid.shown:
            if tile.canvas is self.sender() and tile.spec is not None and tile.spec.clip.origin == "case":
                wish = self.length_drawn if drawn.tool == "calibrate" else self.drawn
                wish.emit(tile.spec.clip.cine_idx, drawn)

    def _move_phase(self, beat_idx: int, phase: str, frame_idx: int) -> None:
        ref, _ = self._active()
        if ref.origin == "case":
            self.phase_wished.emit(ref.cine_idx, beat_idx, phase, frame_idx)

    def mark_phase(self, phase: str) -> None:
        """Say that the frame in sight is end-diastole or end-systole of the beat nearest to it."""
        ref, canvas = self._active()
        self._move_phase(nearest_beat(self._beats(ref), phase, canvas.frame_idx), phase, canvas.frame_idx)

    def reset_contour(self) -> None:
        """The model's outline again, in the frame in sight."""
        ref, canvas = self._active()
        if ref.origin == "case":
            self.reset_wished.emit(ref.cine_idx, canvas.frame_idx)

    # --- looks --------------------------------------------------------------------------------------

    def zoom(self, steps: float) -> None:
        """Nearer or farther in the active tile."""
        self._active()[1].zoom(steps)

    def reset_view(self) -> None:
        """Every tile shows its whole frame."""
        for tile in self._grid.shown:
            tile.canvas.reset_view()
