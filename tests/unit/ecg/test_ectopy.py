from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pipeline.ecg.rhythm import RhythmFacts, rhythm_statements


def _facts(rr_s, letters, **changes):
    peaks_s = np.concatenate([[0.5], 0.5 + np.cumsum(rr_s)])
    facts = RhythmFacts(
        peaks_s=peaks_s,
        classes=np.array(list(letters)),
        af_beats=np.zeros(peaks_s.size, bool),
        has_p=np.ones(peaks_s.size, bool),
        pr_ms=160.0,
        qrs_ms=90.0,
        record_s=float(peaks_s[-1] + 0.5),
    )
    return dataclasses.replace(facts, **changes)


def _by_code(facts):
    return {statement.code: statement for statement in rhythm_statements(facts)}


def test_trigeminy():
    found = _by_code(_facts([0.8] * 12, "NNNNVNNVNNVNN"))
    assert found["ventricular_trigeminy"].evidence == "Every third of 11 beats is ventricular."
    assert "ventricular_bigeminy" not in found
    assert "ventricular_trigeminy" not in _by_code(_facts([0.8] * 12, "NNNNVNNVNNNNN"))


def test_supraventricular_run_tells_its_rate():
    found = _by_code(_facts([0.8] * 4 + [0.4] * 4 + [0.8] * 4, "NNNNNSSSSNNNN"))
    assert "4 supraventricular beats in a row at 150/min" in found["supraventricular_run"].evidence
    assert found["supraventricular_run"].start_s == 4.1


def test_burden_an_hour_only_where_the_record_is_long_enough():
    short = _facts([0.8] * 12, "NNVNNNNNNNNNN")
    assert "an hour" not in _by_code(short)["ectopics"].evidence
    long = dataclasses.replace(short, record_s=1800.0)
    assert "2 and 0 an hour" in _by_code(long)["ectopics"].evidence


@pytest.mark.parametrize(("rr_s", "word"), [(1.2, "Sinus bradycardia"), (0.5, "Sinus tachycardia")])
def test_sinus_is_named_where_p_waves_are(rr_s, word):
    code = "bradycardia" if rr_s > 1 else "tachycardia"
    assert word in _by_code(_facts([rr_s] * 12, "N" * 13))[code].text
    without = _facts([rr_s] * 12, "N" * 13, has_p=np.zeros(13, bool))
    assert "Sinus" not in _by_code(without)[code].text


def test_flutter_replaces_sinus_and_is_told_with_its_place():
    flutter = np.zeros(13, bool)
    flutter[3:] = True
    found = _by_code(_facts([0.65] * 12, "N" * 13, flutter_beats=flutter, pr_ms=250.0))
    assert set(found) == {"flutter_suspected"}
    assert found["flutter_suspected"].start_s == 2.45
