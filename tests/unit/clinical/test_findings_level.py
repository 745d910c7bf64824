from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.clinical.findings_level import LEVELS, RULES, findings_level
from pipeline.clinical.risk import score_risk
from pipeline.ecg import ectopy, rhythm
from pipeline.ecg.metrics import ECG_METRICS
from pipeline.ecg.rhythm_facts import RhythmFacts
from pipeline.echo.metrics import ECHO_METRICS

Make = Callable[..., Any]


def fired(fused: Any) -> list[str]:
    return [rule.name for rule in findings_level(fused)[1]]


def test_nothing_measured_has_no_level(make_absent: Make, make_findings: Make) -> None:
    assert findings_level(make_findings()) == (None, ())
    assert findings_level(make_findings(make_absent("lvef"))) == (None, ())


def test_normal_findings_are_routine(make_number: Make, make_findings: Make) -> None:
    normal = make_findings(
        make_number("lvef", 60, band="normal (s)"), make_number("heart_rate", 70), make_number("qrs", 90)
    )
    assert findings_level(normal) == ("routine", ())


@pytest.mark.parametrize(
    ("name", "value", "band", "rules", "level"),
    [
        ("lvef", 25, "severely reduced (s)", ["lvef_severely_reduced"], "urgent"),
        ("lvef", 45, "mildly reduced (s)", ["lvef_reduced"], "review"),
        ("lvef", 50, None, ["lvef_class_uncertain"], "review"),
        ("lvef", 60, None, [], "routine"),
        ("edv", 170, "above normal (s)", ["lv_enlarged"], "review"),
        ("la_volume_index", 50, "severely enlarged (s)", ["la_enlarged"], "review"),
        ("qtcf", 500, "prolonged (s)", ["qtc_prolonged"], "review"),
        ("qtcf", 361, "short (s)", ["qtc_short"], "routine"),
        ("qtcf", 360, "short (s)", ["qtc_up_to_360", "qtc_short"], "review"),
        ("qtcf", 501, "markedly prolonged (s)", ["qtc_above_500"], "urgent"),
        ("heart_rate", 39, "slow (s)", ["rate_below_40"], "urgent"),
        ("heart_rate", 40, "slow (s)", ["rate_slow"], "review"),
        ("heart_rate", 50, "slow (s)", [], "routine"),
        ("heart_rate", 101, "fast (s)", ["rate_fast"], "review"),
        ("heart_rate", 150, "fast (s)", ["rate_from_150"], "urgent"),
        ("longest_rr", 3000, None, ["pause_from_3_s"], "urgent"),
        ("longest_rr", 2990, None, [], "routine"),
        ("qrs", 119, None, [], "routine"),
        ("qrs", 120, None, ["wide_qrs"], "review"),
        ("pr", 210, "prolonged (s)", ["pr_prolonged"], "routine"),
    ],
)
def test_rules_on_one_measurement(
    name: str, value: float, band: str | None, rules: list[str], level: str, make_number: Make, make_findings: Make
) -> None:
    found = make_findings(make_number(name, value, band=band))
    assert findings_level(found)[0] == level
    assert fired(found) == rules


@pytest.mark.parametrize("code", ["af_suspected", "pause", "ectopics", "ventricular_run"])
def test_rules_on_the_rhythm(code: str, make_number: Make, make_findings: Make) -> None:
    assert fired(make_findings(make_number("heart_rate", 70), rhythm=(code,))) == [code]


def test_rules_speak_of_what_the_branches_measure() -> None:
    names = {metric.name for metric in (*ECHO_METRICS, *ECG_METRICS)}
    read = {"lvef", "edv", "la_volume_index", "lv_length_ed", "echo_heart_rate"}
    read |= {"heart_rate", "qrs", "pr", "qtcf", "longest_rr"}
    assert read <= names
    statements = "".join(Path(module.__file__).read_text(encoding="utf-8") for module in (rhythm, ectopy))
    for code in ("af_suspected", "flutter_suspected", "pause", "ectopics"):
        assert f'"{code}"' in statements
    assert [found.code for found in ectopy.couplets_and_runs(run_of_three())] == ["ventricular_run"]


def run_of_three() -> RhythmFacts:
    """Three ventricular beats in a row."""
    classes, none = np.array(["N", "V", "V", "V", "N"]), np.zeros(5, bool)
    return RhythmFacts(
        peaks_s=np.arange(5.0), classes=classes, af_beats=none, has_p=~none, pr_ms=None, qrs_ms=None, record_s=5.0
    )


def test_fast_atrial_fibrillation(make_number: Make, make_findings: Make) -> None:
    at_110 = make_findings(make_number("heart_rate", 110), rhythm=("af_suspected",))
    at_111 = make_findings(make_number("heart_rate", 111), rhythm=("af_suspected",))
    assert "af_fast" not in fired(at_110)
    level, rules = findings_level(at_111)
    assert (level, rules[0].name) == ("urgent", "af_fast")


def test_wide_qrs_with_a_low_ejection_fraction_needs_one_patient(make_number: Make, make_findings: Make) -> None:
    both = (make_number("qrs", 150), make_number("lvef", 35, band="moderately reduced (s)"))
    assert "wide_qrs_low_ef" in fired(make_findings(*both))
    assert "wide_qrs_low_ef" not in fired(make_findings(*both, same_patient="disagree"))


@pytest.mark.parametrize(
    ("check", "rule"), [("heart_rate", "heart_rates_differ"), ("lv_length_bsa", "lv_length_implausible")]
)
def test_rules_on_cross_checks(check: str, rule: str, make_number: Make, make_findings: Make) -> None:
    assert fired(make_findings(make_number("heart_rate", 70), disagreeing=(check,))) == [rule]


def test_the_most_urgent_rule_comes_first_and_sets_the_level(make_number: Make, make_findings: Make) -> None:
    found = make_findings(
        make_number("qrs", 130), make_number("heart_rate", 30), make_number("pr", 220, band="prolonged")
    )
    level, rules = findings_level(found)
    ranks = [LEVELS.index(r.level) for r in rules]
    assert level == "urgent"
    assert ranks == sorted(ranks, reverse=True)
    assert rules[0].text == "HEART_RATE 30/min: very slow."


def test_every_rule_has_a_source_and_its_own_name() -> None:
    assert all(rule.reference for rule in RULES)
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_the_risk_report_holds_all_scores(make_number: Make, make_findings: Make) -> None:
    report = score_risk(make_findings(make_number("lvef", 60, band="normal (s)")))
    assert [s.name for s in report.scores] == ["maggic", "cha2ds2_va", "cha2ds2_vasc"]
    assert {s.status for s in report.scores} == {"withheld"}
    assert (report.level, report.remarks) == ("routine", ())


def test_a_level_over_two_patients_says_so(make_number: Make, make_findings: Make) -> None:
    report = score_risk(make_findings(make_number("lvef", 60, band="normal (s)"), same_patient="disagree"))
    assert report.level == "review"
    assert [r.name for r in report.rules] == ["files_of_two_patients"]
    assert [r.code for r in report.remarks] == ["W_LEVEL_MIXED"]
