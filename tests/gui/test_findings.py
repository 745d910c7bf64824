"""Rows of the findings as words."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.records import StudyResults
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
