"""Rows of the findings as words."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.records import EcgStatement, StudyResults
from ui.findings import Finding, findings_of


def score_row(**changes: Any) -> Finding:
    score = {"name": "maggic", "label": "MAGGIC", "status": "scored", "points": [50, 50], "missing": [],
             "reason": None, "risks": {"1-year mortality": [84.2, 84.2]}, "reference": "x"} | changes  # fmt: skip
    rows = findings_of(StudyResults(), {"result": {"risk": {"level": None, "scores": [score]}}})
    return rows[0]


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({}, "1-year mortality 84.2 %"),
        (
            {"reason": "More than 50 points are read as 50."},
            "1-year mortality 84.2 % · More than 50 points are read as 50.",
        ),
        ({"status": "withheld", "points": None, "risks": {}, "reason": "NYHA class missing."}, "NYHA class missing."),
        ({"status": "withheld", "reason": "No heart failure is known."}, "No heart failure is known."),
        ({"reason": None, "risks": {}}, ""),
    ],
)
def test_score_shows_its_risks_and_its_reason(changes, note):
    assert score_row(**changes).note == note


def test_statements_of_the_ecg_stand_in_their_group(kit):
    import dataclasses

    wide = EcgStatement(
        code="lbbb",
        text="Left bundle branch block is suspected; please confirm.",
        status="suggested",
        evidence="QRS 150 ms.",
        leads=("I", "V1"),
        reference="Part III",
    )
    unknown = EcgStatement(
        code="st_t", text="Not judged.", status="withheld", evidence="", leads=(), reference="UDMI", reason="Wide QRS."
    )
    analysis = dataclasses.replace(kit.make_ecg_analysis(), statements=(unknown, wide))
    rows = [row for row in findings_of(StudyResults(ecg_analysis=analysis), None) if row.group == "ECG statements"]
    assert [(row.name, row.status) for row in rows] == [
        ("sinus", "suggested"),
        ("lbbb", "suggested"),
        ("st_t", "withheld"),
    ]
    assert rows[1].label == "Left bundle branch block is suspected"
    assert rows[1].note == "QRS 150 ms."
    assert "Leads I, V1." in rows[1].proof
    assert "Reference: Part III" in rows[1].proof
    assert rows[2].note == "Wide QRS."
