"""The fold of the log against a plain undo stack, on any order of acts, undos and redos."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import Edit
from pipeline.review.log import in_force, redo_row, standing, undo_row


def act(target: str, after: object) -> Edit:
    return Edit(kind="verdict", target=target, before=None, after=after, role="clinician")


class Stacks:
    """Undo and redo as two stacks: what the log must amount to."""

    def __init__(self) -> None:
        self.done: list[tuple[str, int]] = []
        self.undone: list[tuple[str, int]] = []

    def do(self, target: str, value: int) -> None:
        self.done.append((target, value))
        self.undone.clear()

    def undo(self) -> None:
        if self.done:
            self.undone.append(self.done.pop())

    def redo(self) -> None:
        if self.undone:
            self.done.append(self.undone.pop())


steps = st.lists(st.one_of(st.sampled_from(["undo", "redo"]), st.sampled_from(["a", "b", "c"])), max_size=40)


@given(steps)
def test_the_log_amounts_to_two_stacks(path: list[str]) -> None:
    log: list[Edit] = []
    model = Stacks()
    for number, step in enumerate(path):
        if step == "undo":
            row = undo_row(log, "clinician")
            model.undo()
        elif step == "redo":
            row = redo_row(log, "clinician")
            model.redo()
        else:
            row = act(step, number)
            model.do(step, number)
        if row is not None:
            log.append(replace(row, seq=len(log)))
        assert [(each.target, each.after) for each in standing(log)] == model.done
        assert (undo_row(log, "clinician") is None) == (not model.done)
        assert (redo_row(log, "clinician") is None) == (not model.undone)
    assert {target: each.after for target, each in in_force(log).items()} == dict(model.done)


def test_the_log_only_grows_and_names_what_it_takes_back() -> None:
    log = [replace(act("a", 1), seq=0)]
    undo = undo_row(log, "researcher")
    assert undo is not None
    assert (undo.undoes, undo.before, undo.after, undo.role) == (0, 1, None, "researcher")
    log.append(replace(undo, seq=1))
    redo = redo_row(log, "researcher")
    assert redo is not None
    assert (redo.undoes, redo.before, redo.after) == (1, None, 1)
    log.append(replace(redo, seq=2))
    assert undo_row(log, "clinician").undoes == 0  # type: ignore[union-attr]
