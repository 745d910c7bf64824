"""Clips in AVI and MP4 files.

OpenCV reads through an open file object and may use two container formats and the codecs of a short list:
a play list in disguise is not followed, no other file and no address is opened.

OpenCV does not tell which frames its decoder has patched up: a damaged packet that still decodes gives a
frame like any other. Packets that are cut short are left out and counted as missing.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.echo.readers.clip import FrameBuffer, fewer_frames, more_frames, summary_of
from pipeline.echo.readers.timing import Timing, choose_timing, is_plausible_ms, timing_from_steps
from pipeline.echo.readers.video_source import DAMAGED, VideoSource, is_fragmented, stream_tags
from pipeline.errors import InputError
from pipeline.gates import Limits, check_frames, guarded, open_file
from pipeline.records import Array, Calibration, EchoClip, Remark

# what OpenCV answers for a codec, whichever of its many codes stands in the file -> the codec's name
CODECS = {
    "\0\0\0\0": "rawvideo", "dvsd": "dvvideo", "ffv1": "ffv1", "FFVH": "ffvhuff", "h264": "h264", "hevc": "hevc",
    "HFYU": "huffyuv", "MJPG": "mjpeg", "mpg1": "mpeg1video", "mpg2": "mpeg2video", "FMP4": "mpeg4",
    "MPG4": "msmpeg4v1", "MP42": "msmpeg4v2", "MP43": "msmpeg4v3", "mrle": "msrle", "MSVC": "msvideo1",
    "MPNG": "png", "ULRA": "utvideo", "WVC1": "vc1", "VP80": "vp8", "VP90": "vp9", "wmv1": "wmv1", "wmv2": "wmv2",
    "WMV3": "wmv3",
}  # fmt: skip
DECODERS = (*CODECS.values(), "msmpeg4")  # FFmpeg's name for the decoder of msmpeg4v3
# codes as files have them, for a file that does not open: is it damaged, or of a codec that is not read?
KNOWN_CODES = frozenset(
    (
        "", "0000", "AVC1", "AVC3", "CRAM", "DIV3", "DIVX", "DVSD", "DX50", "FFV1", "FFVH", "FMP4", "H264", "HEV1",
        "HEVC", "HFYU", "HVC1", "JPEG", "M4S2", "MJPG", "MP42", "MP43", "MP4V", "MPG1", "MPG2", "MPG4", "MPNG", "MRLE",
        "MSVC", "PNG", "RAW", "VP08", "VP09", "VP80", "VP90", "WMV1", "WMV2", "WMV3", "WVC1", "X264", "XVID",
    )
)  # fmt: skip
# OpenCV takes these from the environment alone. No message of FFmpeg is shown, no nested opening is done:
# neither protocols nor references of a QuickTime file to other files.
OPENCV_SETTINGS = {
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "OPENCV_FFMPEG_CAPTURE_OPTIONS": "|".join(
        (
            "format_whitelist;avi,mov",
            f"codec_whitelist;{','.join(DECODERS)}",
            "protocol_whitelist;none",
            "enable_drefs;0",
            "use_absolute_path;0",
            "fflags;+discardcorrupt",
        )
    ),
}
GREY_FORMATS = ("Y800", "Y1\0\t", "Y1\0\n", "Y1\0\x0c", "Y1\0\x0e", "Y1\0\x10")  # 8 to 16 bits
NO_CALIBRATION = Calibration(spacing_mm=None, method="none", reason="A video file holds no pixel size.")
MAX_FAILURES_IN_A_ROW = 100
MIN_FRAME_BYTES = 8


def inspect_avi(path: Path, limits: Limits) -> tuple[str, tuple[Remark, ...]]:
    """Summary and remarks of an AVI file from its headers."""
    return _inspect(path, "avi", limits)


def inspect_mp4(path: Path, limits: Limits) -> tuple[str, tuple[Remark, ...]]:
    """Summary and remarks of an MP4 or QuickTime file from its headers."""
    return _inspect(path, "mp4", limits)


def read_avi(
    path: Path,
    limits: Limits,
    *,
    progress: Progress = no_progress,
    cancel: CancelToken | None = None,
    most_frames: int | None = None,
) -> EchoClip:
    """Decode an AVI file; see `_read`."""
    return _read(path, "avi", limits, progress, cancel, most_frames)


def read_mp4(
    path: Path,
    limits: Limits,
    *,
    progress: Progress = no_progress,
    cancel: CancelToken | None = None,
    most_frames: int | None = None,
) -> EchoClip:
    """Decode an MP4 or QuickTime file; see `_read`."""
    return _read(path, "mp4", limits, progress, cancel, most_frames)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenVideo:
    """A video that OpenCV has opened, and what it declares, checked against the limits."""

    capture: Any  # cv2.VideoCapture
    source: VideoSource
    codec: str
    is_grey: bool
    height: int
    width: int
    n_declared: int  # 0 where the file counts no frames
    step_ms: float  # NaN where the file gives no rate


def video_library() -> Any:
    """OpenCV with our settings; ImportError where it is not installed."""
    for name, value in OPENCV_SETTINGS.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    cv2.setNumThreads(1)
    return cv2


@contextlib.contextmanager
def _open_video(path: Path, container: str, limits: Limits) -> Iterator[OpenVideo]:
    """The first video stream of a file, checked against the limits before decoding."""
    cv2 = video_library()
    # one thread: frames come one by one, and cancelling needs no other
    options = [cv2.CAP_PROP_N_THREADS, 1, cv2.CAP_PROP_HW_ACCELERATION, cv2.VIDEO_ACCELERATION_NONE]
    with open_file(path) as file:
        with guarded(DAMAGED):
            is_counted = container != "mp4" or not is_fragmented(file)
            source = VideoSource(file)
            capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, options)
        try:
            with guarded(DAMAGED):
                source.check()
                if not capture.isOpened():
                    raise _refusal(file, container)
                capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)  # frames as they are stored
                video = _described(cv2, capture, source, is_counted)
            check_frames(max(video.n_declared, 1), video.height, video.width, 1 if video.is_grey else 3, limits)
            yield video
        finally:
            capture.release()


def _refusal(file: BinaryIO, container: str) -> InputError:
    """Why OpenCV does not open a file, as far as its header tells."""
    streams = stream_tags(file, container)
    codes = [code for kind, code in streams if kind in ("vids", "vide")]
    if not codes and any(kind in ("auds", "soun") for kind, _ in streams):
        return InputError("The video file holds no pictures.", code="E_INPUT_KIND")
    if codes and codes[0].strip(" \0").upper() not in KNOWN_CODES:
        return _unsupported()
    return InputError(DAMAGED, code="E_INPUT_CORRUPT")


def _unsupported() -> InputError:
    return InputError("The video is packed in a way that is not supported.", code="E_INPUT_UNSUPPORTED")


def _described(cv2: Any, capture: Any, source: VideoSource, is_counted: bool) -> OpenVideo:
    codec = CODECS.get(_code(capture.get(cv2.CAP_PROP_FOURCC)))
    if codec is None:
        raise _unsupported()
    height, width = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)), int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
    if height < 1 or width < 1:
        raise InputError("The video declares no pixels.", code="E_INPUT_CORRUPT")
    rate_hz = capture.get(cv2.CAP_PROP_FPS)
    # without a count in the file OpenCV answers with an estimate
    n_declared = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0) if is_counted else 0
    return OpenVideo(
        capture=capture,
        source=source,
        codec=codec,
        is_grey=_code(capture.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT)) in GREY_FORMATS,
        height=height,
        width=width,
        n_declared=n_declared,
        step_ms=1000.0 / rate_hz if rate_hz > 0 else math.nan,
    )


def _code(number: float) -> str:
    """The four letters of a code that OpenCV gives as a number; -1 stands for none."""
    return (int(number) & 0xFFFFFFFF).to_bytes(4, "little").decode("latin-1")


def _inspect(path: Path, container: str, limits: Limits) -> tuple[str, tuple[Remark, ...]]:
    with _open_video(path, container, limits) as video:
        rate_hz = 1000.0 / video.step_ms if is_plausible_ms(video.step_ms) else None
        coding = f"{container.upper()} {video.codec}"
        return summary_of(max(video.n_declared, 1), video.height, video.width, rate_hz, coding), ()


def _read(
    path: Path,
    container: str,
    limits: Limits,
    progress: Progress,
    cancel: CancelToken | None,
    most_frames: int | None,
) -> EchoClip:
    """Decode every frame of a video, or no more than `most_frames`.

    Raises
    ------
    InputError
        E_INPUT_CORRUPT, E_INPUT_UNSUPPORTED (codec), E_INPUT_TRUNCATED when no frame can be decoded.
    HardStopError
        E_HARD_004: more frames or bytes than `limits` allows, declared or met while decoding.
    """
    with _open_video(path, container, limits) as video:
        # no frame takes less than a few bytes: a lie about their number reserves no memory
        buffer = FrameBuffer(min(video.n_declared, video.source.size_bytes // MIN_FRAME_BYTES), limits)
        with guarded(DAMAGED):
            times_ms = _decode_into(buffer, video, _told(progress, video.n_declared), cancel, most_frames)
    n_declared, n_found = video.n_declared, len(buffer)
    if not n_found:
        raise InputError("Not one frame of the video could be decoded.", code="E_INPUT_TRUNCATED")
    timing = _timing(times_ms, video.step_ms)
    return EchoClip(
        frames=buffer.frames(),
        frame_times_s=timing.times_s,
        timing_known=timing.is_known,
        calibration=NO_CALIBRATION,
        region_px=None,
        remarks=timing.remarks + fewer_frames(n_declared, n_found) + more_frames(n_declared, n_found),
    )


def _told(progress: Progress, n_declared: int) -> Callable[[int], None]:
    """A callback by frame number; the fraction is a guess where the file declares no number."""

    def tell(n_frames: int) -> None:
        fraction = n_frames / n_declared if n_declared > 0 else n_frames / (n_frames + 100)
        progress(min(fraction, 1.0), f"Decoded frame {n_frames}.")

    return tell


def _decode_into(
    buffer: FrameBuffer,
    video: OpenVideo,
    tell: Callable[[int], None],
    cancel: CancelToken | None,
    most_frames: int | None,
) -> list[float]:
    """Fill the buffer; returns the time of each frame in ms.

    OpenCV answers alike at the end and at a packet that does not decode, so that it is asked again.
    """
    times_ms: list[float] = []
    n_failures = 0
    while n_failures < MAX_FAILURES_IN_A_ROW and (most_frames is None or len(buffer) < most_frames):
        if cancel is not None:
            cancel.check()
        frame = _next_frame(video)
        n_failures += 1
        if frame is not None and buffer.append(frame):
            n_failures = 0
            times_ms.append(video.capture.get(0))  # CAP_PROP_POS_MSEC
            tell(len(buffer))
    return times_ms


def _next_frame(video: OpenVideo) -> Array | None:
    """A frame as grey or RGB, None at the end or where it does not decode."""
    is_decoded, frame = video.capture.read()
    video.source.check()
    if not is_decoded:
        return None
    shown: Array = frame[..., 0] if video.is_grey else frame[..., ::-1]
    return shown


def _timing(times_ms: list[float], step_ms: float) -> Timing:
    """Times of the frames as the container gives them, else evenly from its rate."""
    timing = timing_from_steps([b - a for a, b in itertools.pairwise(times_ms)], len(times_ms))
    if timing is not None:
        return timing
    named = [] if math.isnan(step_ms) else [("frame rate", step_ms)]
    return choose_timing(len(times_ms), named)
