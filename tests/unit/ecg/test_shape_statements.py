"""Rules on the usual beat: conduction, voltage, ST and T, Q waves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.ecg.conduction import conduction_statements
from pipeline.ecg.hypertrophy import cornell_mv, hypertrophy_statements, sokolow_lyon_mv
from pipeline.ecg.repolarisation import elevation_limit_mv, repolarisation_statements
from pipeline.ecg.shape_facts import PACED_REASON, SCALE_REASON, SWAPPED_REASON, ShapeFacts
from pipeline.records import LeadWaves

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def lead(name, **waves):
    empty = dict.fromkeys(("p_mv", "q_mv", "s_mv", "r2_mv", "q_ms", "s_ms"))
    usual = {"r_mv": 0.8, "t_mv": 0.3, "j_mv": 0.0, "st60_mv": 0.0, "st60_interval_mv": (-0.01, 0.01)}
    return LeadWaves(lead=name, n_beats=10, **(empty | usual | {"r_ms": 40.0, "r_peak_ms": 35.0} | waves))


@pytest.fixture
def normal():
    """Narrow QRS; V1 and V2 with a small r and a deep S, all else upright."""
    waves = {name: lead(name) for name in LEADS}
    for name in ("V1", "V2"):
        waves[name] = lead(name, r_mv=0.2, s_mv=-0.9, s_ms=40.0, r_peak_ms=20.0)
    waves["aVR"] = lead("aVR", r_mv=None, q_mv=-0.8, q_ms=50.0, t_mv=-0.3, r_peak_ms=None)
    return ShapeFacts(
        waves=waves,
        qrs_ms=90.0,
        axis_deg=45.0,
        sex="male",
        age_years=60.0,
        paced=False,
        scales_agree=True,
        limb_swap=False,
    )


def changed(facts, *waves, **fields):
    return replace(facts, waves={**facts.waves, **{wave.lead: wave for wave in waves}}, **fields)


def codes(statements, status="suggested"):
    return [s.code for s in statements if s.status == status]


def everything(facts):
    return (*conduction_statements(facts), *hypertrophy_statements(facts), *repolarisation_statements(facts))


def test_a_normal_beat_gives_no_statement(normal):
    assert everything(normal) == ()


def rbbb(facts, qrs_ms=140.0):
    return changed(
        facts,
        lead("V1", r_mv=0.2, s_mv=-0.3, s_ms=20.0, r2_mv=0.7, r_peak_ms=80.0),
        lead("I", s_mv=-0.2, s_ms=60.0),
        lead("V6", s_mv=-0.2, s_ms=60.0),
        qrs_ms=qrs_ms,
    )


def lbbb(facts, qrs_ms=150.0):
    broad = {"r_ms": 120.0, "r_peak_ms": 85.0}
    return changed(facts, *(lead(name, **broad) for name in ("I", "V5", "V6")), qrs_ms=qrs_ms)


@pytest.mark.parametrize(
    ("qrs_ms", "right", "left"),
    [
        (109.0, [], []),
        (112.0, ["incomplete_rbbb"], ["incomplete_lbbb"]),
        (119.6, ["rbbb"], ["lbbb"]),
        (150.0, ["rbbb"], ["lbbb"]),
    ],
)
def test_bundle_branch_block_by_pattern_and_width(qrs_ms, right, left, normal):
    assert codes(conduction_statements(rbbb(normal, qrs_ms))) == right
    assert codes(conduction_statements(lbbb(normal, qrs_ms))) == left


def test_an_r_prime_lower_than_the_first_r_counts(normal):
    low = changed(rbbb(normal, 115.0), lead("V1", r_mv=0.4, s_mv=-0.3, s_ms=30.0, r2_mv=0.1, r_peak_ms=90.0))
    assert codes(conduction_statements(low)) == ["incomplete_rbbb"]


def test_an_early_r_in_v1_is_no_right_bundle_branch_block(normal):
    early = changed(rbbb(normal), lead("V1", r_mv=0.2, s_mv=-0.3, s_ms=20.0, r2_mv=0.7, r_peak_ms=45.0))
    assert codes(conduction_statements(early)) == ["ivcd"]


def test_a_q_wave_in_v6_speaks_against_left_bundle_branch_block(normal):
    with_q = changed(lbbb(normal), lead("V6", q_mv=-0.1, q_ms=20.0, r_ms=120.0, r_peak_ms=85.0))
    assert codes(conduction_statements(with_q)) == ["ivcd"]


@pytest.mark.parametrize(
    ("axis_deg", "qrs_ms", "found"),
    [(-50.0, 100.0, ["lafb"]), (-40.0, 100.0, []), (-50.0, 140.0, ["ivcd"])],
)
def test_left_anterior_fascicular_block(axis_deg, qrs_ms, found, normal):
    qr = lead("aVL", q_mv=-0.1, q_ms=15.0, r_peak_ms=50.0)
    assert codes(conduction_statements(changed(normal, qr, axis_deg=axis_deg, qrs_ms=qrs_ms))) == found


def test_left_posterior_fascicular_block(normal):
    rs = [lead(name, r_mv=0.1, s_mv=-0.5, s_ms=40.0) for name in ("I", "aVL")]
    qr = [lead(name, q_mv=-0.1, q_ms=15.0) for name in ("III", "aVF")]
    assert codes(conduction_statements(changed(normal, *rs, *qr, axis_deg=110.0))) == ["lpfb"]


def test_conduction_is_withheld_without_v1_and_in_pacing(normal):
    (absent,) = conduction_statements(replace(normal, waves={n: w for n, w in normal.waves.items() if n != "V1"}))
    assert (absent.status, absent.reason) == ("withheld", "V1 is not there or not usable.")
    (paced,) = conduction_statements(replace(normal, paced=True))
    assert paced.reason == PACED_REASON


def test_voltages_by_hand(normal):
    facts = changed(normal, lead("V1", r_mv=None, q_mv=-1.5), lead("V6", r_mv=2.2), lead("V3", s_mv=-1.6))
    assert sokolow_lyon_mv(dict(facts.waves)) == pytest.approx(1.5 + 2.2)
    assert cornell_mv(dict(facts.waves)) == pytest.approx(0.8 + 1.6)
    (found,) = hypertrophy_statements(facts)
    assert "Sokolow-Lyon 3.7 mV" in found.evidence
    assert "Cornell" not in found.evidence


@pytest.mark.parametrize(("sex", "met"), [("female", True), ("male", False), (None, False)])
def test_cornell_depends_on_sex(sex, met, normal):
    facts = changed(normal, lead("V3", s_mv=-1.6), sex=sex)
    assert bool(codes(hypertrophy_statements(facts))) is met


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"scales_agree": False}, SCALE_REASON),
        ({"limb_swap": True}, SWAPPED_REASON),
        ({"age_years": 30.0}, "Voltage criteria mislead up to the age of 35."),
        ({"qrs_ms": 130.0}, "The QRS is wide: voltage criteria do not apply."),
    ],
)
def test_voltages_are_withheld(fields, reason, normal):
    facts = changed(normal, lead("V1", s_mv=-3.0), **fields)
    found = hypertrophy_statements(facts)
    assert [s.reason for s in found] == [reason]


def test_low_voltage_needs_all_leads(normal):
    small = [lead(name, r_mv=0.3, s_mv=-0.1) for name in ("I", "II", "III", "aVR", "aVL", "aVF")]
    assert codes(hypertrophy_statements(changed(normal, *small))) == ["low_voltage_limb"]
    assert codes(hypertrophy_statements(changed(normal, *small[1:]))) == []


@pytest.mark.parametrize(
    ("name", "sex", "age", "limit_mv"),
    [
        ("V5", "male", 30.0, 0.1),
        ("V2", "male", 39.0, 0.25),
        ("V2", "male", 40.0, 0.2),
        ("V3", "female", 30.0, 0.15),
        ("V3", None, 60.0, 0.2),
        ("V3", None, None, 0.25),
    ],
)
def test_st_limits_of_the_universal_definition(name, sex, age, limit_mv):
    assert elevation_limit_mv(name, sex, age) == limit_mv


def st(name, level_mv, **waves):
    interval = (level_mv - 0.01, level_mv + 0.01)
    return lead(name, **({"j_mv": level_mv, "st60_mv": level_mv, "st60_interval_mv": interval} | waves))


def test_st_elevation_needs_two_neighbours(normal):
    one = changed(normal, st("II", 0.2), st("V5", 0.2), st("V3", 0.15))
    assert codes(repolarisation_statements(one)) == []
    (found,) = repolarisation_statements(changed(normal, st("II", 0.2), st("aVF", 0.15), st("V5", 0.2)))
    assert (found.code, found.leads) == ("st_elevation", ("II", "aVF"))
    assert "II J 0.20, J+60 ms 0.20 [0.19 to 0.21] mV (limit 0.1 mV)" in found.evidence


def test_a_noisy_st_level_is_not_judged(normal):
    noisy = [st(name, 0.2, st60_interval_mv=(0.1, 0.3)) for name in ("II", "aVF")]
    assert repolarisation_statements(changed(normal, *noisy)) == ()


def test_rising_st_depression_is_no_statement(normal):
    level = [st(name, -0.1) for name in ("V5", "V6")]
    rising = [st(name, -0.06, j_mv=-0.2) for name in ("V5", "V6")]
    assert codes(repolarisation_statements(changed(normal, *level))) == ["st_depression"]
    assert codes(repolarisation_statements(changed(normal, *rising))) == []


def test_t_inversion_needs_a_prominent_r(normal):
    assert codes(repolarisation_statements(changed(normal, lead("V5", t_mv=-0.2), lead("V6", t_mv=-0.2)))) == [
        "t_inversion"
    ]
    shallow = [lead(name, t_mv=-0.2, r_mv=0.2, s_mv=-0.9) for name in ("V1", "V2")]
    assert repolarisation_statements(changed(normal, *shallow)) == ()


@pytest.mark.parametrize(
    ("names", "wave", "found"),
    [
        (("II", "aVF"), {"q_mv": -0.2, "q_ms": 35.0}, ["q_waves"]),
        (("II", "aVF"), {"q_mv": -0.2, "q_ms": 25.0}, []),
        (("II", "aVF"), {"q_mv": -0.08, "q_ms": 35.0}, []),
        (("V2", "V3"), {"q_mv": -0.08, "q_ms": 22.0}, ["q_waves"]),
        (("V4", "V5"), {"q_mv": -0.6, "q_ms": 80.0, "r_mv": None}, ["q_waves"]),
        (("II", "V5"), {"q_mv": -0.2, "q_ms": 35.0}, []),
    ],
)
def test_pathological_q(names, wave, found, normal):
    facts = changed(normal, *(lead(name, **wave) for name in names))
    assert codes(repolarisation_statements(facts)) == found


def test_limb_leads_are_left_out_where_they_may_be_swapped(normal):
    facts = changed(normal, st("II", 0.2), st("aVF", 0.2), limb_swap=True)
    assert codes(repolarisation_statements(facts)) == []


def test_wide_and_paced_beats_withhold_st_and_q(normal):
    for facts in (replace(normal, qrs_ms=130.0), replace(normal, paced=True)):
        assert codes(repolarisation_statements(facts), "withheld") == ["st_t", "q_waves"]
