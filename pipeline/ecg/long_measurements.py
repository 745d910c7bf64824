"""Measurements of a long ECG: over known intervals only, so that noise is neither a pause nor a slow heart."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pipeline.clinical.reference_ranges import heart_rate_band, pr_band, qrs_band, qtc_band
from pipeline.ecg import hrv
from pipeline.ecg.burden import burden
from pipeline.ecg.hourly import LongBeats
from pipeline.ecg.intervals import (
    WIDE_QRS_MS,
    qtc_bazett_ms,
    qtc_framingham_ms,
    qtc_fridericia_ms,
    qtc_hodges_ms,
)
from pipeline.ecg.long_beats import HourBeats
from pipeline.ecg.metrics import ecg_metric
from pipeline.ecg.variability import variability
from pipeline.measurements import measured, withheld
from pipeline.records import Array, Measurement, Sex, Source

_LISTED_BEATS = 50
_LEAST_SHARE = 0.5  # of the beats looked at that must show a wave before its interval is given
_MISSING = {
    "pr": "No P wave was found in most of the beats that were looked at.",
    "qrs": "The QRS boundaries could not be found in most of the beats that were looked at.",
    "qt": "The end of the T wave could not be found in most of the beats that were looked at.",
}
_QTC: tuple[tuple[str, Callable[[float, float], float]], ...] = (
    ("qtcf", qtc_fridericia_ms),
    ("qtc_framingham", qtc_framingham_ms),
    ("qtcb", qtc_bazett_ms),
    ("qtc_hodges", qtc_hodges_ms),
)


def long_measurements(
    beats: LongBeats, waves: HourBeats, file_sha256: str, *, sex: Sex | None, paced: bool
) -> tuple[Measurement, ...]:
    """Rate, intervals, counts and variability over all hours; `waves` are the same beats with their intervals."""
    medians = {name: interval_median(beats, waves, name) for name in _MISSING}
    return measurements_of(beats, medians, file_sha256, sex=sex, paced=paced)


def measurements_of(
    beats: LongBeats, medians: dict[str, float | None], file_sha256: str, *, sex: Sex | None, paced: bool
) -> tuple[Measurement, ...]:
    """The same from medians of "pr", "qrs" and "qt" in ms that are known already, None where one is missing."""
    source = Source(file_sha256=file_sha256)
    normal = beats.classes == "N"
    return (
        *_rate(beats, file_sha256),
        *(_interval(name, medians, source) for name in _MISSING),
        *_corrected(beats, medians, source, sex),
        *_jt(beats, medians, source),
        withheld(ecg_metric("axis"), "Not measured over hours: the axis turns with the position of the body."),
        *long_counts(beats, file_sha256),
        *variability(
            _normal_intervals(beats),
            record_s=float(beats.clean.sum()),
            classes=beats.classes,
            af_share=float((beats.af_beats | beats.flutter_beats).mean()),
            paced=paced,
            source=_beats_source(file_sha256, np.flatnonzero(normal)),
        ),
    )


def interval_median(beats: LongBeats, waves: HourBeats, name: str) -> float | None:
    """Median of "pr", "qrs" or "qt" over the normal beats looked at, ms; None where most lack the wave."""
    inside = waves.looked & (beats.classes == "N")
    if name == "pr":
        inside &= ~beats.af_beats
    values = np.asarray(getattr(waves, f"{name}_ms"))[inside]
    known = np.isfinite(values)
    if known.sum() < max(1.0, _LEAST_SHARE * values.size):
        return None
    return float(np.median(values[known]))


def _beats_source(file_sha256: str, beats: Array | Sequence[int]) -> Source:
    return Source(file_sha256=file_sha256, beat_idx=tuple(int(i) for i in beats[:_LISTED_BEATS]))


def _rate(beats: LongBeats, file_sha256: str) -> list[Measurement]:
    names = ("heart_rate", "rr_mean", "rr_range", "longest_rr")
    known = np.flatnonzero(np.isfinite(beats.rr_s))
    if known.size == 0:
        return [withheld(ecg_metric(name), "No two beats follow each other in a clean trace.") for name in names]
    rr_ms = 1000.0 * beats.rr_s[known]
    mean_ms = float(rr_ms.mean())
    longest, shortest = int(known[rr_ms.argmax()]), int(known[rr_ms.argmin()])
    rate_bpm = 60_000.0 / mean_ms
    everything = Source(file_sha256=file_sha256)
    return [
        measured(ecg_metric("heart_rate"), rate_bpm, source=everything, band=heart_rate_band(rate_bpm)),
        measured(ecg_metric("rr_mean"), mean_ms, source=everything),
        measured(
            ecg_metric("rr_range"), float(np.ptp(rr_ms)), source=_beats_source(file_sha256, [longest + 1, shortest + 1])
        ),
        measured(
            ecg_metric("longest_rr"), float(rr_ms.max()), source=_beats_source(file_sha256, [longest, longest + 1])
        ),
    ]


def _interval(name: str, medians: dict[str, float | None], source: Source) -> Measurement:
    metric, value_ms = ecg_metric(name), medians[name]
    if value_ms is None:
        return withheld(metric, _MISSING[name])
    bands: dict[str, Callable[[float], str | None]] = {"pr": pr_band, "qrs": qrs_band}
    band = bands[name](value_ms) if name in bands else None
    method = f"{metric.method}; beats taken from every ten minutes"
    return measured(metric, value_ms, source=source, band=band, method=method)


def _corrected(
    beats: LongBeats, medians: dict[str, float | None], source: Source, sex: Sex | None
) -> list[Measurement]:
    qt_ms, rr_s = medians["qt"], beats.rr_s[np.isfinite(beats.rr_s)]
    if qt_ms is None or rr_s.size == 0:
        reason = _MISSING["qt"] if qt_ms is None else "No two beats follow each other in a clean trace."
        return [withheld(ecg_metric(name), reason) for name, _ in _QTC]
    mean_s = float(rr_s.mean())
    found = []
    for name, formula in _QTC:
        metric, value_ms = ecg_metric(name), formula(qt_ms, mean_s)
        method = f"{metric.method}, from the median QT and the mean RR of {1000 * mean_s:.0f} ms of all hours"
        found.append(measured(metric, value_ms, source=source, band=qtc_band(value_ms, sex), method=method))
    return found


def _jt(beats: LongBeats, medians: dict[str, float | None], source: Source) -> list[Measurement]:
    metrics, rr_s = (ecg_metric("jt"), ecg_metric("jtc")), beats.rr_s[np.isfinite(beats.rr_s)]
    qt_ms, qrs_ms = medians["qt"], medians["qrs"]
    if qt_ms is None or qrs_ms is None or rr_s.size == 0:
        return [withheld(metric, "QT, QRS or the rate could not be measured.") for metric in metrics]
    if qrs_ms < WIDE_QRS_MS:
        return [withheld(metric, "Given only where the QRS lasts 120 ms or more.") for metric in metrics]
    values = (qt_ms - qrs_ms, qtc_fridericia_ms(qt_ms, float(rr_s.mean())) - qrs_ms)
    return [measured(metric, value, source=source) for metric, value in zip(metrics, values, strict=True)]


def long_counts(beats: LongBeats, file_sha256: str) -> list[Measurement]:
    """Ectopic beats and the share of suspected fibrillation."""
    found = burden(beats.classes, float(beats.clean.sum()), lambda some: _beats_source(file_sha256, some))
    share_pct = 100.0 * float(beats.af_beats.mean())
    source = _beats_source(file_sha256, np.flatnonzero(beats.af_beats))
    return [*found, measured(ecg_metric("af_share"), share_pct, source=source)]


def _normal_intervals(beats: LongBeats) -> hrv.NormalIntervals:
    """Intervals between normal beats; one across noise is left out like one that ends in an ectopic beat."""
    after_noise = np.concatenate([[False], ~beats.known])
    classes = np.where(after_noise, "Q", beats.classes)
    return hrv.normal_intervals(beats.peaks, beats.sampling_rate_hz, classes)
