"""DICOM files that lie, are damaged or are of another kind; cancelling; what reaches the logs."""

from __future__ import annotations

import importlib.util
import logging
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.cancellation import CancelToken
from pipeline.echo.readers import inspect_echo, read_echo
from pipeline.errors import HardStopError, InputError, PipelineError, RunCancelledError
from pipeline.gates import Limits
from pipeline.records import EchoClip

LIMITS = Limits()


@pytest.fixture(scope="module")
def phantoms() -> Any:
    spec = importlib.util.spec_from_file_location("reader_phantoms", Path(__file__).with_name("reader_phantoms.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shipped(name: str) -> Path:
    import pydicom.data

    path = pydicom.data.get_testdata_file(name, download=False)
    assert path is not None
    return Path(str(path))


def codes(clip: EchoClip) -> list[str]:
    return [remark.code for remark in clip.remarks]


def refused(path: Path, limits: Limits = LIMITS, *, reader: Any = read_echo) -> str:
    with pytest.raises(PipelineError) as caught:
        reader(path, limits)
    assert "CANARY" not in str(caught.value)
    return caught.value.code


@pytest.mark.parametrize("name", ["CT_small.dcm", "waveform_ecg.dcm", "rtplan.dcm"])
def test_other_modalities_are_named(name: str) -> None:
    assert refused(shipped(name)) == refused(shipped(name), reader=inspect_echo) == "E_INPUT_KIND"


def test_ecg_given_as_echo_is_told() -> None:
    with pytest.raises(InputError, match="holds an ECG") as caught:
        inspect_echo(shipped("waveform_ecg.dcm"), LIMITS)
    assert caught.value.code == "E_INPUT_KIND"


def test_small_rle_that_claims_a_huge_image(phantoms: Any, tmp_path: Path) -> None:
    packed = [phantoms.rle(phantoms.fan_frames(1)[0])]
    for sides, code in (
        ((30000, 30000), "E_HARD_004"),
        ((65535, 65535), "E_HARD_004"),
        ((6000, 6000), "E_INPUT_TRUNCATED"),
    ):
        path = phantoms.packed_dicom(tmp_path / "a", packed, (1, *sides), "MONOCHROME2", "1.2.840.10008.1.2.5")
        for reader in (inspect_echo, read_echo):
            assert refused(path, reader=reader) == code


def test_declared_totals_are_limited(phantoms: Any, tmp_path: Path) -> None:
    path = phantoms.dicom(tmp_path / "a", phantoms.fan_frames(6))
    total = 6 * 96 * 128
    assert read_echo(path, Limits(max_decoded_bytes=total, max_frames=6, max_frame_px=96 * 128)).frames.nbytes == total
    for limits in (Limits(max_decoded_bytes=total - 1), Limits(max_frames=5), Limits(max_frame_px=96 * 128 - 1)):
        with pytest.raises(HardStopError):
            read_echo(path, limits)


def test_deflate_bomb(phantoms: Any, tmp_path: Path) -> None:
    path = phantoms.dicom(tmp_path / "a", phantoms.fan_frames(), syntax="1.2.840.10008.1.2.1.99")
    assert refused(path, Limits(max_inflated_bytes=10_000)) == "E_HARD_004"
    content = path.read_bytes()
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = content.index(b"1.2.840.10008.1.2.1.99") + 22
    bomb = engine.compress(bytes(4 << 20)) + engine.flush()
    path.write_bytes(content[:start] + bomb)
    assert refused(path, Limits(max_inflated_bytes=1 << 20)) == "E_HARD_004"


def test_frames_fewer_than_declared_are_told(phantoms: Any, tmp_path: Path) -> None:
    path = phantoms.dicom(tmp_path / "a", phantoms.fan_frames(6), NumberOfFrames=9)
    clip = read_echo(path, LIMITS)
    assert clip.frames.shape[0] == len(clip.frame_times_s) == 6
    assert codes(clip) == ["W_FEWER_FRAMES"]
    assert [remark.code for remark in inspect_echo(path, LIMITS).remarks] == ["W_FEWER_FRAMES"]
    assert "declares 9 frames and 6" in clip.remarks[0].text


def test_frames_more_than_declared_are_told(phantoms: Any, tmp_path: Path) -> None:
    grey, rgb = phantoms.fan_frames(6), phantoms.smooth_frames(6)
    packed = [phantoms.jpeg(frame) for frame in rgb]
    paths = [phantoms.dicom(tmp_path / "a", grey, NumberOfFrames=2)]
    paths += [
        phantoms.packed_dicom(
            tmp_path / f"b{n}", packed, rgb.shape, "YBR_FULL", "1.2.840.10008.1.2.4.50", NumberOfFrames=n
        )
        for n in (1, 2)
    ]
    for path, n_declared in zip(paths, (2, 1, 2), strict=True):
        clip = read_echo(path, LIMITS)
        assert len(clip.frames) == n_declared
        assert codes(clip) == ["W_MORE_FRAMES"]
        assert [remark.code for remark in inspect_echo(path, LIMITS).remarks] == ["W_MORE_FRAMES"]


def test_damaged_frames_are_left_out_and_keep_the_clock(phantoms: Any, tmp_path: Path) -> None:
    rgb = phantoms.smooth_frames(5)
    packed = [phantoms.jpeg(frame) for frame in rgb]
    packed[0] = packed[0][:20] + bytes(40)
    packed[2] = phantoms.jpeg(rgb[2, :40])  # a frame of another size
    path = phantoms.packed_dicom(tmp_path / "a", packed, rgb.shape, "YBR_FULL", "1.2.840.10008.1.2.4.50")
    clip = read_echo(path, LIMITS)
    assert codes(clip) == ["W_FEWER_FRAMES"]
    np.testing.assert_allclose(clip.frame_times_s, [0.0, 0.08, 0.12])
    assert np.abs(clip.frames.astype(int) - rgb[[1, 3, 4]]).max() <= 6


def test_no_frame_at_all(phantoms: Any, tmp_path: Path) -> None:
    grey = phantoms.fan_frames()
    path = phantoms.packed_dicom(tmp_path / "a", [bytes(50)] * 6, grey.shape, "MONOCHROME2", "1.2.840.10008.1.2.4.50")
    assert refused(path) == "E_INPUT_CORRUPT"
    path = phantoms.dicom(tmp_path / "b", grey)
    path.write_bytes(path.read_bytes()[: -grey.nbytes + 100])
    assert refused(path) == "E_INPUT_TRUNCATED"
    path.write_bytes(path.read_bytes()[:500])
    assert refused(path) == "E_INPUT_TRUNCATED"


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({"Rows": 0}, "E_INPUT_CORRUPT"),
        ({"BitsAllocated": 32}, "E_INPUT_UNSUPPORTED"),
        ({"BitsStored": 12}, "E_INPUT_CORRUPT"),
        ({"SamplesPerPixel": 3}, "E_INPUT_CORRUPT"),
        ({"PhotometricInterpretation": "CMYK"}, "E_INPUT_UNSUPPORTED"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "E_INPUT_CORRUPT"),  # without a palette
        ({"NumberOfFrames": "-3"}, "E_INPUT_CORRUPT"),
        ({"NumberOfFrames": "99999"}, "E_HARD_004"),
    ],
)
def test_contradictions(phantoms: Any, tmp_path: Path, tags: dict[str, Any], code: str) -> None:
    assert refused(phantoms.dicom(tmp_path / "a", phantoms.fan_frames(2), **tags)) == code


