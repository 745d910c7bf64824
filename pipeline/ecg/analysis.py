"""The ECG branch of ANALYSIS: beats, boundaries, intervals, rhythm and variability as measurements."""

from __future__ import annotations

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.ecg.atrial_waves import blocked_p_waves, own_atrial_cycle_s
from pipeline.ecg.beats import classify_beats, detect_r_peaks
from pipeline.ecg.delineation import delineate, without_p
from pipeline.ecg.fibrillation import fibrillation, p_seen
from pipeline.ecg.findings import EcgFindings, ecg_measurements, ecg_remarks, interval_median
from pipeline.ecg.flutter import flutter_beats
from pipeline.ecg.intervals import beat_intervals, usual_median
from pipeline.ecg.median_beat import usual_beats
from pipeline.ecg.pacing import Pacing, find_pacing, stated_pacing
from pipeline.ecg.rhythm import RhythmFacts, rhythm_statements
from pipeline.ecg.shape import beat_shape, shape_statements
from pipeline.errors import AnalysisError
from pipeline.records import (
    Array,
    Delineation,
    EcgAnalysis,
    EcgStatement,
    Measurement,
    Metadata,
    PreparedEcg,
    RhythmStatement,
)


def analyse_ecg(
    ecg: PreparedEcg,
    metadata: Metadata,
    *,
    progress: Progress = no_progress,
    cancel: CancelToken | None = None,
) -> EcgAnalysis:
    """Measure one prepared ECG.

    Only usable leads are looked at. What cannot be measured is withheld with its reason.

    Raises
    ------
    AnalysisError
        No lead is usable, or no heart beat was found.
    RunCancelledError
        The run was cancelled.
    """
    signal_mv = usable_signal(ecg)
    rate_hz = ecg.record.sampling_rate_hz
    peaks = detect_r_peaks(signal_mv, rate_hz, progress=_share(progress, 0.0, 0.3), cancel=cancel)
    if peaks.size == 0:
        raise AnalysisError("No heart beat was found in the ECG.")
    classes = classify_beats(signal_mv, rate_hz, peaks)
    progress(0.5, "Finding wave boundaries")
    delineation = delineate(
        signal_mv, rate_hz, peaks, is_usual=classes != "V", progress=_share(progress, 0.5, 0.9), cancel=cancel
    )
    has_p = np.asarray(np.isfinite(delineation.p_on).any(axis=0))
    flutter = flutter_beats(signal_mv, rate_hz, peaks, classes == "V")
    af = fibrillation(peaks, rate_hz, p_seen(signal_mv, rate_hz, peaks, classes == "V")) & ~flutter
    delineation = without_p(delineation, af | flutter)
    usual, intervals = usual_beats(classes), beat_intervals(delineation, rate_hz)
    findings = EcgFindings(
        ecg=ecg,
        signal_mv=signal_mv,
        peaks=peaks,
        classes=classes,
        af_beats=af,
        flutter_beats=flutter,
        has_p=has_p,
        intervals=intervals,
        shape=beat_shape(ecg, signal_mv, peaks, delineation, usual),
        sex=metadata.sex,
        paced_note=stated_pacing(metadata, ecg.record.header),
        pacing=pacing_of(ecg, peaks, usual_median(intervals.qrs_ms, usual)),
    )
    progress(0.95, "Measuring the rhythm")
    return analysis_of(findings, delineation, metadata)


def analysis_of(
    findings: EcgFindings,
    delineation: Delineation,
    metadata: Metadata,
    rhythm: tuple[RhythmStatement, ...] | None = None,
) -> EcgAnalysis:
    """Measurements and statements of what was found, by the pipeline or by a reader who corrected it.

    `rhythm` holds the statements on the rhythm where they need not be made anew.
    """
    measurements = ecg_measurements(findings)
    return EcgAnalysis(
        measurements=measurements,
        r_peaks_idx=findings.peaks,
        beat_classes=tuple(str(letter) for letter in findings.classes),
        af_beats=findings.af_beats,
        flutter_beats=findings.flutter_beats,
        paced_beats=findings.pacing.beats,
        delineation=delineation,
        rhythm=rhythm_statements(_facts(findings, delineation, measurements)) if rhythm is None else rhythm,
        remarks=ecg_remarks(findings),
        waves=findings.shape.waves,
        statements=_statements(findings, metadata, measurements),
    )


def _statements(
    findings: EcgFindings, metadata: Metadata, measurements: tuple[Measurement, ...]
) -> tuple[EcgStatement, ...]:
    qrs_ms, axis_deg = interval_median(findings, "qrs"), _number(measurements, "axis")
    return shape_statements(findings.shape, metadata, qrs_ms=qrs_ms, axis_deg=axis_deg, paced=findings.paced)


def _number(measurements: tuple[Measurement, ...], name: str) -> float | None:
    """Value of a measurement, None where it was withheld."""
    value = next(m.value for m in measurements if m.name == name)
    return value if isinstance(value, float) else None


def usable_signal(ecg: PreparedEcg) -> Array:
    """The filtered signal, NaN in leads that are not usable and where the record has no sample."""
    usable = np.asarray(ecg.lead_usable, bool)
    if not usable.any():
        raise AnalysisError("No lead of the ECG is good enough to be measured.")
    missing = np.isnan(ecg.record.signal_mv).any() if ecg.record.signal_mv.shape == ecg.filtered_mv.shape else False
    if usable.all() and not missing:
        return ecg.filtered_mv
    signal_mv = np.array(ecg.filtered_mv)
    signal_mv[~usable] = np.nan
    if missing:
        signal_mv[np.isnan(ecg.record.signal_mv)] = np.nan
    return signal_mv


def _share(progress: Progress, start: float, stop: float) -> Progress:
    """The callback for a part of the work."""
    return lambda fraction, text: progress(start + (stop - start) * fraction, text)


def pacing_of(ecg: PreparedEcg, peaks: Array, qrs_ms: float | None) -> Pacing:
    """Pacing spikes of the usable leads in the unfiltered signal: a filter takes them away."""
    recorded_mv = ecg.record.signal_mv[np.asarray(ecg.lead_usable, bool)]
    return find_pacing(recorded_mv, ecg.record.sampling_rate_hz, peaks, qrs_ms)


def _facts(findings: EcgFindings, delineation: Delineation, measurements: tuple[Measurement, ...]) -> RhythmFacts:
    rate_hz, signal_mv = findings.rate_hz, findings.signal_mv
    lead_ii = findings.shape.by_lead.get("II")
    return RhythmFacts(
        peaks_s=findings.peaks / rate_hz,
        classes=findings.classes,
        af_beats=findings.af_beats,
        flutter_beats=findings.flutter_beats,
        has_p=findings.has_p,
        pr_ms=interval_median(findings, "pr"),
        qrs_ms=interval_median(findings, "qrs"),
        record_s=findings.record_s,
        pacing=findings.pacing,
        blocked_p=blocked_p_waves(signal_mv, rate_hz, findings.peaks, findings.classes, delineation),
        beat_pr_ms=findings.intervals.pr_ms,
        atrial_cycle_s=own_atrial_cycle_s(signal_mv, rate_hz, findings.peaks, findings.classes),
        p_axis_deg=_number(measurements, "p_axis"),
        p_ii_mv=None if lead_ii is None else lead_ii.p_mv,
    )
