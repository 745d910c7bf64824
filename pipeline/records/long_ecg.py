"""What is kept of an ECG of many hours, whose samples stay in its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.records.common import Array

EpisodeKind = Literal["af", "flutter", "paced", "ventricular_run", "supraventricular_run", "pause"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgOverview:
    """The whole record at a glance, and which parts of it can be measured. The last second may be a shorter one."""

    n_samples: int  # of the file, a lead
    low_mv: Array  # float32 (n_leads, n_seconds), smallest filtered sample of each second
    high_mv: Array  # float32 (n_leads, n_seconds)
    clean: Array  # bool (n_seconds,): at least one usable lead can be read
    hour_usable: Array  # bool (n_hours, n_leads)


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgHour:
    """One row of the hourly table; None where the hour has nothing to tell."""

    start_s: float
    usable_min: float
    n_beats: int
    mean_bpm: float | None
    min_bpm: float | None  # of the minute means
    max_bpm: float | None
    n_v: int
    n_s: int
    af_share_pct: float | None  # of the beats
    flutter_share_pct: float | None
    paced_share_pct: float | None
    n_pauses: int
    longest_rr_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgEpisode:
    """A stretch to be looked at: from its first to its last beat."""

    kind: EpisodeKind
    start_s: float
    end_s: float
    n_beats: int
    mean_bpm: float | None  # None for a pause


@dataclass(frozen=True, slots=True, kw_only=True)
class LongEcg:
    """Course of the hours."""

    hours: tuple[EcgHour, ...]
    episodes: tuple[EcgEpisode, ...]  # by kind, then by time
    trend_bpm: Array  # float32 (n_minutes,), mean heart rate, NaN where too little can be measured
    rr_known: Array  # bool (n_beats - 1,): the trace between the two beats is clean throughout
