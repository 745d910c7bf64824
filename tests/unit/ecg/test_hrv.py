from __future__ import annotations

import numpy as np
import pytest

from pipeline.ecg import hrv

TEN_S = {"rmssd", "sdnn"}
MINUTE = TEN_S | {"pnn50", "hf"}
TWO_MINUTES = MINUTE | {"lf", "lf_hf"}
FIVE_MINUTES = TWO_MINUTES | {"vlf", "dfa_alpha1", "sample_entropy"}
TWENTY_MINUTES = FIVE_MINUTES | {"triangular_index"}
DAY = TWENTY_MINUTES | {"sdann", "ulf"}
NAMES = tuple(hrv.LEAST_RECORD_S)


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


def _swinging(frequency_hz, swing_ms, duration_s, mean_ms=800.0):
    """Intervals that swing as a sine of the time at which they end."""
    time_s, rr_s = 0.5, []
    while time_s < duration_s:
        rr_s.append((mean_ms + swing_ms * np.sin(2 * np.pi * frequency_hz * time_s)) / 1000.0)
        time_s += rr_s[-1]
    return _normal(rr_s)


@pytest.mark.parametrize(("frequency_hz", "swing_ms"), [(0.1, 30.0), (0.25, 20.0)])
def test_time_domain_of_a_known_oscillation(frequency_hz, swing_ms):
    """A sine of amplitude A has SDNN A/sqrt(2) and RMSSD sqrt(2) A sin(pi f RR)."""
    intervals = _swinging(frequency_hz, swing_ms, 600)
    assert hrv.sdnn_ms(intervals) == pytest.approx(swing_ms / np.sqrt(2), rel=0.03)
    assert hrv.rmssd_ms(intervals) == pytest.approx(
        np.sqrt(2) * swing_ms * np.sin(np.pi * frequency_hz * 0.8), rel=0.03
    )


def test_time_domain_agrees_with_neurokit2():
    import neurokit2

    rr_s = np.random.default_rng(4).normal(0.8, 0.05, 400)
    intervals = _normal(rr_s)
    theirs = neurokit2.hrv_time({"RRI": intervals.nn_ms, "RRI_Time": intervals.end_s}).iloc[0]
    assert hrv.rmssd_ms(intervals) == pytest.approx(theirs["HRV_RMSSD"])
    assert hrv.sdnn_ms(intervals) == pytest.approx(theirs["HRV_SDNN"])
    n_pairs, n_intervals = intervals.pair.sum(), intervals.nn_ms.size  # neurokit2 divides by the intervals
    assert hrv.pnn50_pct(intervals) * n_pairs / n_intervals == pytest.approx(theirs["HRV_pNN50"])


def test_the_split_of_two_oscillations():
    """Swings of 30 ms at 0.1 Hz and 15 ms at 0.25 Hz: LF 450, HF 112 ms², ratio 4."""
    time_s, rr_s = 0.5, []
    while time_s < 600:
        rr_s.append(0.8 + 0.03 * np.sin(2 * np.pi * 0.1 * time_s) + 0.015 * np.sin(2 * np.pi * 0.25 * time_s))
        time_s += rr_s[-1]
    powers = hrv.band_powers_ms2(_normal(rr_s))
    assert powers["lf"] / powers["hf"] == pytest.approx(4.0, rel=0.15)


def test_sdann_by_hand():
    """Two five-minute parts at 800 ms and two at 1000 ms: the means differ by 200 ms."""
    parts = [0.8] * 375 + [1.0] * 300
    assert hrv.sdann_ms(_normal(parts * 2)) == pytest.approx(np.std([800, 1000, 800, 1000], ddof=1), rel=0.02)


def test_ulf_of_a_slow_swing():
    """A swing of 40 ms in 1000 s has a power of 800 ms²; one in 100 s lies beyond the band."""
    assert hrv.ulf_power_ms2(_swinging(0.001, 40.0, 20_000)) == pytest.approx(800, rel=0.05)
    assert hrv.ulf_power_ms2(_swinging(0.01, 40.0, 20_000)) < 20


def test_fluctuation_of_white_and_of_summed_noise():
    """White noise has an exponent near 0.5, its sum near 1.5, less over so few beats."""
    noise = np.random.default_rng(2).normal(0, 1, 2000)
    assert hrv.dfa_alpha1(_normal(0.8 + 0.02 * noise)) == pytest.approx(0.5, abs=0.1)
    walk = np.cumsum(noise)
    assert hrv.dfa_alpha1(_normal(0.8 + 0.1 * walk / np.abs(walk).max())) == pytest.approx(1.4, abs=0.15)


def test_the_exponent_is_that_of_neurokit():
    import neurokit2

    rng = np.random.default_rng(5)
    for n_beats in (60, 300, 1500):
        intervals = _normal(0.8 + 0.03 * rng.standard_normal(n_beats) + 0.05 * np.sin(np.arange(n_beats) / 3))
        theirs = neurokit2.fractal_dfa(intervals.nn_ms, scale=np.arange(4, 17), multifractal=False)[0]
        assert hrv.dfa_alpha1(intervals) == pytest.approx(theirs, abs=1e-9)
    assert np.isnan(hrv.dfa_alpha1(_normal(np.full(300, 0.8))))


def test_entropy_of_the_predictable_and_the_random():
    """White noise of unit variance: -ln P(|x - y| < 0.2) = -ln erf(0.1); a period of two repeats itself."""
    from math import erf, log

    noise = np.random.default_rng(5).normal(0, 1, 1500)
    assert hrv.sample_entropy(_normal(0.8 + 0.02 * noise)) == pytest.approx(-log(erf(0.1)), rel=0.1)
    assert hrv.sample_entropy(_normal([0.8, 0.82] * 300)) < 0.05


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
        (9.9, TEN_S),
        (59.0, TEN_S),
        (60.0, MINUTE),
        (119.0, MINUTE),
        (120.0, TWO_MINUTES),
        (299.0, TWO_MINUTES),
        (300.0, FIVE_MINUTES),
        (1199.0, FIVE_MINUTES),
        (1200.0, TWENTY_MINUTES),
        (20 * 3600.0, TWENTY_MINUTES),
        (22 * 3600.0, DAY),
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
