"""AVI and MP4 clips, and play lists that pretend to be one."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.cancellation import CancelToken
from pipeline.echo.readers import inspect_echo, read_echo
from pipeline.echo.readers.video import inspect_avi, inspect_mp4, read_avi, read_mp4
from pipeline.echo.readers.video_source import VideoSource
from pipeline.errors import HardStopError, InputError, PipelineError, RunCancelledError
from pipeline.gates import Limits

LIMITS = Limits()


@pytest.fixture(scope="module")
def phantoms() -> Any:
    spec = importlib.util.spec_from_file_location("reader_phantoms", Path(__file__).with_name("reader_phantoms.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "codec", "summary", "tolerance"),
    [
        ("a.avi", "mjpeg", "12 frames, 128 x 96, 25.0/s, AVI mjpeg", 12),
        ("a.avi", "rawvideo", "12 frames, 128 x 96, 25.0/s, AVI rawvideo", 6),
        ("a.avi", "ffv1", "12 frames, 128 x 96, 25.0/s, AVI ffv1", 0),
        ("a.avi", "huffyuv", "12 frames, 128 x 96, 25.0/s, AVI huffyuv", 0),
        ("a.avi", "mpeg4", "12 frames, 128 x 96, 25.0/s, AVI mpeg4", 16),
        ("a.mp4", "mpeg4", "12 frames, 128 x 96, 25.0/s, MP4 mpeg4", 16),
        ("a.mov", "mjpeg", "12 frames, 128 x 96, 25.0/s, MP4 mjpeg", 12),
    ],
)
def test_clips_come_back(phantoms: Any, tmp_path: Path, name: str, codec: str, summary: str, tolerance: int) -> None:
    rgb = phantoms.smooth_frames(12)
    path = phantoms.video(tmp_path / name, rgb, codec=codec)
    report = inspect_echo(path, LIMITS)
    assert report.summary == summary
    assert report.format == ("avi" if name.endswith("avi") else "mp4")
    clip = read_echo(path, LIMITS)
    assert clip.frames.shape == rgb.shape
    assert np.abs(clip.frames.astype(int) - rgb)[:, 4:-4, 4:-4].max() <= tolerance
    np.testing.assert_allclose(clip.frame_times_s, np.arange(12) / 25, atol=1e-6)
    assert clip.timing_known
    assert clip.calibration.spacing_mm is None
    assert clip.calibration.reason == "A video file holds no pixel size."
    assert not clip.remarks


def test_h264_with_b_frames_and_uneven_times(phantoms: Any, tmp_path: Path) -> None:
    path = phantoms.h264_video(tmp_path / "a.mp4")
    assert inspect_echo(path, LIMITS).summary == "7 frames, 128 x 96, 26.8/s, MP4 h264"
    clip = read_echo(path, LIMITS)  # B-frames come back in order
    assert np.abs(clip.frames.astype(int) - phantoms.smooth_frames(7))[:, 4:-4, 4:-4].max() <= 6
    np.testing.assert_allclose(np.diff(clip.frame_times_s), np.array(phantoms.H264_STEPS_MS) / 1000, atol=1e-6)
    assert clip.timing_known
    assert not clip.remarks


def test_grey_video_stays_grey(phantoms: Any, tmp_path: Path) -> None:
    grey = phantoms.fan_frames(5)
    clip = read_echo(phantoms.video(tmp_path / "a.avi", grey, codec="ffv1"), LIMITS)
    np.testing.assert_array_equal(clip.frames, grey)


def test_uneven_times_are_kept(phantoms: Any, tmp_path: Path) -> None:
    path = phantoms.video(tmp_path / "a.mp4", phantoms.smooth_frames(5), codec="mpeg4", rate=1000)
    path.write_bytes(phantoms.with_steps(path.read_bytes(), [40, 20, 60, 80, 40]))
    clip = read_echo(path, LIMITS)
    np.testing.assert_allclose(clip.frame_times_s, [0, 0.04, 0.06, 0.12, 0.2], atol=1e-6)
    assert clip.timing_known


@pytest.mark.parametrize(
    ("steps_ms", "codes"),
    [([40, 40, 0, 40, 40], []), ([2000] * 5, ["W_FRAME_TIME", "W_TIMING_ASSUMED"])],
)
def test_times_without_sense_give_way(phantoms: Any, tmp_path: Path, steps_ms: list[int], codes: list[str]) -> None:
    """To the rate of the file, and where that has no sense either, to an assumed one that is named."""
    path = phantoms.video(tmp_path / "a.mp4", phantoms.smooth_frames(5), codec="mpeg4", rate=1000)
    path.write_bytes(phantoms.with_steps(path.read_bytes(), steps_ms))
    clip = read_echo(path, LIMITS)
    assert len(clip.frames) == 5
    np.testing.assert_allclose(np.diff(clip.frame_times_s), 1 / 30 if codes else 0.032, atol=1e-6)
    assert [remark.code for remark in clip.remarks] == codes
    assert clip.timing_known == (not codes)


def test_turned_video_stays_as_it_is_stored(phantoms: Any, tmp_path: Path) -> None:
    path = phantoms.video(tmp_path / "a.mp4", phantoms.smooth_frames(3), codec="mpeg4")
    content = path.read_bytes()
    upright = np.array([1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30], ">i4").tobytes()
    quarter = np.array([0, 1 << 16, 0, -(1 << 16), 0, 0, 96 << 16, 0, 1 << 30], ">i4").tobytes()
    at = content.index(upright, content.index(b"tkhd"))
    path.write_bytes(content[:at] + quarter + content[at + 36 :])
    assert inspect_echo(path, LIMITS).summary.startswith("3 frames, 128 x 96")
    assert read_echo(path, LIMITS).frames.shape == (3, 96, 128, 3)


def test_cut_avi_tells_what_is_missing(phantoms: Any, tmp_path: Path) -> None:
    path = phantoms.video(tmp_path / "a.avi", phantoms.smooth_frames(20), codec="huffyuv")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 10])
    clip = read_echo(path, LIMITS)
    assert 0 < len(clip.frames) < 20
    assert [remark.code for remark in clip.remarks] == ["W_FEWER_FRAMES"]
    assert "declares 20 frames" in clip.remarks[0].text


def test_cut_mp4_is_refused(phantoms: Any, tmp_path: Path) -> None:
    path = phantoms.video(tmp_path / "a.mp4", phantoms.smooth_frames(20), codec="mpeg4")
    path.write_bytes(path.read_bytes()[:-400])  # the index lies at the end
    for reader in (inspect_echo, read_echo):
        with pytest.raises(InputError) as caught:
            reader(path, LIMITS)
        assert caught.value.code == "E_INPUT_CORRUPT"


def test_play_lists_open_nothing(phantoms: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sibling = phantoms.video(tmp_path / "sibling.mp4", phantoms.smooth_frames(3), codec="mpeg4")
    script = tmp_path / "video.mp4"
    for text in (
        f"ffconcat version 1.0\nfile {sibling.name}\n",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{sibling.name}\n#EXT-X-ENDLIST\n",
    ):
        script.write_text(text)
        with pytest.raises(InputError) as caught:
            read_echo(script, LIMITS)
        assert caught.value.code == "E_INPUT_KIND"
        for reader in (read_avi, read_mp4, inspect_avi, inspect_mp4):  # past the magic bytes: two formats are let in
            with pytest.raises(InputError) as caught:
                reader(script, LIMITS)
            assert caught.value.code == "E_INPUT_CORRUPT"


def test_other_containers_are_not_opened(tmp_path: Path) -> None:
    """OpenCV would read a Y4M file, if it were let in."""
    path = tmp_path / "a.mp4"
    path.write_bytes(b"YUV4MPEG2 W16 H16 F25:1 C420\n" + (b"FRAME\n" + bytes(384)) * 3)
    with pytest.raises(InputError) as caught:
        read_mp4(path, LIMITS)
    assert caught.value.code == "E_INPUT_CORRUPT"


def test_boxes_that_end_beyond_the_file(phantoms: Any, tmp_path: Path) -> None:
    path = phantoms.video(tmp_path / "a.mp4", phantoms.smooth_frames(3), codec="mpeg4")
    whole = path.read_bytes()
    first = int.from_bytes(whole[:4], "big")
    for size in ((1 << 32) - 8, 1 << 32, (1 << 32) + 16, 1 << 33, (1 << 63) - 1):  # OpenCV keeps 32 bits of an offset
        path.write_bytes(whole[:first] + struct.pack(">I4sQ", 1, b"free", size) + whole[first:])
        began = time.perf_counter()
        with pytest.raises(InputError):
            read_echo(path, LIMITS)
        assert time.perf_counter() - began < 5


def test_nothing_is_said_on_the_terminal(phantoms: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = phantoms.video(tmp_path / "a.avi", phantoms.smooth_frames(6), codec="mpeg4")
    whole = path.read_bytes()
    capfd.readouterr()
    for damaged in (
        whole[: len(whole) // 2],
        whole[:300],
        whole.replace(b"FMP4", b"ZZZZ"),
        b"RIFF\0\0\0\0AVI " + whole,
    ):
        path.write_bytes(damaged)
        with contextlib.suppress(PipelineError):
            read_echo(path, LIMITS)
    assert capfd.readouterr() == ("", "")


def test_larger_pictures_than_the_header_says(phantoms: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    picture = phantoms.jpeg(phantoms.smooth_frames(1)[0])
    path.write_bytes(phantoms.avi_of([picture] * 3, 16, 16))
    assert read_echo(path, LIMITS).frames.shape == (3, 96, 128, 3)
    for reader in (inspect_echo, read_echo):
        with pytest.raises(HardStopError):
            reader(path, Limits(max_frame_px=96 * 128 - 1))


def test_limits_pass_and_one_more_fails(phantoms: Any, tmp_path: Path) -> None:
    rgb = phantoms.smooth_frames(6)
    path = phantoms.video(tmp_path / "a.avi", rgb)
    assert len(read_echo(path, Limits(max_frames=6, max_decoded_bytes=rgb.nbytes, max_frame_px=96 * 128)).frames) == 6
    for limits in (Limits(max_frames=5), Limits(max_decoded_bytes=rgb.nbytes - 1), Limits(max_frame_px=96 * 128 - 1)):
        for reader in (inspect_echo, read_echo):
            with pytest.raises(HardStopError):
                reader(path, limits)


def test_lies_about_the_number_of_frames(phantoms: Any, tmp_path: Path) -> None:
    rgb = phantoms.smooth_frames(6)
    path = phantoms.video(tmp_path / "a.avi", rgb)
    content = path.read_bytes()
    at = content.index(b"strh") + 8 + 32  # dwLength of the stream header
    for declared, code in ((4, "W_MORE_FRAMES"), (9, "W_FEWER_FRAMES")):
        path.write_bytes(content[:at] + declared.to_bytes(4, "little") + content[at + 4 :])
        clip = read_echo(path, LIMITS)
        assert len(clip.frames) == 6
        assert [remark.code for remark in clip.remarks] == [code]
    path.write_bytes(content[:at] + (4).to_bytes(4, "little") + content[at + 4 :])
    with pytest.raises(HardStopError):  # met while decoding, after the header had promised less
        read_echo(path, Limits(max_frames=5))


def test_a_fragmented_mp4_declares_no_number(phantoms: Any, tmp_path: Path) -> None:
    """OpenCV answers with an estimate, which is no declaration."""
    path = phantoms.video(tmp_path / "a.mp4", phantoms.smooth_frames(6), codec="mpeg4")
    with path.open("ab") as file:
        file.write(struct.pack(">I4s", 16, b"moof") + struct.pack(">I4s", 8, b"free"))
    assert inspect_echo(path, LIMITS).summary.startswith("1 frame, ")
    clip = read_echo(path, LIMITS)
    assert len(clip.frames) == 6
    assert not clip.remarks


def test_sound_without_pictures(phantoms: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    path.write_bytes(phantoms.avi_of([bytes(1600)] * 3, 0, 0, kind=b"auds", code=bytes(4)))
    with pytest.raises(InputError) as caught:
        read_echo(path, LIMITS)
    assert caught.value.code == "E_INPUT_KIND"


@pytest.mark.parametrize("code", [None, b"ZZZZ", b"theo", b"av01"])
def test_codecs_outside_the_list_are_refused(phantoms: Any, tmp_path: Path, code: bytes | None) -> None:
    path = tmp_path / "a.avi"
    if code is None:
        phantoms.video(path, phantoms.smooth_frames(2), codec="flv")  # OpenCV has a decoder for it
    else:
        path.write_bytes(phantoms.avi_of([bytes(600)] * 2, 96, 128, code=code))  # and none for these
    for reader in (inspect_echo, read_echo):
        with pytest.raises(InputError) as caught:
            reader(path, LIMITS)
        assert caught.value.code == "E_INPUT_UNSUPPORTED"


def test_the_source_never_raises_and_its_patience_ends() -> None:
    source = VideoSource(io.BytesIO(bytes(10_000)))
    assert source.seek(-1, 2) == 9_999
    assert (source.seek(-1), source.seek(0, 1), source.seek(-20_000, 2)) == (-1, -1, -1)
    assert source.seek(9_990) == 9_990
    assert (len(source.read(4096)), source.read(4096)) == (10, b"")
    source.check()
    for _ in range(100_000):
        source.seek(0)
        if not source.read(4096):
            break
    with pytest.raises(InputError) as caught:
        source.check()
    assert caught.value.code == "E_INPUT_CORRUPT"


def test_cancel_between_frames(phantoms: Any, tmp_path: Path) -> None:
    path = phantoms.video(tmp_path / "a.avi", phantoms.smooth_frames(12))
    cancel, seen = CancelToken(), []

    def progress(fraction: float, text: str) -> None:
        seen.append(fraction)
        cancel.cancel()

    with pytest.raises(RunCancelledError):
        read_echo(path, LIMITS, progress=progress, cancel=cancel)
    assert seen == pytest.approx([1 / 12])


def test_garbage_behind_the_magic(tmp_path: Path) -> None:
    for head in (b"RIFF\x10\0\0\0AVI ", b"\0\0\0\x18ftypisom"):
        path = tmp_path / "a"
        path.write_bytes(head + bytes(range(256)) * 8)
        with pytest.raises(PipelineError):
            read_echo(path, LIMITS)
