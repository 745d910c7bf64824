"""What an edit of the ECG names: a mark of a beat, a mark of the median beat, the class of a beat, a caliper.

Targets are "beat:12/lead:II/t_off", "median/t_off", "beat:12/class" and "ecg/caliper:3"; "added:4711/lead:II/r_peak"
is a beat that the reader added, numbered by the sample where it was set. The value of a mark is its time in ms, from
the beginning of the record or, on the median beat, from its R peak; ABSENT says that there is no such wave (of an R
peak: no such beat), and None gives the mark back to the pipeline.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from pipeline.errors import InputError

MARKS = ("p_on", "p_peak", "p_off", "qrs_on", "r_peak", "qrs_off", "t_on", "t_peak", "t_off")
BOUNDS = ("p_on", "p_off", "qrs_on", "qrs_off", "t_on", "t_off")
CLASSES = ("N", "S", "V", "F", "Q")
"""Source: ANSI/AAMI EC57: normal, supraventricular, ventricular, fusion, not classifiable."""
ABSENT = "absent"
CALIPER = "ecg/caliper:"  # the beginning of the targets of calipers on the strip

_BEAT_MARK = re.compile(r"(beat|added):(\d{1,9})/lead:([^/]{1,40})/(\w+)", re.ASCII)
_MEDIAN_MARK = re.compile(r"median/(\w+)", re.ASCII)
_BEAT_CLASS = re.compile(r"(beat|added):(\d{1,9})/class", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkTarget:
    """A mark; `beat` and `lead` are None on the median beat."""

    mark: str  # one of MARKS
    beat: int | None = None  # the run's number of a beat; -1 - n of the beat that a reader added at sample n
    lead: str | None = None

    def __str__(self) -> str:
        return f"median/{self.mark}" if self.beat is None else f"{beat_name(self.beat)}/lead:{self.lead}/{self.mark}"


def beat_name(beat: int) -> str:
    """A beat as targets name it."""
    return f"beat:{beat}" if beat >= 0 else f"added:{-1 - beat}"


def _beat(kind: str, number: str) -> int:
    return int(number) if kind == "beat" else -1 - int(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caliper:
    """Two times and two voltages that a reader measured on one lead."""

    lead: str
    start_ms: float
    end_ms: float
    low_mv: float
    high_mv: float

    def as_value(self) -> dict[str, float | str]:
        """As an edit keeps it."""
        return {
            "lead": self.lead,
            "start_ms": round(self.start_ms, 3),
            "end_ms": round(self.end_ms, 3),
            "low_mv": round(self.low_mv, 4),
            "high_mv": round(self.high_mv, 4),
        }


def class_target(beat: int) -> str:
    """The class of one beat."""
    return f"{beat_name(beat)}/class"


def read_mark_target(text: str) -> MarkTarget:
    """The mark that a target names; raises InputError."""
    beat = _BEAT_MARK.fullmatch(text)
    if beat is not None and beat[4] in MARKS:
        return MarkTarget(mark=beat[4], beat=_beat(beat[1], beat[2]), lead=beat[3])
    median = _MEDIAN_MARK.fullmatch(text)
    if median is not None and median[1] in BOUNDS:
        return MarkTarget(mark=median[1])
    raise InputError("An edit names no mark of the ECG.", code="E_INPUT_CORRUPT")


def read_class_target(text: str) -> int:
    """The beat that a target names; raises InputError."""
    found = _BEAT_CLASS.fullmatch(text)
    if found is None:
        raise InputError("An edit names no beat of the ECG.", code="E_INPUT_CORRUPT")
    return _beat(found[1], found[2])


def mark_ms(value: Any) -> float | str | None:
    """The value of a mark: a time in ms, ABSENT or None; raises InputError for anything else."""
    if value is None or value == ABSENT:
        return None if value is None else ABSENT
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise InputError("An edit sets a mark of the ECG to no time.", code="E_INPUT_CORRUPT")


def read_caliper(value: Any) -> Caliper:
    """The caliper that an edit holds; raises InputError."""
    names = ("start_ms", "end_ms", "low_mv", "high_mv")
    fits = isinstance(value, dict) and all(
        isinstance(value.get(name), int | float) and math.isfinite(value[name]) for name in names
    )
    if not fits or not isinstance(value.get("lead"), str):
        raise InputError("An edit holds no caliper of the ECG.", code="E_INPUT_CORRUPT")
    return Caliper(lead=value["lead"], **{name: float(value[name]) for name in names})
