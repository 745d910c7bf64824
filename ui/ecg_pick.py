"""What lies under the pointer on the paper, and what the reader holds: a mark, a line of a caliper. Knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.review.ecg_targets import MARKS, Caliper
from ui.ecg_layout import LETTERS_MM, Paper, Strip
from ui.ecg_marks import EcgMarks, Mark

NEAR_PX = 6.0
USUAL_MS = {
    "p_on": -160,
    "p_peak": -110,
    "p_off": -70,
    "qrs_on": -45,
    "r_peak": 0,
    "qrs_off": 50,
    "t_on": 180,
    "t_peak": 280,
    "t_off": 360,
}
"""Where a mark that a reader sets by key begins, from the R peak; it is then moved to where it belongs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A point of a strip."""

    strip: Strip
    time_s: float
    level_mv: float
    is_letters: bool  # on the line of the beats' letters


def spot_at(paper: Paper, x_mm: float, y_mm: float) -> Spot | None:
    """The strip whose row, or whose line of letters, holds a point; None beside the strips."""
    for strip in paper.strips(x_mm, y_mm - paper.row_mm, x_mm + 1e-6, y_mm + paper.row_mm):
        time_s = strip.start_s + (x_mm - strip.left_mm) / paper.speed_mm_s
        is_letters = strip.letters_mm is not None and 0.0 <= y_mm - strip.letters_mm < LETTERS_MM
        is_inside = 0.0 <= y_mm - (strip.baseline_mm - paper.row_mm / 2) < paper.row_mm
        if strip.start_s <= time_s < strip.end_s and (is_inside or is_letters):
            level_mv = (strip.baseline_mm - y_mm) / paper.gain_mm_mv
            return Spot(strip=strip, time_s=time_s, level_mv=level_mv, is_letters=is_letters)
    return None


def mark_near(marks: EcgMarks, spot: Spot, reach_s: float) -> Mark | None:
    """The nearest mark within reach; on equal terms a boundary goes before a peak."""
    found = marks.visible(spot.strip.lead_idx, spot.time_s - reach_s, spot.time_s + reach_s)
    return min(found, key=lambda m: (abs(m.time_s - spot.time_s), m.is_peak), default=None)


def missing_marks(
    marks: EcgMarks, lead_idx: int, beat_idx: int, time_s: float | None, length_s: float, rate_hz: float
) -> list[Mark]:
    """Marks that a beat lacks in a lead and that may stand at a time; without one, each at its usual place."""
    if beat_idx >= marks.n_marked:
        return []
    here = {mark.name for mark in marks.of_beat(lead_idx, beat_idx)}
    found = []
    for name in (name for name in MARKS if name not in here):
        usual_s = float(marks.r_s[beat_idx]) + USUAL_MS[name] / 1000.0
        mark = marks.proposed(lead_idx, beat_idx, name, usual_s if time_s is None else time_s)
        low, high = marks.limits_s(mark, length_s)
        if low <= mark.time_s <= high:
            found.append(moved_mark(mark, mark.time_s, (low, high), rate_hz))
    return found


def beat_near(marks: EcgMarks, time_s: float, reach_s: float) -> int | None:
    """The nearest beat within reach."""
    inside = marks.beats_between(time_s, time_s, reach_s)
    return min(inside, key=lambda beat: abs(float(marks.r_s[beat]) - time_s), default=None)


def moved_mark(mark: Mark, time_s: float, limits_s: tuple[float, float], rate_hz: float) -> Mark:
    """The mark on the nearest sample of a time, kept between its neighbours."""
    inside_s = min(max(time_s, limits_s[0]), limits_s[1])
    return replace(mark, time_s=round(inside_s * rate_hz) / rate_hz, is_edited=True)


def first_caliper(marks: EcgMarks | None, strip: Strip, span_s: tuple[float, float]) -> Caliper:
    """A caliper to begin with: from R to R where two beats are in sight, else a second in the middle."""
    if marks is not None:
        seen = marks.beats_between(*span_s)
        if len(seen) >= 2:
            start_s, end_s = (float(marks.r_s[beat]) for beat in (seen[0], seen[1]))
            return Caliper(lead=strip.name, start_ms=1000 * start_s, end_ms=1000 * end_s, low_mv=0.0, high_mv=1.0)
    middle_ms = 500.0 * (span_s[0] + span_s[1])
    return Caliper(lead=strip.name, start_ms=middle_ms - 500, end_ms=middle_ms + 500, low_mv=0.0, high_mv=1.0)


def nudged_caliper(caliper: Caliper, line: int, by_ms: float) -> Caliper:
    """One of its two lines moved."""
    if line == 0:
        return replace(caliper, start_ms=caliper.start_ms + by_ms)
    return replace(caliper, end_ms=caliper.end_ms + by_ms)


def nearest_line(caliper: Caliper, time_s: float, reach_s: float) -> int | None:
    """0 for the first line, 1 for the second, None where neither is within reach."""
    gaps = [abs(ms / 1000.0 - time_s) for ms in (caliper.start_ms, caliper.end_ms)]
    return gaps.index(min(gaps)) if min(gaps) <= reach_s else None
