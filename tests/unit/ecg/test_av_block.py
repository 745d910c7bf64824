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


def _blocked(make_ecg, add_wave, kind, seed, *, cycle_s=0.8, n_leads=12, duration_s=12.0):
    """The phantom, and how many P waves between two of its beats have no QRS."""
    rng = np.random.default_rng(seed)
    p_s = 0.3 + np.cumsum(cycle_s * (1 + 0.02 * rng.standard_normal(int((duration_s - 1.2) / cycle_s))))
    pattern = _PR_S[kind]
    pr_s = [pattern[i % len(pattern)] for i in range(p_s.size)]
    r_s = np.array([p + pr for p, pr in zip(p_s, pr_s, strict=True) if pr is not None])
    phantom = make_ecg(r_s, duration_s=duration_s, with_p=False, n_leads=n_leads, noise_mv=0.012, drift_mv=0.08)
    for time_s in p_s:
        add_wave(phantom.signal_mv, 500.0, time_s, (0.0, 0.05, 55.0, 0.12))
    return phantom, sum(pr is None and p < r_s[-1] for p, pr in zip(p_s, pr_s, strict=True))


def _dissociated(make_ecg, add_wave, seed, *, n_leads=12, duration_s=10.0):
    """P waves at 75/min and QRS complexes at 41/min."""
    rng = np.random.default_rng(seed)
    r_s = 0.5 + np.cumsum(1.45 * (1 + 0.01 * rng.standard_normal(6)))
    p_s = 0.2 + np.cumsum(0.8 * (1 + 0.02 * rng.standard_normal(int(duration_s / 0.8) - 1)))
    phantom = make_ecg(r_s, duration_s=duration_s, with_p=False, n_leads=n_leads, noise_mv=0.012)
    for time_s in p_s:
        add_wave(phantom.signal_mv, 500.0, time_s, (0.0, 0.05, 55.0, 0.12))
    return phantom


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


@pytest.mark.parametrize("seed", range(4))
def test_conducted_beats_leave_no_p_wave_over(make_ecg, add_wave, prepare, seed):
    phantom, _ = _blocked(make_ecg, add_wave, "sinus", seed)
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


@pytest.mark.parametrize("rr_s", [0.9, 1.3, 1.6])
def test_slow_beats_with_their_own_p_waves_are_not_dissociated(make_ecg, rr_s):
    phantom = make_ecg(np.arange(0.5, 9.5, rr_s), noise_mv=0.012, drift_mv=0.1)
    peaks = phantom.r_idx.astype(int)
    assert own_atrial_cycle_s(phantom.signal_mv, 500.0, peaks, np.full(peaks.size, "N")) is None


def test_a_pause_without_a_p_wave_is_no_block(make_ecg, prepare):
    r_s = np.array([0.5, 1.3, 2.1, 2.9, 4.7, 5.5, 6.3, 7.1, 8.9, 9.7])
    analysis = analyse_ecg(prepare(make_ecg(r_s, noise_mv=0.01)), Metadata())
    assert "second_degree_av_block" not in {s.code for s in analysis.rhythm}


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
