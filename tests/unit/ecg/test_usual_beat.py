"""The median beat and what is measured in it: waves, axes, exchanged electrodes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.ecg.analysis import analyse_ecg
from pipeline.ecg.axis import frontal_axis
from pipeline.ecg.lead_swap import chest_swap, limb_swap
from pipeline.ecg.lead_waves import lead_waves
from pipeline.ecg.median_beat import MedianBeat, median_beat, usual_beats
from pipeline.records import Delineation, Metadata

RATE_HZ = 500.0
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
FIELDS = ("p_on", "p_off", "qrs_on", "qrs_off", "t_on", "t_off")


def truth(phantom):
    """The phantom's own boundaries as a delineation, the same in every lead."""
    n_leads = phantom.signal_mv.shape[0]
    return Delineation(**{name: np.tile(getattr(phantom, name), (n_leads, 1)) for name in FIELDS})


def beat_of(phantom, chosen=None):
    peaks = np.round(phantom.r_idx).astype(np.int64)
    chosen = usual_beats(np.array(phantom.letters)) if chosen is None else chosen
    return median_beat(phantom.signal_mv, RATE_HZ, peaks, truth(phantom), chosen)


@pytest.fixture
def phantom(make_ecg):
    times = np.arange(0.6, 9.0, 0.8)
    return make_ecg(times, duration_s=10.0, letters="NNNNVNNNNNN", noise_mv=0.005)


@pytest.fixture
def beat(phantom):
    return beat_of(phantom, usual_beats(np.array(phantom.letters)))


def test_the_median_is_the_usual_beat_without_its_noise(beat, make_ecg):
    clean = beat_of(make_ecg(np.arange(0.6, 9.0, 0.8), duration_s=10.0))
    assert beat.n_beats == 10
    assert np.abs(beat.signal_mv - clean.signal_mv).max() < 0.012
    assert (beat.first("qrs"), beat.last("qrs")) == (clean.first("qrs"), clean.last("qrs"))


def test_no_beat_inside_the_record_gives_none(make_ecg):
    assert beat_of(make_ecg(np.array([0.2]), duration_s=0.6)) is None


def test_all_beats_are_usual_where_none_is_normal():
    assert usual_beats(np.array(["V", "V"])).all()
    assert usual_beats(np.array(["N", "V"])).tolist() == [True, False]


def test_waves_of_lead_two(beat):
    found = {wave.lead: wave for wave in lead_waves(beat, LEADS)}
    two = found["II"]
    assert two.r_mv == pytest.approx(1.2 * np.cos(np.radians(60 - 45)), abs=0.03)
    assert two.t_mv == pytest.approx(0.3 * np.cos(np.radians(60 - 40)), abs=0.03)
    assert two.p_mv == pytest.approx(0.15 * np.cos(np.radians(60 - 55)), abs=0.02)
    assert two.q_mv == pytest.approx(0.12 * np.cos(np.radians(200 - 60)), abs=0.03)
    assert two.st60_mv == pytest.approx(0.0, abs=0.02)
    low, high = two.st60_interval_mv
    assert low <= two.st60_mv <= high
    assert found["aVR"].s_mv < -0.8
    assert found["aVR"].t_mv == pytest.approx(-(two.t_mv + found["I"].t_mv) / 2, abs=0.02)


def test_an_offset_of_the_st_segment_is_measured_with_its_sign(make_ecg):
    phantom = make_ecg(np.arange(0.6, 9.0, 0.8), duration_s=10.0)
    for r in phantom.r_idx.astype(int):
        phantom.signal_mv[:, r + 20 : r + 95] += 0.2
        phantom.signal_mv[3, r + 20 : r + 95] -= 0.4
    found = {wave.lead: wave for wave in lead_waves(beat_of(phantom), LEADS)}
    assert found["V5"].st60_mv == pytest.approx(0.2, abs=0.02)
    assert found["aVR"].st60_mv == pytest.approx(-0.2, abs=0.02)


@pytest.mark.parametrize("degrees", [-150, -80, -30, 0, 45, 90, 135, 180])
@pytest.mark.parametrize("ratio", [1.0, 2.5])
def test_axis_of_a_known_direction(degrees, ratio):
    angle = np.radians(degrees)
    one, foot = np.cos(angle), np.sin(angle) * np.sqrt(3) / 2
    shape = np.zeros(500)
    shape[180:221] = np.hanning(41)
    signal = np.stack([one * shape, (foot + 0.5 * one) * shape / ratio])
    bounds = {name: np.full(2, np.nan) for name in FIELDS} | {"qrs_on": np.full(2, 180.0), "qrs_off": np.full(2, 220.0)}
    beat = MedianBeat(beats_mv=np.stack([signal] * 4, axis=1), signal_mv=signal, sampling_rate_hz=RATE_HZ, **bounds)
    found = frontal_axis(beat, ("I", "II"), "qrs", ii_over_i=ratio)
    assert (found.angle_deg - degrees + 180) % 360 - 180 == pytest.approx(0, abs=0.5)
    assert found.interval_deg == pytest.approx((found.angle_deg, found.angle_deg), abs=0.1)


def test_the_axes_of_the_phantom(beat):
    p_axis, t_axis = (frontal_axis(beat, LEADS, wave) for wave in ("p", "t"))
    assert p_axis.angle_deg == pytest.approx(55, abs=6)
    assert t_axis.angle_deg == pytest.approx(40, abs=6)


