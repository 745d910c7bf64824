"""The nth write, sync, commit, decode or model load fails, n = 1, 2, … until a run meets no fault."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.store.database import Store
from tests.torture.promises import Record
from tests.torture.study import Study
from tests.torture.zygote import Zygote

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a preloaded library stands between SQLite and disk")
KINDS = {"write": "ecg", "sync": "ecg", "commit": "ecg", "decode": "echo", "model": "echo"}
STEPS = {"write": 3, "sync": 1, "commit": 1, "decode": 1, "model": 1}  # there are hundreds of writes
QUICK_STEP = 15
LIMIT = 2000  # far more than any run needs: the loop must end by a run without a fault


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """A forking process below which the disk can fail."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to build the failing disk with")
    library = tmp_path_factory.mktemp("disk") / "faulty_disk.so"
    source = Path(__file__).with_name("faulty_disk.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    with Zygote(preload=library) as started:
        yield started


def is_sound(path: Path) -> bool:
    """The file is whole for SQLite, and the audit holds."""
    with Store.open(path) as store:
        whole = store._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return whole and store.audit_faults() == ()


@pytest.mark.parametrize(
    "kind",
    ["commit", *(pytest.param(kind, marks=pytest.mark.torture) for kind in ("write", "sync", "decode", "model"))],
)
def test_the_nth_call_fails(
    tmp_path: Path, faulty: Zygote, study: Callable[[str], Study], promise: Record, kind: str
) -> None:
    given = study(KINDS[kind])
    step = STEPS[kind] * (QUICK_STEP if "CHORDAE_TORTURE_N" not in os.environ else 1)
    wrong, n, tried = [], 1, 0
    while True:
        path = tmp_path / f"{kind}-{n}" / "data" / "chordae.sqlite"
        outcome = faulty.run(path, given.files, fail=[kind, n])
        tried += 1
        no_fault = outcome.result == given.result and is_untouched(outcome.report, given)
        if not outcome.is_typed or (path.exists() and not is_sound(path)):
            wrong.append((n, outcome.status, outcome.code, outcome.text[-300:]))
        again = faulty.run(path, given.files)
        if again.status != "complete" or again.result != given.result:
            wrong.append((n, "next run", again.status, again.code))
        shutil.rmtree(path.parent.parent)
        n += step
        if no_fault:
            break
        assert n < LIMIT
    promise(
        f"The nth {kind} fails, n = 1, 2, … until a run has no fault: a typed outcome, the store sound, the next run "
        "whole",
        f"{tried - len(wrong)} of {tried} runs" + (f"; {wrong[:3]}" if wrong else ""),
        kept=not wrong and tried >= 2,  # one run with a fault, and the last without
    )


def is_untouched(report: dict[str, object], given: Study) -> bool:
    """Whether a run went through without meeting the fault: all saved, nothing tried again, no warning."""
    execution = report.get("pipeline_execution")
    return isinstance(execution, dict) and (
        execution["status"],
        execution["checkpoints_saved"],
        execution["retries_performed"],
        execution["warnings"],
        [branch["code"] for branch in execution["branches"] if branch["branch"] in given.mix],
    ) == ("complete", len(given.states), 0, [], [None for branch in given.mix.split("+")])
