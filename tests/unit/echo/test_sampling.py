"""Slow clips: what their frames hide lies in the interval, and their phases are within a frame."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pipeline.echo.analysis import analyse_echo
from pipeline.echo.cardiac_cycle import TOO_SLOW
from pipeline.echo.detection import detect_chambers
from pipeline.echo.sampling import hidden_beyond, widened
from pipeline.records import EchoAnalysis, Metadata

ED, ES = (90.0, 25.2), (75.0, 17.8)
BPM = 72.0
PERIOD_S, SYSTOLE_S = 60 / BPM, 0.35 * 60 / BPM
DRAWING_POINTS = 0.5
"""The phantom is drawn in whole pixels."""


def found_in(phantoms: Any, rate_hz: float, start_phase: float) -> EchoAnalysis:
    heart = phantoms.beating(n_frames=round(2.6 * rate_hz), rate_hz=rate_hz, start_phase=start_phase)
    cine = phantoms.cine(heart.labels, heart.times_s)
    return analyse_echo((cine,), (detect_chambers(cine, phantoms.segmenter(heart.labels)),), Metadata())


@pytest.mark.parametrize(
    ("rate_hz", "start_phase"),
    [(80.0, 0.88), (40.0, 0.88), *((rate_hz, phase) for rate_hz in (20.0, 10.0) for phase in (0.80, 0.84, 0.88, 0.92))],
)
def test_the_truth_lies_within_what_the_frames_hide(phantoms: Any, rate_hz: float, start_phase: float) -> None:
    edv, esv = phantoms.volume_ml(*ED), phantoms.volume_ml(*ES)
    analysis = found_in(phantoms, rate_hz, start_phase)
    found = {m.name: m for m in analysis.measurements}
    true_pct, lvef = 100 * (1 - esv / edv), found["lvef"]
    assert lvef.interval is not None
    assert lvef.interval[0] <= true_pct <= lvef.interval[1]
    # The part of the interval that the sampling adds must hold the truth by itself
    added = lvef.interval[1] - lvef.value - (lvef.value - lvef.interval[0])
    assert added >= 0
    assert lvef.value - 1.5 <= true_pct <= lvef.value + added + DRAWING_POINTS
    half_beat_s = PERIOD_S / 2
    for beat in (each for each in analysis.cines[0].beats if each.excluded is None):
        ed_s, es_s = (start_phase * PERIOD_S + i / rate_hz for i in (beat.ed_idx, beat.es_idx))
        assert abs((ed_s + half_beat_s) % PERIOD_S - half_beat_s) <= 1.01 / rate_hz
        assert abs((es_s - SYSTOLE_S + half_beat_s) % PERIOD_S - half_beat_s) <= 1.01 / rate_hz


@pytest.mark.parametrize("rate_hz", [5.0, 2.0])
def test_too_few_frames_a_second_are_withheld(phantoms: Any, rate_hz: float) -> None:
    analysis = found_in(phantoms, rate_hz, 0.9)
    lvef = next(m for m in analysis.measurements if m.name == "lvef")
    assert (lvef.value, lvef.reason) == (None, TOO_SLOW)


def test_fewer_frames_widen_the_interval(phantoms: Any) -> None:
    widths = []
    for rate_hz in (40.0, 20.0, 10.0):
        found = {m.name: m for m in found_in(phantoms, rate_hz, 0.88).measurements}
        widths.append([found[name].interval[1] - found[name].interval[0] for name in ("lvef", "edv", "esv", "gls")])
    assert (np.diff(widths, axis=0) > 0).all()


@pytest.mark.parametrize("offset", np.linspace(-0.5, 0.5, 5))
def test_a_parabola_hides_what_its_bend_says(offset: float) -> None:
    times_s = (np.arange(7) - 3 + offset) * 0.1
    hidden = hidden_beyond(5 * times_s**2, times_s, 3)
    assert hidden == pytest.approx(5 * 0.1**2 / 4)
    assert hidden >= (5 * times_s[3] ** 2) - 1e-12


def test_what_is_missing_hides_nothing() -> None:
    assert hidden_beyond(np.array([1.0, 2.0]), np.array([0.0, 0.1]), 0) == 0
    assert hidden_beyond(np.full(5, math.nan), np.arange(5.0), 2) == 0
    assert hidden_beyond(np.array([4.0, 1.0, 0.0, 1.0]), np.arange(4.0), 0) > 0


def test_only_the_side_of_the_extremes_moves() -> None:
    assert widened((1.0, 5.0), [3.0, 3.0], [3.5, 4.5]) == (1.0, 6.0)
    assert widened((1.0, 5.0), [3.0], [2.0]) == (0.0, 5.0)
    assert widened(None, [3.0], [2.0]) is None
