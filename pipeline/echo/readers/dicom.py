"""Ultrasound clips and stills in DICOM files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.dicom_patient import patient_header
from pipeline.echo.calibration import calibrate
from pipeline.echo.readers.clip import fewer_frames, ignored_frames, summary_of
from pipeline.echo.readers.dicom_file import DicomFile, open_dicom
from pipeline.echo.readers.dicom_frames import PixelLayout, Span, locate_frames, read_frame, read_layout
from pipeline.echo.readers.dicom_header import (
    numbers,
    read_heart_rate_bpm,
    read_r_waves_s,
    read_timing,
    read_ultrasound_regions,
    read_view,
)
from pipeline.echo.readers.dicom_pixels import FrameDecoder, make_decoder, window_to_8_bits
from pipeline.errors import InputError
from pipeline.gates import Limits, guarded
from pipeline.records import Array, EchoClip, Remark

HEADER_TEXT = "The header of the DICOM file is damaged."


def inspect_dicom(path: Path, limits: Limits) -> tuple[str, tuple[Remark, ...]]:
    """Summary and remarks from the header and the frame positions; no pixel is decoded."""
    with open_dicom(path, limits) as file:
        layout = read_layout(file, limits)
        frames = locate_frames(file, layout)
        with guarded(HEADER_TEXT):
            timing = read_timing(file.dataset, layout.n_frames)
        parts = (layout.n_frames, layout.height, layout.width, timing.rate_hz, file.syntax.label)
        return summary_of(*parts), timing.remarks + _count_remarks(layout, len(frames), len(frames))


def read_dicom(
    path: Path,
    limits: Limits,
    *,
    progress: Progress = no_progress,
    cancel: CancelToken | None = None,
    most_frames: int | None = None,
) -> EchoClip:
    """Decode every frame of an ultrasound DICOM file, or no more than `most_frames`.

    Raises
    ------
    InputError
        E_INPUT_KIND for another modality, E_INPUT_UNSUPPORTED, E_INPUT_CORRUPT, E_INPUT_TRUNCATED when
        not one frame can be decoded; fewer than declared lead to the remark W_FEWER_FRAMES.
    HardStopError
        E_HARD_004.
    """
    with open_dicom(path, limits) as file:
        layout = read_layout(file, limits)
        spans = locate_frames(file, layout)
        decoder = make_decoder(file, layout)
        wanted = spans[: layout.n_frames][:most_frames]
        frames, kept = _decode_all(file, decoder, wanted, progress, cancel)
        remarks = _count_remarks(layout, len(spans), len(kept))
        with guarded(HEADER_TEXT):
            return _clip(file, layout, frames, kept, remarks)


def _count_remarks(layout: PixelLayout, n_located: int, n_decoded: int) -> tuple[Remark, ...]:
    return fewer_frames(layout.n_frames, n_decoded) + ignored_frames(layout.n_frames, n_located)


def _decode_all(
    file: DicomFile,
    decoder: FrameDecoder,
    spans: tuple[tuple[Span, ...], ...],
    progress: Progress,
    cancel: CancelToken | None,
) -> tuple[Array, list[int]]:
    """Frames that decode, in one array, and which of the declared ones they are."""
    frames: Array | None = None
    kept: list[int] = []
    for i, span in enumerate(spans):
        if cancel is not None:
            cancel.check()
        try:
            frame = decoder.decode(read_frame(file.stream, span))
        except InputError:
            continue  # counted: the remark W_FEWER_FRAMES tells of it
        if frames is None:
            frames = np.empty((len(spans), *frame.shape), frame.dtype)
        if frame.shape == frames.shape[1:] and frame.dtype == frames.dtype:
            frames[len(kept)] = frame
            kept.append(i)
        progress((i + 1) / len(spans), f"Decoded frame {i + 1} of {len(spans)}.")
    if frames is None:
        raise InputError("Not one frame of the DICOM file could be decoded.", code="E_INPUT_CORRUPT")
    return frames[: len(kept)], kept


def _clip(
    file: DicomFile, layout: PixelLayout, frames: Array, kept: list[int], remarks: tuple[Remark, ...]
) -> EchoClip:
    dataset = file.dataset
    timing = read_timing(dataset, layout.n_frames)
    times = timing.times_s[kept]
    calibration, region_px = calibrate(read_ultrasound_regions(dataset), layout.height, layout.width)
    offset_s = float(times[0])
    r_waves = read_r_waves_s(dataset, float(timing.times_s[-1])) if timing.is_known else ()
    return EchoClip(
        frames=frames if layout.is_colour else _grey(file, layout, frames),
        frame_times_s=times - offset_s,
        timing_known=timing.is_known,
        calibration=calibration,
        region_px=region_px,
        r_wave_times_s=tuple(t - offset_s for t in r_waves if t >= offset_s),
        heart_rate_bpm=read_heart_rate_bpm(dataset),
        view=read_view(dataset),
        header=patient_header(dataset),
        remarks=timing.remarks + remarks,
    )


def _grey(file: DicomFile, layout: PixelLayout, frames: Array) -> Array:
    centre, width = numbers(file.dataset.get("WindowCenter")), numbers(file.dataset.get("WindowWidth"))
    usable = bool(centre and width) and np.isfinite((centre[0], width[0])).all() and width[0] >= 1
    slope, intercept = numbers(file.dataset.get("RescaleSlope")), numbers(file.dataset.get("RescaleIntercept"))
    scaled = bool(slope and intercept) and np.isfinite((slope[0], intercept[0])).all() and slope[0] != 0
    return window_to_8_bits(
        frames,
        (centre[0], width[0]) if usable else None,
        (slope[0], intercept[0]) if scaled else (1.0, 0.0),
        is_inverted=layout.photometric == "MONOCHROME1",
    )
