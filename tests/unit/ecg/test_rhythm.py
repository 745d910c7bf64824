from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pipeline.ecg.fibrillation import fibrillation, rr_irregularity
from pipeline.ecg.rhythm import RhythmFacts, af_burden, rhythm_statements, runs


def _facts(rr_s, letters=None, **changes):
    peaks_s = np.concatenate([[0.5], 0.5 + np.cumsum(rr_s)])
    n = peaks_s.size
    facts = RhythmFacts(
        peaks_s=peaks_s,
        classes=np.array(list(letters or "N" * n)),
        af_beats=np.zeros(n, bool),
        has_p=np.ones(n, bool),
        pr_ms=160.0,
        qrs_ms=90.0,
        record_s=float(peaks_s[-1] + 0.5),
    )
    return dataclasses.replace(facts, **changes)


def _codes(facts):
    return [statement.code for statement in rhythm_statements(facts)]


def test_plain_sinus_rhythm():
    statements = rhythm_statements(_facts([0.8] * 12))
    assert [s.code for s in statements] == ["sinus"]
    assert (statements[0].start_s, statements[0].end_s) == (0.0, 10.6)
    assert "100 %" in statements[0].evidence


@pytest.mark.parametrize(
    ("rr_s", "code"), [(1.001, "bradycardia"), (0.999, None), (0.601, None), (0.599, "tachycardia")]
)
def test_rate_limits(rr_s, code):
    assert _codes(_facts([rr_s] * 12)) == ["sinus"] + ([code] if code else [])


def test_no_sinus_rhythm_without_p_waves():
    assert "sinus" not in _codes(_facts([0.8] * 12, has_p=np.zeros(13, bool)))


def test_every_pause_is_named_where_it_is():
    statements = rhythm_statements(_facts([0.9] * 5 + [2.01] + [0.9] * 4 + [2.0] + [0.9] * 3))
    pauses = [s for s in statements if s.code == "pause"]
    assert [(p.start_s, p.end_s) for p in pauses] == [(5.0, 7.01)]
    assert "2.01 s" in pauses[0].evidence


def test_very_many_pauses_become_one_statement():
    pauses = [s for s in rhythm_statements(_facts([0.9, 2.5] * 25)) if s.code == "pause"]
    assert len(pauses) == 1
    assert pauses[0].evidence == "25 times; the first: No beat for 2.50 s."
    assert (pauses[0].start_s, pauses[0].end_s) == (1.4, 85.5)


def test_ectopics_are_counted():
    statements = rhythm_statements(_facts([0.8] * 12, letters="NNVNNNNSNNNNN"))
    ectopics = next(s for s in statements if s.code == "ectopics")
    assert ectopics.evidence == "1 ventricular and 1 supraventricular beats among 13."


def test_couplets_and_runs():
    codes = _codes(_facts([0.8] * 12, letters="NVVNNNVVVNNNN"))
    assert codes.count("ventricular_couplet") == 1
    assert codes.count("ventricular_run") == 1


def test_bigeminy_needs_three_pairs():
    assert "ventricular_bigeminy" not in _codes(_facts([0.8] * 12, letters="NNNNVNVNNNNNN"))
    statements = rhythm_statements(_facts([0.8] * 12, letters="NNNNVNVNVNNNN"))
    bigeminy = next(s for s in statements if s.code == "ventricular_bigeminy")
    assert "Every second of 7 beats" in bigeminy.evidence
    assert (bigeminy.start_s, bigeminy.end_s) == (2.9, 7.7)


@pytest.mark.parametrize(("qrs_ms", "wide"), [(None, False), (119.9, False), (120.0, True)])
def test_wide_qrs(qrs_ms, wide):
    assert ("wide_qrs" in _codes(_facts([0.8] * 12, qrs_ms=qrs_ms))) is wide


@pytest.mark.parametrize(("pr_ms", "long"), [(None, False), (200.0, False), (201.0, True)])
def test_first_degree_block(pr_ms, long):
    assert ("first_degree_av_block" in _codes(_facts([0.8] * 12, pr_ms=pr_ms))) is long


def test_irregular_normal_beats():
    assert "irregular" in _codes(_facts([0.7, 0.9] * 6))
    assert "irregular" not in _codes(_facts([0.78, 0.82] * 6))


def test_suspected_fibrillation_replaces_sinus_and_irregular():
    af = np.zeros(13, bool)
    af[2:] = True
    statements = rhythm_statements(_facts([0.6, 0.9, 0.7] * 4, af_beats=af))
    assert [s.code for s in statements] == ["af_suspected"]
    assert statements[0].start_s == 2.0
    assert "11 beats (85 % of all beats)" in statements[0].evidence


@pytest.mark.parametrize("n_beats", [0, 1, 2])
def test_too_few_beats_say_nothing(n_beats):
    facts = _facts([0.8] * 2)
    few = dataclasses.replace(
        facts, peaks_s=facts.peaks_s[:n_beats], classes=facts.classes[:n_beats], af_beats=facts.af_beats[:n_beats]
    )
    assert rhythm_statements(few) == ()


def test_runs():
    assert runs(np.array([True, True, False, True])) == [(0, 1), (3, 3)]
    assert runs(np.zeros(3, bool)) == []


def test_fibrillation_is_found(fibrillating):
    called = af_burden(fibrillating.r_idx.astype(int), 500.0, fibrillating.signal_mv)
    assert called.dtype == bool
    assert called.all()


def test_sinus_rhythm_is_not_fibrillation(sinus):
    assert not af_burden(sinus.r_idx.astype(int), 500.0, sinus.signal_mv).any()


def test_irregular_beats_with_p_waves_are_not_fibrillation(make_ecg):
    rng = np.random.default_rng(4)
    phantom = make_ecg(0.5 + np.cumsum(rng.uniform(0.5, 1.2, 40)), n_leads=3, noise_mv=0.01)
    peaks = phantom.r_idx.astype(int)
    assert af_burden(peaks, 500.0).all()
    assert not af_burden(peaks, 500.0, phantom.signal_mv).any()


@pytest.mark.parametrize("pattern", [[0.5, 1.1], [0.8, 0.5, 1.1], [0.7, 0.8, 0.5, 1.1]])
def test_a_repeating_pattern_is_not_fibrillation(pattern):
    peaks = np.cumsum(pattern * 15) * 500
    assert rr_irregularity(peaks, 500.0).max() < 0.01
    assert not fibrillation(peaks.astype(int), 500.0, None).any()


def test_an_episode_is_found_where_it_is():
    rng = np.random.default_rng(6)
    rr_s = np.concatenate([rng.normal(0.8, 0.01, 150), rng.uniform(0.4, 1.1, 150), rng.normal(0.8, 0.01, 150)])
    called = fibrillation(np.round(np.cumsum(rr_s) * 1000).astype(int), 1000.0, None)
    assert called[170:280].all()
    assert not called[:130].any()
    assert not called[320:].any()


@pytest.mark.parametrize("n_beats", [0, 1, 2, 6])
def test_few_beats_are_never_called(n_beats):
    peaks = np.cumsum(np.tile([300, 600], 5))[:n_beats]
    assert af_burden(peaks, 500.0, np.zeros((1, 6000))).tolist() == [False] * n_beats
