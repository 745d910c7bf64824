"""Clips in NIfTI files (.nii, .nii.gz).

Axes are (x, y[, 1], t) as research sets such as CAMUS write them: x runs along an image row, y down the
rows, and the last axis is time. The orientation matrices are ignored, since they describe no patient
space for a sector. One file, NIfTI-1 or -2; pairs of .hdr and .img are not read.

Source: NIfTI-1.1 and NIfTI-2 header definitions, https://nifti.nimh.nih.gov.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.echo.readers.clip import fewer_frames, summary_of
from pipeline.echo.readers.timing import Timing, assumed_timing, choose_timing
from pipeline.errors import InputError
from pipeline.gates import Limits, check_frames, guarded, open_file, reading
from pipeline.records import Array, Calibration, EchoClip, Remark

DAMAGED = "The NIfTI file is damaged."
HEADER_BYTES = {1: 348, 2: 540}
DEFLATE_MAX_RATIO = 1032  # 258 bytes from two bits
MAX_OFFSET_BYTES = 16 << 20  # header extensions before the data
MM_PER_UNIT = {1: 1000.0, 2: 1.0, 3: 0.001}  # metre, millimetre, micrometre
MS_PER_UNIT = {8: 1000.0, 16: 1.0, 24: 0.001}  # second, millisecond, microsecond
# 4 cm to 30 cm on 60 to 4000 rows, as for the ultrasound regions.
SPACING_MM = (0.01, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class NiftiLayout:
    """The header, checked."""

    n_frames: int
    height: int
    width: int
    dtype: np.dtype[Any]
    offset_bytes: int
    slope: float
    intercept: float
    zooms: tuple[float, ...]  # (x, y[, z][, t]) in the header's units
    space_unit: int
    time_unit: int

    @property
    def is_rgb(self) -> bool:
        return self.dtype.names is not None

    @property
    def frame_bytes(self) -> int:
        return self.height * self.width * self.dtype.itemsize


def inspect_nifti(path: Path, limits: Limits) -> tuple[str, tuple[Remark, ...]]:
    """Summary and remarks from the header."""
    with _open_data(path) as (stream, _):
        layout = _read_layout(stream, limits)
    timing = _timing(layout)
    summary = summary_of(layout.n_frames, layout.height, layout.width, timing.rate_hz, "NIfTI")
    return summary, timing.remarks


def read_nifti(
    path: Path,
    limits: Limits,
    *,
    progress: Progress = no_progress,
    cancel: CancelToken | None = None,
    most_frames: int | None = None,
) -> EchoClip:
    """Read a NIfTI clip, whole or no further than `most_frames`, as uint8.

    Values of another type are stretched from their lowest to their highest.

    Raises
    ------
    InputError
        E_INPUT_CORRUPT, E_INPUT_UNSUPPORTED, E_INPUT_TRUNCATED when not one whole frame is there.
    HardStopError
        E_HARD_004: the header declares more than `limits` allows. A compressed file is unpacked no
        further than its header declares.
    """
    with _open_data(path) as (stream, most_bytes):
        layout = _read_layout(stream, limits)
        n_possible = min(layout.n_frames, (most_bytes - layout.offset_bytes) // layout.frame_bytes)
        n_wanted = n_possible if most_frames is None else min(n_possible, most_frames)
        raw = _read_frames(stream, layout, n_wanted, progress, cancel)
    timing = _timing(layout)
    frames, remarks = _as_8_bits(raw, layout)
    return EchoClip(
        frames=frames,
        frame_times_s=timing.times_s[: len(frames)],
        timing_known=timing.is_known,
        calibration=_calibration(layout),
        region_px=None,
        remarks=timing.remarks + fewer_frames(layout.n_frames, len(frames)) + remarks,
    )


@contextlib.contextmanager
def _open_data(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """The unpacked bytes as a stream, and how many they can be at most."""
    with open_file(path) as file:
        with reading():
            is_packed = file.read(2) == b"\x1f\x8b"
            size_bytes = file.seek(0, io.SEEK_END)
            file.seek(0)
        if is_packed:
            yield cast(BinaryIO, gzip.GzipFile(fileobj=file, mode="rb")), size_bytes * DEFLATE_MAX_RATIO
        else:
            yield file, size_bytes


def _read_layout(stream: BinaryIO, limits: Limits) -> NiftiLayout:
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    with guarded(DAMAGED):
        head = stream.read(HEADER_BYTES[1])
        version = 2 if head[4:8] == b"n+2\0" else 1
        head += stream.read(HEADER_BYTES[version] - len(head))
        header = (Nifti2Header if version == 2 else Nifti1Header)(head, check=False)
        shape = tuple(int(n) for n in header["dim"][1 : 1 + int(header["dim"][0])])
        n_frames, height, width = _axes(shape)
        dtype = _data_type(header)
        slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
        layout = NiftiLayout(
            n_frames=n_frames,
            height=height,
            width=width,
            dtype=dtype,
            offset_bytes=int(header["vox_offset"]),
            slope=slope if math.isfinite(slope) and slope != 0 else 1.0,
            intercept=intercept if math.isfinite(intercept) and math.isfinite(slope) and slope != 0 else 0.0,
            zooms=tuple(float(z) for z in header["pixdim"][1 : 1 + len(shape)]),
            space_unit=int(header["xyzt_units"]) & 7,
            time_unit=int(header["xyzt_units"]) & 56,
        )
    check_frames(layout.n_frames, layout.height, layout.width, layout.dtype.itemsize, limits)
    if not len(head) <= layout.offset_bytes <= MAX_OFFSET_BYTES:
        raise InputError(DAMAGED)
    with guarded(DAMAGED, code="E_INPUT_TRUNCATED"):
        stream.read(layout.offset_bytes - len(head))
    return layout


def _axes(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """(n_frames, height, width) of (x, y), (x, y, t) or (x, y, 1, t)."""
    lengths = list(shape)
    while len(lengths) > 3 and lengths[-1] == 1:
        lengths.pop()
    if len(lengths) == 4 and lengths[2] == 1:
        del lengths[2]
    if len(lengths) == 2:
        lengths.append(1)
    if len(lengths) != 3:
        text = "The NIfTI file is not a two-dimensional clip: its axes must be x, y and time."
        raise InputError(text, code="E_INPUT_UNSUPPORTED")
    return lengths[2], lengths[1], lengths[0]


def _data_type(header: Any) -> np.dtype[Any]:
    """The element type; RGB24 is kept as its three bytes."""
    dtype: np.dtype[Any] = header.get_data_dtype()
    if dtype.names is not None and dtype.names[:3] == ("R", "G", "B") and dtype.itemsize == 3:
        return dtype
    if dtype.kind not in "uif" or dtype.itemsize > 8:
        raise InputError("The NIfTI file's type of number is not supported.", code="E_INPUT_UNSUPPORTED")
    return dtype


def _read_frames(
    stream: BinaryIO, layout: NiftiLayout, n_possible: int, progress: Progress, cancel: CancelToken | None
) -> Array:
    """Whole frames (n_frames, height, width) of the file's own type; stops where the file ends."""
    raw = np.empty((max(n_possible, 0), layout.height, layout.width), layout.dtype)
    n_read = 0
    for i in range(n_possible):
        if cancel is not None:
            cancel.check()
        with guarded(DAMAGED):
            data = _read_or_end(stream, layout.frame_bytes)
        if len(data) < layout.frame_bytes:
            break
        raw[i] = np.frombuffer(data, layout.dtype).reshape(layout.height, layout.width)
        n_read += 1
        progress((i + 1) / layout.n_frames, f"Read frame {i + 1} of {layout.n_frames}.")
    if not n_read:
        raise InputError("The NIfTI file ends before its first whole frame.", code="E_INPUT_TRUNCATED")
    return raw[:n_read]


