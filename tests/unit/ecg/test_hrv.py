from __future__ import annotations

import numpy as np
import pytest

from pipeline.ecg import hrv

NAMES = ("rmssd", "sdnn", "pnn50", "hf", "lf", "lf_hf", "vlf", "triangular_index")


def _peaks(rr_s):
    return np.round(1000 * np.concatenate([[0.5], 0.5 + np.cumsum(rr_s)])).astype(np.int64)


def _normal(rr_s, letters=None):
    peaks = _peaks(np.asarray(rr_s, float))
    return hrv.normal_intervals(peaks, 1000.0, np.array(list(letters or "N" * peaks.size)))


def _refusal(name, record_s=3600.0, **changes):
    steady = _normal(np.full(int(record_s / 0.8), 0.8))
    facts = {"ectopic_share": 0.0, "af_share": 0.0, "paced": False} | changes
    return hrv.refusal(name, steady, record_s=record_s, **facts)


def test_time_domain_by_hand():
    intervals = _normal([0.80, 0.86, 0.80, 0.81])
    assert hrv.rmssd_ms(intervals) == pytest.approx(np.sqrt((60**2 + 60**2 + 10**2) / 3))
    assert hrv.sdnn_ms(intervals) == pytest.approx(np.std([800, 860, 800, 810], ddof=1))
    assert hrv.pnn50_pct(intervals) == pytest.approx(200 / 3)


def test_triangular_index_by_hand():
    assert hrv.triangular_index(_normal([0.8] * 6 + [0.9] * 3)) == pytest.approx(9 / 6)


def test_an_ectopic_beat_takes_both_its_intervals_and_breaks_the_pairs():
    intervals = _normal([0.8, 0.8, 0.5, 1.1, 0.8, 0.8], letters="NNNVNNN")
    np.testing.assert_allclose(intervals.nn_ms, [800] * 4)
    np.testing.assert_array_equal(intervals.pair, [False, True, False, True])


def test_a_missed_beat_is_left_out():
    intervals = _normal([0.8] * 10 + [1.6] + [0.8] * 10)
    assert intervals.nn_ms.max() == pytest.approx(800)


def test_no_beats_give_no_intervals():
    assert hrv.normal_intervals(np.array([5]), 500.0, np.array(["N"])).nn_ms.size == 0


@pytest.mark.parametrize(
    ("record_s", "given"),
    [
        (9.0, set()),
        (9.9, {"rmssd", "sdnn"}),
        (59.0, {"rmssd", "sdnn"}),
        (60.0, {"rmssd", "sdnn", "pnn50", "hf"}),
        (120.0, {"rmssd", "sdnn", "pnn50", "hf", "lf", "lf_hf"}),
        (300.0, {"rmssd", "sdnn", "pnn50", "hf", "lf", "lf_hf", "vlf"}),
        (1200.0, set(NAMES)),
    ],
)
def test_the_gates_by_duration(record_s, given):
    assert {name for name in NAMES if _refusal(name, record_s) is None} == given


@pytest.mark.parametrize(
    ("changes", "word"),
    [({"af_share": 0.01}, "fibrillation"), ({"paced": True}, "paced"), ({"ectopic_share": 0.11}, "ectopic")],
)
@pytest.mark.parametrize("name", NAMES)
def test_refused_where_it_does_not_apply(name, changes, word):
    assert word in _refusal(name, **changes)


def test_refused_where_most_of_the_record_is_not_normal():
    intervals = _normal([0.8] * 20)
    reason = hrv.refusal("rmssd", intervals, record_s=60.0, ectopic_share=0.0, af_share=0.0, paced=False)
    assert reason == "Too much of the record lies outside normal beats."


@pytest.mark.parametrize(("frequency_hz", "band"), [(0.02, "vlf"), (0.1, "lf"), (0.25, "hf")])
def test_power_of_a_known_oscillation(frequency_hz, band):
    """RR that swings by 30 ms has a power of 450 ms², all of it in its own band."""
    time_s, rr_s = 0.5, []
    while time_s < 420:
        rr_s.append(0.8 + 0.03 * np.sin(2 * np.pi * frequency_hz * time_s))
        time_s += rr_s[-1]
    powers = hrv.band_powers_ms2(_normal(rr_s))
    assert powers.pop(band) == pytest.approx(450, rel=0.06)
    assert max(powers.values()) < 15
