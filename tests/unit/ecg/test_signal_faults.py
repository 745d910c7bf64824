"""Every fault of a second is named, where it is and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.ecg.preprocessing import prepare_ecg
from pipeline.ecg.signal_faults import MOST_LISTED, fault_stretches
from pipeline.records import SIGNAL_FAULTS, EcgRecord

RATE_HZ = 500
_TIME_S = np.arange(20 * RATE_HZ) / RATE_HZ


def _record(spoil=None):
    """Twenty seconds of two leads; `spoil` changes seconds 8 to 12 of the second one in place."""
    phase_s = np.mod(_TIME_S, 0.8)
    beats = np.exp(-((phase_s - 0.3) ** 2) / (2 * 0.012**2)) + 0.2 * np.exp(-((phase_s - 0.55) ** 2) / 0.003)
    signal = np.stack([beats, 0.8 * beats]) + 0.004 * np.random.default_rng(1).standard_normal((2, _TIME_S.size))
    if spoil is not None:
        spoil(signal[1, 8 * RATE_HZ : 12 * RATE_HZ])
    return EcgRecord(
        signal_mv=signal.astype(np.float32), sampling_rate_hz=float(RATE_HZ), leads=("I", "II"), scaling="phantom"
    )


def _fill(value):
    def spoil(part):
        part[:] = value

    return spoil


def _hum(alone):
    def spoil(part):
        part *= 0.0 if alone else 1.0
        part += 0.9 * np.sin(2 * np.pi * 50.0 * np.arange(part.size) / RATE_HZ)

    return spoil


def _noise(part):
    part += 0.7 * np.random.default_rng(2).standard_normal(part.size)


def _clip(part):
    part[:] = np.where(np.mod(np.arange(part.size), 400) < 200, 1.0, part)


def _wander(part):
    part += 6.0 * np.hanning(part.size)


@pytest.mark.parametrize(
    ("fault", "spoil"),
    [
        ("missing", _fill(np.nan)),
        ("flat", _fill(0.0)),
        ("off", _hum(alone=True)),
        ("mains", _hum(alone=False)),
        ("noise", _noise),
        ("saturated", _clip),
        ("wander", _wander),
    ],
)
def test_each_fault_is_named_where_it_is(fault, spoil):
    found = prepare_ecg(_record(spoil), "").quality
    assert found is not None
    names = [SIGNAL_FAULTS[number] for number in found.fault[1]]
    assert fault in names[9:11]
    assert set(names[:7] + names[13:]) == {"none"}
    assert not found.fault[0].any()


def test_a_unit_that_lies_is_named():
    record = _record()
    found = prepare_ecg(replace(record, signal_mv=record.signal_mv * np.float32([[1.0], [1000.0]])), "")
    assert found.lead_usable.tolist() == [True, False]
    assert found.quality is not None
    assert set(found.quality.fault[1]) == {SIGNAL_FAULTS.index("unit")}
    assert found.quality.reasons == (None, "its values are larger than any ECG")
    assert any("Lead II was left out: its values are larger than any ECG" in r.text for r in found.remarks)


def test_a_good_record_and_a_pause_have_no_fault():
    def pause(part):
        part[:] = 0.004 * np.random.default_rng(3).standard_normal(part.size)

    for record in (_record(), _record(pause)):
        found = prepare_ecg(record, "").quality
        assert found is not None
        assert not found.fault.any()


def test_stretches_are_told_in_time_and_not_too_many():
    fault = np.zeros(200, np.uint8)
    fault[10:15] = SIGNAL_FAULTS.index("noise")
    fault[15:17] = SIGNAL_FAULTS.index("flat")
    assert fault_stretches(fault) == [("noise", 10, 15), ("flat", 15, 17)]
    fault[100::2] = SIGNAL_FAULTS.index("missing")
    found = fault_stretches(fault)
    assert len(found) == MOST_LISTED
    assert found[:2] == [("noise", 10, 15), ("flat", 15, 17)]
