"""Researchers read the store with sqlite-utils and cannot change it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import StoreError
from pipeline.records import CardiologyRequest
from pipeline.store import keys
from pipeline.store.database import Store
from pipeline.store.queries import read_only


@pytest.fixture(autouse=True)
def a_run(path: Path) -> None:
    with Store.open(path) as store:
        store.start_run("r1", CardiologyRequest(ecg_path=Path("e.csv")))


def test_rows_are_read(path: Path) -> None:
    with read_only(path) as database:
        assert [row["run_id"] for row in database.query("SELECT run_id FROM runs")] == ["r1"]
        assert "checkpoints" in database.table_names()


def test_nothing_is_written(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(StoreError, match="E_STORE_WRITE"), read_only(path) as database:
        database.execute("DELETE FROM runs")
    assert path.read_bytes() == before


@pytest.mark.parametrize("path", ["encrypted"], indirect=True)
def test_a_locked_store_says_so(path: Path) -> None:
    keys.remember(path, None)
    with pytest.raises(StoreError, match="E_STORE_PASSPHRASE"), read_only(path):
        pass


def test_missing_store_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="E_STORE_NOT_FOUND"), read_only(tmp_path / "none.sqlite"):
        pass
    assert not (tmp_path / "none.sqlite").exists()


@pytest.mark.parametrize("path", ["plain"], indirect=True)
def test_starting_the_engine_loads_no_slow_library() -> None:
    """pandas, scipy, torch and neurokit2 take seconds; a refusal must come in less than half of one."""
    slow = "{'pandas', 'sqlcipher3', 'torch', 'neurokit2', 'sqlite_utils', 'scipy.signal', 'pydicom', 'wfdb', 'cv2'}"
    code = f"import sys, pipeline.engine; print(sorted({slow} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "[]"
