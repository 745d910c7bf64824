"""Lead names, and how limb leads follow from each other."""

from __future__ import annotations

import re
from collections.abc import Sequence

STANDARD_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
FURTHER_LEADS = (
    *("V7", "V8", "V9", "V2R", "V3R", "V4R", "V5R", "V6R", "V7R"),
    *("MLI", "MLII", "MLIII", "MV1", "MV2", "MV5", "CM5", "X", "Y", "Z", "ECG"),
)
# VR, VL, VF are not among them: unaugmented leads are two thirds the size of aVR, aVL, aVF.
ALIASES: tuple[tuple[str, str], ...] = (
    ("di", "I"),
    ("dii", "II"),
    ("diii", "III"),
    ("d1", "I"),
    ("d2", "II"),
    ("d3", "III"),
    ("l1", "I"),
    ("l2", "II"),
    ("l3", "III"),
)
MAX_NAME_LENGTH = 16
# Words around a lead's name in file labels: "ECG II", "Lead I (Einthoven)", "MDC_ECG_LEAD_AVR", "EKG V1-Ref".
_DECORATION = re.compile(r"\(.*?\)|\bmdc\b|\b(ecg|ekg)\b(?=.*[a-z0-9])|\blead\b|\bref\b|[\s.\-:]+")
_KNOWN = {name.casefold(): name for name in (*STANDARD_LEADS, *FURTHER_LEADS)} | dict(ALIASES)

# Einthoven 1913 and Goldberger 1942, as in Kligfield et al. 2007 (AHA/ACCF/HRS part I),
# doi 10.1161/CIRCULATIONAHA.106.180200:
# lead = a * I + b * II. The three augmented leads follow from I and II alone.
LIMB_RELATIONS: tuple[tuple[str, float, float, str], ...] = (
    ("III", -1.0, 1.0, "III = II - I"),
    ("aVR", -0.5, -0.5, "aVR = -(I + II) / 2"),
    ("aVL", 1.0, -0.5, "aVL = I - II / 2"),
    ("aVF", -0.5, 1.0, "aVF = II - I / 2"),
)


def canonical_lead(label: str) -> str | None:
    """The lead's usual name (`aVR`, `V1`, `MLII` …), or None where the label is no known lead."""
    spaced = label.casefold().replace("_", " ")
    return _KNOWN.get(_DECORATION.sub("", spaced).strip())


def lead_names(labels: Sequence[str]) -> tuple[str, ...]:
    """Canonical names where known, else the file's own label cleaned; repeated names get a number."""
    names: list[str] = []
    for position, label in enumerate(labels, start=1):
        own = "".join(c for c in label if c.isprintable()).strip()[:MAX_NAME_LENGTH]
        name = canonical_lead(label) or own or f"channel {position}"
        repeats = sum(1 for taken in names if taken == name or taken.startswith(f"{name} ("))
        names.append(f"{name} ({repeats + 1})" if repeats else name)
    return tuple(names)
