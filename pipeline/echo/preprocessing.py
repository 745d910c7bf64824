"""From a clip as read to a grey cine of the sector alone, through the echo quality gate."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.echo.sector import Sector, find_sector
from pipeline.errors import QualityError
from pipeline.records import Array, EchoCine, EchoClip, Remark

MIN_SIDE_PX = 64
BLACK_LEVEL = 5
SATURATED_LEVEL = 250
# The gate refuses what no reader could use; it does not judge image quality.
MIN_BRIGHT_LEVEL = 12.0  # 99th percentile: below, the clip is black
MIN_CONTRAST = 3.0  # standard deviation of the grey levels: below, the clip is flat
MAX_SATURATED = 0.6
MIN_MOTION = 0.05  # mean change between frames in grey levels: below, the clip stands still
COLOUR_LEVELS = 48  # between a pixel's strongest and weakest channel
MAX_COLOURED = 0.03
N_JUDGED = 32
LUMA_WEIGHTS = (77, 150, 29)  # of 256; ITU-R BT.601

VIEW_ASSUMED = Remark(
    code="W_VIEW_ASSUMED", text="The file does not name its view; an apical four-chamber view is assumed."
)
SINGLE_FRAME = Remark(
    code="W_SINGLE_FRAME", text="The clip holds a single frame: no cardiac cycle can be measured from it."
)
NO_MOTION = Remark(code="W_NO_MOTION", text="All frames of the clip look alike: no cardiac cycle can be seen in it.")
COLOURED = Remark(
    code="W_COLOUR_OVERLAY",
    text="Part of the sector is coloured, as in colour Doppler; contours there rest on brightness alone.",
)


def prepare_clip(
    clip: EchoClip, file_sha256: str, *, progress: Progress = no_progress, cancel: CancelToken | None = None
) -> EchoCine:
    """Grey, cut to the sector, with what is burnt in around the sector blackened where that is safe.

    Frames keep their grey levels and their pixel size: nothing is filtered, stretched or resampled.

    Raises
    ------
    QualityError
        E_QUALITY_ECHO: empty, smaller than 64 x 64 pixels, black, flat or saturated.
    RunCancelledError
        Between frames.
    """
    if clip.frames.size == 0:
        raise _refused("The clip holds no frames.")
    _require_size(*clip.frames.shape[1:3])
    grey = _luminance(clip.frames, progress, cancel)
    sector = find_sector(grey, clip.region_px)
    frames = _cut(grey, sector)
    progress(0.9, "Found the sector.")
    quality = _quality(frames, sector)
    _require_quality(quality)
    coloured = _coloured_share(clip.frames, sector)
    progress(1.0, "Checked the image quality.")
    return EchoCine(
        file_sha256=file_sha256,
        frames=frames,
        frame_times_s=clip.frame_times_s,
        timing_known=clip.timing_known,
        calibration=clip.calibration,
        crop_px=sector.box_px,
        original_size_px=(int(clip.frames.shape[1]), int(clip.frames.shape[2])),
        view=clip.view or "A4C",
        r_wave_times_s=clip.r_wave_times_s,
        heart_rate_bpm=clip.heart_rate_bpm,
        header=clip.header,
        quality={**quality, "coloured_fraction": coloured},
        remarks=clip.remarks + _remarks(clip, quality, coloured),
    )


def _refused(text: str) -> QualityError:
    return QualityError(text, code="E_QUALITY_ECHO")


def _require_size(height: int, width: int) -> None:
    if min(height, width) < MIN_SIDE_PX:
        raise _refused(f"The image is smaller than {MIN_SIDE_PX} x {MIN_SIDE_PX} pixels.")


def _luminance(frames: Array, progress: Progress, cancel: CancelToken | None) -> Array:
    """Grey frames (n_frames, height, width); the clip's own array where it is grey already."""
    if frames.ndim == 3:
        return frames
    grey = np.empty(frames.shape[:3], np.uint8)
    red, green, blue = (np.uint16(w) for w in LUMA_WEIGHTS)
    for i, frame in enumerate(frames):
        if cancel is not None:
            cancel.check()
        grey[i] = (frame[..., 0] * red + frame[..., 1] * green + frame[..., 2] * blue + 128) >> 8
        progress(0.8 * (i + 1) / len(frames), f"Prepared frame {i + 1} of {len(frames)}.")
    return grey


def _cut(grey: Array, sector: Sector) -> Array:
    top, left, bottom, right = sector.box_px
    frames = grey[:, top:bottom, left:right].copy()
    if sector.mask is not None:
        frames[:, ~sector.mask] = 0
    return frames


def _quality(frames: Array, sector: Sector) -> Mapping[str, float]:
    """The figures of the gate, over the sector's pixels of up to N_JUDGED frames."""
    picked = frames[np.unique(np.linspace(0, len(frames) - 1, min(len(frames), N_JUDGED)).astype(int))]
    pixels = picked.reshape(len(picked), -1) if sector.mask is None else picked[:, sector.mask]
    return {
        "mean_level": round(float(pixels.mean()), 3),
        "contrast": round(float(pixels.std()), 3),
        "bright_level": round(float(np.percentile(pixels, 99)), 3),
        "black_fraction": round(float((pixels <= BLACK_LEVEL).mean()), 4),
        "saturated_fraction": round(float((pixels >= SATURATED_LEVEL).mean()), 4),
        "motion": round(_motion(frames), 4),
        "sector_fraction": round(1.0 if sector.mask is None else float(sector.mask.mean()), 4),
    }


def _motion(frames: Array) -> float:
    """Mean absolute change from a frame to the next in grey levels, over up to N_JUDGED pairs."""
    if len(frames) < 2:
        return 0.0
    starts = np.unique(np.linspace(0, len(frames) - 2, min(len(frames) - 1, N_JUDGED)).astype(int))
    changes = [np.abs(frames[i + 1].astype(np.int16) - frames[i]).mean() for i in starts]
    return float(np.mean(changes))


def _require_quality(quality: Mapping[str, float]) -> None:
    if quality["bright_level"] < MIN_BRIGHT_LEVEL:
        raise _refused("The clip is black.")
    if quality["contrast"] < MIN_CONTRAST:
        raise _refused("The clip is flat: it holds no picture.")
    if quality["saturated_fraction"] > MAX_SATURATED:
        raise _refused("The clip is saturated: most of it is white.")


def _coloured_share(frames: Array, sector: Sector) -> float:
    """Share of the sector's pixels that are coloured, over up to eight frames."""
    if frames.ndim == 3:
        return 0.0
    top, left, bottom, right = sector.box_px
    picked = frames[np.unique(np.linspace(0, len(frames) - 1, 8).astype(int)), top:bottom, left:right]
    coloured = picked.max(axis=3) - picked.min(axis=3) >= COLOUR_LEVELS
    pixels = coloured if sector.mask is None else coloured[:, sector.mask]
    return round(float(pixels.mean()), 4)


def _remarks(clip: EchoClip, quality: Mapping[str, float], coloured: float) -> tuple[Remark, ...]:
    is_single = len(clip.frames) == 1
    told = (
        (clip.view is None, VIEW_ASSUMED),
        (is_single, SINGLE_FRAME),
        (not is_single and quality["motion"] < MIN_MOTION, NO_MOTION),
        (coloured > MAX_COLOURED, COLOURED),
    )
    return tuple(remark for applies, remark in told if applies)
