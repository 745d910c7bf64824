"""Wishes about the ECG's paper."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from ui.view_state import GAINS_MM_MV, SPEEDS_MM_S, stepped

if TYPE_CHECKING:
    from ui.review import Review


class EcgReview(QObject):
    """How the ECG is laid out."""

    def __init__(self, review: Review) -> None:
        super().__init__(review)
        self._review = review

    def set_option(self, name: str, value: bool | float) -> None:
        chosen: dict[str, Any] = {name: value}
        self._review.update(ecg=replace(self._review.state.ecg, **chosen))

    def step(self, wish: str) -> None:
        """One step of paper speed or gain."""
        ecg = self._review.state.ecg
        if wish in ("faster", "slower"):
            speed = stepped(SPEEDS_MM_S, ecg.speed_mm_s, 1 if wish == "faster" else -1)
            self._review.update(ecg=replace(ecg, speed_mm_s=speed))
        else:
            gain = stepped(GAINS_MM_MV, ecg.gain_mm_mv, 1 if wish == "more_gain" else -1)
            self._review.update(ecg=replace(ecg, gain_mm_mv=gain))