def test_unknown_packing(phantoms: Any, tmp_path: Path) -> None:
    path = phantoms.packed_dicom(tmp_path / "a", [b"x" * 40], (1, 96, 128), "MONOCHROME2", "1.2.840.10008.1.2.4.102")
    assert refused(path) == "E_INPUT_UNSUPPORTED"


def test_deep_sequences_and_executable_preamble(phantoms: Any, tmp_path: Path) -> None:
    path = phantoms.dicom(tmp_path / "a", phantoms.fan_frames(2))
    content = path.read_bytes()
    path.write_bytes(b"MZ\x90\0" + content[4:])
    assert len(read_echo(path, LIMITS).frames) == 2
    nest = b"\x08\x00\x15\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 3000
    start = content.index(struct.pack("<HH", 8, 0x16))
    path.write_bytes(content[:start] + nest)
    assert refused(path) in ("E_INPUT_CORRUPT", "E_INPUT_TRUNCATED")


def test_a_huge_private_value_is_not_loaded(phantoms: Any, tmp_path: Path) -> None:
    import tracemalloc

    private = bytes(96 << 20)
    ds = phantoms.header((2, 96, 128), "MONOCHROME2")
    ds.add_new(0x00111001, "OB", private)
    ds.PixelData = phantoms.fan_frames(2).tobytes()
    ds["PixelData"].VR = "OB"
    path = phantoms.save(ds, tmp_path / "a.dcm")
    del private, ds
    tracemalloc.start()
    try:
        assert len(read_echo(path, LIMITS).frames) == 2
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 32 << 20


def test_cancel_and_progress_between_frames(phantoms: Any, tmp_path: Path) -> None:
    path = phantoms.dicom(tmp_path / "a", phantoms.fan_frames(6))
    cancel, seen = CancelToken(), []

    def progress(fraction: float, text: str) -> None:
        seen.append(fraction)
        if len(seen) == 3:
            cancel.cancel()

    with pytest.raises(RunCancelledError):
        read_echo(path, LIMITS, progress=progress, cancel=cancel)
    assert seen == pytest.approx([1 / 6, 2 / 6, 3 / 6])


def test_nothing_of_the_patient_reaches_logs(
    phantoms: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    rgb = phantoms.smooth_frames(2)
    packed = [b"\xff\xd8\xff" + bytes(90)] * 2
    path = phantoms.packed_dicom(tmp_path / "a", packed, rgb.shape, "YBR_FULL", "1.2.840.10008.1.2.4.70")
    refused(path)
    report = inspect_echo(phantoms.dicom(tmp_path / "b", rgb), LIMITS)
    assert phantoms.SECRET not in report.summary
    printed = capfd.readouterr()
    assert caplog.text + printed.out + printed.err == ""
