"""Wishes about the clips."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from ui.view_state import FrameFocus

if TYPE_CHECKING:
    from ui.review import Review


class EchoReview(QObject):
    """Which frame is looked at, and what is drawn over it."""

    def __init__(self, review: Review) -> None:
        super().__init__(review)
        self._review = review

    def focus(self, cine_idx: int, frame_idx: int) -> None:
        """Look at one frame of one clip."""
        before = self._review.state.focus
        serial = 1 + (before.serial if before else 0)
        self._review.update(focus=FrameFocus(cine_idx=cine_idx, frame_idx=frame_idx, serial=serial))

    def set_option(self, name: str, on: bool) -> None:
        self._review.update(echo=replace(self._review.state.echo, **{name: on}))
