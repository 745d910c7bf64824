"""The course of a long ECG: minute trend, hourly table, and the episodes to be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.ecg.long_windows import HOUR_S, hour_samples, second_samples
from pipeline.ecg.rhythm import PAUSE_S, runs
from pipeline.records import Array, EcgEpisode, EcgHour, LongEcg
from pipeline.records.long_ecg import EpisodeKind

_TREND_S = 60
_LEAST_INTERVALS = 5  # of a minute that has a mean rate
_RUN_BEATS = 3
AF_EPISODE_S = 30.0
"""Source: ESC 2024 atrial fibrillation, doi 10.1093/eurheartj/ehae176: from 30 s on an episode counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongBeats:
    """All beats of a long record. An interval is known when every second that it touches is clean."""

    peaks: Array  # int64 (n_beats,)
    classes: Array  # str (n_beats,)
    af_beats: Array  # bool (n_beats,)
    flutter_beats: Array  # bool (n_beats,)
    paced_beats: Array  # bool (n_beats,)
    known: Array  # bool (n_beats - 1,)
    clean: Array  # bool (n_seconds,)
    sampling_rate_hz: float

    @property
    def times_s(self) -> Array:
        return self.peaks / self.sampling_rate_hz

    @property
    def rr_s(self) -> Array:
        """Float64 (n_beats - 1,), NaN where not known."""
        return np.where(self.known, np.diff(self.times_s), np.nan)


def known_intervals(peaks: Array, clean: Array, sampling_rate_hz: float) -> Array:
    """Bool (n_beats - 1,): no second between the two beats, theirs included, is other than clean."""
    second = np.minimum(peaks // second_samples(sampling_rate_hz), clean.size - 1)
    unclean = np.concatenate([[0], np.cumsum(~clean)])
    return np.asarray(unclean[second[1:] + 1] == unclean[second[:-1]])


def course(beats: LongBeats) -> LongEcg:
    """Table, trend and episodes."""
    trend = _trend(beats)
    return LongEcg(
        hours=tuple(_hours(beats, trend)), episodes=tuple(_episodes(beats)), trend_bpm=trend, rr_known=beats.known
    )


def _trend(beats: LongBeats) -> Array:
    """Mean rate of each minute, float32 (n_minutes,)."""
    n_minutes = -(-beats.clean.size // _TREND_S)
    known = np.isfinite(beats.rr_s)
    minute = beats.peaks[1:][known] // (_TREND_S * second_samples(beats.sampling_rate_hz))
    minute = np.minimum(minute, n_minutes - 1)
    count = np.bincount(minute, minlength=n_minutes)
    total_s = np.bincount(minute, beats.rr_s[known], minlength=n_minutes)
    return np.where(count >= _LEAST_INTERVALS, 60.0 * count / np.maximum(total_s, 1e-9), np.nan).astype(np.float32)


def _hours(beats: LongBeats, trend: Array) -> Iterator[EcgHour]:
    n_hour = hour_samples(beats.sampling_rate_hz)
    hour_of = beats.peaks // n_hour
    for hour in range(-(-beats.clean.size // HOUR_S)):
        inside = hour_of == hour
        rr_s = beats.rr_s[inside[1:]]
        rr_s = rr_s[np.isfinite(rr_s)]
        minutes = trend[hour * HOUR_S // _TREND_S : (hour + 1) * HOUR_S // _TREND_S]
        minutes = minutes[np.isfinite(minutes)]
        yield EcgHour(
            start_s=round(hour * n_hour / beats.sampling_rate_hz, 3),
            usable_min=round(float(beats.clean[hour * HOUR_S : (hour + 1) * HOUR_S].sum()) / 60.0, 1),
            n_beats=int(inside.sum()),
            mean_bpm=round(60.0 / float(rr_s.mean()), 1) if rr_s.size else None,
            min_bpm=round(float(minutes.min()), 1) if minutes.size else None,
            max_bpm=round(float(minutes.max()), 1) if minutes.size else None,
            n_v=int(np.sum(beats.classes[inside] == "V")),
            n_s=int(np.sum(beats.classes[inside] == "S")),
            af_share_pct=_share_pct(beats.af_beats[inside]),
            flutter_share_pct=_share_pct(beats.flutter_beats[inside]),
            paced_share_pct=_share_pct(beats.paced_beats[inside]),
            n_pauses=int(np.sum(rr_s > PAUSE_S)),
            longest_rr_s=round(float(rr_s.max()), 3) if rr_s.size else None,
        )


def _share_pct(flags: Array) -> float | None:
    return round(100.0 * float(flags.mean()), 1) if flags.size else None


# --- episodes ----------------------------------------------------------------------------------------


def _episodes(beats: LongBeats) -> Iterator[EcgEpisode]:
    supraventricular = (beats.classes == "S") & ~beats.af_beats & ~beats.flutter_beats
    through = beats.known | (np.diff(beats.times_s) < AF_EPISODE_S)  # a few seconds of noise do not end fibrillation
    lasting: tuple[tuple[EpisodeKind, Array], ...] = (
        ("af", beats.af_beats),
        ("flutter", beats.flutter_beats),
        ("paced", beats.paced_beats),
    )
    for kind, flags in lasting:
        found = _stretches(beats, kind, flags, through)
        yield from (episode for episode in found if episode.end_s - episode.start_s >= AF_EPISODE_S)
    ectopic: tuple[tuple[EpisodeKind, Array], ...] = (
        ("ventricular_run", beats.classes == "V"),
        ("supraventricular_run", supraventricular),
    )
    for kind, flags in ectopic:
        found = _stretches(beats, kind, flags, beats.known)
        yield from (episode for episode in found if episode.n_beats >= _RUN_BEATS)
    for before in np.flatnonzero(beats.rr_s > PAUSE_S):
        yield _episode(beats, "pause", int(before), int(before) + 1)


def _stretches(beats: LongBeats, kind: EpisodeKind, flags: Array, joined: Array) -> Iterator[EcgEpisode]:
    """Runs of two and more marked beats of which each is joined to the next."""
    for first, last in runs(flags[1:] & flags[:-1] & joined):
        yield _episode(beats, kind, first, last + 1)


def _episode(beats: LongBeats, kind: EpisodeKind, first: int, last: int) -> EcgEpisode:
    rr_s = beats.rr_s[first:last]
    rr_s = rr_s[np.isfinite(rr_s)]
    has_rate = kind != "pause" and rr_s.size > 0
    return EcgEpisode(
        kind=kind,
        start_s=round(float(beats.times_s[first]), 3),
        end_s=round(float(beats.times_s[last]), 3),
        n_beats=last - first + 1,
        mean_bpm=round(60.0 / float(rr_s.mean()), 1) if has_rate else None,
    )
