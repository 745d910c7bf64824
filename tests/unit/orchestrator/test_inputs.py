"""Which files a run is keyed by, and that no pipe beside them is waited for."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.gates import Limits
from pipeline.records import CardiologyRequest
from pipeline.stages.validation import companions, input_digest


def test_files_that_a_header_names_are_keyed_with_it(tmp_path: Path) -> None:
    header, samples = tmp_path / "100.hea", tmp_path / "100.dat"
    header.write_text("100 1 360 10\n100.dat 16 200\n")
    samples.write_bytes(bytes(20))
    assert companions(header) == sorted([header, samples])
    request = CardiologyRequest(ecg_path=header)
    before = input_digest(request, "ecg", Limits())
    samples.write_bytes(bytes(19) + b"\x01")
    assert input_digest(request, "ecg", Limits()) != before


def test_a_pipe_beside_the_record_is_not_waited_for(tmp_path: Path) -> None:
    header = tmp_path / "100.hea"
    header.write_text("100 1 360 10\n100.dat 16 200\n")
    os.mkfifo(tmp_path / "100b.hea")
    (tmp_path / "100c.hea").symlink_to(tmp_path / "100b.hea")
    assert companions(header) == [header]  # a hang would be the failure
