"""Which wish of a view is answered by what, as a table; and how such names are found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

WISHES = (  # signal of a view, what answers it
    ("studies.case_wished", "review.cases.select"),
    ("findings.frame_wished", "review.echo.focus"),
    ("echo.open_wished", "asks.open_files"),
    ("echo.switch_wished", "review.echo.set_option"),
    ("ecg.switch_wished", "review.ecg.set_option"),
    ("ecg.value_wished", "review.ecg.set_option"),
    ("ecg.edit_wished", "review.ecg.edit"),
    ("ecg.draft_wished", "review.ecg.draft"),
    ("ecg.draft_dropped", "review.ecg.drop_draft"),
    ("ecg.tiles_wished", "review.ecg.want_tiles"),
    ("ecg.hours_wished", "review.ecg.want_hours"),
    ("review.ecg.tile_read", "ecg.put_tile"),
    ("review.ecg.hour_read", "ecg.course.put_hour"),
    ("echo.frame_shown", "ecg.show_frame"),
    ("echo.hand.drawn", "review.echo.draw"),
    ("echo.hand.length_drawn", "asks.calibrate_clip"),
    ("echo.hand.refused", "review.echo.refuse"),
    ("echo.hand.levels_wished", "review.echo.set_levels"),
    ("echo.hand.phase_wished", "review.echo.move_phase"),
    ("echo.hand.reset_wished", "review.echo.reset_contour"),
    ("echo.hand.bar.tool_wished", "review.echo.take_tool"),
    ("echo.hand.bar.way_wished", "review.echo.choose_tool"),
    ("echo.hand.bar.structure_wished", "review.echo.choose_structure"),
    ("echo.hand.bar.undo_wished", "review.edits.undo"),
    ("echo.hand.bar.redo_wished", "review.edits.redo"),
    ("findings.measure_wished", "review.echo.choose_measure"),
    ("why.frame_wished", "review.echo.focus"),
    ("why.verdict_wished", "review.echo.judge"),
    ("wall.score_wished", "review.echo.score"),
    ("wall.frame_wished", "review.echo.focus"),
    ("run.action_wished", "window.trigger"),
    ("run.state_wished", "window.show_run_state"),
    ("state.resume_wished", "review.run.resume_from"),
    ("state.state_wished", "review.looks.choose_state"),
)


def find(roots: Mapping[str, Any], name: str) -> Any:
    """What a dotted name stands for: "echo.toggle_play"; raises KeyError or AttributeError when there is none."""
    first, *rest = name.split(".")
    found = roots[first]
    for part in rest:
        found = getattr(found, part)
    return found


def connect_wishes(roots: Mapping[str, Any]) -> None:
    """Connect every signal of WISHES."""
    for wish, answer in WISHES:
        find(roots, wish).connect(find(roots, answer))


def bound(roots: Mapping[str, Any], does: str, arguments: tuple[Any, ...]) -> Callable[[], None]:
    """The call that an action stands for; what Qt hands over (whether it is checked) is not passed on."""
    call = find(roots, does)

    def act() -> None:
        call(*arguments)

    return act


def switched(roots: Mapping[str, Any], option: str) -> Callable[[bool], None]:
    """The call that switches an option."""
    call = find(roots, "review.looks.set_option")

    def switch(on: bool) -> None:
        call(option, on)

    return switch
