"""Every score and the level of the findings, in one report."""

from __future__ import annotations

from pipeline.clinical.chads import cha2ds2_scores
from pipeline.clinical.facts import mixes_patients
from pipeline.clinical.findings_level import findings_level
from pipeline.clinical.maggic import maggic
from pipeline.records import FusedFindings, Remark, RiskReport


def score_risk(fused: FusedFindings) -> RiskReport:
    """Score fused findings.

    Returns
    -------
    RiskReport
        MAGGIC, CHA2DS2-VA and CHA2DS2-VASc, each given, given as a range, or withheld with its reason; the
        level of the findings (None when nothing was measured) with the rules that fired.
    """
    level, rules = findings_level(fused)
    remarks: tuple[Remark, ...] = ()
    if mixes_patients(fused) and rules:
        text = "The level covers findings of files that name different patients; read each finding with its own file."
        remarks = (Remark(code="W_LEVEL_MIXED", text=text),)
    return RiskReport(level=level, rules=rules, scores=(maggic(fused), *cha2ds2_scores(fused)), remarks=remarks)
