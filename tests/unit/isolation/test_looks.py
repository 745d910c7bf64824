"""What a window asks of files beside runs: read in a worker, typed when that dies, and never parsed in this process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.fileset import FileSet

from app.composition import Engine
from benchmarks.holter import make_holter, write_wfdb
from pipeline.ecg.readers import inspect_ecg
from pipeline.errors import InputError
from pipeline.gates import Limits, sniff
from pipeline.intake.cases import sort_places
from pipeline.isolation.executor import IsolatedExecutor
from pipeline.isolation.supervisor import Supervisor
from pipeline.look import look
from pipeline.look_calls import EcgStretch
from pipeline.review.ecg_window import ecg_extremes, ecg_samples
from tests.unit.isolation.conftest import do, look_at

Behave = Callable[[str], None]
ROOT = Path(__file__).parents[3]
OPENING = """
import sys
from pathlib import Path
from app.composition import isolated_engine

if __name__ == "__main__":
    store, listing, record, sha256 = (Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
    with isolated_engine(store) as engine:
        intake = engine.sort_places([listing])
        shape = engine.ecg_samples(record, sha256, 0, 500).shape
    parsers = [name for name in ("pydicom", "wfdb", "edfio", "pandas", "scipy") if name in sys.modules]
    print([len(intake.requests), list(shape), parsers])
"""


@pytest.fixture(scope="module")
def disc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("disc")
    files = FileSet()
    files.add(pydicom.dcmread(get_testdata_file("examples_ybr_color.dcm")))
    files.write(folder / "disc")
    files._stage["t"].cleanup()  # it would be cleaned with a warning later
    return folder / "disc" / "DICOMDIR"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = write_wfdb(tmp_path_factory.mktemp("wfdb"), make_holter(60, seed=3))
    return path, inspect_ecg(path, Limits()).sha256


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(tmp_path / "data" / "s.sqlite", IsolatedExecutor(tmp_path / "data"))
    yield made
    made.close()


def test_a_worker_reads_the_listing_and_the_samples_as_this_process_would(engine, disc, record) -> None:
    path, sha256 = record
    assert engine.sort_places([disc]) == sort_places([disc], sniff)
    assert (engine.ecg_samples(path, sha256, 20, 900) == ecg_samples(path, sha256, 20, 900)).all()
    assert (engine.ecg_extremes(path, sha256, 0) == ecg_extremes(path, sha256, 0)).all()
    assert len(engine.executor.supervisor.pids) == 1  # one worker for all that is looked at


def test_nothing_of_it_is_parsed_in_the_process_that_asks(tmp_path, disc, record) -> None:
    command = [sys.executable, "-c", OPENING, tmp_path / "data" / "s.sqlite", disc, *record]
    said = subprocess.run(command, capture_output=True, check=True, text=True, cwd=ROOT, timeout=120)
    assert json.loads(said.stdout.replace("'", '"')) == [1, [3, 500], []]


def test_a_listing_that_ends_its_readers_is_said_with_its_code(engine, behave: Behave, disc) -> None:
    behave("list_directory=SIGSEGV")
    intake = engine.sort_places([disc])
    assert intake.requests == ()
    assert intake.problem
    assert ["E_INPUT_CRASHED_READER" in note for note in intake.notes] == [True]


def test_a_record_that_ends_its_readers_is_typed(engine, behave: Behave, record) -> None:
    path, sha256 = record
    behave("ecg_samples=SIGSEGV")
    with pytest.raises(InputError) as caught:
        engine.ecg_samples(path, sha256, 0, 100)
    assert caught.value.code == "E_INPUT_CRASHED_READER"
    assert path.name not in str(caught.value)


def test_a_record_that_has_gone_is_refused_without_a_worker(engine, tmp_path) -> None:
    with pytest.raises(InputError) as caught:
        engine.ecg_samples(tmp_path / "gone.hea", "0" * 64, 0, 100)
    assert caught.value.code == "E_INPUT_MISSING"
    assert engine.executor.supervisor.pids == ()


def test_the_reader_of_a_window_outlives_a_run_and_does_not_wait_for_one(
    supervisors: Callable[..., Supervisor], strip: Path, record
) -> None:
    supervisor = supervisors(keeps_spare=True)
    wished = EcgStretch(path=record[0], sha256=record[1], first=0, end=100)
    executor = Asked(supervisor)
    look("ecg_samples", wished, executor)
    reader = supervisor.pid_of("look")
    with supervisor._locks["ecg"], supervisor._locks["echo"], supervisor._locks["model"]:  # a run in full swing
        look("ecg_samples", wished, executor)
    do(supervisor, look_at(strip))
    supervisor.rest()
    assert supervisor.pid_of("ecg") is None
    look("ecg_samples", wished, executor)
    assert supervisor.pid_of("look") == reader


class Asked:
    """The part of an executor that `look` uses."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.call = supervisor.call
