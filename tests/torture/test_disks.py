"""A full disk and a read-only one: the run ends with a warning and a true count, and what was committed can be read."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.store.database import Store
from tests.torture.promises import Record, scaled
from tests.torture.study import Study
from tests.torture.zygote import Outcome, Zygote

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits and mounts of Linux")
Studies = Callable[[str], Study]


def is_honest(path: Path, outcome: Outcome, given: Study) -> bool:
    """A whole result beside a warning, or a typed stop; and exactly as many checkpoints as the report says."""
    if outcome.status == "refused":
        return outcome.code in ("E_STORE_WRITE", "E_STORE_NOT_FOUND")
    execution = outcome.report["pipeline_execution"]
    if outcome.status != "complete" or outcome.result != given.result:
        return False
    if execution["checkpoints_saved"] < len(given.states) and not execution["warnings"]:
        return False
    if not path.exists() or path.stat().st_size == 0:
        return bool(execution["checkpoints_saved"] == 0)
    with Store.open(path) as store:
        rows = store.runs()
        saved = len(store.checkpoint_states(rows[0].run_id)) if rows else 0
        return bool(saved == execution["checkpoints_saved"]) and store.audit_faults() == ()


def test_a_disk_that_fills_up_at_any_point(tmp_path: Path, zygote: Zygote, study: Studies, promise: Record) -> None:
    """File sizes from nothing to more than a run needs."""
    mix = "ecg" if scaled(1, 2) == 1 and "CHORDAE_TORTURE_N" not in os.environ else "echo+ecg+metadata"
    given = study(mix)
    whole = tmp_path / "whole" / "data" / "chordae.sqlite"
    zygote.run(whole, given.files)
    size, n = whole.stat().st_size, scaled(4, 60)
    wrong = []
    for number in range(n):
        path = tmp_path / str(number) / "data" / "chordae.sqlite"
        limit = (size + 50_000) * number // n
        outcome = zygote.run(path, given.files, file_limit=limit)
        if not is_honest(path, outcome, given):
            wrong.append((limit, outcome.status, outcome.code, outcome.text[-300:]))
        shutil.rmtree(path.parent.parent)
    promise(
        "The disk is full after any number of bytes: a whole result with a warning and a true checkpoints_saved, or a "
        "typed stop; the store sound",
        f"{n - len(wrong)} of {n}" + (f"; {wrong[:2]}" if wrong else ""),
        kept=not wrong,
    )


@pytest.mark.torture
@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system")
def test_a_file_system_of_few_bytes(tmp_path: Path, zygote: Zygote, study: Studies, promise: Record) -> None:
    """ENOSPC of a real file system; the answer lies outside of it."""
    given, wrong = study("ecg"), []
    sizes = [4096 * pages for pages in (1, 4, 12, 30, 60, 120, 200)]
    for size in sizes:
        path = tmp_path / str(size) / "data" / "chordae.sqlite"
        path.parent.mkdir(parents=True)
        outcome = zygote.run(path, given.files, small_disk=[str(path.parent), size])
        if outcome.result != given.result or not (
            outcome.report["pipeline_execution"]["warnings"]
            or outcome.report["pipeline_execution"]["checkpoints_saved"] == 3
        ):
            wrong.append((size, outcome.status, outcome.code, outcome.text[-300:]))
    promise(
        "A file system of 4 to 800 kB: a whole result with a warning",
        f"{len(sizes) - len(wrong)} of {len(sizes)}" + (f"; {wrong[:2]}" if wrong else ""),
        kept=not wrong,
    )


def test_a_read_only_store_or_folder(tmp_path: Path, zygote: Zygote, study: Studies, promise: Record) -> None:
    """New runs go on without saving; a run to be resumed cannot be, and says so; all stored runs can be read."""
    given = study("ecg")
    path = tmp_path / "case" / "data" / "chordae.sqlite"
    first = zygote.run(path, given.files)
    before = path.read_bytes()
    wrong = []
    for target in (path, path.parent):
        outcome = zygote.run(path, given.files, read_only=str(target))
        execution = outcome.report["pipeline_execution"]
        said = [warning["code"] for warning in execution["warnings"]]
        if (outcome.result, execution["checkpoints_saved"], said) != (given.result, 0, ["E_STORE_WRITE"]):
            wrong.append((target.name, outcome.status, outcome.code, said, outcome.text[-300:]))
        refused = zygote.run(path, None, resume=first.run_id, read_only=str(target))
        if (refused.status, refused.code) != ("refused", "E_STORE_WRITE"):
            wrong.append((target.name, "resume", refused.status, refused.code, refused.text[-300:]))
        path.parent.chmod(0o700)
        path.chmod(0o600)
    with Store.open(path) as store:
        readable = [row.run_id for row in store.runs()] == [first.run_id]
    promise(
        "Store file or folder read-only: a whole result with a warning, a resume refused with its code, the store "
        "unchanged and readable",
        f"{4 - len(wrong)} of 4" + (f"; {wrong[:2]}" if wrong else ""),
        kept=not wrong and readable and path.read_bytes() == before,
    )
