"""A run on an encrypted store, worker processes included: nothing of a patient lies in clear on the disk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.store import keys, vault
from pipeline.store.database import Store
from tests.integration.test_promises_at_run_time import CANARY, ROOT, canary_ecg, environment, run_options
from tests.torture.promises import record

WORDS = "six words that nobody would guess"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a file system in memory")
MAGIC = (b"SQLite format 3", b"CHDP1\n", b"\x89PNG", b"\x28\xb5\x2f\xfd")  # database, result, picture, zstd frame


def in_clear(folder: Path, words: tuple[str, ...]) -> list[str]:
    """Files whose name or bytes hold one of the words, or begin something that ought to be encrypted."""
    known = (*(word.encode() for word in words), *MAGIC)
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [f"{f.name}: {word!r}" for f in files for word in known if word in f.read_bytes() or word in f.name.encode()]


def test_a_whole_run_leaves_nothing_in_clear(tmp_path: Path) -> None:
    named = tmp_path / f"{CANARY}-folder"
    named.mkdir()
    ecg = canary_ecg(named / f"{CANARY}-ecg.dcm")
    command = [sys.executable, "-m", "app", *run_options(tmp_path, {"ecg_path": str(ecg)})]
    given = environment(tmp_path) | {"CHORDAE_PASSPHRASE": WORDS}
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    run_id = report["pipeline_execution"]["run_id"]
    words = (CANARY, "19370717", "1937-07-17", "heart_rate", run_id, WORDS)
    found = in_clear(tmp_path / "data", words) + in_clear(tmp_path / "scratch", words)
    text = "Nothing of a run lies in clear beside or in an encrypted store: files with a name, path, result or header"
    record(text, f"{len(found)} files", kept=found == [])
    assert not (tmp_path / "data" / "work").exists()  # the workers' folders lay in memory
    store = tmp_path / "data" / "chordae.sqlite"
    vault.unlock(store, WORDS)
    with Store.open(store) as opened:
        assert opened.run(run_id).inputs == (f"{CANARY}-ecg.dcm",)  # it is all there
        assert opened.report(run_id) is not None
        assert opened.audit_faults() == ()
    keys.remember(store, None)
