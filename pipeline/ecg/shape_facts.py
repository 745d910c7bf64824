"""What the statements about the shape of the beats are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.records import EcgStatement, LeadWaves, Sex

SWAPPED_REASON = "Two limb electrodes may be swapped."
SCALE_REASON = "The file scales its leads one by one: voltages cannot be judged."
PACED_REASON = "The heart is paced."
WAVES_REASON = "Too few beats have clear boundaries."


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeFacts:
    """Measurements of the usual beat; None where withheld or unknown."""

    waves: Mapping[str, LeadWaves]  # of the usable leads
    qrs_ms: float | None
    axis_deg: float | None
    sex: Sex | None
    age_years: float | None
    paced: bool
    scales_agree: bool
    limb_swap: bool

    def missing(self, leads: Sequence[str]) -> str | None:
        """Why a rule that needs these leads cannot be applied; None where it can."""
        absent = [name for name in leads if name not in self.waves]
        if not absent:
            return None
        return f"{', '.join(absent)} {'is' if len(absent) == 1 else 'are'} not there or not usable."


def mv(value: float | None) -> float:
    """An amplitude, 0 where there is no such wave."""
    return 0.0 if value is None else value


def suggested(code: str, text: str, evidence: str, leads: Sequence[str], reference: str) -> EcgStatement:
    """A statement to be confirmed."""
    return EcgStatement(
        code=code, text=text, status="suggested", evidence=evidence, leads=tuple(leads), reference=reference
    )


def not_judged(code: str, text: str, reason: str, leads: Sequence[str], reference: str) -> EcgStatement:
    """A rule that could not be applied, and why."""
    return EcgStatement(
        code=code, text=text, status="withheld", evidence="", leads=tuple(leads), reference=reference, reason=reason
    )
