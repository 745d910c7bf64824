"""A long recording after a reader changed its beats: everything that rests on R peaks and classes measured again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.ecg.ectopy import ectopics
from pipeline.ecg.hourly import LongBeats, course, known_intervals
from pipeline.ecg.long_analysis import LEAST_PACED
from pipeline.ecg.long_measurements import measurements_of
from pipeline.ecg.pacing import stated_pacing
from pipeline.ecg.rhythm_facts import RhythmFacts
from pipeline.records import Array, EcgAnalysis, Measurement, Metadata, PreparedEcg

INTERVALS = ("pr", "qrs", "qt")


def long_analysis_of(ecg: PreparedEcg, run: EcgAnalysis, edited: EcgAnalysis, metadata: Metadata) -> EcgAnalysis:
    """The analysis of a run with the beats of `edited`.

    Rate, variability, counts, hourly table, trend and episodes are measured again. PR, QRS and QT stay those of the
    run: they rest on beats of every hour whose boundaries are not kept; QTc follows the rate. Where fibrillation,
    flutter and pacing were seen stays as well. Of the statements the one that counts ectopic beats is made again.
    """
    assert ecg.overview is not None
    rate_hz, clean = ecg.record.sampling_rate_hz, ecg.overview.clean
    n_beats = edited.r_peaks_idx.size
    beats = LongBeats(
        peaks=edited.r_peaks_idx,
        classes=np.array(edited.beat_classes, "<U1"),
        af_beats=edited.af_beats,
        flutter_beats=_flags(edited.flutter_beats, n_beats),
        paced_beats=_flags(edited.paced_beats, n_beats),
        known=known_intervals(edited.r_peaks_idx, clean, rate_hz),
        clean=clean,
        sampling_rate_hz=rate_hz,
    )
    paced = stated_pacing(metadata, ecg.record.header) is not None or float(beats.paced_beats.mean()) > LEAST_PACED
    medians = {name: _value(run.measurements, name) for name in INTERVALS}
    fresh = measurements_of(beats, medians, ecg.file_sha256, sex=metadata.sex, paced=paced)
    kept = {measurement.name: measurement for measurement in run.measurements if measurement.name in INTERVALS}
    others = tuple(statement for statement in run.rhythm if statement.code != "ectopics")
    return replace(
        edited,
        measurements=tuple(kept.get(measurement.name, measurement) for measurement in fresh),
        rhythm=(*others, *ectopics(_facts(beats, ecg.overview.n_samples / rate_hz))),
        long=course(beats),
    )


def _facts(beats: LongBeats, record_s: float) -> RhythmFacts:
    return RhythmFacts(
        peaks_s=beats.times_s,
        classes=beats.classes,
        af_beats=beats.af_beats,
        has_p=np.zeros(beats.peaks.size, bool),
        pr_ms=None,
        qrs_ms=None,
        record_s=record_s,
    )


def _value(measurements: tuple[Measurement, ...], name: str) -> float | None:
    """A number of the run; None where it was withheld."""
    value = next((m.value for m in measurements if m.name == name), None)
    return float(value) if isinstance(value, int | float) else None


def _flags(flags: Array | None, n_beats: int) -> Array:
    return np.zeros(n_beats, bool) if flags is None else flags
