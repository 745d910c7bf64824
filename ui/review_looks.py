"""How the window looks: theme, role, protocol, grid, which state's journal, which parts are switched on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from pipeline.records import Role
from ui.hanging import Hanging, Shape
from ui.prior import FoundPrior, find_prior
from ui.run_progress import STATE_NAMES, telling_state
from ui.theme import THEMES
from ui.view_state import CaseView

if TYPE_CHECKING:
    from ui.review import Review

SEARCHING = "Looking for an earlier case …"


class LooksReview(QObject):
    """Answers wishes that change no case."""

    def __init__(self, review: Review) -> None:
        super().__init__(review)
        self._review = review
        self._prior_generation = 0

    def switch_theme(self) -> None:
        names = [theme.name for theme in THEMES]
        after = names[(names.index(self._review.state.theme.name) + 1) % len(names)]
        self._review.update(theme=next(theme for theme in THEMES if theme.name == after))

    def set_role(self, role: Role) -> None:
        """Who sits before the window; each role has docks of its own."""
        if role != self._review.state.role:
            self._review.update(role=role)

    def switch_role(self) -> None:
        self.set_role("researcher" if self._review.state.role == "clinician" else "clinician")

    def hang(self, hanging: Hanging) -> None:
        """Choosing a protocol a second time goes back to the automatic one."""
        is_same = self._review.state.hanging == hanging
        self._review.update(hanging="auto" if is_same else hanging, grid=None)
        self.find_prior()

    def set_grid(self, *shape: int) -> None:
        """Rows and columns of the echo grid; the same again leaves it to the protocol."""
        wanted: Shape = (shape[0], shape[1])
        self._review.update(grid=None if self._review.state.grid == wanted else wanted)

    def set_option(self, option: str, on: bool) -> None:
        """Switch one part of a view on or off: "echo.contours"."""
        if option == "ecg.marks" and on:
            self._review.study.prepare()  # a mark may be taken in hand next
        part, _, name = option.partition(".")
        self._review.update(**{part: replace(getattr(self._review.state, part), **{name: on})})

    def filter_log(self, state_name: str | None) -> None:
        """Show the journal of one state; the same state again shows everything."""
        state = self._review.state
        self._review.update(log_filter=None if state_name == state.log_filter else state_name)

    def choose_state(self, state_name: str) -> None:
        """Look at one state of the run."""
        self._review.update(log_filter=state_name)

    def step_state(self, by: int) -> None:
        """Look at the state before or after; at first at the one that is worked on or that failed."""
        state = self._review.state
        chosen = state.log_filter or telling_state(state.case.progress)
        place = STATE_NAMES.index(chosen) + (by if state.log_filter else 0)
        self.choose_state(STATE_NAMES[min(max(place, 0), len(STATE_NAMES) - 1)])

    # --- the prior ----------------------------------------------------------------------------------

    def find_prior(self) -> None:
        """Look for an earlier case, where the protocol shows one."""
        state = self._review.state
        key = state.case.key
        if state.hanging != "prior" or key is None or state.case.phase in ("loading", "running"):
            if state.prior.key is not None or state.prior_note:
                self._review.update(prior=CaseView(), prior_note="")
            return
        case = state.case
        self._prior_generation = self._review.session.ask("prior", lambda engine: find_prior(engine, case))
        self._review.update(prior=CaseView(), prior_note=SEARCHING)

    def take_prior(self, generation: int, found: FoundPrior) -> None:
        """The earlier case; dropped when another case was chosen meanwhile."""
        state = self._review.state
        if generation == self._prior_generation and state.hanging == "prior" and found.of_key == state.case.key:
            self._review.update(prior=found.case, prior_note=found.note)
