"""A long recording after a reader changed the classes of beats: counts, hourly table, episodes, statements."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.ecg.ectopy import ectopics
from pipeline.ecg.hourly import LongBeats, course
from pipeline.ecg.long_measurements import long_counts
from pipeline.ecg.rhythm_facts import RhythmFacts
from pipeline.records import Array, EcgAnalysis, PreparedEcg


def long_analysis_of(ecg: PreparedEcg, analysis: EcgAnalysis, letters: tuple[str, ...]) -> EcgAnalysis:
    """The analysis with other classes.

    Intervals and variability stay those of the run: they rest on beats of every hour whose boundaries are not kept.
    Of the statements the one that counts ectopic beats is made again; those on single stretches are the run's.
    """
    assert ecg.overview is not None
    assert analysis.long is not None
    beats = LongBeats(
        peaks=analysis.r_peaks_idx,
        classes=np.array(letters, "<U1"),
        af_beats=analysis.af_beats,
        flutter_beats=_flags(analysis.flutter_beats, len(letters)),
        paced_beats=_flags(analysis.paced_beats, len(letters)),
        known=analysis.long.rr_known,
        clean=ecg.overview.clean,
        sampling_rate_hz=ecg.record.sampling_rate_hz,
    )
    counts = {measurement.name: measurement for measurement in long_counts(beats, ecg.file_sha256)}
    facts = RhythmFacts(
        peaks_s=beats.times_s,
        classes=beats.classes,
        af_beats=beats.af_beats,
        has_p=np.zeros(beats.peaks.size, bool),
        pr_ms=None,
        qrs_ms=None,
        record_s=ecg.overview.n_samples / ecg.record.sampling_rate_hz,
    )
    others = tuple(statement for statement in analysis.rhythm if statement.code != "ectopics")
    return replace(
        analysis,
        measurements=tuple(counts.get(m.name, m) for m in analysis.measurements),
        beat_classes=letters,
        rhythm=(*others, *ectopics(facts)),
        long=course(beats),
    )


def _flags(flags: Array | None, n_beats: int) -> Array:
    return np.zeros(n_beats, bool) if flags is None else flags
