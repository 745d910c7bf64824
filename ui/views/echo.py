"""The echo view: a grid of clips on one clock, the bar that plays them, the volume curve of the active one."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QPushButton, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from pipeline.records import Array, CineAnalysis, EchoBeat, EchoCine
from ui.beat_steps import badge, beat_at, next_start, previous_start
from ui.cine_clock import CineClock
from ui.echo_editing import EchoEditing
from ui.hanging import PIN_NAMES, ClipRef, TileSpec, analysis_of, cine_of, detection_of, hang, pinned_frame
from ui.playback import SPEEDS
from ui.view_state import CaseView, ReviewState, absence
from ui.widgets.cine_bar import CineBar
from ui.widgets.cine_canvas import CineCanvas
from ui.widgets.echo_grid import EchoGrid
from ui.widgets.empty_label import EmptyLabel
from ui.widgets.volume_curve import VolumeCurve

WIDE = 1.6  # from this ratio on, the curve stands beside the picture
CURVE_PX = 130
WELCOME_TEXT = (
    "Open an echo cine, an ECG, or both of one study.\n"
    "Drop the files on this window, or choose them (Ctrl+O).\n\n"
    "Echo: DICOM, AVI, MP4, NIfTI · ECG: DICOM, SCP-ECG, XML, ISHNE, WFDB, EDF, CSV · Facts about the patient: JSON"
)
DRAW_TEXT = "To measure it by hand, outline the cavity at end-diastole and at end-systole (E, then 3 points or Redraw)."


class EchoView(QWidget):
    """Plays clips; contours, volumes and marks appear as the run finds them."""

    frame_shown = Signal(int, float)  # clip, time in it
    switch_wished = Signal(str, bool)
    open_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = ReviewState()
        self._chosen_idx = 0  # the clip that is looked at where the protocol leaves it to the reader
        self._active = 0  # the tile that bar, curve and keys belong to
        self._loaded: EchoCine | None = None
        self._frames: dict[ClipRef, int] = {}
        self._serial = 0
        self._clock = CineClock(self)
        self.grid = EchoGrid()
        self.curve = VolumeCurve()
        self.bar = CineBar()
        self.open_button = QPushButton("Open study files…")
        self.empty = EmptyLabel(WELCOME_TEXT)
        self.hand = EchoEditing(self.grid, self.curve, lambda: (self.active_clip, self.canvas))
        self._assemble()
        self._connect()

    # --- assembly -----------------------------------------------------------------------------------

    def _assemble(self) -> None:
        self._content = QWidget()
        column = QVBoxLayout(self._content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self._screen = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._screen.setSpacing(4)
        self._screen.addWidget(self.grid, 3)
        self._screen.addWidget(self.curve, 2)
        column.addLayout(self._screen, 1)
        column.addWidget(self.hand.bar)
        column.addWidget(self.bar)
        column.addSpacing(2)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty_page())
        self._stack.addWidget(self._content)

    def _empty_page(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        self.open_button.setObjectName("primary")
        self.open_button.clicked.connect(self.open_wished)
        column.addStretch(1)
        column.addWidget(self.empty)
        column.addWidget(self.open_button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        return page

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """In a wide room the curve stands beside the picture instead of under it."""
        super().resizeEvent(event)
        beside = self.width() > WIDE * self.height() and self.grid.n_columns == 1
        directions = QBoxLayout.Direction
        self._screen.setDirection(directions.LeftToRight if beside else directions.TopToBottom)
        self.curve.setMaximumHeight(16777215 if beside else CURVE_PX)

    def _connect(self) -> None:
        self._clock.ticked.connect(self._tick)
        self._clock.rate_due.connect(self._show_rates)
        self.bar.act_wished.connect(self._act)
        self.bar.frame_wished.connect(self.go_to)
        self.bar.speed_wished.connect(self._choose_speed)
        self.bar.clip_wished.connect(self._choose_clip)
        self.bar.switch_wished.connect(self.switch_wished)
        self.curve.frame_wished.connect(self.go_to)
        self.grid.tile_chosen.connect(self._choose_tile)
        for tile in self.grid.tiles:
            tile.canvas.painted.connect(self._note_painted)

    # --- what is shown ------------------------------------------------------------------------------

    @property
    def canvas(self) -> CineCanvas:
        """The picture of the active tile."""
        return self.grid.tiles[self._active].canvas

    @property
    def active_clip(self) -> ClipRef:
        """The clip of the active tile."""
        spec = self.grid.tiles[self._active].spec
        return spec.clip if spec is not None else ClipRef()

    @property
    def frame_idx(self) -> int:
        """The frame of the active clip."""
        return self._frames.get(self.active_clip, 0)

    @property
    def is_playing(self) -> bool:
        return self._clock.is_playing

    def _cine(self, ref: ClipRef) -> EchoCine | None:
        return cine_of(ref, self._state.case.results, self._state.prior.results)

    def _analysis(self, ref: ClipRef) -> CineAnalysis | None:
        return analysis_of(ref, self._state.case.results, self._state.prior.results)

    def _beats(self, ref: ClipRef) -> tuple[EchoBeat, ...]:
        analysis = self._analysis(ref)
        return () if analysis is None else analysis.beats

    def show_state(self, state: ReviewState) -> None:
        """Draw what changed since the last snapshot."""
        before, self._state = self._state, state
        self.grid.set_look(state.echo, state.theme)
        self.bar.set_look(state.echo, state.theme)
        self.curve.set_theme(state.theme)
        if state.case.key != before.case.key and state.case.results.cines is not before.case.results.cines:
            self._chosen_idx = self._active = 0
        if not _hangs_alike(state, before) or not before.generation:
            self._hang()
        self.hand.show_state(state)
        if state.tool.edits and self.is_playing:
            self._stop()  # an outline is edited in a frame that stands still
        if state.echo.loop_beat != before.echo.loop_beat:
            self._loop()
        self._show_empty_text(state)
        if state.focus is not None and state.focus.serial != self._serial:
            self._serial = state.focus.serial
            self._focus(state.focus.cine_idx, state.focus.frame_idx)

    def _show_empty_text(self, state: ReviewState) -> None:
        self.open_button.setVisible(state.case.phase == "empty")
        text = WELCOME_TEXT if state.case.phase == "empty" else absence(state.case, "echo")
        if self.empty.text() != text:
            self.empty.setText(text)

    def _hang(self) -> None:
        """Give every tile its clip, and the bar and the curve theirs."""
        case, prior = self._state.case.results, self._state.prior.results
        self._chosen_idx = min(self._chosen_idx, max(len(case.cines) - 1, 0))
        self.grid.set_grid(hang(self._state.hanging, self._state.grid, self._chosen_idx, case, prior))
        self._active = min(self._active, max(len(self.grid.shown) - 1, 0))
        times: dict[ClipRef, Array] = {}
        for tile in self.grid.shown:
            assert tile.spec is not None
            cine = self._cine(tile.spec.clip)
            tile.canvas.set_clip(cine, detection_of(tile.spec.clip, case, prior))
            if cine is not None:
                times[tile.spec.clip] = cine.frame_times_s
        self._frames = {ref: self._frames.get(ref, 0) for ref in times}
        self._clock.load(times)
        self._note_new_clip()
        self._stack.setCurrentIndex(1 if times else 0)
        policies = QSizePolicy.Policy
        self._content.setSizePolicy(policies.Preferred, policies.Preferred if times else policies.Ignored)
        self._show_active()

    def _note_new_clip(self) -> None:
        """A clip that has just been read shows itself moving; a stored one waits."""
        cine = self._cine(self.active_clip)
        if cine is not None and self._loaded is not None and cine.frames is self._loaded.frames:
            self._loaded = cine  # a reader calibrated it
            return
        if cine is self._loaded:
            return
        self._loaded = cine
        self._frames[self.active_clip] = 0
        self._stop()
        if self._state.case.phase == "running" and cine is not None:
            self.toggle_play()

    def _show_active(self) -> None:
        ref = self.active_clip
        cine, playback = self._cine(ref), self._clock.of(ref)
        self.grid.set_active(self._active)
        self.curve.set_curve(cine, self._analysis(ref), self._no_curve_reason())
        n_frames = 0 if cine is None else len(cine.frames)
        self.bar.set_clip(n_frames, playback is not None and playback.can_play, bool(self._beats(ref)))
        names = [f"Clip {i + 1} · {clip.view}" for i, clip in enumerate(self._state.case.results.cines)]
        self.bar.set_clips(names, ref.cine_idx if ref.origin == "case" else self._chosen_idx)
        self._show_frames()
        self._show_rates()

    def _no_curve_reason(self) -> str:
        case = self._state.case if self.active_clip.origin == "case" else self._state.prior
        analysis = case.results.echo_analysis
        refused = self._refused_reason(case)
        if refused is not None:
            return f"{refused} {DRAW_TEXT}"
        if analysis is not None:
            return analysis.skipped_reason or "No volume curve could be measured in this clip."
        if case.phase == "running":
            return "The volume curve appears when the chambers have been measured."
        return "The chambers were not measured."

    def _refused_reason(self, case: CaseView) -> str | None:
        """Why the active clip was not measured; None where it was, or where the chambers were not looked for."""
        found, place = case.results.detections, self.active_clip.cine_idx
        return found[place].low_confidence_reason if case.phase == "complete" and place < len(found) else None

    # --- playing ------------------------------------------------------------------------------------

    def _act(self, name: str) -> None:
        getattr(self, name)()

    def toggle_play(self) -> None:
        """Play or pause every clip in sight."""
        playback = self._clock.of(self.active_clip)
        if self._clock.is_playing:
            self._stop()
        elif playback is not None and playback.can_play:
            playback.seek(self.frame_idx)
            self._loop()
            self._clock.play()
        self.bar.set_playing(self.is_playing)

    def _loop(self) -> None:
        """Hold every clip to the beat that it is in, or let it play to its end."""
        for ref, now in self._frames.items():
            playback, beats = self._clock.of(ref), self._beats(ref)
            number = beat_at(beats, now) if self._state.echo.loop_beat else None
            number = 0 if number is None and beats and self._state.echo.loop_beat else number
            if playback is not None:
                playback.set_loop(None if number is None else (beats[number].ed_idx, beats[number].end_idx))

    def _stop(self) -> None:
        self._clock.pause()
        self.bar.set_playing(False)
        self._show_rates()

    def next_frame(self) -> None:
        self._step(1)

    def previous_frame(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        cine = self._cine(self.active_clip)
        if cine is not None:
            self._stop()
            self.go_to((self.frame_idx + by) % len(cine.frames))

    def next_beat(self) -> None:
        self.go_to(next_start(self._beats(self.active_clip), self.frame_idx))

    def previous_beat(self) -> None:
        self.go_to(previous_start(self._beats(self.active_clip), self.frame_idx))

    def step_speed(self, by: int) -> None:
        """Play faster or slower by one step."""
        self._choose_speed(self.bar.step_speed(by))

    def _choose_speed(self, place: int) -> None:
        self._clock.set_speed(SPEEDS[place])

    def go_to(self, frame_idx: int) -> None:
        """Show a frame of the active clip; a playing one goes on from there."""
        cine, playback = self._cine(self.active_clip), self._clock.of(self.active_clip)
        if cine is None or playback is None:
            return
        playback.seek(frame_idx)
        self._frames[self.active_clip] = min(max(frame_idx, 0), len(cine.frames) - 1)
        self._show_frames()

    def _focus(self, cine_idx: int, frame_idx: int) -> None:
        """Show a frame of a clip, in the tile that has it or else alone."""
        self._stop()
        wanted = ClipRef("case", cine_idx)
        if self.active_clip != wanted:
            self._choose_clip(cine_idx)
        self.go_to(frame_idx)

    def _choose_clip(self, cine_idx: int) -> None:
        self._chosen_idx = cine_idx
        self._hang()
        wanted = ClipRef("case", cine_idx)
        places = [i for i, tile in enumerate(self.grid.tiles) if tile.spec is not None and tile.spec.clip == wanted]
        self._choose_tile(places[0] if places else self._active)

    def _choose_tile(self, number: int) -> None:
        if number != self._active or number == 0:
            self._active = number
            self._loaded = self._cine(self.active_clip)
            self._show_active()

    def _tick(self) -> None:
        is_due = False
        for ref in self._frames:
            playback = self._clock.of(ref)
            due = self._frames[ref] if playback is None or not playback.is_playing else playback.frame_idx()
            is_due = is_due or due != self._frames[ref]
            self._frames[ref] = due
        if is_due:
            self._show_frames()

    def _note_painted(self) -> None:
        playback = self._clock.of(self.active_clip)
        if playback is not None and playback.is_playing and self.sender() is self.canvas:
            playback.note_shown()

    # --- frames -------------------------------------------------------------------------------------

    def _show_frames(self) -> None:
        for tile in self.grid.shown:
            assert tile.spec is not None
            shown, badge = self._frame_of(tile.spec)
            tile.canvas.set_frame(shown, badge)
        self.curve.set_frame(self.frame_idx)
        self.bar.set_frame(self.frame_idx)
        ref = self.active_clip
        cine = self._cine(ref)
        if cine is not None and ref.origin == "case":
            self.frame_shown.emit(ref.cine_idx, float(cine.frame_times_s[self.frame_idx]))

    def _frame_of(self, spec: TileSpec) -> tuple[int, str]:
        """The frame that a tile shows now, and what is said about it."""
        now, beats = self._frames.get(spec.clip, 0), self._beats(spec.clip)
        prior = "Prior · " if spec.clip.origin == "prior" else ""
        if spec.pin == "play":
            return now, (prior + badge(beats, now)).removesuffix(" · ")
        held = pinned_frame(spec.pin, self._analysis(spec.clip), beat_at(beats, now))
        name = dict(PIN_NAMES)[spec.pin]
        return (now, f"{prior}{name} not found") if held is None else (held, prior + badge(beats, held))

    def _show_rates(self) -> None:
        for place, tile in enumerate(self.grid.tiles):
            if tile.spec is not None:
                is_held = tile.spec.pin != "play"
                tile.canvas.set_rate("" if is_held else self._rate(tile.spec.clip, place == self._active))

    def _rate(self, ref: ClipRef, is_active: bool) -> str:
        """Frames per second as acquired and, where they are counted, as shown."""
        cine, playback = self._cine(ref), self._clock.of(ref)
        acquired = None if playback is None else playback.acquired_hz
        if cine is None or playback is None or acquired is None:
            return "" if cine is None or len(cine.frames) < 2 else "frame times unknown"
        shown = playback.shown_hz if self.is_playing and is_active else None
        return f"{acquired:.1f}/s acquired" + ("" if shown is None else f", {shown:.1f}/s shown")


def _hangs_alike(one: ReviewState, other: ReviewState) -> bool:
    """Whether nothing that the tiles depend on has changed."""
    return (
        one.case.results is other.case.results
        and one.prior.results is other.prior.results
        and (one.case.key, one.case.phase, one.hanging, one.grid)
        == (other.case.key, other.case.phase, other.hanging, other.grid)
    )
