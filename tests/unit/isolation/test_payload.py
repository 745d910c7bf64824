"""Records in files: what goes in comes out, and nothing but a record comes out."""

from __future__ import annotations

import math
import os
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.gates import Limits
from pipeline.isolation.payload import read_bytes, read_record, write_record
from pipeline.isolation.protocol import ProtocolError
from pipeline.records import ClipFacts, PreparedEcg
from pipeline.stage_calls import EchoFiles, PatientFacts, PreparedSignal
from pipeline.store import codec
from tests.unit.orchestrator.stand_ins import prepared_ecg


def through(folder: Path, record: object) -> object:
    write_record(folder / "record-1", record)
    return read_record(folder / "record-1", type(record))


def test_arguments_come_through_with_odd_file_names(tmp_path: Path) -> None:
    odd = Path(os.fsdecode(b"/data/\xff\xfe clip.dcm"))
    files = EchoFiles(paths=(odd, Path("b")), limits=Limits(max_frames=3), facts=(ClipFacts(view="A2C"),))
    facts = PatientFacts(path=None, given={"age_years": 61, "note": None, "x": [1.5, True]}, limits=Limits())
    assert through(tmp_path, files) == files
    assert through(tmp_path, facts) == facts
    assert list(tmp_path.iterdir()) == []


def test_arrays_come_through_bit_for_bit(tmp_path: Path) -> None:
    signal = np.array([[math.nan, -0.0, 5e-324, math.inf], [1.0, 2.0, 3.0, -math.inf]])
    given = prepared_ecg()
    given = replace(given, record=replace(given.record, signal_mv=signal, sampling_rate_hz=math.nan))
    found = through(tmp_path, given)
    assert isinstance(found, PreparedEcg)
    assert found.record.signal_mv.tobytes() == signal.tobytes()
    assert found.record.signal_mv.dtype == signal.dtype
    assert codec.encode(found) == codec.encode(given)


def test_files_are_private_and_gone_after_reading(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_record(tmp_path / "record-1", Limits())
    finally:
        os.umask(before)
    assert (tmp_path / "record-1").stat().st_mode & 0o777 == 0o600
    read_record(tmp_path / "record-1", Limits)
    assert not (tmp_path / "record-1").exists()


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"secret")
    (tmp_path / "link-1").symlink_to(tmp_path / "real")
    (tmp_path / "folder-1").mkdir()
    os.mkfifo(tmp_path / "pipe-1")
    for name in ("link-1", "folder-1", "pipe-1", "missing-1"):
        with pytest.raises(ProtocolError):
            read_bytes(tmp_path / name)
    assert (tmp_path / "real").exists()


def test_a_record_of_another_kind_is_refused(tmp_path: Path) -> None:
    write_record(tmp_path / "record-1", Limits())
    with pytest.raises(ProtocolError):
        read_record(tmp_path / "record-1", PreparedEcg)


def test_mutants_are_records_or_refused(tmp_path: Path) -> None:
    chance = random.Random(2)
    write_record(tmp_path / "whole", prepared_ecg())
    whole = (tmp_path / "whole").read_bytes()
    n_refused = 0
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        data = data[: chance.randrange(len(data))] if chance.random() < 0.3 else data
        (tmp_path / "record-1").write_bytes(data)
        try:
            assert isinstance(read_record(tmp_path / "record-1", PreparedEcg), PreparedEcg)
        except ProtocolError:
            n_refused += 1
    assert n_refused > 100


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    text = b'{"given":' + b"[" * 200_000
    (tmp_path / "record-1").write_bytes(len(text).to_bytes(8, "little") + text)
    with pytest.raises(ProtocolError):
        read_record(tmp_path / "record-1", PreparedSignal)
