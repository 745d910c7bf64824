"""PREPROCESSING of the ECG: gates, filters and the quality of each lead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.ecg.filters import LeadFilter, fill_gaps, mains_hz_of
from pipeline.ecg.quality import LeadQuality, SecondFeatures, lead_quality, second_features
from pipeline.ecg.signal_faults import quality_of
from pipeline.errors import QualityError
from pipeline.records import EcgRecord, PreparedEcg, Remark

MIN_DURATION_S = 2.0  # two beats at 60/min: below that there is no rhythm
MIN_RATE_HZ = 100.0
"""Ours: at 100 Hz a QRS of 80 ms still has eight samples. The AHA asks for 500 Hz and more
(Kligfield et al. 2007); lower rates are measured, with the remark W_ECG_RATE.
"""
DIAGNOSTIC_RATE_HZ = 250.0
QUALITY_CODE = "E_QUALITY_ECG"


def prepare_ecg(
    record: EcgRecord, file_sha256: str, *, progress: Progress = no_progress, cancel: CancelToken | None = None
) -> PreparedEcg:
    """Filter every lead and say which can be measured; the record itself is kept untouched.

    Missing samples stay NaN in `record.signal_mv`; in `filtered_mv` they are bridged. A lead without any
    sample is all zeros there. `remarks` holds those of the record, then those of this stage.

    Raises
    ------
    QualityError
        E_QUALITY_ECG: too short, sampled too slowly, no samples, or no usable lead.
    RunCancelledError
        `cancel` was set; it is looked at between leads and between ten-minute blocks.
    """
    check_gates(record)
    n_leads = len(record.leads)
    filled = np.empty(record.signal_mv.shape, np.float32)
    for row in range(n_leads):
        progress(0.0, "Looking for gaps in the ECG")
        filled[row] = fill_gaps(record.signal_mv[row])[0]
    lead_filter = LeadFilter(record.sampling_rate_hz, mains_hz_of(list(filled), record.sampling_rate_hz))
    verdicts: list[LeadQuality] = []
    features: list[SecondFeatures] = []
    for row in range(n_leads):
        if cancel is not None:
            cancel.check()
        filtering, judging = _lead_progress(progress, row, record.leads)
        filled[row] = lead_filter.apply(filled[row], on_fraction=filtering, cancel=cancel)
        raw_mv = record.signal_mv[row]
        features.append(
            second_features(raw_mv, filled[row], record.sampling_rate_hz, on_fraction=judging, cancel=cancel)
        )
        verdicts.append(lead_quality(raw_mv, features[-1]))
    _check_usable(record.leads, verdicts)
    progress(1.0, "ECG filtered")
    return PreparedEcg(
        file_sha256=file_sha256,
        record=record,
        filtered_mv=filled,
        filter_text=lead_filter.text,
        lead_quality=np.array([verdict.quality for verdict in verdicts], np.float64),
        lead_usable=np.array([verdict.usable for verdict in verdicts], np.bool_),
        remarks=(*record.remarks, *rate_remarks(record), *_lead_remarks(record.leads, verdicts)),
        quality=quality_of(features, tuple(verdict.reason for verdict in verdicts)),
    )


def _lead_progress(
    progress: Progress, row: int, leads: Sequence[str]
) -> tuple[Callable[[float], None], Callable[[float], None]]:
    """Progress of the whole stage from that of filtering one lead (its first four fifths) and of judging it."""

    def filtering(fraction: float) -> None:
        progress((row + 0.8 * fraction) / len(leads), f"Filtering lead {leads[row]}")

    def judging(fraction: float) -> None:
        progress((row + 0.8 + 0.2 * fraction) / len(leads), f"Judging lead {leads[row]}")

    return filtering, judging


def check_gates(record: EcgRecord, *, empty_allowed: bool = False) -> None:
    """Refuse (QualityError) what is too short, sampled too slowly or, unless allowed, without any sample."""
    n_leads, n_samples = record.signal_mv.shape
    duration_s = n_samples / record.sampling_rate_hz
    if n_leads < 1 or duration_s < MIN_DURATION_S:
        length = f"{duration_s:.3g} s" if n_samples != 1 else "one sample"
        raise QualityError(f"The ECG is {length} long; at least {MIN_DURATION_S:g} s are needed.", code=QUALITY_CODE)
    if record.sampling_rate_hz < MIN_RATE_HZ:
        text = (
            f"The ECG is sampled at {record.sampling_rate_hz:g} Hz; at least {MIN_RATE_HZ:g} Hz are needed "
            "to measure its waves."
        )
        raise QualityError(text, code=QUALITY_CODE)
    if not empty_allowed and not any(bool(np.isfinite(row).any()) for row in record.signal_mv):
        raise QualityError("Every sample of the ECG is missing.", code=QUALITY_CODE)


def _check_usable(leads: Sequence[str], verdicts: Sequence[LeadQuality]) -> None:
    """Refuse an ECG without one usable lead, with the commonest reason."""
    if any(verdict.usable for verdict in verdicts):
        return
    reasons = Counter(verdict.reason for verdict in verdicts if verdict.reason)
    reason, count = reasons.most_common(1)[0]
    which = "each lead" if count == len(leads) and len(leads) > 1 else f"lead {leads[0]}"
    which = which if count == len(leads) else f"{count} of {len(leads)} leads"
    raise QualityError(f"No lead of the ECG can be measured. Of {which}: {reason}.", code=QUALITY_CODE)


def rate_remarks(record: EcgRecord) -> tuple[Remark, ...]:
    """W_ECG_RATE for records sampled below 250 Hz."""
    if record.sampling_rate_hz >= DIAGNOSTIC_RATE_HZ:
        return ()
    text = f"The ECG is sampled at {record.sampling_rate_hz:g} Hz: durations are coarse."
    return (Remark(code="W_ECG_RATE", text=text),)


def _lead_remarks(leads: Sequence[str], verdicts: Sequence[LeadQuality]) -> tuple[Remark, ...]:
    remarks = []
    for name, verdict in zip(leads, verdicts, strict=True):
        if not verdict.usable:
            remarks.append(Remark(code="W_ECG_LEAD_UNUSABLE", text=f"Lead {name} was left out: {verdict.reason}."))
        elif verdict.reason is not None:
            remarks.append(Remark(code="W_ECG_LEAD_POOR", text=f"Lead {name} is impaired: {verdict.reason}."))
    return tuple(remarks)
