"""What a DICOM ultrasound header says about time, view and heart beat."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from pipeline.echo.calibration import Region, read_regions
from pipeline.echo.readers.timing import Timing, choose_timing, timing_from_steps
from pipeline.records import Remark

# Source: DICOM PS3.16 CID 12226; the G- codes are their older SRT spelling.
VIEW_CODES = {"399214001": "A4C", "G-A19C": "A4C", "399232001": "A2C", "G-A19B": "A2C"}
VIEW_NAMES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(a4c|ap4c?h?|4ch)\b|\b(apical )?(four|4)[ -]?(chamber|ch)\b", re.IGNORECASE), "A4C"),
    (re.compile(r"\b(a2c|ap2c?h?|2ch)\b|\b(apical )?(two|2)[ -]?(chamber|ch)\b", re.IGNORECASE), "A2C"),
)
HEART_RATE_BPM = (0.0, 400.0)


def numbers(value: object) -> tuple[float, ...]:
    """A header value of one or many numbers as floats; () where there is none, NaN for what is none."""
    if value is None or value == "":
        return ()
    items = [value] if isinstance(value, (str, bytes)) or not isinstance(value, Sequence) else list(value)
    found = []
    for item in items:
        try:
            found.append(float(item))  # type: ignore[arg-type]
        except (TypeError, ValueError):
            found.append(math.nan)
    return tuple(found)


def _first(value: object) -> float | None:
    return next(iter(numbers(value)), None)


def read_timing(dataset: Any, n_frames: int) -> Timing:
    """Frame times: the vector, then the single values in order of trust.

    Source: DICOM PS3.3 C.7.6.5 (Cine Module); the vector's first entry is 0 and the rest are steps.
    """
    vector = numbers(dataset.get("FrameTimeVector"))
    timing = timing_from_steps(vector[1:], n_frames)
    if timing is not None:
        return timing
    chosen = choose_timing(n_frames, _single_values(dataset))
    if not vector or n_frames == 1:
        return chosen
    remark = Remark(code="W_FRAME_TIME", text="The list of frame times in the file is not plausible; it is not used.")
    return Timing(times_s=chosen.times_s, is_known=chosen.is_known, remarks=(remark, *chosen.remarks))


def _single_values(dataset: Any) -> list[tuple[str, float]]:
    named = []
    for keyword, name, is_rate in (
        ("FrameTime", "frame time", False),
        ("CineRate", "cine rate", True),
        ("ActualFrameDuration", "frame duration", False),
        ("RecommendedDisplayFrameRate", "recommended display rate", True),
    ):
        value = _first(dataset.get(keyword))
        if value is not None:
            named.append((name, _as_step_ms(value) if is_rate else value))
    return named


def _as_step_ms(rate_hz: float) -> float:
    return 1000.0 / rate_hz if rate_hz > 0 else math.nan


def read_r_waves_s(dataset: Any, duration_s: float) -> tuple[float, ...]:
    """Times of the R waves in s from the first frame, (0018,6060); those outside the clip are dropped."""
    times = (ms / 1000.0 for ms in numbers(dataset.get("RWaveTimeVector")))
    return tuple(sorted(t for t in times if math.isfinite(t) and 0 <= t <= duration_s + FRAME_SLACK_S))


FRAME_SLACK_S = 0.1  # an R wave just after the last frame still marks its beat


def read_heart_rate_bpm(dataset: Any) -> float | None:
    """Heart rate (0018,1088); machines without an ECG write 0."""
    rate = _first(dataset.get("HeartRate"))
    return rate if rate is not None and HEART_RATE_BPM[0] < rate < HEART_RATE_BPM[1] else None


def read_view(dataset: Any) -> str | None:
    """ "A4C" or "A2C" when the view's code or name says so."""
    for item in dataset.get("ViewCodeSequence") or ():
        view = VIEW_CODES.get(str(item.get("CodeValue", "")).strip())
        if view is not None:
            return view
    name = str(dataset.get("ViewName", "") or "")
    return next((view for pattern, view in VIEW_NAMES if pattern.search(name)), None)


REGION_KEYWORDS = (
    "RegionSpatialFormat",
    "RegionDataType",
    "PhysicalUnitsXDirection",
    "PhysicalUnitsYDirection",
    "PhysicalDeltaX",
    "PhysicalDeltaY",
    "RegionLocationMinX0",
    "RegionLocationMinY0",
    "RegionLocationMaxX1",
    "RegionLocationMaxY1",
)


def read_ultrasound_regions(dataset: Any) -> tuple[Region, ...]:
    """The header's calibrated regions."""
    items = dataset.get("SequenceOfUltrasoundRegions") or ()
    return read_regions([{key: item.get(key) for key in REGION_KEYWORDS} for item in items])
