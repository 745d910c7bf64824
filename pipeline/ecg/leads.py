"""Lead names and the arithmetic between limb leads."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from pipeline.records import Array, Remark

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
TOLERANCE_MV = 0.03
TOLERANCE_SHARE = 0.20
"""A relation is broken when the 95th percentile of its residual passes 0.03 mV + 20 % of the lead's own size.

Ours: 12-bit recorders quantise at 5 uV, three leads add up to 7.5 uV; recorders that filter or
delay leads one by one leave some percent of the QRS. A swapped or inverted lead leaves about 100 %.
"""
ALIKE_CORRELATION = 0.5
"""Ours: below this, a lead and what the others predict differ in shape, not just in size."""
PROBE_SAMPLES = 120_000


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


def einthoven_remarks(signal_mv: Array, leads: Sequence[str]) -> tuple[Remark, ...]:
    """Check the limb leads against each other; never derive or repair a lead.

    Parameters
    ----------
    signal_mv
        float (n_leads, n_samples) in mV, NaN where missing. A constant offset per lead is ignored.
    leads
        Names in the order of the rows.

    Returns
    -------
    tuple of Remark
        W_EINTHOVEN, one remark that names every broken relation, or nothing. Nothing either when
        lead I or II is absent. Electrodes exchanged on the patient keep the relations and cannot
        be seen here; leads swapped, inverted, shifted or scaled in the file can.
    """
    if "I" not in leads or "II" not in leads:
        return ()
    rows = {name: _probe(signal_mv[leads.index(name)]) for name in leads if name in STANDARD_LEADS[:6]}
    broken: list[str] = []
    sizes_mv: list[float] = []
    swapped = False
    for name, a, b, text in LIMB_RELATIONS:
        if name not in rows:
            continue
        size_mv, correlation = _disagreement(rows[name], a * rows["I"] + b * rows["II"])
        if size_mv > 0.0:
            broken.append(text)
            sizes_mv.append(size_mv)
            swapped = swapped or correlation < ALIKE_CORRELATION
    if not broken:
        return ()
    cause = "Limb leads may be swapped or inverted" if swapped else "They may be scaled or filtered differently"
    text = f"The limb leads do not agree: {', '.join(broken)}, off by up to {max(sizes_mv):.2f} mV. {cause}."
    return (Remark(code="W_EINTHOVEN", text=text),)


def _probe(row: Array) -> Array:
    """The middle of a long lead, float64, without its median."""
    start = max(0, (row.size - PROBE_SAMPLES) // 2)
    part = row[start : start + PROBE_SAMPLES].astype(np.float64)
    return part - np.median(part[np.isfinite(part)]) if np.isfinite(part).any() else part


def _disagreement(found: Array, expected: Array) -> tuple[float, float]:
    """(size in mV, correlation); the size is 0 within the tolerance and where it cannot be told."""
    valid = np.isfinite(found) & np.isfinite(expected)
    if valid.sum() < 2:
        return 0.0, 1.0
    found, expected = found[valid], expected[valid]
    residual = found - expected
    size_mv = float(np.percentile(np.abs(residual - np.median(residual)), 95))
    largest_mv = max(float(np.percentile(np.abs(lead), 99)) for lead in (found, expected))
    if size_mv <= TOLERANCE_MV + TOLERANCE_SHARE * largest_mv:
        return 0.0, 1.0
    spread = float(np.std(found) * np.std(expected))
    covariance = float(np.mean((found - found.mean()) * (expected - expected.mean())))
    return size_mv, covariance / spread if spread > 0.0 else 0.0
