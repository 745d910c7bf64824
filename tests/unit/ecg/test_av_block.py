"""Blocked P waves and dissociated atria in phantoms whose P waves are drawn apart from their beats."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.ecg.analysis import analyse_ecg
from pipeline.ecg.atrial_waves import blocked_p_waves, own_atrial_cycle_s
from pipeline.ecg.rhythm import RhythmFacts, rhythm_statements
from pipeline.records import Metadata

_PR_S = {  # PR of one P wave after the other; None: no QRS follows
    "sinus": (0.17,),
    "wenckebach": (0.16, 0.22, 0.26, None),
    "mobitz_2": (0.18, 0.18, 0.18, 0.18, None),
    "two_to_one": (0.17, None),
    "advanced": (0.17, 0.17, 0.17, None, None),
}

_LOOKS = {  # direction and height of P, further waves of every QRS, rate in Hz, mains hum in mV
    "usual": (55.0, 0.12, (), 500.0, 0.0),
    "bundle branch block": (55.0, 0.12, ((0.06, 0.035, 170.0, 0.6),), 500.0, 0.0),
    "small P of another direction": (20.0, 0.09, (), 500.0, 0.0),
    "tall T, 250 Hz, hum": (60.0, 0.14, ((0.29, 0.09, 40.0, 0.4),), 250.0, 0.03),
}


def _drawn(make_ecg, add_wave, p_s, r_s, look, *, n_leads, duration_s, letters=None):
    """Beats at `r_s` and P waves that begin at `p_s` apart from them."""
    direction, height, further, rate_hz, hum_mv = _LOOKS[look]
    phantom = make_ecg(
        r_s,
        duration_s=duration_s,
        with_p=False,
        n_leads=n_leads,
        noise_mv=0.012,
        drift_mv=0.08,
        rate_hz=rate_hz,
        letters=letters,
    )
    for time_s in p_s:
        add_wave(phantom.signal_mv, rate_hz, time_s, (0.0, 0.05, direction, height))
    for time_s in r_s:
        for wave in further:
            add_wave(phantom.signal_mv, rate_hz, time_s, wave)
    phantom.signal_mv[:] += hum_mv * np.sin(2 * np.pi * 50.0 * np.arange(phantom.signal_mv.shape[1]) / rate_hz)
    return phantom


def _blocked(make_ecg, add_wave, kind, seed, *, cycle_s=0.8, n_leads=12, duration_s=12.0, look="usual"):
    """The phantom, and how many P waves between two of its beats have no QRS."""
    rng = np.random.default_rng(seed)
    p_s = 0.3 + np.cumsum(cycle_s * (1 + 0.02 * rng.standard_normal(int((duration_s - 1.2) / cycle_s))))
    pattern = _PR_S[kind]
    pr_s = [pattern[i % len(pattern)] for i in range(p_s.size)]
    r_s = np.array([p + pr for p, pr in zip(p_s, pr_s, strict=True) if pr is not None])
    phantom = _drawn(make_ecg, add_wave, p_s, r_s, look, n_leads=n_leads, duration_s=duration_s)
    return phantom, sum(pr is None and p < r_s[-1] for p, pr in zip(p_s, pr_s, strict=True))


def _dissociated(
    make_ecg, add_wave, seed, *, n_leads=12, duration_s=10.0, rr_s=1.45, cycle_s=0.8, look="usual", letter="N"
):
    """P waves at 75/min and QRS complexes at 41/min, unless said otherwise."""
    rng = np.random.default_rng(seed)
    steps_s = rr_s * (1 + 0.01 * rng.standard_normal(int((duration_s - 1.0) / rr_s)))
    r_s = 0.7 + np.concatenate([[0.0], np.cumsum(steps_s)])
    p_s = 0.2 + np.cumsum(cycle_s * (1 + 0.02 * rng.standard_normal(int(duration_s / cycle_s) - 1)))
    return _drawn(make_ecg, add_wave, p_s, r_s, look, n_leads=n_leads, duration_s=duration_s, letters=letter * r_s.size)


@pytest.mark.parametrize("n_leads", [2, 12])
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("wenckebach", "Wenckebach"),
        ("mobitz_2", "Mobitz type II"),
        ("two_to_one", "Two to one"),
        ("advanced", "Advanced"),
    ],
)
def test_each_kind_is_told(make_ecg, add_wave, prepare, kind, words, n_leads):
    told = 0
    for seed in range(3):
        cycle_s = 0.62 if kind == "two_to_one" else 0.8
        phantom, n_blocked = _blocked(make_ecg, add_wave, kind, seed, cycle_s=cycle_s, n_leads=n_leads)
        analysis = analyse_ecg(prepare(phantom), Metadata())
        found = [s for s in analysis.rhythm if s.code == "second_degree_av_block"]
        assert len(found) == 1
        assert 0.0 < found[0].start_s < found[0].end_s <= 12.0
        assert 0.6 * n_blocked <= int(found[0].evidence.split()[0]) <= n_blocked
        told += words in found[0].text
    assert told >= 2


@pytest.mark.parametrize("look", [look for look in _LOOKS if look != "usual"])
@pytest.mark.parametrize(
    ("kind", "words"),
    [("wenckebach", "Wenckebach"), ("mobitz_2", "Mobitz type II")],
)
def test_each_kind_is_told_in_other_looks(make_ecg, add_wave, prepare, kind, words, look):
    told = 0  # one phantom of a bundle branch block looks like flutter: its late wave, T and P follow in equal steps
    for seed in range(3):
        phantom, n_blocked = _blocked(make_ecg, add_wave, kind, seed, look=look)
        found = [s for s in analyse_ecg(prepare(phantom), Metadata()).rhythm if s.code == "second_degree_av_block"]
        assert len(found) <= 1
        told += any(words in s.text and 1 <= int(s.evidence.split()[0]) <= n_blocked for s in found)
    assert told >= 2


@pytest.mark.parametrize("look", list(_LOOKS))
@pytest.mark.parametrize("seed", range(2))
def test_conducted_beats_leave_no_p_wave_over(make_ecg, add_wave, prepare, seed, look):
    phantom, _ = _blocked(make_ecg, add_wave, "sinus", seed, look=look)
    codes = {s.code for s in analyse_ecg(prepare(phantom), Metadata()).rhythm}
    assert "sinus" in codes
    assert not codes & {"second_degree_av_block", "av_dissociation", "junctional"}


@pytest.mark.parametrize("n_leads", [1, 3, 12])
@pytest.mark.parametrize("seed", range(3))
def test_dissociated_atria_are_found_with_their_cycle(make_ecg, add_wave, prepare, n_leads, seed):
    phantom = _dissociated(make_ecg, add_wave, seed, n_leads=n_leads)
    analysis = analyse_ecg(prepare(phantom), Metadata())
    found = next(s for s in analysis.rhythm if s.code == "av_dissociation")
    atria_bpm = float(found.evidence.split("at ")[1].split("/")[0])
    assert atria_bpm == pytest.approx(75.0, rel=0.06)
    assert "sinus" not in {s.code for s in analysis.rhythm}


@pytest.mark.parametrize(
    ("look", "letter", "rr_s", "cycle_s"),
    [
        ("usual", "V", 1.75, 0.8),  # a wide escape rhythm at 34/min
        ("bundle branch block", "N", 1.6, 0.7),
        ("small P of another direction", "N", 1.3, 0.62),
        ("tall T, 250 Hz, hum", "N", 1.5, 0.85),
    ],
)
def test_dissociation_in_other_looks(make_ecg, add_wave, prepare, look, letter, rr_s, cycle_s):
    found = 0
    for seed in range(3):
        phantom = _dissociated(make_ecg, add_wave, seed, rr_s=rr_s, cycle_s=cycle_s, look=look, letter=letter)
        statements = {s.code: s for s in analyse_ecg(prepare(phantom), Metadata()).rhythm}
        assert "sinus" not in statements
        if "av_dissociation" in statements:
            atria_bpm = float(statements["av_dissociation"].evidence.split("at ")[1].split("/")[0])
            found += atria_bpm == pytest.approx(60.0 / cycle_s, rel=0.06)
    assert found >= 2


def _high_block(analysis):
    return {s.code for s in analysis.rhythm} & {"second_degree_av_block", "av_dissociation"}


def test_an_early_p_wave_without_a_qrs_is_no_second_degree_block(make_ecg, add_wave, prepare):
    """A blocked premature atrial beat: its P wave comes before its time, and the node begins anew."""
    r_s = np.array([0.6, 1.4, 2.2, 3.0, 4.2, 5.0, 5.8, 6.6, 7.8, 8.6, 9.4, 10.2])
    p_s = np.concatenate([r_s - 0.17, [3.4, 7.0]])
    phantom = _drawn(make_ecg, add_wave, p_s, r_s, "usual", n_leads=12, duration_s=11.0)
    assert not _high_block(analyse_ecg(prepare(phantom), Metadata()))


def test_sinus_arrhythmia_and_ventricular_pauses_are_no_block(make_ecg, add_wave, prepare):
    rr_s = 0.85 + 0.15 * np.sin(2 * np.pi * np.arange(13) / 4.5)
    r_s = 0.6 + np.cumsum(rr_s)
    breathing = _drawn(make_ecg, add_wave, r_s - 0.17, r_s, "usual", n_leads=12, duration_s=12.5)
    assert not _high_block(analyse_ecg(prepare(breathing), Metadata()))
    r_s = np.array([0.6, 1.4, 2.2, 2.7, 3.8, 4.6, 5.4, 5.9, 7.0, 7.8, 8.6, 9.4])
    early = _drawn(
        make_ecg,
        add_wave,
        0.43 + 0.8 * np.arange(12),  # the sinus node goes on; the P wave after the early beat lies in its T wave
        r_s,
        "usual",
        n_leads=12,
        duration_s=10.2,
        letters="NNNVNNNVNNNN",
    )
    assert not _high_block(analyse_ecg(prepare(early), Metadata()))


@pytest.mark.parametrize("rr_s", [0.9, 1.3, 1.6])
def test_slow_beats_with_their_own_p_waves_are_not_dissociated(make_ecg, rr_s):
    phantom = make_ecg(np.arange(0.5, 9.5, rr_s), noise_mv=0.012, drift_mv=0.1)
    peaks = phantom.r_idx.astype(int)
    assert own_atrial_cycle_s(phantom.signal_mv, 500.0, peaks, np.full(peaks.size, "N")) is None


def test_a_pause_without_a_p_wave_is_no_block(make_ecg, prepare):
    r_s = np.array([0.5, 1.3, 2.1, 2.9, 4.7, 5.5, 6.3, 7.1, 8.9, 9.7])
    analysis = analyse_ecg(prepare(make_ecg(r_s, noise_mv=0.01)), Metadata())
    assert "second_degree_av_block" not in {s.code for s in analysis.rhythm}


def test_a_beat_in_the_last_samples_is_no_error(make_ecg, add_wave):
    from pipeline.ecg.delineation import delineate

    phantom, _ = _blocked(make_ecg, add_wave, "mobitz_2", 0)
    signal_mv = phantom.signal_mv[:, :5999]
    peaks = np.append(phantom.r_idx.astype(int)[phantom.r_idx < 5500], 5998)
    classes = np.full(peaks.size, "N")
    waves = delineate(signal_mv, 500.0, peaks)
    assert blocked_p_waves(signal_mv, 500.0, peaks, classes, waves).any()


def test_without_leads_or_p_waves_nothing_is_said(make_ecg, fibrillating):
    from pipeline.ecg.delineation import delineate

    peaks = fibrillating.r_idx.astype(int)
    classes = np.full(peaks.size, "N")
    waves = delineate(fibrillating.signal_mv, 500.0, peaks)
    assert not blocked_p_waves(fibrillating.signal_mv, 500.0, peaks, classes, waves).any()
    empty = np.full_like(fibrillating.signal_mv, np.nan)
    assert own_atrial_cycle_s(empty, 500.0, np.arange(500, 10_000, 600), np.full(16, "N")) is None


def _facts(rr_s, **changes):
    peaks_s = np.concatenate([[0.5], 0.5 + np.cumsum(rr_s)])
    n = peaks_s.size
    values = {
        "peaks_s": peaks_s,
        "classes": np.full(n, "N"),
        "af_beats": np.zeros(n, bool),
        "has_p": np.ones(n, bool),
        "pr_ms": 160.0,
        "qrs_ms": 90.0,
        "record_s": float(peaks_s[-1] + 0.5),
    }
    return RhythmFacts(**(values | changes))


def test_a_long_pr_is_told_for_its_stretch():
    pr_ms = np.full(101, 160.0)
    pr_ms[30:70] = 240.0
    found = [
        s
        for s in rhythm_statements(_facts([0.8] * 100, beat_pr_ms=pr_ms, pr_ms=170.0))
        if s.code == "first_degree_av_block"
    ]
    assert len(found) == 1
    assert found[0].start_s == pytest.approx(0.5 + 30 * 0.8, abs=0.01)
    assert found[0].end_s == pytest.approx(0.5 + 69 * 0.8, abs=0.01)
    assert "240 ms" in found[0].evidence


def test_dropped_beats_far_apart_are_told_apart():
    blocked = np.zeros(101, np.uint8)
    blocked[[10, 12, 80]] = 1
    found = [s for s in rhythm_statements(_facts([0.8] * 100, blocked_p=blocked)) if s.code == "second_degree_av_block"]
    assert [(s.start_s, s.end_s) for s in found] == [(8.5, 10.9), (64.5, 65.3)]


def test_blocked_waves_in_fibrillation_are_not_believed():
    blocked = np.zeros(21, np.uint8)
    blocked[10] = 1
    codes = {s.code for s in rhythm_statements(_facts([0.8] * 20, blocked_p=blocked, af_beats=np.ones(21, bool)))}
    assert "second_degree_av_block" not in codes
