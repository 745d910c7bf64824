"""The echo view: cine, contours, playing controls, volume curve."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from pipeline.records import CineAnalysis, EchoBeat, EchoCine, EchoDetection
from ui.icons import make_icon
from ui.playback import SPEEDS, Playback
from ui.view_state import CaseView, ReviewState, absence
from ui.widgets.cine_canvas import CineCanvas
from ui.widgets.empty_label import EmptyLabel
from ui.widgets.volume_curve import VolumeCurve

TICK_MS = 8  # a frame is due by elapsed time; the timer only asks often enough
RATE_EVERY_MS = 500
WIDE = 1.6  # from this ratio on, the curve stands beside the picture
CURVE_PX = 130
TRANSPORT = (  # method, icon, words
    ("previous_beat", "beat_back", "Previous beat (Shift+Left)"),
    ("previous_frame", "step_back", "Previous frame (Left)"),
    ("toggle_play", "play", "Play or pause (Space)"),
    ("next_frame", "step_forward", "Next frame (Right)"),
    ("next_beat", "beat_forward", "Next beat (Shift+Right)"),
)
SWITCHES = (("contours", "Contours"), ("areas", "Areas"), ("names", "Names"))
WELCOME_TEXT = (
    "Open an echo cine, an ECG, or both of one study.\n"
    "Drop the files on this window, or choose them (Ctrl+O).\n\n"
    "Echo: DICOM, AVI, MP4, NIfTI · ECG: DICOM, SCP-ECG, XML, ISHNE, WFDB, EDF, CSV · Facts about the patient: JSON"
)


class EchoView(QWidget):
    """Plays a cine; contours, volumes and marks appear as the run finds them."""

    frame_shown = Signal(int, float)  # clip, time in it
    switch_wished = Signal(str, bool)
    open_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._playback = Playback()
        self._case = CaseView()
        self._theme_name = ""
        self._cine: EchoCine | None = None
        self._cine_idx = 0
        self._frame_idx = 0
        self._serial = 0
        self._buttons: dict[str, QToolButton] = {}
        self._switches: dict[str, QToolButton] = {}
        self.canvas = CineCanvas()
        self.curve = VolumeCurve()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.clip_choice = QComboBox()
        self.speed_choice = QComboBox()
        self.open_button = QPushButton("Open study files…")
        self.empty = EmptyLabel(WELCOME_TEXT)
        self._timer = QTimer(self)
        self._rate_timer = QTimer(self)
        self._assemble()
        self._connect()

    # --- assembly -----------------------------------------------------------------------------------

    def _assemble(self) -> None:
        self.slider.setAccessibleName("Frame")
        self.slider.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self._screen = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._screen.setSpacing(4)
        self._screen.addWidget(self.canvas, 3)
        self._screen.addWidget(self.curve, 2)
        column.addLayout(self._screen, 1)
        column.addLayout(self._transport_row())
        column.addSpacing(2)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty_page())
        self._stack.addWidget(content)
        self.setMinimumHeight(150)

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
        beside = self.width() > WIDE * self.height()
        directions = QBoxLayout.Direction
        self._screen.setDirection(directions.LeftToRight if beside else directions.TopToBottom)
        self.curve.setMaximumHeight(16777215 if beside else CURVE_PX)

    def _transport_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(6, 0, 6, 0)
        row.setSpacing(4)
        for method, _, words in TRANSPORT:
            button = self._tool_button(words)
            button.clicked.connect(getattr(self, method))
            self._buttons[method] = button
            row.addWidget(button)
        for speed in SPEEDS:
            self.speed_choice.addItem(f"×{speed:g}", speed)
        self.speed_choice.setCurrentIndex(SPEEDS.index(1.0))
        self.speed_choice.setAccessibleName("Playing speed")
        row.addWidget(self.speed_choice)
        row.addWidget(self.slider, 1)
        row.addWidget(self.clip_choice)
        for name, words in SWITCHES:
            switch = self._tool_button(f"Show {words.lower()}")
            switch.setText(words)
            switch.setCheckable(True)
            switch.setProperty("switch", name)
            switch.clicked.connect(self._report_switch)
            self._switches[name] = switch
            row.addWidget(switch)
        return row

    def _tool_button(self, words: str) -> QToolButton:
        button = QToolButton()
        button.setToolTip(words)
        button.setAccessibleName(words)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _connect(self) -> None:
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._rate_timer.setInterval(RATE_EVERY_MS)
        self._rate_timer.timeout.connect(self._show_rate)
        self.slider.sliderMoved.connect(self.go_to)
        self.slider.actionTriggered.connect(self._slider_stepped)
        self.curve.frame_wished.connect(self.go_to)
        self.canvas.painted.connect(self._note_painted)
        self.speed_choice.activated.connect(self._choose_speed)
        self.clip_choice.activated.connect(self._choose_clip)

    def _report_switch(self, checked: bool) -> None:
        self.switch_wished.emit(str(self.sender().property("switch")), checked)

    # --- showing ------------------------------------------------------------------------------------

    @property
    def frame_idx(self) -> int:
        return self._frame_idx

    @property
    def is_playing(self) -> bool:
        return self._playback.is_playing

    def show_state(self, state: ReviewState) -> None:
        """Draw what changed since the last snapshot."""
        before, self._case = self._case, state.case
        if state.theme.name != self._theme_name:
            self._theme_name = state.theme.name
            self._tint(state)
        self.canvas.set_look(state.echo, state.theme)
        for name, switch in self._switches.items():
            switch.setChecked(getattr(state.echo, name))
        if state.case.key != before.key and state.case.results.cines is not before.results.cines:
            self._cine_idx = 0
        was_shown = (before.key, before.phase)
        if state.case.results is not before.results or (state.case.key, state.case.phase) != was_shown:
            self._show_clip()
        self._show_empty_text(state)
        if state.focus is not None and state.focus.serial != self._serial:
            self._serial = state.focus.serial
            self._focus(state.focus.cine_idx, state.focus.frame_idx)

    def _tint(self, state: ReviewState) -> None:
        for method, icon, _ in TRANSPORT:
            self._buttons[method].setIcon(make_icon(icon, state.theme.text))
        self._icons = {name: make_icon(name, state.theme.text) for name in ("play", "pause")}
        self.curve.set_theme(state.theme)

    def _show_empty_text(self, state: ReviewState) -> None:
        self.open_button.setVisible(state.case.phase == "empty")
        text = WELCOME_TEXT if state.case.phase == "empty" else absence(state.case, "echo")
        if self.empty.text() != text:
            self.empty.setText(text)

    def _show_clip(self) -> None:
        cines = self._case.results.cines
        self._cine_idx = min(self._cine_idx, max(len(cines) - 1, 0))
        cine = cines[self._cine_idx] if cines else None
        self._fill_clip_choice()
        if cine is not self._cine:
            self._cine = cine
            self._load_cine(cine)
        self.canvas.set_clip(cine, self._detection())
        self.curve.set_curve(cine, self._analysis(), self._no_curve_reason())
        self._stack.setCurrentIndex(0 if cine is None else 1)
        self._show_frame(self._frame_idx)
        has_beats = bool(self._beats())
        for method in ("previous_beat", "next_beat"):
            self._buttons[method].setEnabled(has_beats)

    def _load_cine(self, cine: EchoCine | None) -> None:
        self._frame_idx = 0
        n_frames = 0 if cine is None else len(cine.frames)
        self.slider.setRange(0, max(n_frames - 1, 0))
        self.slider.setEnabled(n_frames > 1)
        self._playback.load(np.zeros(0) if cine is None else cine.frame_times_s)
        self._stop()
        self._buttons["toggle_play"].setEnabled(self._playback.can_play)
        if self._case.phase == "running":
            self.toggle_play()  # a clip that has just been read shows itself moving; a stored one waits

    def _fill_clip_choice(self) -> None:
        names = [f"Clip {i + 1} · {cine.view}" for i, cine in enumerate(self._case.results.cines)]
        if names != [self.clip_choice.itemText(i) for i in range(self.clip_choice.count())]:
            self.clip_choice.clear()
            self.clip_choice.addItems(names)
        self.clip_choice.setCurrentIndex(self._cine_idx if names else -1)
        self.clip_choice.setVisible(len(names) > 1)

    def _detection(self) -> EchoDetection | None:
        found = self._case.results.detections
        return found[self._cine_idx] if self._cine_idx < len(found) else None

    def _analysis(self) -> CineAnalysis | None:
        analysis = self._case.results.echo_analysis
        if analysis is None or self._cine_idx >= len(analysis.cines):
            return None
        return analysis.cines[self._cine_idx]

    def _beats(self) -> tuple[EchoBeat, ...]:
        analysis = self._analysis()
        return () if analysis is None else analysis.beats

    def _no_curve_reason(self) -> str:
        analysis = self._case.results.echo_analysis
        if analysis is not None:
            return analysis.skipped_reason or "No volume curve could be measured in this clip."
        if self._case.phase == "running":
            return "The volume curve appears when the chambers have been measured."
        return "The chambers were not measured."

    # --- playing ------------------------------------------------------------------------------------

    def toggle_play(self) -> None:
        if self._playback.is_playing:
            self._stop()
        elif self._playback.can_play and self._cine is not None:
            self._playback.seek(self._frame_idx)
            self._playback.play()
            self._timer.start()
            self._rate_timer.start()
        self._show_play_icon()

    def _stop(self) -> None:
        self._playback.pause()
        self._timer.stop()
        self._rate_timer.stop()
        self._show_play_icon()
        self._show_rate()

    def _show_play_icon(self) -> None:
        if self._theme_name:
            self._buttons["toggle_play"].setIcon(self._icons["pause" if self.is_playing else "play"])

    def next_frame(self) -> None:
        self._step(1)

    def previous_frame(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        if self._cine is not None:
            self._stop()
            self.go_to((self._frame_idx + by) % len(self._cine.frames))

    def next_beat(self) -> None:
        starts = [beat.ed_idx for beat in self._beats()]
        self.go_to(next((idx for idx in starts if idx > self._frame_idx), starts[0] if starts else self._frame_idx))

    def previous_beat(self) -> None:
        starts = [beat.ed_idx for beat in reversed(self._beats())]
        self.go_to(next((idx for idx in starts if idx < self._frame_idx), starts[0] if starts else self._frame_idx))

    def step_speed(self, by: int) -> None:
        """Play faster or slower by one step."""
        place = min(max(self.speed_choice.currentIndex() + by, 0), len(SPEEDS) - 1)
        self.speed_choice.setCurrentIndex(place)
        self._choose_speed(place)

    def go_to(self, frame_idx: int) -> None:
        """Show a frame; a playing cine goes on from there."""
        self._playback.seek(frame_idx)
        self._show_frame(frame_idx)

    def _slider_stepped(self, _action: int) -> None:
        self.go_to(self.slider.sliderPosition())

    def _focus(self, cine_idx: int, frame_idx: int) -> None:
        self._stop()
        if cine_idx != self._cine_idx:
            self._cine_idx = cine_idx
            self._show_clip()
        self.go_to(frame_idx)

    def _choose_speed(self, place: int) -> None:
        self._playback.set_speed(SPEEDS[place])

    def _choose_clip(self, place: int) -> None:
        self._cine_idx = place
        self._show_clip()

    def _tick(self) -> None:
        due = self._playback.frame_idx()
        if due != self._frame_idx:
            self._show_frame(due)

    def _note_painted(self) -> None:
        if self._playback.is_playing:
            self._playback.note_shown()

    def _show_frame(self, frame_idx: int) -> None:
        if self._cine is None:
            return
        self._frame_idx = min(max(frame_idx, 0), len(self._cine.frames) - 1)
        self.canvas.set_frame(self._frame_idx, self._badge())
        self.curve.set_frame(self._frame_idx)
        self.frame_shown.emit(self._cine_idx, float(self._cine.frame_times_s[self._frame_idx]))
        if not self.slider.isSliderDown():
            self.slider.setValue(self._frame_idx)

    def _badge(self) -> str:
        marks = []
        for number, beat in enumerate(self._beats(), start=1):
            if beat.ed_idx == self._frame_idx:
                marks.append(f"ED beat {number}")
            if beat.es_idx == self._frame_idx:
                marks.append(f"ES beat {number}")
        return " · ".join(marks)

    def _show_rate(self) -> None:
        acquired = self._playback.acquired_hz
        if self._cine is None or acquired is None:
            text = "" if self._cine is None or len(self._cine.frames) < 2 else "frame times unknown"
        else:
            shown = self._playback.shown_hz if self.is_playing else None
            text = f"{acquired:.1f}/s acquired" + ("" if shown is None else f", {shown:.1f}/s shown")
        self.canvas.set_rate(text)