def test_no_axis_of_noise_or_without_leads(beat):
    rng = np.random.default_rng(0)
    noise = replace(
        beat, signal_mv=rng.normal(0, 0.01, beat.signal_mv.shape), beats_mv=rng.normal(0, 0.01, beat.beats_mv.shape)
    )
    assert frontal_axis(noise, LEADS, "p") is None
    assert frontal_axis(beat, ("X", *LEADS[1:]), "qrs") is None


def electrodes(signal, kind):
    """What the recorder would write with two limb electrodes exchanged."""
    one, two = signal[0].copy(), signal[1].copy()
    new_one, new_two = {
        "arms": (-one, two - one),
        "right_leg": (one - two, -two),
        "left_leg": (two, one),
        "right_ground": (one - two, 0.03 * two),
        "left_ground": (two, two + 0.03 * one),
        "both_grounds": (0.03 * one, one - two),
    }[kind]
    out = signal.copy()
    out[:6] = (
        new_one,
        new_two,
        new_two - new_one,
        -(new_one + new_two) / 2,
        new_one - new_two / 2,
        new_two - new_one / 2,
    )
    return out


@pytest.mark.parametrize("kind", ["arms", "right_leg", "right_ground", "left_ground", "both_grounds"])
def test_exchanged_limb_electrodes_are_found_and_withhold_the_axis(kind, phantom, prepare):
    swapped = replace(phantom, signal_mv=electrodes(phantom.signal_mv, kind))
    assert limb_swap(beat_of(swapped), LEADS) == kind
    analysis = analyse_ecg(prepare(swapped), Metadata())
    assert "W_LIMB_SWAP" in {remark.code for remark in analysis.remarks}
    axis = next(m for m in analysis.measurements if m.name == "axis")
    assert (axis.value, axis.reason) == (None, "Two limb electrodes may be swapped.")


def test_exchanged_left_arm_and_leg_turn_the_p_axis(phantom):
    assert limb_swap(beat_of(replace(phantom, signal_mv=electrodes(phantom.signal_mv, "left_leg"))), LEADS) is None
    steeper = phantom.signal_mv.copy()
    for wave in ("p", "t"):
        for on, off in zip(getattr(phantom, f"{wave}_on"), getattr(phantom, f"{wave}_off"), strict=True):
            if np.isfinite(on):
                steeper[0, int(on) : int(off) + 1] *= 0.3
    assert limb_swap(beat_of(replace(phantom, signal_mv=electrodes(steeper, "left_leg"))), LEADS) == "left_leg"


def test_the_ground_on_an_arm_shows_in_any_two_limb_leads(phantom):
    swapped = beat_of(replace(phantom, signal_mv=electrodes(phantom.signal_mv, "right_ground")))
    for kept in (("I", "II"), ("I", "III"), ("II", "III")):
        names = tuple(name if name in kept else "" for name in LEADS)
        assert limb_swap(swapped, names) == "right_ground"
    assert limb_swap(swapped, ("I", *[""] * 11)) is None


def test_correct_electrodes_raise_no_alarm(beat):
    assert limb_swap(beat, LEADS) is None
    assert chest_swap(beat, LEADS) is None


@pytest.mark.parametrize(("first", "second"), [(6, 8), (6, 11), (7, 10)])
def test_exchanged_chest_leads_are_named(first, second, beat):
    """Chest leads that turn by 25 degrees from one to the next, as seen by a loop of two waves."""
    on, off = beat.first("qrs"), beat.last("t")
    time = np.linspace(0, 2 * np.pi, off - on)
    signal = np.zeros_like(beat.signal_mv)
    for row in range(6, 12):
        turn = np.radians(25.0 * (row - 6))
        signal[row, on:off] = np.cos(turn) * np.sin(time) + np.sin(turn) * np.sin(2 * time)
    in_order = replace(beat, signal_mv=signal.copy())
    signal[[first, second]] = signal[[second, first]]
    assert chest_swap(in_order, LEADS) is None
    assert chest_swap(replace(beat, signal_mv=signal), LEADS) == (LEADS[first], LEADS[second])


def test_the_analysis_carries_waves_and_statements(phantom, prepare):
    analysis = analyse_ecg(prepare(phantom), Metadata(sex="male", age_years=60.0))
    assert [wave.lead for wave in analysis.waves] == list(LEADS)
    assert {s.status for s in analysis.statements} <= {"suggested", "withheld"}
    numbers = {m.name: m for m in analysis.measurements}
    assert numbers["p_axis"].value == pytest.approx(55, abs=8)
    assert numbers["sokolow_lyon"].unit == "mV"


def test_leads_scaled_one_by_one_keep_the_axis_and_lose_the_voltages(phantom, prepare):
    scaled = replace(phantom, signal_mv=phantom.signal_mv * np.linspace(0.5, 1.6, 12)[:, None])
    plain, other = (analyse_ecg(prepare(p), Metadata()) for p in (phantom, scaled))
    axis, axis_scaled = (next(m for m in a.measurements if m.name == "axis") for a in (plain, other))
    assert axis_scaled.value == pytest.approx(axis.value, abs=3)
    assert "Einthoven" in axis_scaled.method
    reasons = {m.name: m.reason for m in other.measurements}
    assert reasons["sokolow_lyon"] == "The file scales its leads one by one: voltages cannot be judged."
    assert {s.code for s in other.statements if s.status == "withheld"} >= {"lvh_voltage", "st_t"}


def test_two_leads_give_no_twelve_lead_statements(make_ecg, prepare):
    phantom = make_ecg(np.arange(0.6, 9.0, 0.8), duration_s=10.0, n_leads=2, noise_mv=0.005)
    assert analyse_ecg(prepare(phantom), Metadata()).statements == ()
