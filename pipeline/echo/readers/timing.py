"""When each frame was taken: from what the file says, checked for sense, or assumed and said so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.records import Array, Remark

# One frame a second (slow stress loops) to 1000 frames a second (above any two-dimensional scanner).
FRAME_TIME_MS = (1.0, 1000.0)
ASSUMED_RATE_HZ = 30.0

ASSUMED = Remark(
    code="W_TIMING_ASSUMED",
    text=(
        f"The file holds no usable frame times: {ASSUMED_RATE_HZ:.0f} frames per second are assumed for "
        "playing, and times and rates cannot be measured from this clip."
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Times of the declared frames in s from 0; not `is_known` when they are assumed."""

    times_s: Array  # float64 (n_frames,)
    is_known: bool
    remarks: tuple[Remark, ...] = ()

    @property
    def rate_hz(self) -> float | None:
        """Mean frame rate, None for one frame or assumed times."""
        if not self.is_known or len(self.times_s) < 2:
            return None
        return float((len(self.times_s) - 1) / (self.times_s[-1] - self.times_s[0]))


def is_plausible_ms(frame_time_ms: float) -> bool:
    """Whether a time between frames can be believed; NaN cannot."""
    return math.isfinite(frame_time_ms) and FRAME_TIME_MS[0] <= frame_time_ms <= FRAME_TIME_MS[1]


def even_timing(n_frames: int, frame_time_ms: float, remarks: tuple[Remark, ...] = ()) -> Timing:
    """Frames at equal distances."""
    return Timing(times_s=np.arange(n_frames) * (frame_time_ms / 1000.0), is_known=True, remarks=remarks)


def assumed_timing(n_frames: int) -> Timing:
    """Equal distances at the assumed rate; a single frame needs no times and no remark."""
    times = np.arange(n_frames) / ASSUMED_RATE_HZ
    return Timing(times_s=times, is_known=n_frames == 1, remarks=() if n_frames == 1 else (ASSUMED,))


def timing_from_steps(steps_ms: Sequence[float], n_frames: int) -> Timing | None:
    """Times from the steps between frames, None unless there are n_frames - 1 plausible ones."""
    if n_frames < 2 or len(steps_ms) != n_frames - 1 or not all(is_plausible_ms(step) for step in steps_ms):
        return None
    times = np.concatenate([[0.0], np.cumsum(np.asarray(steps_ms, np.float64))]) / 1000.0
    return Timing(times_s=times, is_known=True)


def choose_timing(n_frames: int, named_ms: Sequence[tuple[str, float]]) -> Timing:
    """Even times from the first plausible of several named frame times in ms.

    Every value that is passed over is told in a remark with what is used in its place.
    """
    if n_frames == 1:
        return assumed_timing(1)
    refused: list[str] = []
    for name, frame_time_ms in named_ms:
        if is_plausible_ms(frame_time_ms):
            return even_timing(n_frames, frame_time_ms, _refusals(refused, f"the {name} is used instead"))
        refused.append(name)
    assumed = assumed_timing(n_frames)
    remarks = _refusals(refused, "no other value is given")
    return Timing(times_s=assumed.times_s, is_known=False, remarks=remarks + assumed.remarks)


def _refusals(names: Sequence[str], instead: str) -> tuple[Remark, ...]:
    return tuple(
        Remark(code="W_FRAME_TIME", text=f"The {name} in the file is not plausible; {instead}.") for name in names
    )
