"""The calls of the look lane: what a window, or `batch`, reads of a file outside a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pipeline.gates import Limits
from pipeline.intake.directory import Components, DirectoryFile, listed_files
from pipeline.records import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgStretch:
    """Samples of a long ECG that are to be shown; `sha256` is that of the file which was measured."""

    path: Path
    sha256: str
    first: int
    end: int
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgHour:
    """An hour of a long ECG whose extremes are to be shown."""

    path: Path
    sha256: str
    hour: int
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownEcg:
    """What was read of a long ECG: see `pipeline.review.ecg_window`."""

    values_mv: Array  # float32


def list_directory(given: DirectoryFile, _: object) -> tuple[Components, ...]:
    """See `pipeline.intake.directory.listed_files`."""
    return listed_files(given.path, given.limits)


def read_samples(given: EcgStretch, _: object) -> ShownEcg:
    """See `pipeline.review.ecg_window.ecg_samples`."""
    from pipeline.review.ecg_window import ecg_samples

    return ShownEcg(values_mv=ecg_samples(given.path, given.sha256, given.first, given.end))


def read_extremes(given: EcgHour, _: object) -> ShownEcg:
    """See `pipeline.review.ecg_window.ecg_extremes`."""
    from pipeline.review.ecg_window import ecg_extremes

    return ShownEcg(values_mv=ecg_extremes(given.path, given.sha256, given.hour))
