"""PREPROCESSING of an ECG of many hours: gates, overview and quality, hour by hour; its samples stay in the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.ecg.filters import MAINS_PROBE_S, LeadFilter, fill_gaps, mains_hz_of
from pipeline.ecg.limb_scales import limb_remarks
from pipeline.ecg.long_windows import hour_count, hour_windows, read_piece, second_samples
from pipeline.ecg.preprocessing import QUALITY_CODE, check_gates, rate_remarks
from pipeline.ecg.quality import (
    DEAD_RANGE_MV,
    MAX_CLIPPED_SHARE,
    MAX_MISSING_SHARE,
    MAX_NOISE_SHARE,
    SecondFeatures,
    lead_quality,
    second_features,
    second_quality,
)
from pipeline.ecg.readers.scaling import unit_remarks
from pipeline.ecg.readers.stream import EcgStream
from pipeline.ecg.signal_faults import second_faults
from pipeline.errors import QualityError
from pipeline.parts import NoParts, Parts
from pipeline.records import Array, EcgOverview, EcgQuality, EcgRecord, PreparedEcg, Remark

LONG_S = 3600.0
"""Ours: up to an hour the whole signal is kept with the run; beyond, it stays in the file."""
BEGINNING_S = 600.0  # of the signal is kept for the strip
_ARTEFACT_SIZE = 8.0  # a second this many times as high as the usual one shows movement, not a heart
_PROBE_STEP = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedHour:
    """What one hour adds; seconds are those of the overview."""

    low_mv: Array  # float32 (n_leads, n_seconds)
    high_mv: Array  # float32 (n_leads, n_seconds)
    clean: Array  # bool (n_leads, n_seconds)
    second_quality: Array  # float32 (n_leads, n_seconds)
    fault: Array  # uint8 (n_leads, n_seconds)
    quality: Array  # float64 (n_leads,)
    usable: Array  # bool (n_leads,)
    reasons: tuple[str | None, ...]  # why a lead is not usable or impaired


def is_long(stream: EcgStream) -> bool:
    """Whether a recording is read piece by piece."""
    return stream.duration_s > LONG_S


def prepare_long(
    stream: EcgStream,
    file_sha256: str,
    *,
    parts: Parts | None = None,
    progress: Progress = no_progress,
    cancel: CancelToken | None = None,
) -> PreparedEcg:
    """Judge a long recording hour by hour in memory that does not grow with its length.

    `record` and `filtered_mv` of the result hold the first ten minutes, `overview` the whole; a lead counts as
    usable when it is so in any hour. Finished hours are kept in `parts`.

    Raises
    ------
    QualityError
        E_QUALITY_ECG: sampled too slowly, or no usable lead in any hour.
    InputError, TransientReadError
        The file could not be read any more.
    RunCancelledError
        `cancel` was set; it is looked at in every window of ten minutes.
    """
    lead_filter, text = long_filter(stream)
    beginning = min(stream.n_samples, int(BEGINNING_S * second_samples(stream.sampling_rate_hz)))
    start = read_piece(stream, lead_filter, 0, beginning)
    record = EcgRecord(
        signal_mv=start.raw_mv,
        sampling_rate_hz=stream.sampling_rate_hz,
        leads=stream.leads,
        scaling=stream.scaling,
        header=stream.header,
        remarks=(*stream.remarks, *limb_remarks(start.raw_mv, stream.sampling_rate_hz, stream.leads)),
    )
    check_gates(record, empty_allowed=True)
    hours = _hours(stream, lead_filter, parts or NoParts(), progress, cancel)
    usable = np.stack([hour.usable for hour in hours])
    _check_usable(hours)
    return PreparedEcg(
        file_sha256=file_sha256,
        record=record,
        filtered_mv=start.filtered_mv,
        filter_text=text,
        lead_quality=np.mean([hour.quality for hour in hours], axis=0),
        lead_usable=np.asarray(usable.any(axis=0)),
        remarks=(
            *record.remarks,
            *unit_remarks(start.raw_mv, stream.leads),
            *rate_remarks(record),
            *_lead_remarks(stream.leads, hours),
            _length_remark(stream, beginning),
        ),
        quality=_quality(hours),
        overview=EcgOverview(
            n_samples=stream.n_samples,
            low_mv=np.concatenate([hour.low_mv for hour in hours], axis=1),
            high_mv=np.concatenate([hour.high_mv for hour in hours], axis=1),
            clean=np.concatenate([(hour.clean & hour.usable[:, None]).any(axis=0) for hour in hours]),
            hour_usable=usable,
        ),
    )


def long_filter(stream: EcgStream) -> tuple[LeadFilter, str]:
    """The filter of a stream and its text; mains noise is looked for in the middle minute."""
    n_probe = min(stream.n_samples, int(MAINS_PROBE_S * stream.sampling_rate_hz))
    start = (stream.n_samples - n_probe) // 2
    probe = [fill_gaps(lead)[0] for lead in stream.read(start, start + n_probe)]
    lead_filter = LeadFilter(stream.sampling_rate_hz, mains_hz_of(probe, stream.sampling_rate_hz))
    return lead_filter, lead_filter.text


# --- one hour ----------------------------------------------------------------------------------------


def _hours(
    stream: EcgStream, lead_filter: LeadFilter, parts: Parts, progress: Progress, cancel: CancelToken | None
) -> list[PreparedHour]:
    hours = []
    n_hours = hour_count(stream.n_samples, stream.sampling_rate_hz)
    for number in range(n_hours):
        hour = parts.known(number, PreparedHour)
        if hour is None:
            hour = _hour(stream, lead_filter, number, progress, cancel)
            parts.keep(number, hour)
        hours.append(hour)
        progress((number + 1) / n_hours, f"Hour {number + 1} of {n_hours} filtered")
    return hours


def _hour(
    stream: EcgStream, lead_filter: LeadFilter, number: int, progress: Progress, cancel: CancelToken | None
) -> PreparedHour:
    """Overview and quality of one hour."""
    rate_hz = stream.sampling_rate_hz
    bounds: list[Array] = []
    probes: list[Array] = []
    found: list[list[SecondFeatures]] = []
    for first, end in hour_windows(stream.n_samples, rate_hz, number):
        if cancel is not None:
            cancel.check()
        piece = read_piece(stream, lead_filter, first, end)
        pairs = zip(piece.raw_mv, piece.filtered_mv, strict=True)
        found.append([second_features(raw, filtered, rate_hz, cancel=cancel) for raw, filtered in pairs])
        n_seconds = found[-1][0].range_mv.size
        bounds.append(_extremes(piece.filtered_mv, second_samples(rate_hz), n_seconds))
        probes.append(piece.raw_mv[:, ::_PROBE_STEP])
        progress(end / stream.n_samples, f"Filtering hour {number + 1}")
    features = [_joined([window[row] for window in found]) for row in range(len(stream.leads))]
    probe = np.concatenate(probes, axis=1)
    verdicts = [lead_quality(raw, of_lead) for raw, of_lead in zip(probe, features, strict=True)]
    low_high = np.concatenate(bounds, axis=2)
    return PreparedHour(
        low_mv=low_high[0],
        high_mv=low_high[1],
        clean=np.stack([clean_seconds(of_lead) for of_lead in features]),
        second_quality=np.stack([second_quality(of_lead) for of_lead in features]),
        fault=np.stack([second_faults(of_lead) for of_lead in features]),
        quality=np.array([verdict.quality for verdict in verdicts], np.float64),
        usable=np.array([verdict.usable for verdict in verdicts], np.bool_),
        reasons=tuple(verdict.reason for verdict in verdicts),
    )


def _extremes(filtered_mv: Array, n_second: int, n_seconds: int) -> Array:
    """Smallest and largest sample of each second, float32 (2, n_leads, n_seconds)."""
    room = n_seconds * n_second
    padded = np.pad(filtered_mv, ((0, 0), (0, max(0, room - filtered_mv.shape[1]))), mode="edge")[:, :room]
    seconds = padded.reshape(filtered_mv.shape[0], n_seconds, n_second)
    return np.stack([seconds.min(axis=2), seconds.max(axis=2)]).astype(np.float32)


def _joined(windows: Sequence[SecondFeatures]) -> SecondFeatures:
    return SecondFeatures(
        missing_share=np.concatenate([window.missing_share for window in windows]),
        range_mv=np.concatenate([window.range_mv for window in windows]),
        noise_mv=np.concatenate([window.noise_mv for window in windows]),
        wander_mv=np.concatenate([window.wander_mv for window in windows]),
        clipped_share=np.concatenate([window.clipped_share for window in windows]),
        raw_range_mv=np.concatenate([window.raw_range_mv for window in windows]),
        mains_mv=np.concatenate([window.mains_mv for window in windows]),
    )


def clean_seconds(features: SecondFeatures) -> Array:
    """Seconds in which a beat would be seen, and its absence be believed, bool (n_seconds,).

    Noise is compared with the size of the usual second of the hour, not with the second's own: in a pause there is
    no QRS to compare it with.
    """
    present = features.missing_share < MAX_MISSING_SHARE
    usual_mv = float(np.median(features.range_mv[present])) if present.any() else 0.0
    calm = features.noise_mv <= MAX_NOISE_SHARE * usual_mv
    alive = (features.range_mv >= DEAD_RANGE_MV) & (features.range_mv <= _ARTEFACT_SIZE * usual_mv)
    return np.asarray(present & calm & alive & (features.clipped_share <= MAX_CLIPPED_SHARE))


# --- verdicts ----------------------------------------------------------------------------------------


def _check_usable(hours: Sequence[PreparedHour]) -> None:
    if any(hour.usable.any() for hour in hours):
        return
    reasons = Counter(reason for hour in hours for reason in hour.reasons if reason)
    reason = reasons.most_common(1)[0][0]
    raise QualityError(f"No lead of the ECG can be measured in any hour. Of most: {reason}.", code=QUALITY_CODE)


def _quality(hours: Sequence[PreparedHour]) -> EcgQuality:
    """Every second of all hours."""
    return EcgQuality(
        quality=np.concatenate([hour.second_quality for hour in hours], axis=1),
        fault=np.concatenate([hour.fault for hour in hours], axis=1),
        reasons=tuple(_commonest(hours, row) for row in range(len(hours[0].reasons))),
    )


def _commonest(hours: Sequence[PreparedHour], row: int) -> str | None:
    """The commonest reason for which a lead was left out or is impaired in an hour."""
    reasons = Counter(reason for hour in hours if (reason := hour.reasons[row]) is not None)
    return reasons.most_common(1)[0][0] if reasons else None


def _lead_remarks(leads: Sequence[str], hours: Sequence[PreparedHour]) -> tuple[Remark, ...]:
    remarks = []
    for row, name in enumerate(leads):
        out = [hour.reasons[row] for hour in hours if not hour.usable[row]]
        poor = [hour.reasons[row] for hour in hours if hour.usable[row] and hour.reasons[row]]
        for code, verb, reasons in (
            ("W_ECG_LEAD_UNUSABLE", "was left out", out),
            ("W_ECG_LEAD_POOR", "is impaired", poor),
        ):
            if reasons:
                reason = Counter(reasons).most_common(1)[0][0]
                text = f"Lead {name} {verb} in {len(reasons)} of {len(hours)} hours: {reason}."
                remarks.append(Remark(code=code, text=text))
    return tuple(remarks)


def _length_remark(stream: EcgStream, beginning: int) -> Remark:
    text = (
        f"The ECG lasts {stream.duration_s / 3600:.1f} h and is measured hour by hour from its file; "
        f"the strip shows its first {beginning / stream.sampling_rate_hz / 60:.0f} min."
    )
    return Remark(code="W_ECG_LONG", text=text)
