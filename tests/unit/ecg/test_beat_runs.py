"""Supraventricular runs out of letters and times alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pipeline.ecg.beat_runs import RunRules, with_runs

OFF = RunRules(kin_alike=None, early=None, still_fast=0.85, abrupt=False)
EARLY = dataclasses.replace(OFF, early=0.86)
ABRUPT = dataclasses.replace(OFF, abrupt=True)


def _found(letters, rr_s, rules, patternless=None):
    peaks_s = np.cumsum(rr_s)
    none = np.zeros(len(letters), bool)
    return "".join(with_runs(np.array(list(letters)), peaks_s, none if patternless is None else patternless, rules))


def test_a_rule_that_is_off_changes_nothing():
    assert _found("N" * 20 + "S" + "N" * 9, [0.8] * 20 + [0.5] * 10, OFF) == "N" * 20 + "S" + "N" * 9


def test_an_early_beat_begins_a_run_that_ends_with_the_rate():
    rr_s = [0.9] * 12 + [0.6] + [0.6] * 5 + [0.9] * 6
    assert _found("N" * 12 + "S" + "N" * 11, rr_s, EARLY) == "N" * 12 + "S" * 6 + "N" * 6


def test_a_beat_that_is_called_early_but_is_not_begins_no_run():
    assert _found("N" * 12 + "S" + "N" * 11, [0.9] * 24, EARLY) == "N" * 12 + "S" + "N" * 11


@pytest.mark.parametrize(
    ("before_s", "after_s", "is_run"),
    [
        (0.70, 0.56, True),  # 80 %, 107/min
        (0.70, 0.58, False),  # 83 %
        (0.90, 0.62, False),  # 69 %, but 97/min is no tachycardia
        (0.90, 0.59, True),
    ],
)
def test_the_jump_must_reach_a_tachycardia(before_s, after_s, is_run):
    found = _found("N" * 30, [before_s] * 15 + [after_s] * 15, ABRUPT)
    assert found == ("N" * 15 + "S" * 15 if is_run else "N" * 30)


def test_a_rate_that_rises_over_many_beats_is_sinus():
    rr_s = np.concatenate([np.full(12, 0.85), np.linspace(0.85, 0.5, 20), np.full(20, 0.5)])
    assert set(_found("N" * 52, rr_s, ABRUPT)) == {"N"}


def test_the_pause_after_an_ectopic_beat_makes_no_jump():
    letters = "N" * 12 + "VN" * 6 + "N" * 12
    rr_s = [0.58] * 12 + [0.45, 1.1] * 6 + [0.58] * 12
    assert _found(letters, rr_s, ABRUPT) == letters


def test_nothing_is_early_in_fibrillation():
    everywhere = np.ones(30, bool)
    rr_s = [0.9] * 15 + [0.5] * 15
    assert _found("N" * 30, rr_s, ABRUPT, everywhere) == "N" * 30
    assert _found("N" * 15 + "S" + "N" * 14, rr_s, EARLY, everywhere) == "N" * 15 + "S" + "N" * 14


@pytest.mark.parametrize("n", [1, 7, 8, 9])
def test_few_beats_raise_nothing(n):
    assert _found("N" * n, [0.5] * n, ABRUPT) == "N" * n
