"""SCORING: published risk scores and the level of the findings."""

from __future__ import annotations

from pipeline.records import FusedFindings, RiskReport


def compute_risk(fused: FusedFindings) -> RiskReport:
    """Scores, each withheld with its reason where an item is missing."""
    from pipeline.clinical.risk import score_risk

    return score_risk(fused)
