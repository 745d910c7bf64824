"""The bar under the clips: play, step, speed, frame, clip, what is drawn over the picture."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSlider, QToolButton, QWidget

from ui.icons import make_icon
from ui.playback import SPEEDS
from ui.theme import Theme
from ui.view_state import EchoOptions

TRANSPORT = (  # act of the echo view, icon, words
    ("previous_beat", "beat_back", "Previous beat (Shift+Left)"),
    ("previous_frame", "step_back", "Previous frame (Left)"),
    ("toggle_play", "play", "Play or pause (Space)"),
    ("next_frame", "step_forward", "Next frame (Right)"),
    ("next_beat", "beat_forward", "Next beat (Shift+Right)"),
)
SWITCHES = (("contours", "Contours", "V"), ("areas", "Areas", "F"), ("names", "Names", "N"))
SWITCH_ICONS = (("contours", "contour"), ("areas", "area"), ("names", "label"))
SLIDER_SHARE = 0.25  # of the bar; with less the switches show their icons alone


class CineBar(QWidget):
    """Shows how the active clip plays; every touch is a wish."""

    act_wished = Signal(str)
    frame_wished = Signal(int)
    speed_wished = Signal(int)
    clip_wished = Signal(int)
    switch_wished = Signal(str, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons: dict[str, str] = {name: icon for name, icon, _ in TRANSPORT}
        self._theme: Theme | None = None
        self.buttons: dict[str, QToolButton] = {}
        self.switches: dict[str, QToolButton] = {}
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.clip_choice = QComboBox()
        self.speed_choice = QComboBox()
        self._assemble()

    def _assemble(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 6, 0)
        row.setSpacing(4)
        for act, _, words in TRANSPORT:
            self.buttons[act] = self._button(words, "act", act)
            self.buttons[act].clicked.connect(self._report_act)
            row.addWidget(self.buttons[act])
        for speed in SPEEDS:
            self.speed_choice.addItem(f"×{speed:g}", speed)
        self.speed_choice.setCurrentIndex(SPEEDS.index(1.0))
        self.speed_choice.setAccessibleName("Playing speed")
        self.speed_choice.setToolTip("Playing speed (, and .)")
        self.speed_choice.activated.connect(self.speed_wished)
        row.addWidget(self.speed_choice)
        self.slider.setAccessibleName("Frame")
        self.slider.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.slider.sliderMoved.connect(self.frame_wished)
        self.slider.actionTriggered.connect(self._report_slider)
        row.addWidget(self.slider, 1)
        self.clip_choice.setAccessibleName("Clip")
        self.clip_choice.activated.connect(self.clip_wished)
        row.addWidget(self.clip_choice)
        for name, words, key in SWITCHES:
            switch = self._button(f"Show {words.lower()} ({key})", "switch", name)
            switch.setText(words)
            switch.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            switch.setCheckable(True)
            switch.clicked.connect(self._report_switch)
            self.switches[name] = switch
            row.addWidget(switch)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """In a narrow room the switches have icons for words, so that a frame can still be chosen."""
        super().resizeEvent(event)
        metrics = self.fontMetrics()
        words_px = sum(metrics.horizontalAdvance(words) + 24 for _, words, _ in SWITCHES)
        others_px = sum(button.sizeHint().width() for button in self.buttons.values())
        others_px += self.speed_choice.sizeHint().width()
        is_narrow = self.width() * (1.0 - SLIDER_SHARE) < words_px + others_px
        styles = Qt.ToolButtonStyle
        for switch in self.switches.values():
            switch.setToolButtonStyle(styles.ToolButtonIconOnly if is_narrow else styles.ToolButtonTextOnly)

    def _button(self, words: str, role: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setToolTip(words)
        button.setAccessibleName(words)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setProperty(role, name)
        return button

    def _report_act(self) -> None:
        self.act_wished.emit(str(self.sender().property("act")))

    def _report_switch(self, checked: bool) -> None:
        self.switch_wished.emit(str(self.sender().property("switch")), checked)

    def _report_slider(self, _action: int) -> None:
        self.frame_wished.emit(self.slider.sliderPosition())

    # --- showing ------------------------------------------------------------------------------------

    def set_look(self, options: EchoOptions, theme: Theme) -> None:
        if theme is not self._theme:
            self._theme = theme
            for act, icon in self._icons.items():
                self.buttons[act].setIcon(make_icon(icon, theme.text))
            for name, icon in SWITCH_ICONS:
                self.switches[name].setIcon(make_icon(icon, theme.text))
        for name, switch in self.switches.items():
            switch.setChecked(getattr(options, name))

    def set_playing(self, is_playing: bool) -> None:
        self._icons["toggle_play"] = "pause" if is_playing else "play"
        if self._theme is not None:
            self.buttons["toggle_play"].setIcon(make_icon(self._icons["toggle_play"], self._theme.text))

    def set_clip(self, n_frames: int, can_play: bool, has_beats: bool) -> None:
        """What can be done with the active clip."""
        self.slider.setRange(0, max(n_frames - 1, 0))
        self.slider.setEnabled(n_frames > 1)
        self.buttons["toggle_play"].setEnabled(can_play)
        for act in ("previous_beat", "next_beat"):
            self.buttons[act].setEnabled(has_beats)

    def set_frame(self, frame_idx: int) -> None:
        if not self.slider.isSliderDown():
            self.slider.setValue(frame_idx)

    def set_clips(self, names: Sequence[str], chosen_idx: int) -> None:
        """List the clips of the case; one alone needs no list."""
        if list(names) != [self.clip_choice.itemText(i) for i in range(self.clip_choice.count())]:
            self.clip_choice.clear()
            self.clip_choice.addItems(list(names))
        self.clip_choice.setCurrentIndex(chosen_idx if names else -1)
        self.clip_choice.setVisible(len(names) > 1)

    def step_speed(self, by: int) -> int:
        """Choose the next speed up or down; returns its place."""
        place = min(max(self.speed_choice.currentIndex() + by, 0), len(SPEEDS) - 1)
        self.speed_choice.setCurrentIndex(place)
        return place
