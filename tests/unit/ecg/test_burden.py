from __future__ import annotations

import numpy as np
import pytest

from pipeline.ecg.burden import burden
from pipeline.records import Source


def _burden(letters, read_s):
    return {m.name: m for m in burden(np.array(list(letters)), read_s, lambda beats: Source(beat_idx=tuple(beats)))}


def test_counts_shares_and_hourly_figures_by_hand():
    found = _burden("N" * 1900 + "V" * 60 + "S" * 40, 1800.0)
    assert {name: m.value for name, m in found.items()} == {
        "pvc_count": 60.0,
        "pac_count": 40.0,
        "pvc_burden": 3.0,
        "pac_burden": 2.0,
        "pvc_per_hour": 120.0,
        "pac_per_hour": 80.0,
    }
    assert found["pvc_burden"].source.beat_idx[0] == 1900


@pytest.mark.parametrize("read_s", [10.0, 599.0])
def test_no_hourly_figure_from_a_short_record(read_s):
    found = _burden("NNVN", read_s)
    assert found["pvc_burden"].value == 25.0
    assert found["pvc_per_hour"].value is None
    assert f"Only {read_s:.0f} s" in (found["pvc_per_hour"].reason or "")


def test_no_beats_are_no_burden():
    assert _burden("", 10.0)["pvc_burden"].value == 0.0
