"""How the window looks: theme, arrangement, which state's journal, which parts are switched on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from ui.theme import THEMES
from ui.view_state import Arrangement

if TYPE_CHECKING:
    from ui.review import Review


class LooksReview(QObject):
    """Answers wishes that change no case."""

    def __init__(self, review: Review) -> None:
        super().__init__(review)
        self._review = review

    def switch_theme(self) -> None:
        names = [theme.name for theme in THEMES]
        after = names[(names.index(self._review.state.theme.name) + 1) % len(names)]
        self._review.update(theme=next(theme for theme in THEMES if theme.name == after))

    def arrange(self, arrangement: Arrangement) -> None:
        """Choosing an arrangement a second time goes back to the automatic one."""
        is_same = self._review.state.arrangement == arrangement
        self._review.update(arrangement="auto" if is_same else arrangement)

    def set_option(self, option: str, on: bool) -> None:
        """Switch one part of a view on or off: "echo.contours"."""
        part, _, name = option.partition(".")
        self._review.update(**{part: replace(getattr(self._review.state, part), **{name: on})})

    def filter_log(self, state_name: str | None) -> None:
        """Show the journal of one state; the same state again shows everything."""
        state = self._review.state
        self._review.update(log_filter=None if state_name == state.log_filter else state_name)