def _read_or_end(stream: BinaryIO, n_bytes: int) -> bytes:
    """Up to n_bytes; a compressed file that is cut reads as its end, a damaged one raises."""
    try:
        return stream.read(n_bytes)
    except EOFError:
        return b""


def _as_8_bits(raw: Array, layout: NiftiLayout) -> tuple[Array, tuple[Remark, ...]]:
    """uint8 frames, grey or RGB."""
    if layout.is_rgb:
        return raw.view(np.uint8).reshape(*raw.shape, 3), ()
    if raw.dtype == np.uint8 and layout.slope == 1.0 and layout.intercept == 0.0:
        return raw, ()
    with np.errstate(all="ignore"):
        low, high = _range(raw, layout)
        out = np.empty(raw.shape, np.uint8)
        for i, frame in enumerate(raw):
            values = frame.astype(np.float64) * layout.slope + layout.intercept
            out[i] = np.clip(np.rint(np.nan_to_num((values - low) * (255.0 / (high - low)))), 0, 255)
    text = "The clip's values were stretched from their lowest to their highest to 8 bits."
    return out, (Remark(code="W_GREY_STRETCHED", text=text),)


def _range(raw: Array, layout: NiftiLayout) -> tuple[float, float]:
    """Lowest and highest finite value after scaling; values 0..255 keep their own range."""
    finite = [frame[np.isfinite(frame)] for frame in raw]
    ends = [float(v) * layout.slope + layout.intercept for f in finite if f.size for v in (f.min(), f.max())]
    low, high = min(ends, default=0.0), max(ends, default=0.0)
    if not math.isfinite(high - low):
        raise InputError("The NIfTI file's values cannot be shown.")
    if low >= 0.0 and 1.0 < high <= 255.0:
        return 0.0, 255.0
    return low, high if high > low else low + 1.0


def _timing(layout: NiftiLayout) -> Timing:
    """Frame times from the header where the unit is one of time.

    The third of three axes is a length by the standard; its step counts as time only when a unit of
    time is set and the step would be a plausible frame time but not a slice distance.
    """
    if layout.n_frames == 1:
        return assumed_timing(1)
    scale = MS_PER_UNIT.get(layout.time_unit)
    step = layout.zooms[-1] if len(layout.zooms) >= 3 else math.nan
    if scale is None or (len(layout.zooms) == 3 and not 2.0 <= step * scale <= 200.0):
        return assumed_timing(layout.n_frames)
    return choose_timing(layout.n_frames, [("frame time", step * scale)])


def _calibration(layout: NiftiLayout) -> Calibration:
    """Spacing from the header's zooms; a length without a unit is taken as mm, as the format's tools do."""
    scale = MM_PER_UNIT.get(layout.space_unit, 1.0 if layout.space_unit == 0 else math.nan)
    spacing = tuple(z * scale for z in layout.zooms[1::-1])
    if len(spacing) == 2 and all(math.isfinite(s) and SPACING_MM[0] <= s <= SPACING_MM[1] for s in spacing):
        return Calibration(spacing_mm=(spacing[0], spacing[1]), method="NIfTI header")
    return Calibration(spacing_mm=None, method="none", reason="The NIfTI header's pixel size is not plausible.")
