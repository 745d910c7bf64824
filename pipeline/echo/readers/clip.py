"""What all echo readers share: the summary line, the count of frames, and a buffer that keeps to its limits."""

from __future__ import annotations

import numpy as np

from pipeline.gates import GIB, Limits, too_large
from pipeline.records import Array, Remark


def summary_of(n_frames: int, height: int, width: int, rate_hz: float | None, coding: str) -> str:
    """Such as "120 frames, 640 x 480, 30.0/s, JPEG baseline"."""
    count = "1 frame" if n_frames == 1 else f"{n_frames} frames"
    rate = f", {rate_hz:.1f}/s" if rate_hz is not None else ""
    return f"{count}, {width} x {height}{rate}, {coding}"


def fewer_frames(n_declared: int, n_found: int) -> tuple[Remark, ...]:
    """The remark that a clip holds fewer frames than it declares."""
    if n_found >= n_declared:
        return ()
    text = f"The file declares {n_declared} frames and {n_found} can be read; the missing ones are left out."
    return (Remark(code="W_FEWER_FRAMES", text=text),)


def more_frames(n_declared: int, n_found: int) -> tuple[Remark, ...]:
    """The remark that a clip holds more frames than it declares."""
    if n_declared < 1 or n_found <= n_declared:
        return ()
    text = f"The file declares {n_declared} frames and holds {n_found}; all of them are used."
    return (Remark(code="W_MORE_FRAMES", text=text),)


def ignored_frames(n_declared: int, n_found: int) -> tuple[Remark, ...]:
    """The remark that frames beyond the declared number were left alone."""
    if n_found <= n_declared:
        return ()
    noun = "frame" if n_declared == 1 else "frames"
    text = f"The file holds more than the {n_declared} {noun} that it declares; only the declared are used."
    return (Remark(code="W_MORE_FRAMES", text=text),)


class FrameBuffer:
    """Frames of one shape in one array, for clips whose number of frames is only known at the end."""

    def __init__(self, n_expected: int, limits: Limits) -> None:
        self.limits = limits
        self._n_expected = max(n_expected, 16)
        self._frames: Array | None = None
        self._n_frames = 0

    def __len__(self) -> int:
        return self._n_frames

    def append(self, frame: Array) -> bool:
        """Add a uint8 frame; False for one whose shape differs from the first one's.

        Raises HardStopError E_HARD_004 when the clip passes a limit.
        """
        if self._frames is None:
            n_first = min(self._n_expected, self.limits.max_frames)
            self._frames = np.empty((n_first, *frame.shape), np.uint8)
        if frame.shape != self._frames.shape[1:]:
            return False
        self._require_room(frame.nbytes)
        if self._n_frames == len(self._frames):
            grown = np.empty((self._n_frames * 3 // 2, *frame.shape), np.uint8)
            grown[: self._n_frames] = self._frames
            self._frames = grown
        self._frames[self._n_frames] = frame
        self._n_frames += 1
        return True

    def _require_room(self, frame_bytes: int) -> None:
        if self._n_frames >= self.limits.max_frames:
            raise too_large(f"The clip holds more than {self.limits.max_frames} frames.")
        if (self._n_frames + 1) * frame_bytes > self.limits.max_decoded_bytes:
            raise too_large(f"The clip needs more than {self.limits.max_decoded_bytes / GIB:.3g} GiB when decoded.")

    def frames(self) -> Array:
        """The frames so far, (n_frames, height, width[, 3])."""
        return np.empty((0, 0, 0), np.uint8) if self._frames is None else self._frames[: self._n_frames]
