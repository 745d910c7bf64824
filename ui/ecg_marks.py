"""Marks of the waves and letters of the beats in a stretch of a strip, and how far a mark may be moved. Knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.records import Array, Delineation
from pipeline.review.ecg_targets import MARKS, MarkTarget

if TYPE_CHECKING:
    from pipeline.review.ecg_edits import EcgReview

MARK_NAMES = {
    "p_on": "P onset",
    "p_peak": "P peak",
    "p_off": "P end",
    "qrs_on": "QRS onset",
    "r_peak": "R peak",
    "qrs_off": "QRS end",
    "t_on": "T onset",
    "t_peak": "T peak",
    "t_off": "T end",
}
LEAST_RR_S = 0.2  # between a beat and one that is added
_REACH_S = 0.8  # how far from its R peak a beat has marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A fiducial point as it is drawn."""

    target: str
    name: str  # one of MARKS
    beat_idx: int
    lead_idx: int
    time_s: float
    is_edited: bool

    @property
    def wave(self) -> str:
        return "qrs" if self.name == "r_peak" else self.name.partition("_")[0]

    @property
    def is_peak(self) -> bool:
        return self.name.endswith("peak")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A bracket under the strip."""

    name: str  # "PR", "QRS", "QT"
    start_s: float
    end_s: float

    @property
    def text(self) -> str:
        return f"{1000.0 * (self.end_s - self.start_s):.0f}"


class EcgMarks:
    """All marks of a record; asked for the visible ones."""

    def __init__(self, review: EcgReview, leads: tuple[str, ...], rate_hz: float) -> None:
        self._review, self._leads, self._rate_hz = review, leads, rate_hz
        waves: Delineation = review.analysis.delineation
        n_marked = waves.qrs_on.shape[1]
        self.r_s: Array = np.asarray(review.analysis.r_peaks_idx) / rate_hz
        r_rows = np.broadcast_to(np.asarray(review.analysis.r_peaks_idx, float)[:n_marked], waves.qrs_on.shape)
        tops = {"p_peak": review.p_peak, "r_peak": r_rows, "t_peak": review.t_peak}
        self._places = {
            name: np.asarray(tops[name] if name in tops else getattr(waves, name)) / rate_hz for name in MARKS
        }

    @property
    def n_marked(self) -> int:
        """Beats whose waves are known: all, or those of the beginning of a long record."""
        return int(self._places["qrs_on"].shape[1])

    def beat(self, beat_idx: int) -> int:
        """A beat as acts name it; see `MarkTarget.beat`."""
        return int(self._review.own_beats[beat_idx])

    def new_beat(self, lead_idx: int, time_s: float) -> tuple[str, float] | None:
        """Target and ms of a beat to be added at a time; None where one is too near."""
        sample = round(time_s * self._rate_hz)
        near = np.searchsorted(self.r_s, time_s)
        around = self.r_s[max(int(near) - 1, 0) : int(near) + 1]
        if sample < 0 or np.any(np.abs(around - time_s) < LEAST_RR_S):
            return None
        target = MarkTarget(mark="r_peak", beat=-1 - sample, lead=self._leads[lead_idx])
        return str(target), round(1000.0 * sample / self._rate_hz, 3)

    def beats_between(self, start_s: float, end_s: float, reach_s: float = 0.0) -> range:
        """Beats whose R peak lies in a stretch, or within reach of it."""
        low, high = np.searchsorted(self.r_s, [start_s - reach_s, end_s + reach_s])
        return range(int(low), int(high))

    def visible(self, lead_idx: int, start_s: float, end_s: float) -> list[Mark]:
        """The marks of a lead in a stretch, in the order of time."""
        found = []
        for beat in self.beats_between(start_s, end_s, _REACH_S):
            found += [m for m in self.of_beat(lead_idx, beat) if start_s <= m.time_s < end_s]
        return found

    def of_beat(self, lead_idx: int, beat_idx: int) -> list[Mark]:
        """The marks of one beat in one lead; waves that are not there have none."""
        if beat_idx >= self.n_marked:  # of a long record: its R peak alone is known
            return [self.proposed(lead_idx, beat_idx, "r_peak", float(self.r_s[beat_idx]))]
        found = []
        for name in MARKS:
            time_s = float(self._places[name][lead_idx, beat_idx])
            if np.isfinite(time_s):
                found.append(self.proposed(lead_idx, beat_idx, name, time_s))
        return found

    def proposed(self, lead_idx: int, beat_idx: int, name: str, time_s: float) -> Mark:
        """A mark of a beat at a time, whether it is there or not."""
        target = str(MarkTarget(mark=name, beat=self.beat(beat_idx), lead=self._leads[lead_idx]))
        edited = self._review.edited_marks
        return Mark(
            target=target,
            name=name,
            beat_idx=beat_idx,
            lead_idx=lead_idx,
            time_s=time_s,
            is_edited=target in edited or f"median/{name}" in edited,
        )

    def limits_s(self, mark: Mark, length_s: float) -> tuple[float, float]:
        """Between which times a mark may be moved: its neighbours of the same beat, the R peaks of the next beats."""
        order = {name: place for place, name in enumerate(MARKS)}
        others = [m for m in self.of_beat(mark.lead_idx, mark.beat_idx) if m.name != mark.name]
        before = [m.time_s for m in others if order[m.name] < order[mark.name]]
        after = [m.time_s for m in others if order[m.name] > order[mark.name]]
        beat, step_s = mark.beat_idx, 1.0 / self._rate_hz
        first = float(self.r_s[beat - 1]) if beat > 0 else 0.0
        last = float(self.r_s[beat + 1]) if beat + 1 < self.r_s.size else length_s
        return max([first, *before]) + step_s, min([last, *after]) - step_s

    def intervals(self, beat_idx: int, lead_idx: int) -> list[Interval]:
        """PR, QRS and QT of one beat in one lead."""
        if beat_idx >= self.n_marked:
            return []
        ends = (("PR", "p_on", "qrs_on"), ("QRS", "qrs_on", "qrs_off"), ("QT", "qrs_on", "t_off"))
        found = []
        for name, start, end in ends:
            start_s, end_s = (float(self._places[mark][lead_idx, beat_idx]) for mark in (start, end))
            if np.isfinite(start_s) and np.isfinite(end_s) and end_s > start_s:
                found.append(Interval(name=name, start_s=start_s, end_s=end_s))
        return found

    def letter(self, beat_idx: int) -> str:
        """The AAMI class of a beat, "" where it has none."""
        letters = self._review.analysis.beat_classes
        return letters[beat_idx] if beat_idx < len(letters) else ""

    def is_class_edited(self, beat_idx: int) -> bool:
        """Whether a reader set the class."""
        return beat_idx in self._review.edited_classes
