"""SIGKILL at named points, at random, and again during the resume: the result is the same, byte for byte."""

from __future__ import annotations

import itertools
import random
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pipeline.store.database import Store
from tests.torture.child import KILL_POINTS
from tests.torture.promises import Record, scaled
from tests.torture.study import MIXES, STATES_OF, Study
from tests.torture.zygote import Outcome, Zygote

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks and kills")
Studies = Callable[[str], Study]
CASES = [(mix, state, point) for mix in MIXES for state in STATES_OF[mix] for point in KILL_POINTS]
QUICK_CASES = 4


def spread(cases: Sequence[tuple[str, str, str]], n: int) -> list[tuple[str, str, str]]:
    """`n` of the cases: the quick ones of the ECG alone, a share of all in a seeded order else."""
    if n == QUICK_CASES:
        return [case for case in cases if case[0] == "ecg"][::6][:n]
    return random.Random(1).sample(cases, min(n, len(cases)))


class Wreck:
    """A store that a killed run has left."""

    def __init__(self, path: Path) -> None:
        with Store.open(path) as store:
            rows = store.runs()
            self.run_id = rows[0].run_id if rows else None
            self.is_complete = bool(rows) and rows[0].status == "complete"
            self.saved = len(store.checkpoint_states(self.run_id)) if self.run_id else 0
            self.is_sound = not store.audit_faults() and rows[0].status in ("interrupted", "complete") if rows else True


def resumed(zygote: Zygote, path: Path, study: Study, wreck: Wreck) -> tuple[Outcome, bool]:
    """The resumed run, and whether it is the same as an undisturbed one and computed nothing again."""
    outcome = zygote.run(path, study.files, resume=wreck.run_id)
    execution = outcome.report["pipeline_execution"]
    restored = execution["checkpoints_restored"]
    whole = len(study.states)
    is_same = outcome.result == study.result and (restored, execution["checkpoints_saved"]) == (
        wreck.saved,
        whole - wreck.saved,
    )
    return outcome, is_same and wreck.is_sound


def test_kill_at_named_points(tmp_path: Path, zygote: Zygote, study: Studies, promise: Record) -> None:
    cases = spread(CASES, scaled(QUICK_CASES, len(CASES)))
    failed = []
    for number, (mix, state, point) in enumerate(cases):
        path = tmp_path / str(number) / "data" / "chordae.sqlite"
        outcome = zygote.run(path, study(mix).files, kill=[point, state])
        assert outcome.is_killed, (mix, state, point, outcome.text)
        wreck = Wreck(path)
        expected = study(mix).states.index(state) + (point in ("after commit", "before event", "after event"))
        if wreck.saved != expected or not resumed(zygote, path, study(mix), wreck)[1]:
            failed.append((mix, state, point))
        shutil.rmtree(path.parent.parent)
    promise(
        "Killed at a named point (before/after blob, row, commit, event) of a checkpoint, resumed: the same result, "
        "nothing committed lost or computed again",
        f"{len(cases) - len(failed)} of {len(cases)}",
        kept=not failed,
    )


def test_kill_at_random(tmp_path: Path, zygote: Zygote, study: Studies, promise: Record) -> None:
    n, rng = scaled(2, 100), random.Random(2)
    mix = "ecg" if n == 2 else "echo+ecg+metadata"
    seconds = zygote.run(tmp_path / "timed" / "data" / "chordae.sqlite", study(mix).files).seconds  # the first was cold
    landed, failed = 0, []
    for number in range(n):
        path = tmp_path / str(number) / "data" / "chordae.sqlite"
        outcome = zygote.run(path, study(mix).files, kill_after_s=rng.uniform(0.0, seconds))
        wreck = Wreck(path)
        landed += outcome.is_killed and wreck.run_id is not None and not wreck.is_complete
        same = resumed(zygote, path, study(mix), wreck)[1] if wreck.run_id else wreck.is_sound
        if not same:
            failed.append(number)
        shutil.rmtree(path.parent.parent)
    promise(
        "Killed at a random moment, resumed: the same result; at least 60 % of the kills land in the run",
        f"{n - len(failed)} of {n}, {landed} in the run",
        kept=not failed and (landed >= 0.6 * n or n < 10),
    )


def test_the_resume_is_killed_as_well(tmp_path: Path, zygote: Zygote, study: Studies, promise: Record) -> None:
    n, rng = scaled(1, 30), random.Random(3)
    mix = "ecg" if n == 1 else "echo+ecg+metadata"
    states = study(mix).states
    pairs = list(itertools.combinations(range(len(states)), 2))
    failed = []
    for number in range(n):
        path = tmp_path / str(number) / "data" / "chordae.sqlite"
        first, second = rng.choice(pairs)
        assert zygote.run(path, study(mix).files, kill=[rng.choice(KILL_POINTS), states[first]]).is_killed
        run_id = Wreck(path).run_id
        kill = [rng.choice(KILL_POINTS), states[second]]
        assert zygote.run(path, study(mix).files, resume=run_id, kill=kill).is_killed
        if not resumed(zygote, path, study(mix), Wreck(path))[1]:
            failed.append(number)
        shutil.rmtree(path.parent.parent)
    promise(
        "The resume is killed as well, resumed again: the same result", f"{n - len(failed)} of {n}", kept=not failed
    )
