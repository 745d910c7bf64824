"""Ectopic atrial and junctional rhythm: told where they are, and not where something else is."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.ecg.analysis import analyse_ecg
from pipeline.ecg.pacing import Pacing
from pipeline.ecg.rhythm import RhythmFacts, rhythm_statements
from pipeline.records import Metadata

_UP, _DOWN = -90.0, 55.0  # where the P wave points, degrees


def _statements(make_ecg, add_wave, prepare, *, p_deg, pr_s, seed=0, n_leads=12, rr_s=0.8):
    """Statements of ten seconds whose P waves point to `p_deg` and begin `pr_s` before the QRS."""
    rng = np.random.default_rng(seed)
    r_s = 0.6 + np.cumsum(rr_s * (1 + 0.01 * rng.standard_normal(int(9.0 / rr_s))))
    phantom = make_ecg(r_s, with_p=False, n_leads=n_leads, noise_mv=0.012, drift_mv=0.08, seed=seed)
    half_s = 0.04
    for time_s in r_s:
        add_wave(phantom.signal_mv, 500.0, time_s, (-0.043 - pr_s + half_s, half_s, p_deg, 0.14))
    return {s.code: s for s in analyse_ecg(prepare(phantom), Metadata()).rhythm}


@pytest.mark.parametrize("p_deg", [-110.0, -75.0])
@pytest.mark.parametrize("seed", range(2))
def test_p_waves_that_point_up_are_an_ectopic_atrial_rhythm(make_ecg, add_wave, prepare, p_deg, seed):
    found = _statements(make_ecg, add_wave, prepare, p_deg=p_deg, pr_s=0.15, seed=seed)
    assert "sinus" not in found
    assert found["ectopic_atrial"].text.startswith("An ectopic atrial rhythm")
    assert (found["ectopic_atrial"].start_s, found["ectopic_atrial"].end_s > 9.0) == (0.0, True)
    axis_deg = float(found["ectopic_atrial"].evidence.split("P axis ")[1].split("°")[0])
    assert axis_deg == pytest.approx(p_deg, abs=15.0)


def test_with_a_short_pr_it_may_be_the_junction(make_ecg, add_wave, prepare):
    found = _statements(make_ecg, add_wave, prepare, p_deg=_UP, pr_s=0.10)
    assert "sinus" not in found
    assert found["ectopic_atrial"].text.startswith("A junctional or low atrial rhythm")
    assert "PR " in found["ectopic_atrial"].evidence


@pytest.mark.parametrize("p_deg", [10.0, 55.0, 80.0])
def test_p_waves_that_point_down_are_sinus(make_ecg, add_wave, prepare, p_deg):
    found = _statements(make_ecg, add_wave, prepare, p_deg=p_deg, pr_s=0.15)
    assert "sinus" in found
    assert not set(found) & {"ectopic_atrial", "junctional"}


@pytest.mark.parametrize("n_leads", [1, 2, 12])
@pytest.mark.parametrize("rr_s", [0.8, 1.2])
def test_regular_narrow_beats_without_p_waves_are_junctional(make_ecg, prepare, n_leads, rr_s):
    phantom = make_ecg(0.6 + rr_s * np.arange(round(11.0 / rr_s)), with_p=False, n_leads=n_leads, noise_mv=0.012)
    found = {s.code: s for s in analyse_ecg(prepare(phantom), Metadata()).rhythm}
    assert "sinus" not in found
    assert f"at {60.0 / rr_s:.0f}/min" in found["junctional"].evidence


def test_fibrillation_is_not_junctional(fibrillating, prepare):
    assert "junctional" not in {s.code for s in analyse_ecg(prepare(fibrillating), Metadata()).rhythm}


def test_wide_beats_without_p_waves_are_not_junctional(make_ecg, prepare):
    phantom = make_ecg(0.6 + 1.2 * np.arange(9), letters="V" * 9, noise_mv=0.012)
    assert "junctional" not in {s.code for s in analyse_ecg(prepare(phantom), Metadata()).rhythm}


def _facts(n=30, rr_s=1.0, **changes):
    peaks_s = 0.5 + rr_s * np.arange(n)
    values = {
        "peaks_s": peaks_s,
        "classes": np.full(n, "N"),
        "af_beats": np.zeros(n, bool),
        "has_p": np.zeros(n, bool),
        "pr_ms": None,
        "qrs_ms": 90.0,
        "record_s": float(peaks_s[-1] + 0.5),
    }
    return RhythmFacts(**(values | changes))


def _codes(facts):
    return {s.code for s in rhythm_statements(facts)}


def test_a_junctional_stretch_between_sinus_beats_is_told_for_itself():
    has_p = np.ones(60, bool)
    has_p[20:40] = False
    found = next(s for s in rhythm_statements(_facts(60, has_p=has_p)) if s.code == "junctional")
    assert found.start_s == pytest.approx(20.5, abs=5.0)
    assert found.end_s == pytest.approx(39.5, abs=5.0)
    assert 12 <= int(found.evidence.split("before ")[1].split()[0]) <= 20


@pytest.mark.parametrize(
    "changes",
    [
        {"has_p": np.ones(30, bool)},
        {"af_beats": np.ones(30, bool)},
        {"flutter_beats": np.ones(30, bool)},
        {"pacing": Pacing(beats=np.ones(30, bool), spikes=np.ones(30, bool), distance_ms=40.0)},
        {"qrs_ms": 130.0},
        {"qrs_ms": None},
        {"classes": np.full(30, "V")},
        {"atrial_cycle_s": 0.7},  # complete block: the atria have a rhythm of their own
        {"peaks_s": 0.5 + 0.4 * np.arange(30)},  # 150/min
        {"peaks_s": 0.5 + 2.0 * np.arange(30)},  # 30/min
        {"peaks_s": 0.5 + np.cumsum(np.tile([0.8, 1.2], 15))},  # irregular
    ],
    ids=["P", "fibrillation", "flutter", "paced", "wide", "unknown", "ectopic", "own atria", "fast", "slow", "uneven"],
)
def test_what_is_not_junctional(changes):
    assert "junctional" in _codes(_facts())
    assert "junctional" not in _codes(_facts(**changes))


def test_seven_beats_are_too_few_for_a_junctional_rhythm():
    assert "junctional" in _codes(_facts(8))
    assert "junctional" not in _codes(_facts(7))


@pytest.mark.parametrize(
    ("axis_deg", "p_ii_mv", "code"),
    [
        (-90.0, -0.1, "ectopic_atrial"),
        (-31.0, -0.05, "ectopic_atrial"),
        (-29.0, -0.05, "sinus"),
        (-151.0, -0.05, "sinus"),
        (-90.0, 0.05, "sinus"),  # upright in II, whatever the axis
        (-90.0, None, "sinus"),
        (None, -0.1, "sinus"),
        (60.0, 0.1, "sinus"),
    ],
)
def test_axis_and_lead_ii_must_both_point_up(axis_deg, p_ii_mv, code):
    codes = _codes(_facts(has_p=np.ones(30, bool), pr_ms=150.0, p_axis_deg=axis_deg, p_ii_mv=p_ii_mv))
    assert codes & {"sinus", "ectopic_atrial"} == {code}
