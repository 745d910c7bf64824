"""The seventeen segments of the left ventricle as places of a bull's-eye. Knows no Qt.

Source: Cerqueira et al. 2002, AHA, doi 10.1161/hc0402.102975 (names and places).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.records import CineAnalysis, WallSegment
from ui.wording import interval_text, number

WALLS = ("anterolateral", "anterior", "anteroseptal", "inferoseptal", "inferior", "inferolateral")
"""From the right, counter-clockwise, a sixth of the circle each."""
APICAL = ("lateral", "anterior", "septal", "inferior")
"""A quarter each; the lateral one lies around the right."""
RINGS = (("basal", 1.0, 0.72), ("mid", 0.72, 0.44), ("apical", 0.44, 0.18))
APEX_RADIUS = 0.18
SCORE_WORDS = {1: "normal", 2: "hypokinetic", 3: "akinetic", 4: "dyskinetic"}


@dataclass(frozen=True, slots=True)
class Sector:
    """A place of the bull's-eye: radii in parts of the whole, angles in degrees counter-clockwise from the right."""

    name: str
    outer: float
    inner: float
    start_deg: float
    span_deg: float

    def centre(self) -> tuple[float, float]:
        """(x, y), y up, in parts of the radius."""
        angle = math.radians(self.start_deg + self.span_deg / 2)
        radius = (self.outer + self.inner) / 2
        return radius * math.cos(angle), radius * math.sin(angle)


def _sectors() -> tuple[Sector, ...]:
    found = []
    for ring, outer, inner in RINGS:
        names, first = (APICAL, -45.0) if ring == "apical" else (WALLS, 0.0)
        span = 360.0 / len(names)
        found += [Sector(f"{ring} {name}", outer, inner, first + i * span, span) for i, name in enumerate(names)]
    return tuple(found)


SECTORS = _sectors()


def sector_at(x: float, y: float) -> Sector | None:
    """The place under a point, y up, in parts of the radius; None outside and in the apex."""
    radius, angle = math.hypot(x, y), math.degrees(math.atan2(y, x)) % 360.0
    for sector in SECTORS:
        start = sector.start_deg % 360.0
        if sector.inner <= radius <= sector.outer and (angle - start) % 360.0 < sector.span_deg:
            return sector
    return None


def score_text(segment: WallSegment) -> str:
    """The score and the classes that its interval reaches, "2 (1–3)"; a dash where there is no score."""
    return f"{segment.score or '–'}{score_range_text(segment)}"


def score_range_text(segment: WallSegment) -> str:
    """ " (1–3)", or nothing where the classes are not known or only one is reached."""
    low, high = segment.score_range or (0, 0)
    return f" ({low}–{high})" if low < high else ""


def segment_lines(segment: WallSegment) -> list[str]:
    """Each number of a segment with its interval, and why one is withheld."""
    lines = []
    for name, value, interval, unit in (
        ("inward motion", segment.radial_excursion_pct, segment.radial_interval_pct, "%"),
        ("longitudinal strain", segment.longitudinal_strain_pct, segment.strain_interval_pct, "%"),
        ("time to peak", segment.time_to_peak_ms, segment.time_to_peak_interval_ms, "ms"),
    ):
        if value is not None:
            lines.append(f"{name} {number(value, 0)} {unit} {interval_text(interval, 0)}".rstrip())
    if segment.reason is None and segment.time_to_peak_reason:
        lines.append(f"time to peak withheld: {segment.time_to_peak_reason}")
    return lines + [reason for reason in (segment.reason, segment.score_reason) if reason]


@dataclass(frozen=True, slots=True)
class Seen:
    """A segment that a clip shows."""

    cine_idx: int
    segment: WallSegment
    is_edited: bool = False

    @property
    def words(self) -> str:
        """What a reader must know of it, in lines."""
        segment = self.segment
        score = f"{segment.score} {SCORE_WORDS[segment.score]}" if segment.score else "no score"
        score += score_range_text(segment)
        by = ", by a reader" if self.is_edited else ", suggested" if segment.score else ""
        lines = [f"{segment.name.capitalize()}: {score}{by}"]
        return "\n".join([*lines, *segment_lines(segment)])


def seen_segments(analyses: Sequence[CineAnalysis | None], edited: frozenset[tuple[int, str]]) -> dict[str, Seen]:
    """The segments that the clips of a study show, by name; of two clips of one view the first."""
    found: dict[str, Seen] = {}
    for cine_idx, cine in enumerate(analyses):
        for segment in cine.segments if cine is not None else ():
            found.setdefault(segment.name, Seen(cine_idx, segment, (cine_idx, segment.name) in edited))
    return found
